"""Restoring in the browser: the plan, the options, the proof of who one is, the start, the report, undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from core.api import App, apps, as_server, as_tenant, db, documents, seal, transaction
from core.backups import reauth
from core.backups.agreement import subject
from core.backups.catalog import find_backup
from core.backups.log import acts_of
from core.backups.models import Backup, RestoreProof
from core.backups.plan import Options, check_origin, plan
from core.base.errors import OriginUnconfirmed, RunInProgress
from core.base.time import moved, now_us
from core.cli.report_text import plan_lines
from core.extension.component import Document
from core.runs.models import Run
from core.web.backups import restore, undo
from plugins.worksheets import service as worksheets
from tenants.models import User
from tenants.quota import QuotaYear, usage
from tests.core.web.backups.conftest import COMPANIES, RAW_MOMENT, Place, words
from tests.web import PASSWORD


def form_of(page: str) -> dict[str, Any]:
    """Return what the form that starts a restore sends: what is hidden, and what is ticked."""
    form = page[page.index('<form class="stack" method="post"'):]
    found: dict[str, Any] = {}
    for sent in re.findall(r'<input type="(?:hidden|checkbox|radio)"[^>]*>', form):
        name, value = re.search(r' name="([a-z_]+)"', sent), re.search(r' value="([^"]*)"', sent)
        if name is None or value is None or ('type="hidden"' not in sent and " checked" not in sent):
            continue
        one = found.get(name[1])
        found[name[1]] = value[1] if one is None else [*one, value[1]] if isinstance(one, list) else [one, value[1]]
    return {name: value for name, value in found.items() if name != "csrf_token"}


def opened(place: Place, backup_id: str, args: str = "") -> dict[str, Any]:
    """Open the page of a restore and return what its form sends."""
    return form_of(place.get(f"/{backup_id}/restore{args}").get_data(as_text=True))


def started(place: Place, backup_id: str, args: str = "", **typed: str) -> TestResponse:
    """Open the page of a restore, type, and start."""
    form = opened(place, backup_id, args)
    return place.post(f"/{backup_id}/restore", data={**form, "answer": PASSWORD, **typed})


def test_the_plan_tells_what_would_be_done_before_anything_is(place: Place) -> None:
    """Per component what is changed, with a readable difference; per worksheet how many records; and nothing is touched."""
    backup_id = place.back_up()
    place.change()
    shown = place.text(f"/{backup_id}/restore")
    order = [shown.index(title) for title in ("1. What will change", "2. Options", "3. Confirm your identity and start")]
    assert sorted(order) == order
    assert "Changes back to the backup : 1 Companies Worksheet name Firms → Companies" in shown
    assert "Companies 0 1 24 0" in shown and "Contacts (40)" in shown
    assert "Firms" == place.name_of_sheet() and [] == place.work()


def test_a_narrow_screen_reads_the_same_heads(place: Place) -> None:
    """What a plan would do is not told as done, and the report not as planned; in the heads of columns and in those of cells."""
    backup_id = place.back_up()
    place.change()
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        field = next(f["key"] for f in documents.get(app, f"worksheet/{COMPANIES}").body["fields"] if f["type"] == "text")
        worksheets.put_record(app, COMPANIES, None, {field: "New since"}, place.owner)
    plan = place.get(f"/{backup_id}/restore?asked=1&config=1&data=1&bin_newer=1").get_data(as_text=True)
    answer = started(place, backup_id, "?asked=1&config=1&data=1&bin_newer=1&safety=1")
    place.work()
    report = place.browser.get(answer.headers["Location"]).get_data(as_text=True)
    for page, heads in ((plan, ["To restore", "To overwrite", "Unchanged", "To the recycle bin", "Created since, kept"]),
                        (report, ["Restored", "Overwritten", "Unchanged", "Moved to the recycle bin", "Created since, kept"])):
        assert heads == re.findall(r'<th scope="col" class="number">([^<]+)</th>', page)
        assert heads == list(dict.fromkeys(re.findall(r'<td data-label="([^"]+)" class="number">', page)))


def test_the_plan_follows_the_options(place: Place) -> None:
    """Configuration only, data only, some parts only; with nothing ticked it says what to tick."""
    backup_id = place.back_up()
    place.change()
    config = place.text(f"/{backup_id}/restore?asked=1&config=1")
    data = place.text(f"/{backup_id}/restore?asked=1&data=1")
    pages = place.text(f"/{backup_id}/restore?asked=1&config=1&data=1&some=1&only=pages")
    sheet = place.text(f"/{backup_id}/restore?asked=1&config=1&some=1&only=worksheet/{COMPANIES}")
    assert "Firms → Companies" in config and "To overwrite" not in config
    assert "Firms → Companies" not in data and "To overwrite" in data
    assert "Nothing will change: the app is the same as the backup." in pages and "only 1 chosen part" in pages
    assert "Firms → Companies" in sheet
    assert "Choose what to restore" in place.text(f"/{backup_id}/restore?asked=1")
    assert "Select at least one part" in place.text(f"/{backup_id}/restore?asked=1&config=1&some=1")


@pytest.mark.parametrize("args", ["?asked=1&config=1&some=1&only=dragons", "?asked=1&config=1&some=1&only=worksheet/w_ZZZZZZZZZZ",
                                  "?asked=1&config=1&some=1&only=" + "x" * 500, "?asked=1&config=2&data=x", "?asked=1&some=1" + "&only=a" * 3000])
def test_options_that_make_no_sense_are_refused_in_words(place: Place, args: str) -> None:
    """Never a failure of the server; and nothing can be started."""
    backup_id = place.back_up()
    answer = place.get(f"/{backup_id}/restore{args}")
    assert 422 == answer.status_code and 'data-busy="Starting …" disabled' in answer.get_data(as_text=True)


def test_a_backup_without_data_offers_no_restore_of_data(place: Place) -> None:
    """Only the configuration; asking for data all the same restores none."""
    backup_id = place.back_up(data=False)
    shown = place.get(f"/{backup_id}/restore").get_data(as_text=True)
    assert 'id="o-config"' in shown and 'id="o-data"' not in shown
    assert "Choose what to restore" in place.text(f"/{backup_id}/restore?asked=1&data=1")


def test_a_restore_is_done_with_a_backup_first_and_undone(place: Place) -> None:
    """The report tells what was done; undo leads to the same page for the version before, and takes everything back."""
    backup_id = place.back_up()
    place.change()
    answer = started(place, backup_id)
    assert 303 == answer.status_code and ["succeeded"] == place.work()
    assert "Companies" == place.name_of_sheet()
    report = place.browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Sample CRM was restored," in words(place.browser.get(answer.headers["Location"]))
    assert "Changed back to the backup" in report and "Pre-restore Backup_Sample CRM_" in report
    link = re.search(r'href="([^"]+)">Undo</a>', report)
    assert link is not None
    address = link[1].replace("&amp;", "&")
    page = place.browser.get(address).get_data(as_text=True)
    assert "Companies</del>" in page and "Firms</ins>" in page
    place.browser.post(address.partition("?")[0], data={**form_of(page), "answer": PASSWORD})
    assert ["succeeded"] == place.work() and "Firms" == place.name_of_sheet()


def test_undo_of_some_parts_takes_back_those(place: Place) -> None:
    """Also where one was brought back that the version before did not have."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        documents.hide(apps.find(place.app_id), f"worksheet/{COMPANIES}", place.owner)
    answer = started(place, backup_id, f"?asked=1&config=1&data=1&some=1&only=worksheet/{COMPANIES}&only=pages&safety=1")
    assert ["succeeded"] == place.work()
    link = re.search(r'href="([^"]+)">Undo</a>', place.browser.get(answer.headers["Location"]).get_data(as_text=True))
    assert link is not None
    assert "Moves to the recycle bin : 1 Companies" in words(place.browser.get(link[1].replace("&amp;", "&")))


