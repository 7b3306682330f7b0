"""The tab Schedule: when backups are made by themselves, and how many are kept; as an admin of the app meets it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, db, transaction
from core.backups.log import acts_of
from core.backups.models import BackupSchedule
from core.backups.retention import service as retention
from core.backups.retention.policy import Policy
from core.backups.schedule import service as schedules
from core.base.time import moved, now_us
from core.processes import scheduler
from core.runs.models import Run
from tenants import service
from tenants.service import find_organization
from tests.core.backups.retention.test_service import back_up
from tests.web import OWNER, Browser, make_member, signed_in

DAY_S = 24 * 3600
FORM = {"every": "daily", "time": "02:30", "weekday": "2", "day": "31", "data": "1"}


@pytest.fixture
def managed(organization: str, app: App) -> App:
    """An app that the organization's owner manages, in Berlin."""
    with transaction():
        service.name_admin(apps.find(app.id), service.user_by_email(OWNER).id)
        find_organization(organization).time_zone = "Europe/Berlin"
    return app


def path_of(app: App) -> str:
    """Return the address of the tab."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/backups/schedule"


def row_of(app: App) -> BackupSchedule | None:
    """Return the app's schedule as it is now."""
    db.session.rollback()
    return db.session.get(BackupSchedule, app.id)


def next_runs(client: Browser, path: str) -> list[datetime]:
    """Return the next runs that the page shows."""
    (listed,) = re.findall(r'<ol class="next">(.*?)</ol>', client.get(path).text, re.S)
    return [datetime.fromisoformat(text) for text in re.findall(r'datetime="([^"]+)"', listed)]


@pytest.mark.parametrize(("every", "text"), [("daily", "every day at 02:30"), ("weekly", "every Wednesday at 02:30"),
                                             ("monthly", "on day 31 of every month (or the last day of a shorter month) at 02:30")])
def test_a_schedule_is_saved_and_says_when(server: Flask, managed: App, every: str, text: str) -> None:
    """With its next three runs, by the organization's clock; the change is in the log."""
    client, path = signed_in(server), path_of(managed)
    page = client.get(path).text
    assert "No scheduled backups" in page and 'value="03:00"' in page
    assert 303 == client.post(path, data={**FORM, "every": every}).status_code
    page = client.get(path).text
    assert text in page and "Europe/Berlin" in page
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in next_runs(client, path)]
    assert 3 == len(local) == len(set(local))
    assert {(2, 30), (3, 30)} >= {(moment.hour, moment.minute) for moment in local}
    assert int(local[0].timestamp()) * 1_000_000 == row_of(managed).next_at
    assert ["schedule"] == [act.act for act in acts_of(managed.id)]


def test_a_schedule_is_switched_off(server: Flask, managed: App) -> None:
    """Nothing is due any more; how it was stays in the form."""
    client, path = signed_in(server), path_of(managed)
    client.post(path, data=FORM)
    client.post(path, data={**FORM, "every": "off"})
    assert (False, None) == ((row := row_of(managed)).enabled, row.next_at)
    with moved(40 * DAY_S):
        assert [] == schedules.tick()
    page = client.get(path).text
    assert "No scheduled backups" in page and 'value="02:30"' in page


@pytest.mark.parametrize(("wrong", "field"), [
    ({"every": "hourly"}, "every"), ({"every": ""}, "every"), ({"time": "25:00"}, "time"), ({"time": ""}, "time"), ({"time": "3"}, "time"),
    ({"time": "03:0x"}, "time"), ({"weekday": "7"}, "weekday"), ({"weekday": "-1"}, "weekday"), ({"every": "monthly", "day": "32"}, "day"),
    ({"every": "monthly", "day": "0"}, "day"), ({"every": "monthly", "day": "²"}, "day"), ({"every": "monthly", "day": "9" * 400}, "day")])
def test_what_cannot_be_a_schedule_comes_back_beside_its_field(sqlite_server: Flask, wrong: dict[str, str], field: str) -> None:
    """And nothing is saved."""
    app = app_of_owner()
    answer = signed_in(sqlite_server).post(path_of(app), data={**FORM, **wrong})
    assert 422 == answer.status_code
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', answer.text), field
    with as_tenant(app.organization_id):
        assert row_of(app) is None


def app_of_owner() -> App:
    """Make an organization with an app that its owner manages."""
    from tests.web import make_organization

    with as_tenant(make_organization("Example")), transaction():
        return apps.create("Sales", service.user_by_email(OWNER).id)


