"""What people are told, and who: each end of a run, each pause, each quota that fills up; once, and never against its work."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.api import App, AppkeepError, apps, as_tenant, db, direct, put_file, request_run, server, transaction
from core.backups import requests
from core.backups.models import Backup
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import Schedule
from core.objects.index import StoredObject
from core.runs import service as runs
from core.runs.service import cancel, report_of, work
from tenants import organizations, quota
from tenants import service as people
from tenants.notifications import choices, events, inbox
from tenants.notifications.choices import Choice
from tenants.notifications.models import Delivery, Notification
from tenants.plans import PLANS, Plan
from tenants.service import find_organization
from tests.web import make_member


def told(person: str) -> list[tuple[str, str]]:
    """Return what a person's inbox says, newest first."""
    db.session.rollback()
    return [(item.kind, item.title) for item in inbox.items(person)]


def member(organization: str, email: str, role: str = "member") -> str:
    """Make a member and return their id."""
    return make_member(organization, email, role)


def name_admin(app: App, person: str) -> None:
    """Let a person manage the app."""
    with transaction():
        people.name_admin(apps.find(app.id), person)


def test_whoever_asked_for_a_backup_is_told_when_it_is_done(organization: str, owner: str, app: App) -> None:
    """With its name and size, and a way to its page; nobody else is."""
    other = member(organization, "other@example.org")
    name_admin(app, other)
    made = direct.back_up(app, person=owner)
    assert [("backup_done", "Backup of “Sales” is done")] == told(owner)
    (item,) = inbox.items(owner)
    assert made.name in item.text and item.path.startswith(f"/o/{organization}/runs/n_")
    assert [] == told(other)


def test_the_end_of_a_run_that_is_told_twice_arrives_once(organization: str, owner: str, app: App) -> None:
    """The clock tells again what a process that died may not have told."""
    direct.back_up(app, person=owner)
    run = runs.runs_of(app.id)[0]
    events.run_finished(run)
    events.run_finished(runs.find(run.id))
    assert 1 == len(told(owner))


