"""Attempts that lost their run: workers that are gone, work-horses that live on, and what the fence keeps out."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, direct, transaction
from core.backups.catalog import backups_of
from core.backups.create import create
from core.base.errors import RunLost
from core.base.time import moved
from core.runs.models import Run
from core.runs.service import claim, find, recover, work
from tests.core.runs.faults import at_step, go_on, paused, pausing
from tests.core.runs.making import ask, change, fill, restoring, state_of, types_of_backups, write
from tests.core.runs.processes import alive, children, end, orphan, patience, work_in_a_process, worker

LEASE_S = 15


def test_a_worker_killed_with_its_work_horse_is_replaced(
        server: Flask, app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both die at once in the middle; the clock hands the run on through the queue, and another worker ends it."""
    app = fill(app)
    at_step(monkeypatch, "backup.objects_stored", pausing(home))
    run_id = ask("backup", app, None)
    with worker() as pid:
        paused(home)
        (horse,) = children(pid)
        end(pid)
        os.kill(horse, signal.SIGKILL)
    assert ([], []) == (recover(), types_of_backups(app))
    with moved(LEASE_S + 1):
        assert [run_id] == recover()
    work_in_a_process()
    assert (2, "succeeded", ["manual"]) == (find(run_id).attempt, find(run_id).state, types_of_backups(app))


@pytest.mark.parametrize(("kind", "step"), [("backup", "backup.objects_stored"), ("restore", "restore.app_closed")])
def test_what_an_orphan_writes_is_refused(
        server: Flask, app: App, home: Path, monkeypatch: pytest.MonkeyPatch, kind: str, step: str) -> None:
    """A work-horse outlives its worker; by the time it goes on, another attempt has done the run and people have written."""
    app = fill(app)
    backup = direct.back_up(app) if kind == "restore" else None
    app = change(app)
    at_step(monkeypatch, step, pausing(home))
    run_id = ask(kind, app, backup)
    with worker() as pid:
        paused(home)
        (horse,) = children(pid)
        orphan(pid)
    assert alive(horse)
    with moved(LEASE_S + 1):
        assert [run_id] == recover()
    work(run_id)
    write(app)
    before = direct.content_id(app), [b.id for b in backups_of(app.id)], _row(run_id)

    go_on(home)
    for _ in patience("the orphan to end"):
        if not alive(horse):
            break
    assert (2, "succeeded") == (find(run_id).attempt, find(run_id).state)
    assert before == (direct.content_id(app), [b.id for b in backups_of(app.id)], _row(run_id))
    assert restoring(app) is None


def test_an_attempt_that_lost_its_run_may_not_write(server: Flask, app: App) -> None:
    """Whatever it tries, from progress to its end, is refused and leaves no trace; the attempt that has the run goes on."""
    app = fill(app)
    run_id = ask("backup", app, None, send=False)
    first = claim(run_id)
    with moved(LEASE_S + 1):
        recover()
    second = claim(run_id)
    assert first is not None and second is not None
    before = _row(run_id)
    for attempt in (lambda: first.step("backup.read"), lambda: first.progress("reading", 1, 2, 3)):
        with pytest.raises(RunLost):
            attempt()
    for attempt in (first.fence, lambda: first.succeed({"by": "the first"})):
        with pytest.raises(RunLost), transaction():
            attempt()
    with pytest.raises(RunLost):
        create(app, first, data=True, type_="manual", name=None, person="system")
    first.renew()
    assert (before, []) == (_row(run_id), types_of_backups(app))

    create(apps.find(app.id), second, data=True, type_="manual", name=None, person="system",
         finish=lambda backup: second.succeed({"by": "the second"}))
    assert ("succeeded", None) == state_of(run_id)
    assert '{"by":"the second"}' == find(run_id).report


def test_a_run_whose_workers_die_again_and_again_fails_and_frees_its_app(server: Flask, app: App) -> None:
    """After three attempts it is given up; the next run may start."""
    app = fill(app)
    run_id = ask("backup", app, None, send=False)
    for attempt in (1, 2, 3):
        with moved(attempt * (LEASE_S + 1)):
            assert claim(run_id) is not None
        with moved((attempt + 1) * (LEASE_S + 1)):
            assert ([run_id] if attempt < 3 else []) == recover()
    assert ("failed", "worker_died") == state_of(run_id)
    direct.back_up(app)


def test_an_app_is_opened_when_its_restore_has_ended_without_saying_so(server: Flask, app: App) -> None:
    """Whatever closed it, an app is not closed for a run that is over."""
    app = fill(app)
    run_id = ask("backup", app, None, send=False)
    work(run_id)
    with transaction():
        apps.find(app.id).restoring_run_id = run_id
    recover()
    assert restoring(app) is None
    write(app)


def _row(run_id: str) -> dict[str, object]:
    """Return all that the run's row says."""
    run = find(run_id)
    return {column.name: getattr(run, column.name) for column in Run.__table__.columns}
