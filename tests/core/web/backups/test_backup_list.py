"""The list of backups and making one: what is shown, who may, and every refusal as a sentence."""

from __future__ import annotations

import re

import pytest

from core.api import AppRestoring, apps, as_tenant, db, transaction
from core.backups.catalog import find_backup
from core.backups.plan import Options
from core.backups.requests import request_restore
from core.base.time import moved
from core.runs.models import Run
from core.runs.service import active_runs, find, runs_of
from core.web.backups import backup_list
from plugins.worksheets import service as worksheets
from tenants import service
from tenants.quota import QuotaYear, usage
from tests.core.web.backups.conftest import RAW_MOMENT, Place, words
from tests.web import make_member, signed_in

FORM = {"data": "", "name": ""}


def test_the_empty_list_says_what_to_do(place: Place) -> None:
    """And the navigation of the app's management leads to it."""
    shown = place.get().get_data(as_text=True)
    assert "No backups yet" in shown and f'href="{place.root}/new"' in shown
    assert place.root in place.browser.get(place.root.removesuffix("/backups") + "/").get_data(as_text=True)


def test_only_admins_of_the_app_who_are_members_come_in(place: Place) -> None:
    """An admin of the organization without the app answers 404, an app's admin outside the organization 403; neither is offered the page."""
    make_member(place.organization_id, "admin@example.org", "admin")
    with as_tenant(place.organization_id), transaction():
        outside = service.create_user("outside@example.org", "").id
        service.name_admin(apps.find(place.app_id), outside)
    outsider = signed_in(place.server, "outside@example.org")
    codes = [signed_in(place.server, "admin@example.org").get(place.root).status_code, outsider.get(place.root).status_code]
    assert [404, 403] == codes
    assert place.root not in outsider.get(place.root.removesuffix("/backups") + "/").get_data(as_text=True)


@pytest.mark.parametrize("data", [False, True])
def test_a_backup_is_made_with_data_only_where_that_is_ticked(place: Place, data: bool) -> None:
    """It is under way on top of the list, and in the list once it is done: with name, type, what it holds and who made it."""
    answer = place.post("/new", data={**FORM, **({"data": "1"} if data else {})})
    assert 303 == answer.status_code
    going_on = words(place.browser.get(answer.headers["Location"]))
    assert "Waiting to start" in going_on and "Cancel" in going_on
    assert ["succeeded"] == place.work()
    shown = words(place.browser.get(answer.headers["Location"]))
    assert "was created." in shown and "Manual Backup_Sample CRM_" in shown and "owner" in shown
    assert ("Configuration and data 200 records" in shown) is data
    assert ["both" if data else "config"] == [backup.part for backup in place.backups()]


def test_a_reloaded_list_shows_the_same_progress(place: Place) -> None:
    """What the row of the run says is shown, whoever loads the page and however often."""
    place.post("/new", data=FORM)
    with as_tenant(place.organization_id), transaction():
        run = active_runs(place.app_id)[0]
        run.state, run.phase, run.done, run.total, run.bytes = "running", "reading", 50, 200, 4_000_000
    for _ in range(2):
        shown = place.text()
        assert "Reading the app 25 %" in shown and "50 of 200 records · 4.0 MB" in shown
    part = place.get(f"/runs/{run_of(place).id}/progress")
    assert "25 %" in words(part) and "HX-Refresh" not in part.headers


@pytest.mark.parametrize(("kind", "phase", "told"), [
    ("backup", "backup.objects_stored", "Storing the backup"), ("restore", "reading", "Backing up the current version 25 % 50 of 200 records"),
    ("restore", "restore.app_closed", "Restoring"), ("upload", "upload.verifying", "Checking the file 25 % 50 of 200 parts"),
    ("check", "restoring on trial", "Running a trial restore 25 %")])
def test_what_a_run_does_is_told_and_numbers_only_while_it_counts(place: Place, kind: str, phase: str, told: str) -> None:
    """Those of the phase before are not shown as if they were of this one."""
    place.post("/new", data=FORM)
    with as_tenant(place.organization_id), transaction():
        run = active_runs(place.app_id)[0]
        run.kind, run.state, run.phase, run.done, run.total = kind, "running", phase, 50, 200
    shown = place.text(f"/runs/{run_of(place).id}/progress")
    assert shown.startswith(told) and ("%" in shown) is ("%" in told) and ("50 of" in shown) is ("%" in told)


