"""Scratch files of backups that are browsed: bounded, closed to others, and never more than what can be made anew."""

from __future__ import annotations

import io
import os
import sqlite3
import time
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, BrowsingFailed, apps, direct, documents
from core.backups import browse, ingest, scratch
from core.backups.catalog import find_backup
from tests.conftest import opened_server
from tests.core.backups.test_golden import content


def made(home: Path, name: str, size: int, age_s: float) -> Path:
    """Make what looks like a scratch, used so long ago."""
    place = home / "browse" / name
    place.mkdir(parents=True)
    (place / scratch.FILE).write_bytes(b"x" * size)
    os.utime(place, (time.time() - age_s,) * 2)
    return place


def test_the_least_recently_used_go_first(home: Path) -> None:
    """Until the rest fits, but never the one that is in use."""
    for _ in opened_server(home, "", browse_limit_bytes=250):
        oldest, older, newest = (made(home, f"b_{n}.x", 100, age) for n, age in ((1, 300), (2, 200), (3, 100)))
        scratch.tidy(using=oldest)
        assert [True, False, True] == [one.exists() for one in (oldest, older, newest)]
        scratch.touch(oldest)
        made(home, "b_4.x", 100, 0)
        scratch.tidy()
        assert {"b_1", "b_4"} == {one.backup_id for one in scratch.kept()}


def test_what_is_idle_goes(home: Path) -> None:
    """After as many hours as the setting says; also what a process left half made."""
    for _ in opened_server(home, "", browse_idle_hours=2):
        idle, used = made(home, "b_1.x", 1, 3 * 3600), made(home, "b_2.x", 1, 3600)
        left, coming = made(home, ".making-1", 1, 2 * 3600), made(home, ".making-2", 1, 10)
        scratch.tidy()
        assert [False, True, False, True] == [one.exists() for one in (idle, used, left, coming)]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    """Whoever browses learns that there is no room, and what to do instead."""
    connection = sqlite3.connect(tmp_path / scratch.FILE, isolation_level=None)
    connection.execute("PRAGMA max_page_count=3")
    with pytest.raises(BrowsingFailed, match="no room"), scratch.in_words(tmp_path):
        connection.execute("CREATE TABLE large (text TEXT)")
        connection.execute("INSERT INTO large VALUES (?)", ("x" * 100_000,))
    with pytest.raises(BrowsingFailed, match="no room"), scratch.in_words(tmp_path):
        raise OSError(28, "No space left on device")


def test_a_damaged_file_is_removed_when_it_is_met(app: App) -> None:
    """The answer says that it is unpacked again; the next one shows the page."""
    backup_id = direct.back_up(app).id
    with browse.opened(apps.find(app.id), find_backup(backup_id)) as found:
        file = found.place / scratch.FILE
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 40_000)
    for beside in file.parent.glob("*-*"):
        beside.unlink()
    try:
        with browse.opened(apps.find(app.id), find_backup(backup_id)) as found:
            documents.live(found.app)
    except BrowsingFailed as error:
        assert "unpacked again" in error.message and not file.exists()
    with browse.opened(apps.find(app.id), find_backup(backup_id)) as found:
        assert documents.live(found.app)


@pytest.mark.parametrize("part", ["both", "config"])
def test_a_file_of_an_earlier_version_is_browsed(sqlite_server: Flask, app: App, part: str) -> None:
    """A golden file that came in shows its documents in today's shape."""
    backup_id = ingest.upload(io.BytesIO(content(part)), apps.find(app.id), "system").id
    with browse.opened(apps.find(app.id), find_backup(backup_id)) as found:
        kinds = {one.kind for one in documents.live(found.app)}
        assert {"worksheet", "page", "role", "app"} <= kinds
        total = sum(found.total("worksheets", f"records/{one.key}") for one in documents.live(found.app, "worksheet"))
        assert (total > 0) is (part == "both")


def test_data_alone_is_not_browsed(sqlite_server: Flask, app: App) -> None:
    """It says what of it can be done instead."""
    backup_id = ingest.upload(io.BytesIO(content("data")), apps.find(app.id), "system").id
    with pytest.raises(BrowsingFailed, match="can be restored"), browse.opened(apps.find(app.id), find_backup(backup_id)):
        pass