def test_what_is_not_ticked_any_more_is_not_started(place: Place) -> None:
    """The ticks are in the form that starts: taken away, they are not sent, and the start is refused in the page."""
    backup_id = place.back_up()
    place.change()
    form = {**opened(place, backup_id), "answer": PASSWORD}
    nothing = {name: value for name, value in form.items() if name not in ("config", "data")}
    refused = place.post(f"/{backup_id}/restore", data=nothing)
    assert 422 == refused.status_code and "Choose what to restore" in words(refused)
    less = place.post(f"/{backup_id}/restore", data={name: value for name, value in form.items() if name != "data"})
    assert 409 == less.status_code and [] == place.work()
    asked = place.browser.get(f"{place.root}/{backup_id}/restore?asked=1", headers={"HX-Request": "true"})
    assert 200 == asked.status_code and "Choose what to restore" in words(asked)  # any other status would leave the ticks of before
    look = place.post(f"/{backup_id}/restore", data={**form, "look": "1"})
    assert 303 == look.status_code and "config=1&data=1" in look.headers["Location"] and PASSWORD not in look.headers["Location"]


def test_undo_has_its_own_plan_and_proof(place: Place) -> None:
    """Nothing is started without either; the tick is another plan."""
    backup_id = place.back_up()
    place.change()
    answer = started(place, backup_id)
    place.work()
    address = f"{answer.headers['Location']}/undo"
    form = form_of(place.browser.get(address).get_data(as_text=True))
    unproven = place.browser.post(address, data={**form, "answer": "wrong"})
    other = place.browser.post(address, data={**form, "also_later": "1", "answer": PASSWORD})
    assert (403, 409) == (unproven.status_code, other.status_code) and [] == place.work()
    assert 303 == place.browser.post(address, data={**form_of(other.get_data(as_text=True)), "answer": PASSWORD}).status_code
    assert ["succeeded"] == place.work() and "Firms" == place.name_of_sheet()


