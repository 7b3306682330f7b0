"""Cancelling: a waiting run at once, a running one at its next step, an ended one not at all."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import App, apps, direct, transaction
from core.base.errors import RunCancelled
from core.base.time import moved
from core.runs.service import cancel, claim, find, recover, work
from tests.core.runs.faults import at_step, elsewhere
from tests.core.runs.making import ask, change, fill, restoring, state_of, types_of_backups, write
from tests.core.runs.processes import work_in_a_process

LEASE_S = 15


def cancelled(run_id: str) -> None:
    """Cancel a run as somebody does who looks at it."""
    with transaction():
        cancel(find(run_id))


def test_a_waiting_run_is_cancelled_at_once(server: Flask, app: App) -> None:
    """It ends there, its job does nothing, and the app is free for the next."""
    run_id = ask("backup", app, None)
    cancelled(run_id)
    assert ("cancelled", None) == state_of(run_id)
    assert find(run_id).ended_at is not None
    work_in_a_process()
    assert (0, []) == (find(run_id).attempt, types_of_backups(app))
    direct.back_up(app)


@pytest.mark.parametrize("step", ["backup.reading", "backup.read", "backup.objects_stored"])
def test_a_running_backup_is_cancelled_at_its_next_step(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Nothing of it is catalogued and the next one starts at once."""
    app = fill(app)
    run_id = ask("backup", app, None, send=False)
    with monkeypatch.context() as here:
        at_step(here, step, lambda: elsewhere(lambda: cancelled(run_id)))
        work(run_id)
    assert (("cancelled", "run_cancelled"), []) == (state_of(run_id), types_of_backups(app))
    direct.back_up(app)


@pytest.mark.parametrize("step", ["restore.planned", "restore.verified", "backup.read", "restore.safety_backup_taken",
                                  "restore.app_closed"])
def test_a_running_restore_is_cancelled_before_its_last_transaction(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The app is as it was, and open."""
    app = fill(app)
    backup = direct.back_up(app)
    before = direct.content_id(change(app))
    run_id = ask("restore", app, backup, send=False)
    at_step(monkeypatch, step, lambda: elsewhere(lambda: cancelled(run_id)))
    work(run_id)
    assert ("cancelled", "run_cancelled") == state_of(run_id)
    assert (before, None) == (direct.content_id(app), restoring(app))
    write(app)


def test_progress_notices_a_cancel(server: Flask, app: App) -> None:
    """A long step without sub-steps tells its progress, and that is where it ends."""
    run_id = ask("backup", app, None, send=False)
    context = claim(run_id)
    cancelled(run_id)
    assert context is not None and "running" == find(run_id).state
    with pytest.raises(RunCancelled):
        context.progress("reading", 1, 2, 3)


def test_a_cancelled_run_whose_worker_died_ends_as_cancelled(server: Flask, app: App) -> None:
    """It is not taken up again only to be cancelled."""
    run_id = ask("backup", app, None, send=False)
    claim(run_id)
    cancelled(run_id)
    with moved(LEASE_S + 1):
        assert [] == recover()
    assert ("cancelled", None) == state_of(run_id)


def test_a_cancel_that_comes_too_late_changes_nothing(server: Flask, app: App, engine: str) -> None:
    """Also where the run was taken up and ended between the look at it and the cancel; SQLite makes them take turns."""
    run_id = ask("backup", app, None, send=False)
    if engine == "sqlite":
        work(run_id)
    with transaction():
        seen = find(run_id)
        if engine == "postgresql":
            assert "queued" == seen.state
            elsewhere(lambda: work(run_id))
        cancel(seen)
    assert (("succeeded", None), False) == (state_of(run_id), find(run_id).cancel_requested)
    assert ["manual"] == types_of_backups(app)


def test_progress_is_not_told_while_somebody_holds_the_run_and_the_work_goes_on(server: Flask, app: App) -> None:
    """Who cancels it in a transaction that is still open delays nobody; the next step hears of it."""
    run_id = ask("backup", app, None, send=False)
    context = claim(run_id)
    assert context is not None

    def tell() -> None:
        context.step("backup.read")
        context.renew()

    with transaction():
        cancel(find(run_id))
        elsewhere(tell)
    assert "" == find(run_id).phase
    with pytest.raises(RunCancelled):
        context.step("backup.read")


@pytest.mark.parametrize("ends", [False, True], ids=["fence", "succeed"])
def test_a_run_that_is_to_be_cancelled_writes_nothing_for_good(server: Flask, app: App, *, ends: bool) -> None:
    """Its last transaction, with a fence or an end, is taken back whole."""
    run_id = ask("backup", app, None, send=False)
    context = claim(run_id)
    assert context is not None
    cancelled(run_id)
    before = find(run_id).lease_until
    with pytest.raises(RunCancelled), transaction():
        apps.find(app.id).name = "Changed"
        context.succeed({}) if ends else context.fence()
    assert ("Sales", "running", before) == (apps.find(app.id).name, find(run_id).state, find(run_id).lease_until)
