"""The laws of data catch what is wrong; the comments of the example keep them all, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_example import EXAMPLES, ROOT, install_example, run

WRONG = Path(__file__).parent / "wrong_components.py"


@pytest.fixture
def comments(tmp_path: Path) -> list[Path]:
    """The example with a table of its own, installed."""
    return install_example(tmp_path, "comments")


def test_the_comments_keep_the_laws(comments: list[Path], home: Path) -> None:
    """Run in its folder as its README says; here without the law that flips bits for seconds, and on PostgreSQL those that ask most of it."""
    engine = "not guarded and (sqlite or carried or one_moment or plan or tenants or undone)"
    ended = run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=-q", "-k", engine, path=[*comments, ROOT], home=home,
                folder=EXAMPLES / "comments")
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "29 passed" in ended.stdout


def test_every_hook_and_method_is_called_as_the_pages_show_it(tmp_path: Path, home: Path) -> None:
    """The plugin that implements all of them, whose functions stand in docs/hooks.md and docs/components.md; here on one database, without
    flipped bits."""
    path = install_example(tmp_path, "every_hook")
    ended = run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=-q", "-k", "not guarded and not postgresql", path=[*path, ROOT], home=home,
                folder=EXAMPLES / "every_hook")
    assert 0 == ended.returncode, ended.stdout + ended.stderr


def test_each_wrong_component_is_caught(comments: list[Path], home: Path) -> None:
    """34 of 34, each by the law that stands for it and with its sentence."""
    tests = EXAMPLES / "comments" / "tests"
    ended = run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=-q", "-k", "sqlite", str(WRONG), f"--rootdir={tests}",
                path=[*comments, tests, ROOT], home=home, folder=tests)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "34 passed" in ended.stdout
