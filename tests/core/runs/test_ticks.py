"""What the clock asks every few seconds does not follow how many runs and backups there ever were: an index leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert, text

from core.api import App, as_server, db, transaction
from core.backups import check_due, look
from core.backups.catalog import backups_of
from core.backups.models import Backup
from core.backups.schedule import service as schedules
from core.base.time import now_us
from core.gc import old_runs, sweep
from core.runs.models import Run
from core.runs.service import active_runs, announce_ended, recover, runs_of
from tests.conftest import made_organization

GROWING = ("run", "backup")
MANY = 3000


@pytest.fixture
def long_used(sqlite_server: Flask) -> Iterator[App]:
    """An app with so many ended runs and backups that an index is worth it."""
    from core.api import apps

    with made_organization("Acme") as organization:
        with transaction():
            app = apps.create("Orders", "system")
            app_id = app.id
        now = now_us()
        run = {"organization_id": organization, "app_id": app_id, "person": "system", "options": '{"backup":"b_1"}', "state": "succeeded",
               "announced_at": now, "lane": "general", "attempt": 1, "phase": "", "steps": "[]", "done": 0, "total": 0, "bytes": 0,
               "cancel_requested": False, "outages": 0}
        backup = {"organization_id": organization, "app_id": app_id, "type": "manual", "part": "config", "content": "{}", "content_id": "",
                  "plugins": "{}", "app_name": "", "raw_bytes": 0, "size_bytes": 0, "added_bytes": 0, "segments": 0, "segments_added": 0,
                  "records": 0, "created_by": "system", "started_at": 0, "pinned": False, "origin": "here", "name": ""}
        at = [now - n * 10_000_000_000 for n in range(MANY)]
        with transaction():
            db.session.execute(insert(Run), [{**run, "id": f"n_{n}", "kind": ("check", "collect", "backup")[n % 3], "requested_at": at[n],
                                              "started_at": at[n], "ended_at": at[n]} for n in range(MANY)])
            db.session.execute(insert(Backup), [{**backup, "id": f"b_{n}", "run_id": f"n_{n}", "created_at": at[n], "checked_at": now, "read_at": now}
                                                for n in range(MANY)])
        with as_server(), transaction():
            db.session.execute(text("ANALYZE"))
        yield apps.find(app_id)


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that are sent to the database."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def scans(statement: str, parameters: Any) -> list[str]:
    """Return what SQLite says of tables that grow and are read whole; an index of open runs alone is short and may be."""
    with as_server():
        plan = [str(row[-1]) for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    db.session.rollback()
    short = ("ix_run_open", "ix_run_unannounced", "ix_backup_mended")
    return [line for line in plan if line.startswith("SCAN ") and line.split()[1] in GROWING and not line.endswith(short)]


LOOKS: list[tuple[str, Callable[[str], object]]] = [
    ("recover", lambda _: recover()), ("announce", lambda _: announce_ended()), ("schedules", lambda _: schedules.tick()),
    ("checking", lambda _: check_due.tick()), ("trying", lambda _: check_due.tick_deep()), ("looking", lambda _: look.tick()),
    ("collecting", lambda _: sweep.tick()), ("leaving", lambda _: old_runs.tick()),
    ("runs of an app", runs_of), ("open runs", active_runs), ("backups", lambda app_id: backups_of(app_id, most=50))]


@pytest.mark.parametrize("look", [look for _, look in LOOKS], ids=[name for name, _ in LOOKS])
def test_no_look_of_the_clock_reads_a_table_whole(long_used: App, look: Callable[[str], object]) -> None:
    """Nor do the lists of an app's runs and backups."""
    app_id = long_used.id
    with asked() as statements:
        look(app_id)
    db.session.rollback()
    assert statements
    assert [] == [(line, statement) for statement, parameters in statements for line in scans(statement, parameters)]