def test_a_list_is_loaded_again_once_its_run_has_ended(place: Place) -> None:
    """The part that asks for itself answers so."""
    place.post("/new", data=FORM)
    run_id = run_of(place).id
    place.work()
    assert "true" == place.get(f"/runs/{run_id}/progress").headers["HX-Refresh"]


def test_a_backup_can_be_cancelled(place: Place) -> None:
    """Nothing is made; both the asking and the end are in the log."""
    place.post("/new", data=FORM)
    run_id = run_of(place).id
    answer = place.post(f"/runs/{run_id}/cancel")
    assert "Cancelled" in words(place.browser.get(answer.headers["Location"]))
    assert [] == place.work() and [] == place.backups()
    assert "<strong>Cancel</strong>" in place.get("/logs").text


def test_a_second_backup_within_five_minutes_is_refused_with_when(place: Place) -> None:
    """The form says when the next may start; then it does."""
    place.post("/new", data=FORM)
    place.work()
    with moved(60):
        answer = place.post("/new", data=FORM)
        assert 429 == answer.status_code
        assert "The next backup can start at" in words(answer) and "less than 5 min ago" in words(answer)
    with moved(302):
        assert 303 == place.post("/new", data=FORM).status_code


def test_a_second_backup_while_one_runs_is_refused_with_since_when(place: Place) -> None:
    """The form says what runs, since when, and leads there; what was typed stays."""
    place.post("/new", data=FORM)
    with moved(30):
        answer = place.post("/new", data={"name": "Mine & yours", "data": "1"})
    assert 409 == answer.status_code
    shown = answer.get_data(as_text=True)
    assert "A backup of this app has been queued since" in shown and f"/runs/{run_of(place).id}" in shown
    assert 'value="Mine &amp; yours"' in shown and "checked" in shown
    assert RAW_MOMENT.search(words(answer)) is None


def test_a_double_click_starts_one(place: Place) -> None:
    """The second answer leads to the run of the first; also when that has ended already."""
    first = place.post("/new", data=FORM).headers["Location"]
    second = place.post("/new", data=FORM).headers["Location"]
    place.work()
    third = place.post("/new", data=FORM).headers["Location"]
    assert first == second == third
    assert 1 == len(place.backups())


@pytest.mark.parametrize("ended", ["cancelled", "cancelling", "failed"])
def test_who_asks_again_after_a_run_ended_badly_gets_a_new_one(place: Place, ended: str) -> None:
    """A second click within ten seconds leads to the run of the first, but not to one that was cancelled or failed."""
    first = place.post("/new", data=FORM).headers["Location"]
    with as_tenant(place.organization_id), transaction():
        run = active_runs(place.app_id)[0]
        run.state, run.exclusive_app_id, run.cancel_requested = {
            "cancelled": ("cancelled", None, True), "cancelling": ("running", run.app_id, True), "failed": ("failed", None, False)}[ended]
    again = place.post("/new", data=FORM)
    if ended == "cancelling":  # it goes on until its next step, and says so instead of passing for the one asked for
        assert 409 == again.status_code and "A backup of this app has been running since" in words(again)
        return
    assert 303 == again.status_code and first != again.headers["Location"]
    assert ["succeeded"] == place.work() and 1 == len(place.backups())


def test_the_form_says_on_opening_when_the_next_may_start(place: Place) -> None:
    """Within five minutes of the last, and while another goes on: nobody fills it in to learn that it is in vain."""
    assert "disabled" not in place.get("/new").get_data(as_text=True)
    place.post("/new", data=FORM)
    shown = place.get("/new").get_data(as_text=True)
    assert "A backup of this app has been queued since" in shown and '<button class="button main" disabled' in shown
    place.work()
    with moved(60):
        shown = place.get("/new").get_data(as_text=True)
    assert "The next backup can start" in shown
    waits = re.search(r'disabled data-wait-s="(\d+)"', shown)
    assert waits is not None and 235 <= int(waits[1]) <= 241
    with moved(302):
        assert "disabled" not in place.get("/new").get_data(as_text=True)


