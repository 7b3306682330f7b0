"""What guests see and do in an app: what their portal role gives, their own records, and nothing else, however they ask."""

from __future__ import annotations

import io
import itertools
import json
import re
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy import update as updated
from werkzeug.test import TestResponse

from core.api import (
    App,
    AppkeepError,
    Document,
    RecordsAsked,
    apps,
    as_tenant,
    db,
    direct,
    documents,
    limiter,
    put_file,
    server,
    transaction,
)
from core.apps import locks
from core.backups.catalog import find_backup
from core.web import gate
from plugins.portal import accounts, codes, service
from plugins.portal import sessions as guest_sessions
from plugins.portal.models import PortalAccount
from plugins.portal.rights import name_of
from plugins.workflows import running
from plugins.worksheets import service as records
from tenants import service as tenants
from tenants.notifications.models import Delivery
from tests.plugins.portal.people import (
    ANN,
    BEN,
    CUSTOMER,
    DEALS,
    DEPTH,
    FILE,
    FORM,
    HIDDEN_PAGE,
    LINK,
    MAIL,
    NOTES,
    PAGE,
    PARTNER,
    PASSWORD,
    SECRET,
    SHUT_VIEW,
    TITLE,
    WHO,
    Place,
    built,
    code_of,
    entered,
    give_code,
    hidden,
    mails,
    role,
    set_up,
)
from tests.web import Browser, browser, make_member, signed_in

SHEET = f"worksheet/{DEALS}"
CHANGING = re.compile(r'(name="(csrf_token|was-\w+)" |X-CSRFToken": )(value=)?"[^"]*"')


@pytest.fixture
def place(organization: str) -> Place:
    """An app with an open portal."""
    return built(organization)


def text(answer: TestResponse) -> str:
    """Return a page without what differs each time."""
    return CHANGING.sub("", answer.get_data(as_text=True))


READ = ("", SHEET, f"{SHEET}?q=Deal", f"{SHEET}?q=90", f"{SHEET}?where={TITLE}&op=contains&value=Deal", f"{SHEET}?where={SECRET}&op=contains&value=90",
        f"{SHEET}?where={WHO}&op=user_is&value=x", f"{SHEET}?sort={TITLE}", f"{SHEET}?sort=-{SECRET}", f"{SHEET}/condition?where={WHO}",
        f"{SHEET}/record/1", f"{SHEET}/record/2", f"{SHEET}/record/1/edit", f"{SHEET}/record/2/edit", f"{SHEET}/new", f"{SHEET}/new?view={FORM}",
        f"{SHEET}?view={SHUT_VIEW}", f"{SHEET}/choose/{WHO}", f"{SHEET}/choose/{LINK}", f"{SHEET}/export.csv", f"{SHEET}/record/1/cell/{TITLE}",
        f"{SHEET}/record/1/cell/{SECRET}", f"worksheet/{NOTES}", f"worksheet/{NOTES}/record/1", f"page/{PAGE}", f"page/{HIDDEN_PAGE}",
        f"portal_role/{CUSTOMER}", "portal/main", "account", "account/data", f"{SHEET}/bin")


def test_what_a_guest_may_not_read_changes_no_answer(place: Place, server: Flask) -> None:
    """Every page, searched, sorted and filtered by what is hidden too, is the same to its last letter."""
    make_member(place.organization_id, "seller@inside.example")
    client = entered(server, place, ANN)

    def told() -> dict[str, tuple[int, str]]:
        return {path: ((answer := client.get(place.url(path))).status_code, text(answer)) for path in READ}

    before = told()
    with transaction():
        app = place.row
        records.put_record(app, DEALS, 1, {SECRET: "Zebra"}, "system")
        records.put_record(app, DEALS, 2, {TITLE: "Zebra", MAIL: "zebra@x.example", SECRET: "Zebra"}, "system")
        records.put_record(app, DEALS, None, {TITLE: "Zebra"}, "system")
        records.put_record(app, NOTES, 1, {DEPTH: "Zebra"}, "system")
        page = documents.get(app, f"page/{HIDDEN_PAGE}")
        documents.put(app, Document(kind="page", key=HIDDEN_PAGE, position=0, body={**page.body, "name": "Zebra"}), "system")
        make_member(place.organization_id, "zebra@inside.example")
    after = told()
    assert [] == [path for path in READ if before[path] != after[path]]
    everything = json.dumps([*before.values()])
    for secret in ("Deal of Ben", "Margin", "Deep note", "Staff page", "Inside", "inside.example", place.organization_id, "Internal CRM"):
        assert secret not in everything, secret
    assert 404 == before[f"{SHEET}/record/2"][0] == before[f"worksheet/{NOTES}"][0] == before[f"page/{HIDDEN_PAGE}"][0]
    with transaction():
        records.put_record(place.row, DEALS, 1, {TITLE: "Lion"}, "system")
    assert told() != after


