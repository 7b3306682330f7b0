"""Plugins of strangers, as an entry point would bring them: modules made by a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from core.extension import registry
from core.extension.hookspecs import hookimpl
from tests.conftest import fresh_database, opened_server

VERSION = '''"""{what}

Revision ID: {revision}
"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


revision: str = '{revision}'
down_revision: Union[str, Sequence[str], None] = {before}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
{body}
'''
"""A version as `alembic revision` writes it."""


class Entry:
    """An entry point that gives a module, or raises what loading it raises."""

    dist = None

    def __init__(self, name: str, given: ModuleType | BaseException) -> None:
        self.name, self.given = name, given

    def load(self) -> ModuleType:
        """Return the module."""
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given


def plugin(name: str, **hooks: Any) -> Entry:
    """Return a plugin with these hooks."""
    module = ModuleType(name)
    for hook, does in hooks.items():
        setattr(module, hook, hookimpl(does))
    return Entry(name, module)


def version(folder: Path, revision: str, body: str, before: str = "None") -> Path:
    """Write a version into a folder and return the folder."""
    folder.mkdir(exist_ok=True)
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    (folder / f"{revision}.py").write_text(VERSION.format(what="A table of a stranger.", revision=revision, before=before, body=lines))
    return folder


@contextmanager
def installed(monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> Iterator[None]:
    """Have these plugins installed, and no other, as for a process that starts anew."""
    with monkeypatch.context() as here:
        here.setattr(registry, "entry_points", lambda group: list(entries))
        for kept in ("LEFT_OUT", "ABSENT", "ABSENT_DATA", "UNREADABLE"):  # what a process learns of its plugins
            here.setattr(registry, kept, {})
        yield


@contextmanager
def started(home: Path, url: str, **settings: object) -> Iterator[Flask]:
    """Start a server as a process does."""
    yield from opened_server(home, url, **settings)


def database(engine: str, home: Path, request: pytest.FixtureRequest) -> str:
    """Return the URL of a database that has no stranger's tables."""
    return fresh_database(engine, home, request)
