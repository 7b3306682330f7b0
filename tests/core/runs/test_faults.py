"""Writes that fail: a full disk, a store out of reach, a database that refuses, a component that breaks off."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from core.api import App, RestoreContext, apps, db, direct, in_transaction, transaction
from core.backups import log
from core.backups.models import Backup
from core.base.errors import AppkeepError
from core.base.time import moved
from core.objects import packs
from core.objects.index import StoredObject
from core.runs.service import announce_ended, find, work
from core.server import server as current
from core.storage import folder
from core.storage.s3 import S3Store
from tests.core.runs.faults import at_step
from tests.core.runs.making import SHEETS, ask, change, fill, restoring, state_of, types_of_backups, write

FULL = OSError(errno.ENOSPC, "No space left on device")


def failing(act: Callable[..., Any], nth: int, error: Exception) -> Callable[..., Any]:
    """Return a function that does the same, but raises at its n-th call, counted from 1."""
    calls = count(1)

    def wrapped(*args: Any, **named: Any) -> Any:
        if next(calls) == nth:
            raise error
        return act(*args, **named)

    return wrapped


@pytest.mark.parametrize(("place", "name"), [(os, "write"), (folder, "_flush")], ids=["write", "flush"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_disk_that_is_full_fails_the_backup_and_leaves_nothing(
        server: Flask, app: App, home: Path, monkeypatch: pytest.MonkeyPatch, place: ModuleType, name: str, nth: int) -> None:
    """At the first or a later object, while writing or making durable: a clear code, no row, no rest; the next one works."""
    app = fill(app)
    run_id = ask("backup", app, None, send=False)
    with monkeypatch.context() as here:
        here.setattr(packs, "PACK_BYTES", 1)  # each object is written by itself, so that there is a later one
        here.setattr(place, name, failing(getattr(place, name), nth, FULL))
        work(run_id)
    assert ("failed", "storage_failed") == state_of(run_id)
    assert "No space left on device" in str(find(run_id).error_message)
    assert str(home) not in str(find(run_id).error_message)
    assert ([], []) == (types_of_backups(app), list(db.session.scalars(db.select(StoredObject))))
    assert [] == list((home / "objects" / "incoming").iterdir())
    assert direct.content_id(app) == direct.back_up(app).content_id


def test_a_store_out_of_reach_fails_the_backup(
        sqlite_server: Flask, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code of its own, since nothing is wrong but the way there; and the next backup works."""
    from tests.conftest import made_organization

    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_MAX_ATTEMPTS", "1"),
                        ("AWS_DEFAULT_REGION", "us-east-1"), ("APPKEEP_S3_ENDPOINT_URL", "http://127.0.0.1:9")):
        monkeypatch.setenv(name, value)
    with made_organization("Example"):
        with transaction():
            app = apps.create("Sales", "system")
        with monkeypatch.context() as here:
            here.setattr(current(), "store", S3Store("bucket", "prefix"))
            run_id = ask("backup", app, None, send=False)
            work(run_id)
        assert ("failed", "store_unavailable") == state_of(run_id)
        direct.back_up(apps.find(app.id))


@pytest.fixture
def changed(server: Flask, app: App) -> tuple[App, Backup, str]:
    """An app that has changed since its backup, the backup, and the name of the state it is in."""
    app = fill(app)
    backup = direct.back_up(app)
    app = change(app)
    return app, backup, direct.content_id(app)


def as_before(app: App, content_id: str) -> None:
    """Prove that a failed restore left the app as it was, and open; and that the next restore works."""
    assert (content_id, None) == (direct.content_id(app), restoring(app))