def fields(**values: str) -> dict[str, str]:
    """Return a form that brings values of fields."""
    return {**values, **{f"was-{name}": "" for name in values}}


def values_of(place: Place, seq: int, sheet: str = DEALS) -> dict[str, Any]:
    """Return the values of a record."""
    found = records.store_of(place.row).row(sheet, seq)
    assert found is not None
    return dict(json.loads(found.vals))


def test_a_guest_writes_what_their_role_gives(place: Place, server: Flask) -> None:
    """Their own records, by form, cell and the form of a view; what they make is theirs, and says so to members."""
    client = entered(server, place, ANN, name="Ann Other")
    assert 302 == client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Mine"})).status_code
    assert 200 == client.post(place.url(f"{SHEET}/new?view={FORM}"), data=fields(**{TITLE: "Asked"})).status_code
    shown = text(client.get(place.url(SHEET)))
    assert "Mine" in shown and "Asked" in shown
    edit = client.get(place.url(f"{SHEET}/record/1/edit"))
    was = re.search(rf'name="was-{TITLE}" value="([^"]*)"', edit.get_data(as_text=True))
    assert was is not None
    assert 302 == client.post(place.url(f"{SHEET}/record/1/edit"), data={TITLE: "Changed", f"was-{TITLE}": was[1]}).status_code
    assert "Changed" == values_of(place, 1)[TITLE]
    account = accounts.by_email(place.row, ANN)
    row = records.store_of(place.row).row(DEALS, 3)
    assert account is not None and row is not None and account.key == row.created_by
    assert "Ann Other (portal)" == name_of(place.organization_id, account.key)


@pytest.mark.parametrize("path", [f"{SHEET}/record/2/edit", f"{SHEET}/record/2/delete", f"{SHEET}/record/2/cell/{TITLE}", f"{SHEET}/record/2/move/{TITLE}",
                                  f"worksheet/{NOTES}/new", f"worksheet/{NOTES}/record/1/edit", f"{SHEET}/delete", f"{SHEET}/record/1/delete",
                                  f"{SHEET}/record/1/cell/{SECRET}", f"{SHEET}/record/1/cell/{WHO}", f"{SHEET}/record/1/move/{SECRET}"])
def test_a_guest_changes_nothing_else(place: Place, server: Flask, path: str) -> None:
    """Nobody else's record, no other worksheet, no field that is hidden or names members, and nothing is deleted without the right."""
    client = entered(server, place, ANN)
    before = [values_of(place, 1), values_of(place, 2), values_of(place, 1, NOTES)]
    answer = client.post(place.url(path), data={**fields(**{TITLE: "Stolen", SECRET: "Stolen", DEPTH: "Stolen", WHO: "user/u_1111111111"}), "seq": "2"})
    assert answer.status_code in (403, 404), answer.status_code
    assert before == [values_of(place, 1), values_of(place, 2), values_of(place, 1, NOTES)]
    assert all((row := records.store_of(place.row).row(DEALS, n)) is not None and row.deleted_at is None for n in (1, 2))


def test_what_a_guest_typed_stays_when_their_session_has_ended(place: Place, server: Flask) -> None:
    """The page says that nothing was saved and shows the text; what another site sends is not shown, nor is anything where nothing was typed."""
    client = entered(server, place)
    with transaction():
        account = accounts.by_email(place.row, ANN)
        assert account is not None
        guest_sessions.end(place.row, account.key)
    for site, shown in (("same-origin", True), ("cross-site", False)):
        answer = client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Typed & not lost"}), headers={"Sec-Fetch-Site": site})
        assert shown is ("Typed &amp; not lost" in answer.text)
        assert (401 if shown else 302) == answer.status_code
    assert 302 == client.post(place.url(f"{SHEET}/record/1/delete"), headers={"Sec-Fetch-Site": "same-origin"}).status_code


