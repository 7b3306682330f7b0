"""Runs that were left: their process was killed where no clock looks, or an outage came; whoever meets one goes on."""

from __future__ import annotations

import contextvars
import os
import traceback

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text, update

from core.api import App, apps, db, direct, transaction
from core.base.errors import AppRestoring, RunInProgress, StoreUnavailable
from core.base.time import moved, now_us, skewed
from core.runs.models import Run
from core.runs.service import OUTAGE_PAUSES_S, cancel, claim, end_lost_of, find, recover, work
from core.server import server as current
from tests.core.runs.faults import at_step
from tests.core.runs.making import ask, change, fill, restoring, state_of, types_of_backups, write
from tests.core.runs.processes import wait_for_end

LEASE_S = 15
DAY_S = 24 * 3600


def killed_at(step: str, run_id: str) -> None:
    """Do a run in a process of its own, as a command does, which is killed when it has entered a step."""
    db.session.remove()
    db.engine.dispose()
    current().config.values["die_at"] = step  # type: ignore[index]  # a dict, for tests
    pid = os.fork()
    if pid == 0:
        try:
            contextvars.copy_context().run(work, run_id)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    wait_for_end(pid)
    current().config.values["die_at"] = ""  # type: ignore[index]
    assert (current().config.home_path / f"died_at_{step}").exists()


@pytest.fixture
def closed(server: Flask, app: App) -> tuple[App, str]:
    """An app that a restore had closed whose process was killed, and the run."""
    app = fill(app)
    backup = direct.back_up(app)
    app = change(app)
    run_id = ask("restore", app, backup, send=False)
    killed_at("restore.app_closed", run_id)
    assert ("running", None, run_id) == (*state_of(run_id), restoring(app))
    return apps.find(app.id), run_id


def test_the_next_backup_ends_what_a_killed_command_left(closed: tuple[App, str]) -> None:
    """At once, where the process was of this machine; the app is open again."""
    app, run_id = closed
    direct.back_up(app)
    assert ("failed", "worker_died", None) == (*state_of(run_id), restoring(app))
    assert find(run_id).announced_at is not None
    write(app)


def test_a_writer_who_meets_a_closed_app_whose_restore_was_killed_opens_it(closed: tuple[App, str]) -> None:
    """The first write goes in."""
    app, run_id = closed
    write(app)
    assert ("failed", "worker_died", None) == (*state_of(run_id), restoring(app))


def test_a_writer_waits_for_a_restore_that_lives(server: Flask, app: App) -> None:
    """Its process is there, and so is its lease."""
    app = fill(app)
    backup = direct.back_up(app)
    run_id = ask("restore", app, backup, send=False)
    assert claim(run_id) is not None
    with transaction():
        apps.find(app.id).restoring_run_id = run_id
    with pytest.raises(AppRestoring):
        write(app)
    with moved(LEASE_S + 1):
        write(app)
    assert ("failed", "worker_died") == state_of(run_id)


def test_cancelling_a_run_whose_process_is_gone_ends_it_at_once(closed: tuple[App, str]) -> None:
    """It waits for no next step, which would never come."""
    app, run_id = closed
    with transaction():
        cancel(find(run_id))
    assert ("cancelled", None, None) == (*state_of(run_id), restoring(app))
    direct.back_up(app)


def test_looking_at_the_runs_of_an_app_ends_those_that_were_left(closed: tuple[App, str]) -> None:
    """The list says what is."""
    app, run_id = closed
    end_lost_of(app.id)
    assert ("failed", "worker_died", None) == (*state_of(run_id), restoring(app))


def test_a_command_killed_before_it_began_leaves_nothing_in_the_way(server: Flask, app: App) -> None:
    """Its run is queued, and sent to nobody."""
    run_id = ask("backup", fill(app), None, send=False)
    with transaction():
        db.session.execute(update(Run).where(Run.id == run_id).values(worker=gone()))
    direct.back_up(apps.find(app.id))
    assert ("failed", "worker_died") == state_of(run_id)


def gone() -> str:
    """Return the name of a process that has ended."""
    from core.runs.workers import this_process

    place = this_process().rpartition("/")[0].rpartition("/")[0]
    return f"{place}/{os.getpid()}/1"


def test_a_run_that_was_sent_is_the_clocks_to_take_up_unless_there_is_none(server: Flask, app: App) -> None:
    """Within its lease a second is refused with what happens; later, where no clock looked, the next one goes on."""
    run_id = ask("backup", fill(app), None)
    killed_at("backup.read", run_id)
    with pytest.raises(RunInProgress, match="continues within"):
        ask("backup", apps.find(app.id), None)
    with moved(LEASE_S + 1), pytest.raises(RunInProgress):
        ask("backup", apps.find(app.id), None)
    with moved(2 * LEASE_S):
        direct.back_up(apps.find(app.id))
    assert ("failed", "worker_died") == state_of(run_id)