def test_a_safety_backup_that_fails_stops_the_restore(
        changed: tuple[App, Backup, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is restored without it."""
    app, backup, before = changed
    run_id = ask("restore", app, backup, send=False)
    with monkeypatch.context() as here:
        here.setattr(os, "write", failing(os.write, 1, FULL))
        work(run_id)
    assert (("failed", "storage_failed"), ["manual"]) == (state_of(run_id), types_of_backups(app))
    as_before(app, before)
    direct.restore(app, backup)
    assert backup.content_id == direct.content_id(app)


@pytest.mark.parametrize("nth", range(1, len(SHEETS) + 1))
def test_a_component_that_breaks_off_at_any_segment_leaves_the_app_as_it_was(
        changed: tuple[App, Backup, str], monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """What it had merged is rolled back, with the configuration that was back already."""
    app, backup, before = changed
    run_id = ask("restore", app, backup, send=False)
    with monkeypatch.context() as here:
        here.setattr(RestoreContext, "segments", breaking_off(RestoreContext.segments, nth))
        work(run_id)
    assert ("failed", "internal_error") == state_of(run_id)
    assert "Unexpected error: RuntimeError: it broke off" == find(run_id).error_message
    as_before(app, before)
    write(app)
    direct.restore(apps.find(app.id), backup)
    assert backup.content_id == direct.content_id(app)


def breaking_off(segments: Callable[..., Iterator[Any]], nth: int) -> Callable[..., Iterator[Any]]:
    """Return what gives a restore its segments, broken off at the n-th of all."""
    numbers = count(1)

    def broken(self: RestoreContext, component: str, lines: list[Any], *more: int) -> Iterator[Any]:
        for segment in segments(self, component, lines, *more):
            if next(numbers) == nth:
                raise RuntimeError("it broke off")
            yield segment

    return broken


def test_a_write_that_the_database_refuses_leaves_the_app_as_it_was(
        changed: tuple[App, Backup, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first, second, third, fifth … write of the last transaction, until none is left to fail."""
    app, backup, before = changed
    tried = 0
    for nth in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144):
        run_id = ask("restore", app, backup, send=False)
        with monkeypatch.context() as here, Refusing(nth) as refusing:
            at_step(here, "restore.app_closed", refusing.begin)
            at_step(here, "restore.committed", refusing.end)
            work(run_id)
        if not refusing.refused:
            break
        tried += 1
        assert ("failed", "internal_error") == state_of(run_id)
        as_before(app, before)
    assert tried > 3
    assert (("succeeded", None), backup.content_id) == (state_of(run_id), direct.content_id(app))


class Refusing:
    """Lets the database refuse the n-th write of transactions, once it has begun."""

    def __init__(self, nth: int) -> None:
        self.left, self.refused = nth, False
        self.thread: int | None = None

    def begin(self) -> None:
        """Begin to count, in this thread: the one that keeps the lease has writes of its own."""
        self.thread = threading.get_ident()

    def end(self) -> None:
        """Count no more: what is told of a run that has ended is another transaction."""
        self.thread = None

    def __enter__(self) -> Refusing:
        event.listen(db.engine, "before_cursor_execute", self._look)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(db.engine, "before_cursor_execute", self._look)

    def _look(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.thread == threading.get_ident() and in_transaction() and statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            self.left -= 1
            if self.left == 0:
                self.refused = True
                raise FULL


def test_an_end_that_cannot_be_told_of_is_told_of_by_the_clock(
        changed: tuple[App, Backup, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has ended well all the same; its line in the log comes later, once."""
    app, backup, _ = changed
    app_id, run_id = app.id, ask("restore", app, backup, send=False)

    def refuse(*_: Any) -> None:
        raise FULL

    with monkeypatch.context() as here:
        here.setattr(log, "note_end", refuse)
        work(run_id)
    assert ("succeeded", None) == state_of(run_id)
    assert ["asked"] == [act.result for act in log.acts_of(app_id, act="restore")]
    for seconds in (20, 40):
        with moved(seconds):
            announce_ended()
    assert ["done", "asked"] == [act.result for act in log.acts_of(app_id, act="restore")]


def test_errors_have_their_own_code_in_the_run(changed: tuple[App, Backup, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal inside a run is kept with its code and its sentence."""
    app, backup, before = changed

    def refuse() -> None:
        raise AppkeepError("Not today.")

    run_id = ask("restore", app, backup, send=False)
    at_step(monkeypatch, "restore.verified", refuse)
    work(run_id)
    assert (("failed", "error"), "Not today.") == (state_of(run_id), find(run_id).error_message)
    as_before(app, before)