def test_hidden_fields_in_a_form_are_not_taken(place: Place, server: Flask) -> None:
    """A form that brings more than was shown saves what was shown."""
    client = entered(server, place, ANN)
    client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Mine", SECRET: "Forged", WHO: "user/u_1111111111"}))
    assert {TITLE: "Mine"} == values_of(place, 3)
    client.post(place.url(f"{SHEET}/new"), data={**fields(**{TITLE: "Linked"}), LINK: "1", f"was-{LINK}": ""})
    found = records.store_of(place.row).row(DEALS, 4)
    assert found is None or LINK not in json.loads(found.vals), "what one may not see is not pointed to"


def test_files_are_their_owners(place: Place, server: Flask) -> None:
    """A guest's file is given to who may read its record; the form's mark of an upload is worth nothing to another account."""
    ann, ben = entered(server, place, ANN), entered(server, place, BEN)
    made = ann.post(place.url(f"{SHEET}/new"), data={**fields(**{TITLE: "Papers"}), f"was-{FILE}": "", FILE: (io.BytesIO(b"secret paper"), "p.txt")},
                    content_type="multipart/form-data")
    assert 302 == made.status_code
    item = values_of(place, 3)[FILE][0]
    path = place.url(f"{SHEET}/record/3/file/{FILE}/{item['file']}")
    assert (b"secret paper", 404) == (ann.get(path).data, ben.get(path).status_code)
    assert 302 == browser(server).get(path).status_code
    wrong = ann.post(place.url(f"{SHEET}/new"), data={TITLE: "", f"was-{TITLE}": "", MAIL: "no mail", f"was-{MAIL}": "", f"was-{FILE}": "",
                                                      FILE: (io.BytesIO(b"another paper"), "q.txt")}, content_type="multipart/form-data")
    assert 422 == wrong.status_code
    mark = hidden(wrong, f"{FILE}-new")
    ben.post(place.url(f"{SHEET}/new"), data={**fields(**{TITLE: "Thief"}), f"was-{FILE}": "", f"{FILE}-new": mark})
    assert FILE not in values_of(place, 4)