def test_a_clock_that_is_wrong_takes_no_live_run(server: Flask, app: App) -> None:
    """Leases are measured by the database's clock, on the machine that gives them and on the one that looks."""
    run_id = ask("backup", fill(app), None)
    for wrong in (2 * DAY_S, -2 * DAY_S):
        with skewed(wrong):
            assert [] == recover()
    assert claim(run_id) is not None
    for wrong in (2 * DAY_S, -2 * DAY_S):
        with skewed(wrong):
            assert [] == recover()
    with moved(LEASE_S + 1), skewed(-2 * DAY_S):
        assert [run_id] == recover()
        again = claim(run_id)
    assert again is not None
    with skewed(2 * DAY_S):
        again.renew()
        assert [] == recover()
    with moved(2 * (LEASE_S + 1)):
        assert [run_id] == recover()


def test_a_machine_whose_clock_is_wrong_follows_the_databases(server: Flask, app: App, engine: str) -> None:
    """What it writes has the right date, and its operator is told. SQLite's database has this machine's clock."""
    before = now_us()
    with skewed(2 * DAY_S):
        db.session.remove()
        db.engine.dispose()
        db.session.execute(text("SELECT 1"))
        ahead_s = (now_us() - before) / 1_000_000
    assert (ahead_s < DAY_S) is (engine == "postgresql")
    assert now_us() - before < DAY_S * 1_000_000


def unreachable() -> None:
    """Fail as a store does that is away."""
    raise StoreUnavailable("The place where files are stored cannot be reached just now.")


def test_a_run_that_meets_an_outage_waits_and_is_done_when_it_is_over(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for its process, so that it waits itself: ever longer, and says why; attempts of lost workers are not used up."""
    app = fill(app)
    run_id = ask("backup", app, None)
    with monkeypatch.context() as here:
        at_step(here, "backup.read", unreachable)
        passed = 0.0
        for pause_s in OUTAGE_PAUSES_S[:4]:
            with moved(passed):
                work(run_id)
                assert ("queued", "outage") == (find(run_id).state, find(run_id).phase)
                assert "cannot be reached" in str(find(run_id).error_message)
                assert (None, []) == (claim(run_id), recover())
            passed += pause_s + 1
            with moved(passed):
                assert [run_id] == recover()
    with moved(passed):
        work(run_id)
    assert (("succeeded", None), 5, None) == (state_of(run_id), find(run_id).attempt, find(run_id).error_message)
    assert ["manual"] == types_of_backups(app)


def test_an_outage_that_does_not_end_fails_the_run(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last pause; a command, before which somebody sits, fails at once."""
    app = fill(app)
    run_id = ask("backup", app, None)
    at_step(monkeypatch, "backup.read", unreachable)
    passed = 0.0
    for pause_s in (*OUTAGE_PAUSES_S, 0):
        with moved(passed):
            work(run_id)
        passed += pause_s + 1
    assert ("failed", "store_unavailable") == state_of(run_id)
    by_command = ask("backup", app, None, send=False)
    work(by_command)
    assert ("failed", "store_unavailable") == state_of(by_command)


def test_an_app_is_open_while_its_restore_waits_for_an_outage_to_end(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """People go on writing; the restore comes later."""
    app = fill(app)
    backup = direct.back_up(app)
    run_id = ask("restore", change(app), backup)
    with monkeypatch.context() as here:
        at_step(here, "restore.app_closed", unreachable)
        work(run_id)
    assert ("queued", None) == (find(run_id).state, restoring(app))
    write(app)


def test_a_database_that_is_restarted_under_a_backup_costs_another_try(
        server: Flask, app: App, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its connections end in the middle; the run waits, and the next attempt ends it."""
    if engine == "sqlite":
        pytest.skip("there is no server to restart")
    app = fill(app)
    run_id = ask("backup", app, None)

    def end_all() -> None:
        with psycopg.connect(db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND pid <> pg_backend_pid()")

    with monkeypatch.context() as here:
        at_step(here, "backup.reading", end_all)
        work(run_id)
    assert ("queued", "outage") == (find(run_id).state, find(run_id).phase)
    with moved(OUTAGE_PAUSES_S[0] + 1):
        assert [run_id] == recover()
        work(run_id)
    assert (("succeeded", None), ["manual"]) == (state_of(run_id), types_of_backups(app))