def test_without_a_backup_first_it_is_said_that_it_cannot_be_undone(place: Place) -> None:
    """The tick is on at first; taken away, no backup is made."""
    backup_id = place.back_up()
    place.change()
    assert "after a backup of the current version" in place.text(f"/{backup_id}/restore")
    args = "?asked=1&config=1&data=1"
    assert "it cannot be undone" in place.text(f"/{backup_id}/restore{args}")
    answer = started(place, backup_id, args)
    place.work()
    assert 1 == len(place.backups()) and "Undo" not in words(place.browser.get(answer.headers["Location"]))


def test_a_wrong_password_starts_nothing(place: Place) -> None:
    """It is said beside the field; the options stay."""
    backup_id = place.back_up()
    place.change()
    answer = started(place, backup_id, "?asked=1&config=1&some=1&only=worksheets", answer="wrong")
    shown = answer.get_data(as_text=True)
    assert 403 == answer.status_code and "Wrong password." in shown
    assert "wrong" not in re.findall(r'value="([^"]*)"', shown)
    assert ["worksheets"] == [form_of(shown)["only"]] and [] == place.work()


def test_without_an_answer_nothing_is_started(place: Place) -> None:
    """A made-up proof is none."""
    backup_id = place.back_up()
    for typed in ({"answer": ""}, {"answer": "", "proof": "x" * 43}):
        answer = started(place, backup_id, **typed)
        assert 403 == answer.status_code and "Confirm your identity to start." in words(answer)
    assert [] == place.work()


def test_five_wrong_passwords_lock_it(place: Place) -> None:
    """The sixth answer is refused even if right, beside the field; after fifteen minutes it passes."""
    backup_id = place.back_up()
    for _ in range(5):
        started(place, backup_id, answer="wrong")
    locked = started(place, backup_id)
    assert 429 == locked.status_code and 'class="error"' in locked.get_data(as_text=True)
    with moved(15 * 60 + 1):
        assert 303 == started(place, backup_id).status_code


