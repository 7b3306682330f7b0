"""The clock: each step and each organization by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from core.api import App, as_server, db, transaction, zone_named
from core.backups import check_due, uploads
from core.backups.catalog import backups_of
from core.backups.retention import service as retention
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import Schedule
from core.base.time import moved
from core.gc import old_runs, sweep
from core.processes import scheduler
from core.runs.service import work
from core.tenancy import zones
from tenants.models import Organization
from tests.core.runs.making import fill

DAY_S = 24 * 3600


def test_a_time_zone_that_this_machine_lacks_is_utc_and_logged_once(
        sqlite_server: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a name is that was stored when there was such a zone."""
    monkeypatch.setattr(zones, "_told", set())
    for name in ("Mars/Olympus", "../../etc/passwd", "", None, "Europe/Berlin\0"):
        assert "UTC" == zone_named(name).key
    assert "Europe/Berlin" == zone_named("Europe/Berlin").key
    zone_named("Mars/Olympus")
    assert 1 == sum("Mars/Olympus" in record.message for record in caplog.records)


def test_an_organization_whose_time_zone_is_gone_is_backed_up_all_the_same(app: App) -> None:
    """Its schedule goes by UTC."""
    with transaction():
        db.session.execute(update(Organization).values(time_zone="Mars/Olympus"))
    with transaction():
        schedules.set_schedule(app, Schedule(every="daily", minute=180, weekday=0, day=1), "system", data=False)
    with moved(DAY_S):
        (run_id,) = schedules.tick()
        work(run_id)
    assert ["scheduled"] == [backup.type for backup in backups_of(app.id)]


STEPS = [(scheduler, "recover"), (scheduler, "announce_ended"), (schedules, "tick"), (retention, "tick"), (uploads, "forget_old"),
         (check_due, "tick"), (sweep, "tick"), (old_runs, "tick")]


@pytest.mark.parametrize("broken", range(len(STEPS)), ids=[f"{place.__name__}.{name}" for place, name in STEPS])
def test_a_step_that_fails_stops_no_other(sqlite_server: Flask, monkeypatch: pytest.MonkeyPatch, broken: int) -> None:
    """What plugins do at a tick comes last, and is done."""
    done: list[int] = []

    def step(number: int) -> Callable[[], None]:
        def do() -> None:
            done.append(number)
            if number == broken:
                raise KeyError("a time zone")

        return do

    for number, (place, name) in enumerate(STEPS):
        monkeypatch.setattr(place, name, step(number))
    monkeypatch.setattr(scheduler, "_listeners", lambda: [step(90), step(91)])
    scheduler.tick()
    assert [*range(len(STEPS)), 90, 91] == done


def test_one_app_whose_settings_are_broken_stops_no_other(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its schedule and its retention are passed over and logged; that of the next is done."""
    from core.api import apps

    with transaction():
        other = apps.create("Other", "system")
        for one in (app, other):
            schedules.set_schedule(apps.find(one.id), Schedule(every="daily", minute=180, weekday=0, day=1), "system", data=False)
    broken_id, other_id = app.id, other.id
    ask = schedules.requests.request_backup

    def fails(asked: App, *args: object, **named: object) -> object:
        if asked.id == broken_id:
            raise KeyError("broken")
        return ask(asked, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(schedules.requests, "request_backup", fails)
    with moved(2 * DAY_S), as_server():
        scheduler.tick()
        scheduler.tick()
    with moved(2 * DAY_S):
        from core.runs.service import active_runs

        assert [other_id] == [run.app_id for run in active_runs() if run.kind == "backup"]
        assert fill(apps.find(other_id))