@pytest.mark.parametrize("name", ["x" * 121, "a\x07b"])
def test_a_wrong_name_is_refused_beside_its_field(place: Place, name: str) -> None:
    """Nothing is started."""
    answer = place.post("/new", data={"name": name})
    assert 422 == answer.status_code and 'class="error"' in answer.get_data(as_text=True)
    assert [] == place.work()


def test_a_backup_that_the_quota_cannot_hold_fails_whole(place: Place) -> None:
    """The page says how much was needed and how much is left; nothing of it is listed."""
    with as_tenant(place.organization_id), transaction():
        now = usage(place.organization_id)
        row = QuotaYear.__table__
        db.session.execute(row.update().where(row.c.year == now.year).values(used=now.limit - 10))
    answer = place.post("/new", data={"data": "1"})
    assert ["failed"] == place.work()
    shown = words(place.browser.get(answer.headers["Location"]))
    assert "bytes of the upload quota" in shown and "10 of" in shown and "quota_exceeded" in shown
    assert [] == place.backups()


def test_the_list_has_pages(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first; each backup on exactly one of the pages; a made-up place to go on from is as none."""
    monkeypatch.setattr(backup_list, "PAGE_BACKUPS", 2)
    for n in range(5):
        with moved(400 * n):
            place.back_up(data=False, name=f"Number {n}")
    seen, address = [], place.root
    while address:
        shown = place.browser.get(address).get_data(as_text=True)
        seen += [n for n in range(4, -1, -1) if f">Number {n}</a>" in shown]
        older = shown.partition("before=")[2].partition('"')[0] if ">Older</a>" in shown else ""
        address = f"{place.root}?before={older}" if older else ""
    assert [4, 3, 2, 1, 0] == seen
    assert "Number 4" in place.text("?before=b_ZZZZZZZZZZ")


def test_a_run_of_another_app_is_not_shown(place: Place) -> None:
    """Its id answers 404 under this app, in every place that takes one."""
    with as_tenant(place.organization_id), transaction():
        other = apps.create("Other", place.owner).id
    theirs = f"/o/{place.organization_id}/apps/{other}/manage/backups"
    place.browser.post(f"{theirs}/new", data=FORM)
    with as_tenant(place.organization_id):
        run_id = active_runs(other)[0].id
    answers = [place.get(f"/runs/{run_id}"), place.get(f"/runs/{run_id}/progress"), place.post(f"/runs/{run_id}/cancel"),
               place.get(f"?run={run_id}")]
    assert [404] * 4 == [answer.status_code for answer in answers]
    assert 200 == place.browser.get(f"{theirs}/runs/{run_id}").status_code


def test_everybody_in_the_app_sees_that_it_is_being_restored(place: Place) -> None:
    """The banner stands on each of its pages as long as a restore goes on; what is written while it commits is refused."""
    backup_id = place.back_up()
    home = place.root.removesuffix("/manage/backups") + "/"
    assert "is being restored" not in words(place.browser.get(home))
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        options = Options(backup=backup_id, config=True, data=False)
        run = request_restore(app, find_backup(backup_id), options, place.owner, send=False)
        app.restoring_run_id = run.id
    assert "is being restored" in words(place.browser.get(home))
    assert "is being restored" in words(place.browser.get(f"{home}restoring"))
    refused = place.browser.post(f"{home}worksheet/w_Companies1/record/1/delete")
    assert 409 == refused.status_code and "You can read it now, and change it again" in words(refused)
    with as_tenant(place.organization_id), pytest.raises(AppRestoring), transaction():
        worksheets.delete_record(apps.find(place.app_id), "w_Companies1", 1, place.owner)
    with as_tenant(place.organization_id), transaction():
        find(run.id).state = "cancelled"
        find(run.id).exclusive_app_id = None
    assert "" == words(place.browser.get(f"{home}restoring"))


def run_of(place: Place) -> Run:
    """Return the newest run of the app."""
    with as_tenant(place.organization_id):
        return runs_of(place.app_id)[0]