def test_what_guests_send_is_bounded(place: Place, server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One form by its size, an account by how often, and all of a portal by how much a day; others of the app go on."""
    monkeypatch.setattr(gate, "MAX_GUEST_BYTES", 4000)
    client = entered(server, place, ANN)
    assert 413 == client.post(place.url(f"{SHEET}/new"), data={TITLE: "x" * 5000}).status_code
    monkeypatch.setattr(gate, "MAX_GUEST_BYTES", 100_000)
    monkeypatch.setattr(gate, "GUEST_DAY_BYTES", 20_000)
    limiter.enabled = True
    try:
        found = [client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "x" * 5000})).status_code for _ in range(5)]
        assert [302, 302, 302, 429, 429] == found
        assert 200 == client.get(place.url(SHEET)).status_code
        other = entered(server, place, BEN)
        limiter.enabled = True
        assert 302 == other.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Fine"})).status_code
    finally:
        limiter.enabled = False


def test_a_role_without_rights_shows_nothing(place: Place, server: Flask) -> None:
    """Nor does none, or one that was deleted; the account can still be managed by whoever has it."""
    for given in (PARTNER, None):
        client = entered(server, place, BEN, role=given)
        if given is None:
            with transaction():
                documents.hide(place.row, f"portal_role/{CUSTOMER}", "system")
                documents.hide(place.row, f"portal_role/{PARTNER}", "system")
        home = client.get(place.url())
        assert 200 == home.status_code and "There is nothing here for you yet" in home.get_data(as_text=True)
        assert 404 == client.get(place.url(SHEET)).status_code
        assert 200 == client.get(place.url("account")).status_code


def test_own_and_all_are_told_apart(place: Place, server: Flask) -> None:
    """All that the role reads, and their own only to change; without the field for addresses, own is what they made."""
    role(place, read="all", update="own", delete="own")
    client = entered(server, place, ANN)
    assert "Deal of Ben" in text(client.get(place.url(SHEET)))
    assert [200, 403] == [client.get(place.url(f"{SHEET}/record/{n}/edit")).status_code for n in (1, 2)]
    assert [302, 403] == [client.post(place.url(f"{SHEET}/record/{n}/delete")).status_code for n in (1, 2)]
    role(place, email_field={"ref": f"worksheet/{DEALS}/field/{TITLE}"})
    assert "Deal of" not in text(client.get(place.url(SHEET))), "a field that is no email makes nobody an owner"


def test_an_admin_looks_at_the_portal_as_a_role(place: Place, server: Flask) -> None:
    """They see what the role shows, have nothing of their own, change nothing, and stop; nobody else can."""
    owner = signed_in(server, "admin@inside.example")
    with as_tenant(place.organization_id), transaction():
        tenants.name_admin(place.row, tenants.user_by_email("admin@inside.example").id)
    start = f"/o/{place.organization_id}/apps/{place.id}/manage/portal_role/{CUSTOMER}/look"
    assert place.url() == owner.post(start).location
    sheet = owner.get(place.url(SHEET)).get_data(as_text=True)
    assert "You see the portal as <b>Customer</b>" in sheet and "Deal of" not in sheet
    role(place, read="all")
    assert "Deal of Ben" in owner.get(place.url(SHEET)).get_data(as_text=True)
    assert 403 == owner.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Mine"})).status_code
    assert 404 == owner.get(place.url("account")).status_code
    set_up(place)
    with transaction():
        documents.put(place.row, Document(kind="portal", key="main", position=0, body={"enabled": False}), "system")
    assert 200 == owner.get(place.url(SHEET)).status_code, "before it is opened too"
    assert f"/o/{place.organization_id}" in owner.post(place.url("stop-looking")).location
    assert 404 == owner.get(place.url(SHEET)).status_code
    set_up(place)
    other = signed_in(server, "member@inside.example")
    make_member(place.organization_id, "member@inside.example")
    assert 404 == other.post(start).status_code
    with other.session_transaction() as session:
        session["portal_looking"] = [place.id, CUSTOMER]
    assert 302 == other.get(place.url(SHEET)).status_code


def test_somebody_changes_their_address_by_proving_the_new_one(place: Place, server: Flask) -> None:
    """Then theirs are the records with the new address; nobody takes one that has an account, nor by another's code."""
    client, ben = entered(server, place, ANN), entered(server, place, BEN)
    asked = client.post(place.url("account/email"), data={"email": BEN})
    assert 200 == asked.status_code and not any(to == BEN for to, _, _ in mails())
    new = "ann@new.example"
    asked = client.post(place.url("account/email"), data={"email": new})
    data = {"asked": hidden(asked, "asked"), "email": new, "code": code_of(new)}
    assert 422 == ben.post(place.url("account/email/confirm"), data=data).status_code
    assert 302 == client.post(place.url("account/email/confirm"), data=data).status_code
    assert accounts.by_email(place.row, ANN) is None and accounts.by_email(place.row, new) is not None
    assert "was changed" in mails()[-1][1] and mails()[-1][0] == ANN
    assert "Deal of Ann" not in text(client.get(place.url(SHEET)))


def test_whoever_has_a_password_gives_it_to_change_their_address(place: Place, server: Flask) -> None:
    """A browser that was left open takes no account over."""
    client = entered(server, place, ANN)
    with transaction():
        accounts.change_password(place.row, str(accounts.by_email(place.row, ANN).key), PASSWORD, "")  # type: ignore[union-attr]
    client = entered(server, place, ANN)
    for given, status in (({}, 422), ({"email_password": "wrong"}, 422), ({"email_password": PASSWORD}, 200)):
        assert status == client.post(place.url("account/email"), data={"email": "new@x.example", **given}).status_code
    assert ["new@x.example"] == [to for to, _, _ in mails()]


def test_a_code_for_one_thing_is_good_for_nothing_else(place: Place, server: Flask) -> None:
    """The code of a new address signs nobody in, and the one to sign in with changes no address."""
    client, new = entered(server, place, ANN), "ann@new.example"
    token = hidden(client.post(place.url("account/email"), data={"email": new}), "asked")
    signer = URLSafeTimedSerializer(str(server.secret_key), salt=f"portal-code/{place.id}")
    forged = signer.dumps([token, codes.SIGN_IN, new])
    assert 422 == browser(server).post(place.url("code"), data={"asked": forged, "code": code_of(new)}).status_code
    asked = browser(server).post(place.url("sign-in"), data={"email": ANN, "code": "1"})
    token = signer.loads(hidden(asked, "asked"))[0]
    assert 422 == client.post(place.url("account/email/confirm"), data={"asked": token, "email": ANN, "code": code_of(ANN)}).status_code
    assert accounts.by_email(place.row, ANN) is not None


def test_a_new_password_ends_other_sessions(place: Place, server: Flask) -> None:
    """By the profile those of other browsers; by a code all of them."""
    here, there = browser(server), entered(server, place, ANN)
    asked = here.post(place.url("password"), data={"email": ANN})
    give_code(here, place, asked, code_of(ANN), password=PASSWORD)
    assert [200, 302] == [one.get(place.url("account")).status_code for one in (here, there)]
    there = browser(server)
    there.post(place.url("sign-in"), data={"email": ANN, "password": PASSWORD})
    for old, status in (("wrong", 422), (PASSWORD, 302)):
        answer = here.post(place.url("account/password"), data={"old_password": old, "new_password": "13 stars over a horse"})
        assert status == answer.status_code
    assert [200, 302] == [one.get(place.url("account")).status_code for one in (here, there)]


def test_a_copy_of_their_data_holds_what_is_theirs(place: Place, server: Flask) -> None:
    """Account, sessions and own records as far as they may read them, also where the role reads all."""
    role(place, read="all")
    client = entered(server, place, ANN)
    found = client.get(place.url("account/data")).get_json()
    assert ANN == found["account"]["email"] and 1 == len(found["sessions"])
    assert [["Deal of Ann"]] == [[one["values"]["Title"] for one in sheet["records"]] for sheet in found["records"]]
    assert "Margin" not in json.dumps(found)


def test_a_restore_is_told_without_the_apps_own_name(place: Place, server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest goes on reading; what they send is refused with a sentence, and not saved."""
    monkeypatch.setattr(locks, "closes", lambda _run: True)  # a restore that goes on in another process
    client = entered(server, place, ANN)
    with transaction():
        place.row.restoring_run_id = "r_1111111111"
    assert 200 == client.get(place.url(SHEET)).status_code
    answer = client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Lost?"}))
    assert 409 == answer.status_code and "is being restored" in text(answer) and "Internal CRM" not in text(answer)
    assert records.store_of(place.row).row(DEALS, 3) is None


def test_a_workflow_writes_to_the_guest_who_made_the_record(place: Place, server: Flask) -> None:
    """To the address that they proved; to one that nobody has proven, nothing goes."""
    with transaction():
        documents.put(place.row, Document(kind="workflow", key="f_1111111111", position=0, body={
            "name": "Thank", "enabled": True, "trigger": {"type": "record_created", "worksheet": {"ref": SHEET}},
            "steps": [{"key": "t_1111111111", "type": "send_email", "subject": "Thank you", "message": "We got it.", "to": [
                {"template": "{0}", "uses": [{"about": "person_email"}]}]}]}), "system")
    client = entered(server, place, ANN)
    client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Unproven"}))
    running.work_off(place.row)
    with transaction():
        db.session.execute(updated(PortalAccount).values(proven_at=1))
    client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Proven"}))
    running.work_off(place.row)
    with as_tenant(place.organization_id):
        sent = [json.loads(one.body)["to"] for one in db.session.scalars(select(Delivery).where(Delivery.channel == "address"))]
    assert [ANN] == sent


def test_accounts_and_what_is_theirs_stay_through_a_restore(place: Place, server: Flask) -> None:
    """A session goes on, a record that comes back is theirs again; a copy has no accounts and is closed."""
    client = entered(server, place, ANN)
    client.post(place.url(f"{SHEET}/new"), data=fields(**{TITLE: "Mine"}))
    backup = direct.back_up(place.row, data=True)
    with transaction():
        records.delete_record(place.row, DEALS, 3, "system")
        records.purge_record(place.row, DEALS, 3, "system")
        documents.put(place.row, Document(kind="portal", key="main", position=0, body={"enabled": False}), "system")
    assert 404 == client.get(place.url(SHEET)).status_code
    direct.restore(place.row, find_backup(backup.id), data=True)
    assert "Mine" in text(client.get(place.url(SHEET)))
    copy = direct.restore_as_new(find_backup(backup.id), name="Copy")
    body = documents.get(apps.find(copy.id), "portal/main").body
    assert body["enabled"] is False and [] == service.accounts(apps.find(copy.id))
    assert 404 == client.get(f"/portal/{copy.id}/").status_code


REACH = {"none": set(), "own": {1}, "all": {1, 2}}


@pytest.mark.parametrize("read", ["none", "own", "all"])
def test_every_permission_by_every_way(place: Place, server: Flask, read: str) -> None:
    """What the matrix of a portal role says holds on pages, in forms, cells, exports, and by the hooks of page blocks alike."""
    client = entered(server, place, ANN)
    with as_tenant(place.organization_id):
        digest, size = put_file(io.BytesIO(b"a paper"))
    with transaction():
        for n in (1, 2):
            records.put_record(place.row, DEALS, n, {FILE: [{"file": digest, "name": "p.txt", "size": size, "type": "text/plain"}]}, "system")
    for update, delete, create in itertools.product(("none", "own", "all"), ("none", "own", "all"), (True, False)):
        role(place, read=read, update=update, delete=delete, create=create, export=True)
        tried(place, client, read, update, delete, create=create)
        files = [client.get(place.url(f"{SHEET}/record/{n}/file/{FILE}/{digest}")).status_code for n in (1, 2)]
        assert [200 if n in REACH[read] else 404 for n in (1, 2)] == files
    role(place, read=read, fields=[{"field": {"ref": f"worksheet/{DEALS}/field/{FILE}"}, "read": False}])
    assert [404, 404] == [client.get(place.url(f"{SHEET}/record/{n}/file/{FILE}/{digest}")).status_code for n in (1, 2)]


def tried(place: Place, client: Browser, read: str, update: str, delete: str, *, create: bool) -> None:
    """Try all ways to Ann's deal, number 1, and Ben's, number 2."""
    account = accounts.by_email(place.row, ANN)
    assert account is not None
    who = f"portal/{account.key}"
    sees, sheet = REACH[read], read != "none" or create

    def seen(path: str) -> int:
        return client.get(place.url(path)).status_code

    assert (200 if sheet else 404) == seen(SHEET)
    shown = text(client.get(place.url(SHEET)))
    assert sees == {n for n, name in ((1, "Deal of Ann"), (2, "Deal of Ben")) if name in shown}
    exported = client.get(place.url(f"{SHEET}/export.csv"))
    assert sees == {n for n, name in ((1, "Deal of Ann"), (2, "Deal of Ben")) if name in exported.get_data(as_text=True)}
    assert (200 if create else 403 if sheet else 404) == seen(f"{SHEET}/new")
    for n in (1, 2):
        there = n in sees
        assert (200 if there else 404) == seen(f"{SHEET}/record/{n}")
        may = there and n in REACH[update]
        assert (200 if may else 403 if there else 404) == seen(f"{SHEET}/record/{n}/edit")
        assert (200 if may else 403 if there else 404) == seen(f"{SHEET}/record/{n}/cell/{TITLE}")
    assert sees == {one.seq for one in asked(place.row, who)}
    for n in (1, 2):
        with_hook = hook_of(place.row, who, n)
        assert with_hook == (n in sees and n in REACH[update])
    gone = {n for n in (1, 2) if client.post(place.url(f"{SHEET}/record/{n}/delete")).status_code == 302}
    assert gone == sees & REACH[delete]
    with transaction():
        for n in (1, 2):
            if n in gone:
                records.bring_back_record(place.row, DEALS, n, "system")
            records.put_record(place.row, DEALS, n, {TITLE: "Deal of Ann" if n == 1 else "Deal of Ben"}, "system")


def asked(app: App, who: str) -> list[Any]:
    """Return the records that an actor is given by the hook that pages and workflows ask."""
    found = server().registry.hook.records_for(app=app, person=who, asked=RecordsAsked(worksheet=SHEET))
    return [] if found is None else list(found.records)


def hook_of(app: App, who: str, seq: int) -> bool:
    """Say whether an actor changes a record by the hook that pages write through."""
    try:
        with transaction():
            return server().registry.hook.write_record(app=app, person=who, worksheet=DEALS, seq=seq, values={TITLE: "By hook"}) is not None
    except AppkeepError:
        return False
