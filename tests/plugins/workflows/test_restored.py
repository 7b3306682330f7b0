"""Workflows and restores: restored records trigger nothing, runs wait while an app is closed, and end where a restore changed their workflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, db, direct, documents, locks, transaction
from core.runs.service import runs_of
from plugins.workflows import starting
from plugins.workflows.models import WorkflowListener
from plugins.worksheets import service
from tests.conftest import fresh_database, opened_server
from tests.plugins.workflows.building import (
    NAME,
    POINTS,
    TASKS,
    WORKSHEET,
    events,
    make_due,
    put,
    ref,
    runs,
    sheet,
    tasks,
    work,
    workflow,
)

SET = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": 1}]}
EVERY = ("record_created", "record_updated", "record_deleted")


@pytest.fixture
def server(engine: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server on each engine; backups may follow each other at once."""
    yield from opened_server(home, fresh_database(engine, home, request), backup_interval_s=0)


def names(app: App) -> set[str]:
    """Return what the tasks are called."""
    return {one[NAME] for one in tasks(apps.find(app.id)).values()}


def test_a_restore_and_an_undo_trigger_nothing(app: App) -> None:
    """Records are made, changed, deleted and brought back by them, and every trigger listens."""
    sheet(app)
    for name in ("One", "Two"):
        put(app, name=name)
    keys = [workflow(app, {"type": kind}, [{"type": "end"}], name=kind) for kind in EVERY]
    backup = direct.back_up(app)
    with transaction():
        service.delete_record(app, TASKS, 1, "system")
    put(app, 2, name="Changed")
    put(app, name="New")
    work(app)
    before = [(one.number, one.state) for one in runs(app)]
    assert len(before) == 3
    direct.restore(apps.find(app.id), backup, safety_backup=True)
    run = next(one.id for one in runs_of(app.id) if one.kind == "restore")
    work(apps.find(app.id))
    assert "One" in names(app) and "Two" in names(app)
    direct.undo(apps.find(app.id), run)
    work(apps.find(app.id))
    assert names(app) == {"Changed", "New"}
    assert [(one.number, one.state) for one in runs(app)] == before and events(app) == 0
    put(apps.find(app.id), name="After")
    work(apps.find(app.id))
    assert len(runs(app)) == len(before) + 1
    assert all(starting.is_on(apps.find(app.id), key) for key in keys)


def test_a_copy_listens_to_nothing(app: App) -> None:
    """Until its admin switches each workflow on; what it begins then is its own."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [SET])
    copy = direct.restore_as_new(direct.back_up(app), name="Copy")
    assert documents.get(copy, f"workflow/{key}").body["enabled"] is False
    put(copy, name="In the copy")
    work(copy)
    assert runs(copy) == [] and events(copy) == 0
    workflow(copy, {"type": "record_created"}, [SET], key=key)
    put(copy, name="Now")
    work(copy)
    assert [one.state for one in runs(copy)] == ["succeeded"] and runs(apps.find(app.id)) == []


def test_the_runs_of_a_closed_app_wait(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go on once it is open; what had happened before is matched then."""
    sheet(app)
    workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}, SET])
    put(app, name="One")
    work(app)
    put(app, name="Two")
    make_due(app, 1)
    with transaction():
        locks.mark(app.id, "n_1111111111")
    with monkeypatch.context() as patch:
        patch.setattr(locks, "_still_closed", lambda closer: True)
        work(app)
        assert [one.state for one in runs(app)] == ["waiting"] and events(app) == 1
    with transaction():
        locks.mark(app.id, None)
    work(app)
    assert [one.state for one in runs(app)] == ["succeeded", "waiting"] and tasks(app)[1][POINTS] == 1


@pytest.mark.parametrize("changed", [True, False])
def test_a_run_ends_where_a_restore_changed_its_workflow(app: App, changed: bool) -> None:
    """One that waits says why it ended; one whose workflow is as it was goes on."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}, SET])
    put(app, name="Zero")
    backup = direct.back_up(app)
    if changed:
        workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 6}, SET], key=key)
    work(app)
    assert runs(app)[0].state == "waiting"
    direct.restore(apps.find(app.id), backup)
    run = runs(app)[0]
    assert (run.state, run.note) == (("stopped", "A restore changed this workflow.") if changed else ("waiting", None))
    assert db.session.scalars(select(WorkflowListener.workflow)).all() == [key]
    make_due(app, 1)
    work(apps.find(app.id))
    assert (tasks(apps.find(app.id))[1].get(POINTS) == 1) is not changed
