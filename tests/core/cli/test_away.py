"""A database that is away: a command says so and ends, a process that stands by itself waits for it."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import servers
from core.cli.main import main
from core.imports import reader_process
from core.processes import schema

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that name a database that nobody answers for."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    monkeypatch.setenv("APPKEEP_DATABASE_URL", NOWHERE)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("words", [["app", "list", "--org", "Acme"], ["org", "list"], ["up"]])
def test_a_command_says_so(words: list[str]) -> None:
    """With a code and the database's own reason, and no lines of code."""
    answer = CliRunner().invoke(main, words)
    assert 1 == answer.exit_code and "database_unavailable: " in answer.output and "refused" in answer.output
    assert "Traceback" not in answer.output and isinstance(answer.exception, SystemExit)


def import_wsgi() -> None:
    """Import the application as another web server does."""
    before = os.umask(0o077)
    try:
        runpy.run_path(str(Path(__file__).parents[3] / "wsgi.py"))
    finally:
        os.umask(before)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("start", [servers._prepared, import_wsgi])
def test_a_process_waits(monkeypatch: pytest.MonkeyPatch, start: Callable[[], object]) -> None:
    """Ever longer, up to 15 s, until the database is there; the application for another web server too."""
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 6:
            monkeypatch.setattr(schema, "ensure_schema", lambda: None)

    monkeypatch.setattr(schema.time, "sleep", wait)
    monkeypatch.setattr(reader_process, "start", lambda app: None)
    start()
    assert [1, 2, 4, 8, 15, 15] == waited


def test_a_database_that_cannot_be_opened_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the folder is another user's, or the disk is full: what SQLite says of it, and no lines of code."""
    (home / "appkeep.db").mkdir(parents=True)
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    answer = CliRunner().invoke(main, ["org", "list"])
    assert 1 == answer.exit_code and "database_unavailable: The database cannot do its work: unable to open" in answer.output
