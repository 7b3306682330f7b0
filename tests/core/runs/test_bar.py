"""The bar of a terminal: what it says, and that a script sees nothing of it."""

from __future__ import annotations

import io
import sys

import pytest
from flask import Flask

from core.api import App, apps, direct
from core.backups.catalog import find_backup
from core.cli.bar import Bar, bar, length
from core.runs.context import watched
from tests.core.runs.making import change, fill


@pytest.mark.parametrize(("kind", "phase", "done", "total", "elapsed_s", "line"), [
    ("backup", "reading", 0, 100, 5, "Reading the app …"),
    ("backup", "reading", 50, 100, 1, f"Reading the app  {'█' * 12}{'░' * 12}  50 %  50 of 100 records"),
    ("backup", "reading", 250_000, 1_000_000, 10, f"Reading the app  {'█' * 6}{'░' * 18}  25 %  250,000 of 1,000,000 records  25,000/s  0:30 left"),
    ("restore", "reading", 100, 100, 3, f"Backing up the current version  {'█' * 24} 100 %  100 of 100 records  33/s  0:00 left"),
    ("import", "import.reading", 1, 0, 1, "Reading the file  1 record"),
    ("check", "verifying", 30, 0, 3, "Checking the content  30 parts  10/s"),
    ("restore", "restore.merged", 7, 9, 3, "Restoring …")])
def test_the_line(kind: str, phase: str, done: int, total: int, elapsed_s: float, line: str) -> None:
    """What goes on, how far, how fast, how long still; no more than is known."""
    shown = Bar(kind, io.StringIO())
    shown.phase = phase
    assert line == shown.text(done, total, elapsed_s)


def test_lengths_are_minutes_and_seconds() -> None:
    """Also long ones."""
    assert [length(0.4), length(65), length(4500)] == ["0:00", "1:05", "75:00"]


class Terminal(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "drawn"), [(io.StringIO(), ""), (Terminal(), "\r\x1b[KReading the app …\r\x1b[K")])
def test_only_a_terminal_is_drawn_on(stream: io.StringIO, drawn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase that nobody knows leaves the line as it is; at the end it is gone."""
    monkeypatch.setattr(sys, "stderr", stream)
    with bar("backup") as shown:
        if shown is not None:
            shown.show("reading", 0, 10)
            shown.show("backup.committed", 0, 0)
    assert drawn == stream.getvalue()


def test_who_watches_hears_of_the_merge_too(server: Flask, app: App) -> None:
    """Which writes nothing of it, for it is within its transaction."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    backup = direct.back_up(fill(app))
    change(app)
    heard: list[tuple[str, int, int]] = []
    with watched(lambda *said: heard.append(said)):
        direct.restore(apps.find(app.id), find_backup(backup.id))
    merging = [(done, total) for phase, done, total in heard if phase == "merging"]
    assert merging
    assert 0 < merging[-1][0] <= merging[-1][1]
    assert [done for done, _ in merging] == sorted(done for done, _ in merging)
