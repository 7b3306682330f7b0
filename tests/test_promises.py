"""The page of promises: every test that it names exists, and every promise names one or says that there is none yet."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| (?!promise \||---)(.+?) \| (.+) \|$", re.M)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROMISES: list[tuple[str, str]] = ROW.findall((ROOT / "docs/promises.md").read_text(encoding="utf-8"))


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize(("promise", "held"), PROMISES, ids=[promise[:60] for promise, _ in PROMISES])
def test_every_test_that_holds_a_promise_exists(promise: str, held: str) -> None:
    """By file and name; nothing else stands there but “not yet”."""
    named = NAMED.findall(held)
    assert [] == [f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in names_in(path)]
    rest = NAMED.sub("", held).strip()
    assert rest.startswith("not yet") if not named else rest == "", promise


def test_the_page_has_every_chapter() -> None:
    """A page that could not be read would hold nothing."""
    assert len(PROMISES) > 80