def test_a_backup_that_fails_says_why(organization: str, owner: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is in the text, and a mail is on its way, as is usual for what went wrong."""
    monkeypatch.setitem(PLANS, "tiny", Plan("tiny", "Tiny", 10, scheduled_backups=True))
    with transaction():
        find_organization(organization).plan = "tiny"
    with pytest.raises(AppkeepError):
        direct.back_up(app, person=owner)
    assert ["backup_failed", "quota_full"] == [kind for kind, _ in told(owner)]
    assert "10 of 10 are left" in inbox.items(owner)[0].text
    assert {"backup_failed", "quota_full"} == set(db.session.scalars(select(Delivery.kind).where(Delivery.channel == "mail")))


def test_a_scheduled_backup_that_fails_is_told_to_the_admins_of_the_app(organization: str, owner: str, app: App) -> None:
    """To those who are members: a scheduled one has nobody who asked for it; the good ones fill nobody's inbox."""
    outside = people.create_user
    with transaction():
        gone = outside("outside@example.org").id
        people.name_admin(apps.find(app.id), gone)
    with transaction():
        run = requests.request_backup(apps.find(app.id), "system", data=False, name=None, send=False, type_="scheduled").id
    assert work(run).state == "succeeded"
    assert [] == told(owner)
    with transaction():
        db.session.get(Backup, report_of(runs.find(run))["backup"]).started_at = 1
        failing = requests.request_backup(apps.find(app.id), "system", data=False, name="x" * 120, send=False, type_="scheduled").id
        row = runs.find(failing)
        row.options = row.options.replace("x" * 120, "x" * 121)
    assert work(failing).state == "failed"
    assert [("backup_failed", "The scheduled backup of “Sales” failed")] == told(owner)
    assert 0 == db.session.scalar(select(func.count()).select_from(Notification).where(Notification.user_id == gone))


def test_a_restore_is_told_to_the_other_admins_too(organization: str, owner: str, app: App) -> None:
    """It changed what they work with."""
    other = member(organization, "other@example.org")
    name_admin(app, other)
    backup = direct.back_up(app, person=owner)
    direct.restore(app, backup, person=owner)
    assert ("restore_done", "Restore of “Sales” is done") == told(owner)[0]
    assert [("restore_done", "Restore of “Sales” is done")] == told(other)


def test_a_check_that_finds_damage_is_told_to_the_admins_of_the_app(organization: str, owner: str, app: App) -> None:
    """A good one is told to nobody."""
    backup = direct.back_up(app)
    for broken in (False, True):
        if broken:
            for path in (server().config.home_path / "objects").rglob("*"):
                if path.is_file():
                    path.write_bytes(b"broken")
        with transaction():
            run = requests.request_check(db.session.get(Backup, backup.id), "system", send=False).id
        work(run)
        assert ([("check_failed", "A backup of “Sales” is damaged")] if broken else []) == told(owner)


def test_a_change_that_failed_in_the_background_is_told_to_whoever_made_it(organization: str, owner: str, app: App) -> None:
    """One that went well is not: what it changed is to be seen."""
    for address in ("app/main", "page/p_1111111111"):
        body = {"name": "Sales"}
        with transaction():
            edit = {"op": "put", "document": address, "body": body} if address.startswith("app") else {"op": "hide", "document": address}
            run = request_run("edit", apps.find(app.id), {"edits": [edit]}, owner, send=False).id
        work(run)
    assert [("change_failed", "Change of “Sales” failed")] == told(owner)


def test_a_cancelled_run_is_told_to_whoever_asked_for_it(organization: str, owner: str, app: App) -> None:
    """They may have asked for it to be cancelled, or an other admin has."""
    with transaction():
        run = requests.request_backup(apps.find(app.id), owner, data=False, name=None, send=False)
        cancel(run)
    events.run_finished(runs.find(run.id))
    assert [("backup_failed", "Backup of “Sales” was cancelled")] == told(owner)


def test_a_paused_schedule_is_told_to_admins_of_the_app_and_to_those_who_choose_the_plan(organization: str, owner: str, app: App) -> None:
    """Each is led to where they can do something; a member hears nothing."""
    admin, plain, manager = (member(organization, f"{name}@example.org", role) for name, role in
                             (("admin", "admin"), ("plain", "member"), ("manager", "member")))
    name_admin(app, manager)
    with transaction():
        schedules.set_schedule(apps.find(app.id), Schedule(every="daily"), owner, data=False)
        db.session.get(type(schedules.schedule_of(app)), app.id).next_at = 1
        find_organization(organization).plan = "free"
    schedules.tick()
    title = ("schedule_paused", "Scheduled backups of “Sales” are paused")
    assert [[title], [title], [title], []] == [told(one) for one in (owner, admin, manager, plain)]
    assert f"/o/{organization}/plan" == inbox.items(admin)[0].path
    assert inbox.items(manager)[0].path.startswith(f"/o/{organization}/apps/{app.id}")


def test_owners_and_admins_are_warned_once_at_80_percent_and_once_when_the_quota_is_used_up(
        organization: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before, not again, and not members."""
    monkeypatch.setitem(PLANS, "small", Plan("small", "Small", 1000, scheduled_backups=True))
    admin, plain = member(organization, "admin@example.org", "admin"), member(organization, "plain@example.org")
    with transaction():
        find_organization(organization).plan = "small"
    seen = []
    for size in (790, 10, 10, 190):
        with transaction():
            server().registry.hook.objects_recorded(organization_id=organization, size=size, reference="q_1", purpose="backup", app_id=None)
        seen.append([kind for kind, _ in told(owner)])
    assert [[], ["quota_warning"], ["quota_warning"], ["quota_full", "quota_warning"]] == seen
    assert seen[-1] == [kind for kind, _ in told(admin)]
    assert [] == told(plain)
    assert "80 % of the upload quota" in told(owner)[1][1]


def test_an_upload_that_is_refused_for_the_quota_warns(organization: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left: it was not enough. Nothing of the upload stays."""
    monkeypatch.setitem(PLANS, "small", Plan("small", "Small", 10, scheduled_backups=True))
    with transaction():
        find_organization(organization).plan = "small"
    for _ in range(2):
        with pytest.raises(quota.QuotaExceeded):
            put_file(io.BytesIO(bytes(range(256)) * 4))
    assert ["quota_full"] == [kind for kind, _ in told(owner)]
    assert 0 == db.session.scalar(select(func.count()).select_from(StoredObject))


def test_a_smaller_plan_warns_at_once(organization: str, owner: str) -> None:
    """What was used before counts."""
    with transaction():
        quota.settle(organization, 3 * 10**9, "q_1", "attachment", None)
        organizations.change_plan("free")
    assert ["quota_full"] == [kind for kind, _ in told(owner)]


def test_people_are_told_as_they_chose(organization: str, owner: str, app: App) -> None:
    """By mail and not here, here and not by mail, or not at all."""
    for number, chosen in enumerate((Choice(False, True), Choice(True, False), Choice(False, False))):
        with transaction():
            choices.choose(owner, {"backup_done": chosen})
            for backup in db.session.scalars(select(Backup)):
                backup.started_at = 1
        before = (len(told(owner)), db.session.scalar(select(func.count()).select_from(Delivery)))
        direct.back_up(app, person=owner)
        after = (len(told(owner)), db.session.scalar(select(func.count()).select_from(Delivery)))
        assert (chosen.inbox, chosen.mail) == (after[0] > before[0], after[1] > before[1]), number


def test_who_left_the_organization_reads_nothing_of_it_any_more(organization: str, owner: str, app: App) -> None:
    """What they were told before is not shown, and nothing new comes."""
    gone = member(organization, "gone@example.org")
    name_admin(app, gone)
    backup = direct.back_up(app, person=gone)
    assert 1 == len(told(gone)) == inbox.unread_count(gone)
    from tenants import members

    with transaction():
        members.remove(gone, "owner", from_apps=False)
    assert [] == told(gone)
    assert 0 == inbox.unread_count(gone)
    direct.restore(app, backup, person=owner)
    assert [] == told(gone)


def test_telling_that_fails_does_not_fail_the_run(organization: str, owner: str, app: App, monkeypatch: pytest.MonkeyPatch,
                                                  caplog: pytest.LogCaptureFixture) -> None:
    """The backup is there; the log says what went wrong."""
    def fail(*args: object) -> None:
        raise OSError("no room for a notification")

    monkeypatch.setattr(events, "tell", fail)
    assert direct.back_up(app, person=owner).name
    assert "no room for a notification" in caplog.text


def test_each_organization_tells_its_own(server: Flask, organization: str, owner: str, app: App) -> None:
    """A webhook and the deliveries of one are not the other's."""
    from tenants.notifications import deliveries, webhooks
    from tests.web import make_organization

    with transaction():
        webhooks.add("http://127.0.0.1:9/", ["backup_done"], owner)
    other = make_organization("Other", "other@example.org")
    with as_tenant(other):
        assert [] == webhooks.webhooks()
        with transaction():
            theirs = apps.create("Theirs", "system")
        direct.back_up(theirs)
        assert [] == deliveries.deliveries()
    direct.back_up(app, person=owner)
    assert ["webhook"] == [one.channel for one in deliveries.deliveries()]
