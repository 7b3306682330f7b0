"""The organization's log: what is in it, filters, and the file that spreadsheets open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, db, direct, transaction
from core.backups import catalog
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import Schedule
from tenants import audit, service
from tenants.service import find_organization
from tests.web import OWNER, make_member, make_organization, signed_in


def lines(client, path: str) -> list[list[str]]:  # type: ignore[no-untyped-def]
    """Return the rows of a CSV file without its head."""
    answer = client.get(path)
    assert (200, "text/csv") == (answer.status_code, answer.mimetype)
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))[1:]


def test_apps_backups_and_restores_are_in_the_log_of_the_organization(server: Flask, organization: str) -> None:
    """By whom and of which app, with what came of it; deleting the app too."""
    owner = service.user_by_email(OWNER).id
    with transaction():
        app = apps.create("Sales", owner)
    backup = direct.back_up(app, person=owner)
    direct.restore(apps.find(app.id), backup, person=owner)
    with transaction():
        catalog.rename(backup.id, "Before the fair", owner)
        schedules.set_schedule(apps.find(app.id), Schedule(every="daily"), owner, data=False)
        catalog.delete(backup.id, owner)
        apps.delete(apps.find(app.id))
    found = {(entry.act, entry.subject) for entry in audit.entries()}
    acts = {"app_made", "backup_made", "app_restored", "backup_renamed", "schedule_changed", "backup_deleted", "app_deleted"}
    assert {(act, f"app/{app.id}") for act in acts} <= found
    page = signed_in(server).get(f"/o/{organization}/log").text
    assert "App restored" in page and "Before the fair" in page


def test_a_refused_backup_is_in_the_log_with_the_reason(server: Flask, organization: str, app: App) -> None:
    """What was refused matters as much as what was done."""
    from core.backups.log import noting
    from core.base.errors import TooSoon

    with pytest.raises(TooSoon), noting("backup", app.id, "system"):
        raise TooSoon("The next may start at noon.")
    (entry,) = audit.entries(act="backup_made")
    assert "too_soon" in entry.detail and "noon" in entry.detail


def test_the_log_is_filtered_by_day_in_the_organizations_time_zone(server: Flask, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both days count whole; a quarter past midnight in Tokyo belongs to the new day there."""
    owner = service.user_by_email(OWNER).id
    with transaction():
        find_organization(organization).time_zone = "Asia/Tokyo"
    for day, hour in ((9, 14), (9, 16), (10, 14), (10, 16)):  # Tokyo is nine hours ahead
        with monkeypatch.context() as patch, transaction():
            patch.setattr(audit, "now_us", lambda day=day, hour=hour: int(datetime(2026, 3, day, hour, 15, tzinfo=UTC).timestamp()) * 1_000_000)
            audit.audit("department_added", "department/d_1", by=owner, name=f"D{day}-{hour}")
    client, path = signed_in(server), f"/o/{organization}/log"
    page = client.get(f"{path}?since=2026-03-10&until=2026-03-10").text
    assert ["D9-16", "D10-14"] == [name for name in ("D9-14", "D9-16", "D10-14", "D10-16") if f"“<bdi>{name}</bdi>”" in page]
    assert ["D10-14", "D9-16"] == [row[4] for row in lines(client, f"{path}.csv?since=2026-03-10&until=2026-03-10&act=department_added")]
    assert [] == lines(client, f"{path}.csv?person=nobody@example.org")
    assert 'aria-invalid="true"' in client.get(f"{path}?since=yesterday").text
    for odd in ("since=0001-01-01", "until=9999-12-31", "since=9999-12-31&until=0001-01-01", "since=%27", "since=2026-02-30"):
        assert 200 == client.get(f"{path}?{odd}").status_code
        assert 200 == client.get(f"{path}.csv?{odd}").status_code


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "quote \" and, comma"])
def test_no_cell_of_the_file_is_taken_for_a_formula(sqlite_server: Flask, name: str) -> None:
    """A name that begins like one gets an apostrophe; any other stays as it is."""
    made = make_organization("Example")
    with as_tenant(made), transaction():
        audit.audit("department_added", "department/d_1", by=service.user_by_email(OWNER).id, name=name)
    (row,) = lines(signed_in(sqlite_server), f"/o/{made}/log.csv?act=department_added")
    assert ("" if name.startswith("quote") else "'") + name == row[4]
    assert "Department added" == row[2]


def test_the_file_has_every_entry_once(server: Flask, organization: str) -> None:
    """However many there are, newest first, and none of another organization."""
    owner = service.user_by_email(OWNER).id
    with transaction():
        for number in range(1203):
            audit.audit("department_added", "department/d_1", by=owner, name=str(number))
    with as_tenant(make_organization("Other", "other@example.org")), transaction():
        audit.audit("department_added", "department/d_1", name="theirs")
    names = [row[4] for row in lines(signed_in(server), f"/o/{organization}/log.csv?act=department_added")]
    assert [str(number) for number in reversed(range(1203))] == names


def test_the_file_is_for_owners_and_admins(server: Flask, organization: str) -> None:
    """As the page is."""
    make_member(organization, "member@example.org")
    make_member(organization, "admin@example.org", "admin")
    path = f"/o/{organization}/log.csv"
    db.session.rollback()
    answers = [signed_in(server, email).get(path).status_code for email in ("member@example.org", "admin@example.org", "other@example.org")]
    assert [403, 200, 404] == answers


def test_entries_are_told_as_sentences(server: Flask, organization: str) -> None:
    """No names of settings, no ids: “Admin → Owner”, “With a second factor”, “With a trial restore”."""
    owner = service.user_by_email(OWNER).id
    with transaction():
        audit.audit("role_changed", "user/u_1", by=owner, before="admin", after="owner")
        audit.audit("signed_in", f"user/{owner}", by=owner, second_factor=True)
        audit.audit("member_invited", f"organization/{organization}", by=owner, email="new@example.org", role="admin")
        audit.audit("settings_changed", f"organization/{organization}", by=owner, second_factor_required=True)
        audit.audit("department_deleted", "department/d_1", by=owner, name="Sales", people=1, moved_to="d_2")
        audit.audit("backup_checked", "app/a_1", by=owner, name="CRM", backup="First", deep=True)
        audit.audit("backup_made", "app/a_1", by=owner, name="CRM", result="too_soon", reason="Wait.")
    told = [row[5] for row in lines(signed_in(server), f"/o/{organization}/log.csv")][:8]
    assert {"Admin → Owner", "With a second factor", "new@example.org as admin", "Second factor required: yes", "1 person in it",
            "Backup “First” · With a trial restore", "Refused or failed · Wait."} <= set(told)