def test_who_has_a_second_factor_proves_themselves_by_a_code(place: Place) -> None:
    """The password is not taken then; a code serves once."""
    secret = enrolled(place)
    backup_id = place.back_up()
    place.change()
    assert "One-time code" in place.text(f"/{backup_id}/restore")
    assert 403 == started(place, backup_id).status_code
    code = pyotp.TOTP(secret).at(now_us() // 1_000_000)
    assert 303 == started(place, backup_id, answer=code).status_code and ["succeeded"] == place.work()
    with moved(11):
        place.change()
        again = started(place, backup_id, answer=code)
    assert 403 == again.status_code and "already used" in words(again)


def enrolled(place: Place) -> str:
    """Enrol the owner for one-time codes and return the secret."""
    secret = pyotp.random_base32()
    with as_server(), transaction():
        db.session.execute(update(User).where(User.id == place.owner).values(totp_secret=seal(secret, f"second_factor/{place.owner}")))
    return secret


def test_a_plan_that_is_out_of_date_starts_nothing_and_shows_a_fresh_one(place: Place) -> None:
    """Nothing is asked of the person in vain: their answer is not used up."""
    backup_id = place.back_up()
    form = opened(place, backup_id)
    place.change()
    answer = place.post(f"/{backup_id}/restore", data={**form, "answer": PASSWORD})
    shown = answer.get_data(as_text=True)
    assert 409 == answer.status_code and "have changed since this plan was made" in shown and "Firms</del>" in shown
    with as_tenant(place.organization_id):
        assert [] == acts_of(place.app_id, act="identity") and "plan_changed" == acts_of(place.app_id, act="restore")[0].result
    assert 303 == place.post(f"/{backup_id}/restore", data={**form_of(shown), "answer": PASSWORD}).status_code


def test_options_changed_after_the_plan_start_nothing(place: Place) -> None:
    """A form whose options were tampered with, or a plan of other options, is refused."""
    backup_id = place.back_up()
    place.change()
    form = opened(place, backup_id, "?asked=1&config=1")
    answer = place.post(f"/{backup_id}/restore", data={**form, "data": "1", "answer": PASSWORD})
    assert 409 == answer.status_code and [] == place.work()


def test_a_proof_that_was_not_used_serves_for_five_minutes(place: Place) -> None:
    """Where another run came between the proof and the start, it need not be proven again; later it must."""
    backup_id = place.back_up()
    form = opened(place, backup_id)
    with as_tenant(place.organization_id):
        proofs_made = [reauth.prove(place.app_id, subject(form["plan"]), place.owner, PASSWORD) for _ in range(2)]
    with moved(301):
        late = place.post(f"/{backup_id}/restore", data={**form, "proof": proofs_made[0]})
    assert 403 == late.status_code and "expired or was already used" in words(late)
    with moved(200):
        assert 303 == place.post(f"/{backup_id}/restore", data={**form, "proof": proofs_made[1]}).status_code


def test_a_proof_is_kept_when_the_start_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says that it is good, and sends it again."""
    backup_id = place.back_up()
    real = restore.request_restore

    def busy(*_args: Any, **_more: Any) -> Run:
        raise RunInProgress("Another has just begun.")

    monkeypatch.setattr(restore, "request_restore", busy)
    shown = started(place, backup_id).get_data(as_text=True)
    assert "Another has just begun." in shown and "Identity confirmed." in shown
    monkeypatch.setattr(restore, "request_restore", real)
    assert 303 == place.post(f"/{backup_id}/restore", data=form_of(shown)).status_code
    with as_tenant(place.organization_id):
        assert 1 == len(list(db.session.scalars(select(RestoreProof).where(RestoreProof.used_at.is_not(None)))))


def test_a_double_click_starts_one(place: Place) -> None:
    """The second leads to the run of the first."""
    backup_id = place.back_up()
    form = {**opened(place, backup_id), "answer": PASSWORD}
    places = {place.post(f"/{backup_id}/restore", data=form).headers.get("Location") for _ in range(2)}
    assert 1 == len(places) and None not in places and ["succeeded"] == place.work()


@pytest.mark.parametrize("at_once", [False, True])
def test_a_double_click_undoes_once(place: Place, monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    """The second leads to the run of the first, also where that had not begun when the second came."""
    backup_id = place.back_up()
    place.change()
    address = f"{started(place, backup_id).headers['Location']}/undo"
    place.work()
    form = {**form_of(place.browser.get(address).get_data(as_text=True)), "answer": PASSWORD}
    places = clicked_twice(lambda: place.browser.post(address, data=form), undo, monkeypatch, at_once)
    assert 1 == len(places) and None not in places and ["succeeded"] == place.work() and "Firms" == place.name_of_sheet()


def test_two_at_once_start_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second, which nothing had told of the first, leads to its run."""
    backup_id = place.back_up()
    form = {**opened(place, backup_id), "answer": PASSWORD}
    places = clicked_twice(lambda: place.post(f"/{backup_id}/restore", data=form), restore, monkeypatch, True)
    assert 1 == len(places) and None not in places and ["succeeded"] == place.work()


def clicked_twice(click: Callable[[], TestResponse], module: ModuleType, patch: pytest.MonkeyPatch, at_once: bool) -> set[str | None]:
    """Click twice and return where that leads; *at_once*: the second is looked at as if the first had not begun yet."""
    places = {click().headers.get("Location")}
    looks = iter([None] if at_once else [])
    real = module.asked_just_now
    patch.setattr(module, "asked_just_now", lambda *given, **more: next(looks, real(*given, **more)))
    return {*places, click().headers.get("Location")}


def test_while_a_backup_runs_no_restore_starts(place: Place) -> None:
    """The page says what runs, already before anything is typed."""
    backup_id = place.back_up()
    with moved(301):
        place.post("/new", data={})
        assert "A backup of this app is in progress." in place.text(f"/{backup_id}/restore")
        answer = started(place, backup_id)
    assert 409 == answer.status_code and "A backup of this app has been queued since" in words(answer)
    assert RAW_MOMENT.search(words(answer)) is None


@pytest.mark.parametrize("origin", ["server", "foreign"])
def test_a_backup_from_elsewhere_says_so_first_and_needs_the_apps_name(place: Place, origin: str) -> None:
    """In the heading, with both names and a new app as the first choice; without the name nothing is started and no answer used up."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        db.session.execute(update(Backup).where(Backup.id == backup_id).values(origin=origin))
    place.change()
    shown = place.text(f"/{backup_id}/restore")
    places = [shown.index(text) for text in ("Restore a backup of another app", "of “Sample CRM”", "not of “Sample CRM”", "Restore as new app",
                                             "1. What will change")]
    assert sorted(places) == places
    refused = started(place, backup_id, confirm="Something else")
    assert 409 == refused.status_code and "Type Sample CRM to confirm" in words(refused)
    with as_tenant(place.organization_id):
        assert [] == acts_of(place.app_id, act="identity")
    assert 303 == started(place, backup_id, confirm="sample crm").status_code and ["succeeded"] == place.work()
    assert "Companies" == place.name_of_sheet()


@pytest.mark.parametrize("origin", ["server", "foreign"])
def test_a_backup_from_elsewhere_says_so_first_for_an_empty_app_too(place: Place, origin: str) -> None:
    """With the other app's name, and that nothing is overwritten; so no name has to be typed."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        empty = apps.create("Fresh start", place.owner).id
        db.session.execute(update(Backup).where(Backup.id == backup_id).values(origin=origin, app_id=empty))
    into = replace(place, app_id=empty)
    shown = into.text(f"/{backup_id}/restore")
    places = [shown.index(text) for text in ("Restore a backup of another app", "This backup is of “Sample CRM” (another", "made ", "not of “Fresh start”",
                                             "Restore as new app", "“Fresh start” is empty, so nothing is overwritten", "1. What will change")]
    assert sorted(places) == places and "to confirm" not in shown and "replaces" not in shown
    assert 303 == started(into, backup_id).status_code and ["succeeded"] == place.work()


def test_a_backup_of_an_app_over_another_one_needs_a_confirmation_and_its_plan_says_so(place: Place) -> None:
    """Also where it was made here, which only the command line can ask for."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id):
        with transaction():
            other = apps.create("Other", place.owner)
            documents.put(other, Document(kind="role", key="r_1111111111", body={"name": "Own", "worksheets": [], "pages": []}, position=0),
                          place.owner)
        backup, options = find_backup(backup_id), Options(backup=backup_id, config=True, data=True)
        with pytest.raises(OriginUnconfirmed, match="comes from another app of this server"):
            check_origin(other, backup, options)
        check_origin(other, backup, replace(options, accept_origin=True))
        check_origin(apps.find(place.app_id), backup, options)
        told = list(plan_lines(plan(other, backup, place.owner, config=True, data=True)))
        assert told[0].startswith("a backup of another app: “Sample CRM” (another app of this server), made 20")
        assert "another_app" not in plan(apps.find(place.app_id), backup, place.owner, config=True, data=True)


def test_a_restore_whose_first_backup_fails_does_not_start(place: Place) -> None:
    """The app stays as it is, and the page says why."""
    backup_id = place.back_up()
    place.change()
    with as_tenant(place.organization_id), transaction():
        row, now = QuotaYear.__table__, usage(place.organization_id)
        db.session.execute(row.update().where(row.c.year == now.year).values(used=now.limit))
    answer = started(place, backup_id)
    assert ["failed"] == place.work() and "Firms" == place.name_of_sheet()
    shown = words(place.browser.get(answer.headers["Location"]))
    assert "quota_exceeded" in shown and "Preview the restore again" in shown


def test_references_that_cannot_be_restored_are_listed_in_plan_and_report(place: Place) -> None:
    """With worksheet, record, field, target and reason, by name."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        worksheets.put_record(app, "w_Contacts11", 1, {text_field(app, "w_Contacts11"): "Changed"}, place.owner)
        documents.hide(app, f"worksheet/{COMPANIES}", place.owner)
        documents.purge(app, f"worksheet/{COMPANIES}", place.owner)
    args = "?asked=1&data=1&safety=1"
    planned = place.text(f"/{backup_id}/restore{args}")
    assert "References that cannot be restored" in planned and "the record was deleted" in planned
    answer = started(place, backup_id, args)
    assert ["succeeded"] == place.work()
    report = words(place.browser.get(answer.headers["Location"]))
    assert "References that were not restored" in report and "Contacts" in report


def test_the_steps_of_a_restore_are_told_with_their_times(place: Place) -> None:
    """In the order in which they were entered."""
    backup_id = place.back_up()
    place.change()
    answer = started(place, backup_id)
    place.work()
    shown = words(place.browser.get(answer.headers["Location"]))
    steps = ["Requested 2", "Compared with the app", "Backup verified", "App locked for changes",
             "Current version backed up", "Backup merged into the app", "Done 2"]
    places = [shown.rindex(step) for step in steps]
    assert sorted(places) == places
    assert "committed" not in shown  # the word of a step for programs


def test_records_come_back(place: Place) -> None:
    """The value of before stands again, the deleted record is there, one made since stays."""
    backup_id = place.back_up()
    place.change()
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        worksheets.delete_record(app, COMPANIES, 2, place.owner)
        worksheets.put_record(app, COMPANIES, None, {text_field(app): "Made since"}, place.owner)
    shown = place.text(f"/{backup_id}/restore")
    assert "Companies 1 1 23 1" in shown
    started(place, backup_id)
    assert ["succeeded"] == place.work()
    assert "Nothing will change: the app is the same as the backup." in place.text(f"/{backup_id}/restore")


def text_field(app: App, sheet: str = COMPANIES) -> str:
    """Return the key of a worksheet's first text field."""
    return str(next(f["key"] for f in documents.get(app, f"worksheet/{sheet}").body["fields"] if f["type"] == "text"))