def test_a_plan_without_schedules_says_so_and_pauses(server: Flask, organization: str, managed: App) -> None:
    """What was set is kept and shown as paused; a new one is refused beside its field; upgraded, it goes on."""
    client, path = signed_in(server), path_of(managed)
    client.post(path, data=FORM)
    with transaction():
        find_organization(organization).plan = "standard"
    with moved(2 * DAY_S):
        scheduler.tick()
        page = client.get(path).text
        assert "Paused." in page and "every day at 02:30" in page and '<ol class="next">' not in page
        refused = client.post(path, data=FORM)
        assert 422 == refused.status_code and "part of the Ultimate plan" in refused.text
        with transaction():
            find_organization(organization).plan = "ultimate"
        scheduler.tick()
        assert 3 == len(next_runs(client, path))


def test_a_year_of_scheduled_backups_by_the_clock(server: Flask, managed: App, engine: str) -> None:
    """Set on the page, looked at by the clock: each day once, at the time shown on the page, on both changes of the clock too.

    What the engine does with it shows in a month.
    """
    client, path = signed_in(server), path_of(managed)
    client.post(path, data=FORM)
    zone, local, shift = ZoneInfo("Europe/Berlin"), [], 0.0
    start, days = now_us(), 366 if engine == "sqlite" else 31
    for _ in range(days):
        with moved(shift):
            due = row_of(managed).next_at
            shift = (due - start) / 1_000_000 + 5
        with moved(shift):
            before = _asked(managed)
            schedules.tick()
            schedules.tick()
            assert before + 1 == _asked(managed)
            with transaction():  # each is thought done: what is tried is the times
                db.session.execute(Run.__table__.update().values(state="succeeded", exclusive_app_id=None))
            local.append(datetime.fromtimestamp(due / 1_000_000, UTC).astimezone(zone))
    assert days == len({moment.date() for moment in local})
    if days < 366:
        return
    # 02:30 does not exist on one day of March: that day it is an hour later.
    times = [(moment.hour, moment.minute) for moment in local]
    assert {(2, 30): 365, (3, 30): 1} == {time: times.count(time) for time in set(times)}
    assert {1, 2} == {int(moment.utcoffset().total_seconds()) // 3600 for moment in local}  # type: ignore[union-attr]


def _asked(app: App) -> int:
    db.session.rollback()
    return db.session.query(Run).filter(Run.app_id == app.id, Run.person == "system").count()


def test_what_would_go_is_shown_before_it_goes(server: Flask, managed: App) -> None:
    """Each backup with why; looking changes nothing; saved, the clock removes just these, and the log has them."""
    made = back_up(managed, 4)
    client, path = signed_in(server), path_of(managed)
    page = client.get(f"{path}/retention?last=2&daily=&weekly=0&monthly=").text
    assert "2 of 4 backups would be removed" in page
    assert ["Kept", "Kept", "Would be removed", "Would be removed"] == re.findall(r"Kept|Would be removed", page)
    assert "newest good backup" in page and "one of the last 2" in page and "not kept by any rule" in page
    scheduler.tick()
    assert 4 == len(retention.judge(managed, Policy(last=1)))
    assert 303 == client.post(f"{path}/retention", data={"last": "2"}).status_code
    scheduler.tick()
    assert made[:2] == [one.backup.id for one in retention.judge(managed, Policy(last=1))]
    assert 2 == len(acts_of(managed.id, act="expire"))
    assert "Kept: the last 2." in client.get(path).text
    client.post(f"{path}/retention/remove")
    assert "All backups are kept" in client.get(path).text


@pytest.mark.parametrize("numbers", [{"last": ""}, {"last": "0"}, {"last": "-1"}, {"daily": "1001"}, {"weekly": "x"}, {"monthly": "1.5"}, {"last": "9" * 500}])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_policy_that_cannot_be_comes_back_beside_its_field(sqlite_server: Flask, numbers: dict[str, str], method: str) -> None:
    """An empty one would remove everything."""
    app = app_of_owner()
    client, path = signed_in(sqlite_server), f"{path_of(app)}/retention"
    answer = client.get(path, query_string=numbers) if method == "get" else client.post(path, data=numbers)
    assert (422, True) == (answer.status_code, 'class="error"' in answer.text)
    with as_tenant(app.organization_id):
        db.session.rollback()
        assert retention.policy_of(app.id).empty


def test_only_admins_of_the_app_who_are_members_come_here(server: Flask, organization: str, managed: App) -> None:
    """An owner or admin of the organization without the app, a member and a stranger do not."""
    make_member(organization, "admin@example.org", "admin")
    make_member(organization, "member@example.org")
    path = path_of(managed)
    for email in ("admin@example.org", "member@example.org", "stranger@example.org"):
        client = signed_in(server, email)
        assert [404] * 4 == [client.get(path).status_code, client.post(path, data=FORM).status_code,
                             client.get(f"{path}/retention?last=1").status_code, client.post(f"{path}/retention", data={"last": "1"}).status_code]
    with transaction():
        service.name_admin(apps.find(managed.id), service.user_by_email("stranger@example.org").id)
    assert 403 == signed_in(server, "stranger@example.org").get(path).status_code
