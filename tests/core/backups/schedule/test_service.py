"""Schedules: what is due is asked for once, what was missed is caught up once, a plan that has none pauses them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, Forbidden, apps, as_tenant, db, transaction
from core.backups.log import acts_of
from core.backups.models import Backup, BackupSchedule
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import Schedule
from core.base.time import moved, now_us
from core.runs.models import Run
from core.runs.service import work
from tenants.service import find_organization

DAY_S = 24 * 3600


@pytest.fixture
def daily(app: App, organization: str) -> str:
    """The id of an app with a schedule of every day at three in the morning, in Berlin."""
    app_id = app.id
    with transaction():
        find_organization(organization).time_zone = "Europe/Berlin"
        schedules.set_schedule(apps.find(app_id), Schedule(every="daily"), "system", data=True)
    return app_id


def due_in_s(app_id: str) -> float:
    """Return in how many seconds the app's schedule is due."""
    db.session.rollback()
    row = db.session.get(BackupSchedule, app_id)
    assert row is not None and row.next_at is not None
    return (row.next_at - now_us()) / 1_000_000


def finish(runs: list[str]) -> None:
    """Do the runs asked for, here."""
    for run in runs:
        ended = work(run)
        assert ended is not None and ended.state == "succeeded", ended and ended.error_message


def test_nothing_is_asked_for_before_it_is_due(daily: str) -> None:
    """The clock looks and leaves."""
    assert 0 < due_in_s(daily) <= DAY_S
    assert [] == schedules.tick()


def test_a_due_backup_is_made_by_the_server_itself(daily: str) -> None:
    """Of type Scheduled, with data as the schedule says, by the system's own account; and not twice."""
    with moved(due_in_s(daily) + 1):
        finish(schedules.tick())
        assert [] == schedules.tick()
        assert 0 < due_in_s(daily) <= DAY_S
        found = db.session.scalars(select(Backup)).one()
        assert ("scheduled", "both", "system") == (found.type, found.part, found.created_by)
        assert found.name.startswith("Scheduled Backup_Sales_")


def test_what_was_missed_is_caught_up_once(daily: str) -> None:
    """A server that was down for ten days makes one backup, and the next when it is due."""
    with moved(due_in_s(daily) + 10 * DAY_S):
        finish(schedules.tick())
        assert [] == schedules.tick()
        assert 1 == len(db.session.scalars(select(Backup)).all())


def test_a_year_of_runs_with_daylight_saving(daily: str, engine: str) -> None:
    """Every day at 03:00 by Berlin's clock, 366 times, on both changes of the clock too; what the engine does with it shows in a month."""
    local, shift, days = [], 0.0, 366 if engine == "sqlite" else 31
    for _ in range(days):
        with moved(shift):
            shift += due_in_s(daily) + 1
        with moved(shift):
            with transaction():
                db.session.execute(Run.__table__.delete())  # each backup is thought done: what is tried is the times
            assert 1 == len(schedules.tick())
            local.append(datetime.fromtimestamp(now_us() / 1_000_000, UTC).astimezone(ZoneInfo("Europe/Berlin")))
    assert {(3, 0)} == {(t.hour, t.minute) for t in local}
    assert days == len({t.date() for t in local})
    assert days < 366 or {1, 2} == {int(t.utcoffset().total_seconds()) // 3600 for t in local}


def test_a_plan_without_schedules_pauses_and_resumes(daily: str, organization: str) -> None:
    """Downgraded: paused, said in the log, nothing made; upgraded again: goes on with the next time, not at once."""
    with transaction():
        find_organization(organization).plan = "standard"
    with moved(due_in_s(daily) + 1):
        assert [] == schedules.tick()
        row = db.session.get(BackupSchedule, daily)
        assert row is not None and row.paused and row.next_at is None
        schedules.tick()
        assert 1 == sum(act.result == "paused" for act in acts_of(daily))
        with pytest.raises(Forbidden), transaction():
            schedules.set_schedule(apps.find(daily), Schedule(every="daily"), "system", data=False)
        with transaction():
            find_organization(organization).plan = "ultimate"
        assert [] == schedules.tick()
        assert 0 < due_in_s(daily) <= DAY_S


def test_a_schedule_waits_for_what_runs(daily: str) -> None:
    """While a backup runs it stays due, and is asked for when that has ended and the interval has passed."""
    from core.backups import requests

    with moved(due_in_s(daily) + 1):
        with transaction():
            run = requests.request_backup(apps.find(daily), "system", data=False, name=None, send=False).id
        assert [] == schedules.tick()
        finish([run])
        assert [] == schedules.tick()
    with moved(due_in_s(daily) + 400):
        assert 1 == len(schedules.tick())


def test_two_clocks_ask_once(daily: str, server: Flask, organization: str) -> None:
    """Looking at the same moment, one of them asks."""
    asked: list[str] = []
    ready = threading.Barrier(2)

    def look() -> None:
        with server.app_context(), as_tenant(organization):
            ready.wait()
            asked.extend(schedules.tick())

    with moved(due_in_s(daily) + 1):
        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 == len(asked)


@pytest.mark.parametrize(("every", "days_ahead"), [("daily", 2), ("weekly", 9), ("monthly", 40)])
def test_what_a_clock_days_ahead_wrote_is_worked_out_anew(daily: str, every: str, days_ahead: int) -> None:
    """No backup is asked for at that, and none is missing until that day."""
    with moved(days_ahead * DAY_S), transaction():
        schedules.set_schedule(apps.find(daily), Schedule(every=every), "system", data=True)
    right = schedules.next_at(Schedule(every=every), apps.find(daily).organization_id)
    assert [] == schedules.tick()
    db.session.rollback()
    assert right == db.session.scalar(select(BackupSchedule.next_at))


def test_paused_schedules_are_not_written_to_at_each_look(daily: str, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for another plan: the clock asks for that once an organization, and opens no transaction for each of them."""
    with transaction():
        find_organization(organization).plan = "standard"
    with moved(DAY_S + 1):
        assert [] == schedules.tick()
        monkeypatch.setattr(schedules, "_look", lambda *_: pytest.fail("It was looked at."))
        assert [] == schedules.tick()
