"""Public links: a stranger fills in a form or sees a view, and nothing else; closed unless opened, bounded, and not to be guessed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.api import Document, apps, as_tenant, db, direct, documents, now_us, transaction
from plugins.worksheets import service
from plugins.worksheets.history_versions import entries
from plugins.worksheets.models import PublicLink
from plugins.worksheets.public import links, opened
from tenants.models import Organization
from tenants.notifications.models import Delivery
from tests.places import Place
from tests.web import make_member, signed_in
from tests.writing import at_once

THINGS = "w_1111111111"
SHEET = f"worksheet/{THINGS}"
NAME, MAIL, SECRET, WHO, POINTS, FILE = (f"f_{n}111111111" for n in "123456")
FORM, GRID = "v_1111111111", "v_2222222222"


def ref(key: str) -> dict[str, str]:
    """Return the pointer to a field."""
    return {"ref": f"{SHEET}/field/{key}"}


@pytest.fixture
def app(organization: str) -> Place:
    """An app with a worksheet, a form of some of its fields, and a grid that hides one and shows some records."""
    with transaction():
        made = apps.create("Sales", "system")
        documents.put(made, Document(kind="worksheet", key=THINGS, position=0, body={
            "name": "Things", "title_field": ref(NAME), "fields": [
                {"key": NAME, "type": "text", "name": "Name", "required": True, "options": {}},
                {"key": MAIL, "type": "email", "name": "Mail", "unique": True, "options": {}},
                {"key": SECRET, "type": "text", "name": "Internal", "options": {}},
                {"key": WHO, "type": "member", "name": "Who", "options": {}},
                {"key": POINTS, "type": "number", "name": "Points", "options": {}},
                {"key": FILE, "type": "file", "name": "Paper", "options": {}}],
            "views": [
                {"key": FORM, "type": "form", "name": "Ask us", "form": {"fields": [
                    {"field": ref(NAME)}, {"field": ref(MAIL)}, {"field": ref(WHO)}, {"field": ref(FILE)}]}},
                {"key": GRID, "type": "grid", "name": "Best", "fields": [{"field": ref(NAME)}, {"field": ref(WHO)}],
                 "filter": {"field": ref(SECRET), "operator": "is", "value": "no"}}]}), "system")
    return Place(made.id, organization)


@pytest.fixture
def stranger(server: Flask) -> FlaskClient:
    """Somebody who has not signed in."""
    return server.test_client()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form may be sent as soon as it was shown."""
    monkeypatch.setattr(opened, "SOON_S", 0)


def link(app: Place, view: str = FORM, **given: Any) -> tuple[str, str]:
    """Make a link to a view, open unless *given* says otherwise, and return its key and the path of its address."""
    with transaction():
        made = links.create(app.row, THINGS, view, "system").key
        links.change(app.row, made, **{"is_open": True, **given})
        token = links.token_of(links.find(app.row, made))
    return made, f"/public/{app.id}/{token}"


def stamp(page: str) -> str:
    """Return what a form says of when it was shown."""
    found = re.search(r'name="sent" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]


def send(client: FlaskClient, url: str, **given: Any) -> Any:
    """Show the form and send it."""
    page = client.get(url).get_data(as_text=True)
    data = {"sent": stamp(page), **{f"was-{key}": "" for key in given if key.startswith("f_")}, **given}
    return client.post(url, data=data)


def records(app: Place) -> list[dict[str, Any]]:
    """Return the values of all records."""
    with as_tenant(app.organization_id):
        db.session.rollback()
        return [service.loads(row.vals) for row in service.all_rows(app.row, THINGS)]


def test_a_stranger_fills_in_a_form_and_gets_a_receipt(app: Place, stranger: FlaskClient) -> None:
    """Only the fields that it asks for, and that tell nothing of others; what was sent is shown and mailed."""
    key, url = link(app, receipt=MAIL)
    page = stranger.get(url).get_data(as_text=True)
    assert "Ask us" in page and NAME in page and MAIL in page
    assert SECRET not in page and WHO not in page and FILE not in page and "Things" not in page
    answer = send(stranger, url, **{NAME: "Ann", MAIL: "ann@example.com", SECRET: "x", WHO: "user/u_1", POINTS: "5"})
    assert answer.status_code == 200 and "ann@example.com" in answer.get_data(as_text=True)
    assert records(app) == [{NAME: "Ann", MAIL: "ann@example.com"}]
    with as_tenant(app.organization_id):
        row = service.store_of(app.row).row(THINGS, 1)
        assert row is not None and row.created_by == "system"
        assert [(one.act, one.how) for one in entries(app.row, THINGS, 1)] == [("created", "form")]
        mails = [json.loads(one.body) for one in db.session.scalars(select(Delivery).where(Delivery.channel == "address"))]
        assert [one["to"] for one in mails] == ["ann@example.com"] and links.find(app.row, key).sent == 1
    wrong = send(stranger, url, **{NAME: "", MAIL: "nobody"})
    assert wrong.status_code == 422 and len(records(app)) == 1
    twin = send(stranger, url, **{NAME: "Bob", MAIL: "ann@example.com"})
    assert twin.status_code == 422 and "cannot be used here" in twin.get_data(as_text=True) and "record 1" not in twin.get_data(as_text=True)


@pytest.mark.parametrize(("given", "why"), [
    ({"is_open": False}, "closed"), ({"closes_at": 1}, "closed"), ({"opens_at": now_us() + 10**12}, "not open yet")])
def test_one_that_is_not_open_shows_nothing(app: Place, stranger: FlaskClient, given: dict[str, Any], why: str) -> None:
    """Nor takes anything."""
    _, url = link(app, **given)
    answer = stranger.get(url)
    assert answer.status_code == 410 and why in answer.get_data(as_text=True) and "Ask us" not in answer.get_data(as_text=True)
    assert stranger.post(url, data={"sent": "x", NAME: "A"}).status_code == 410 and records(app) == []


def test_it_takes_no_more_than_its_limit(app: Place, server: Flask) -> None:
    """Also where many send at the same moment."""
    key, url = link(app, most=3)
    pages = [stamp(server.test_client().get(url).get_data(as_text=True)) for _ in range(6)]

    def sent(one: str) -> None:
        server.test_client().post(url, data={"sent": one, NAME: "A", f"was-{NAME}": ""})

    organization = app.organization_id
    assert at_once(server, organization, *(lambda one=one: sent(one) for one in pages)) == []  # type: ignore[misc]
    with as_tenant(organization):
        assert len(records(app)) == 3 == links.find(app.row, key).sent
    assert "no more responses" in server.test_client().get(url).get_data(as_text=True)


def test_a_calendar_and_a_timeline_show_their_records(app: Place, stranger: FlaskClient) -> None:
    """A month by its days, with names and no links; a timeline in the order of its dates. One whose date is hidden shows nothing."""
    when, shut = "f_7777777777", "v_5555555555"
    views = [{"key": "v_3333333333", "type": "calendar", "name": "When", "start_field": ref(when)},
             {"key": "v_4444444444", "type": "timeline", "name": "Line", "start_field": ref(when), "fields": [{"field": ref(NAME)}]},
             {"key": shut, "type": "calendar", "name": "Shut", "start_field": ref(when), "fields": [{"field": ref(NAME)}]}]
    with transaction():
        body = documents.get(app.row, SHEET).body
        fields = [*body["fields"], {"key": when, "type": "date", "name": "Day", "options": {}}]
        documents.put(app.row, Document(kind="worksheet", key=THINGS, position=0, body={
            **body, "fields": fields, "views": [*body["views"], *views]}), "system")
        for name, day in (("Later", "2026-03-20"), ("Sooner", "2026-03-02"), ("Other month", "2026-07-02")):
            service.put_record(app.row, THINGS, None, {NAME: name, when: day, SECRET: "Hidden words"}, "system")
    pages = [stranger.get(f"{link(app, one)[1]}?month=2026-03").get_data(as_text=True) for one in ("v_3333333333", "v_4444444444", shut)]
    assert "March 2026" in pages[0] and "Later" in pages[0] and "Other month" not in pages[0] and "/o/" not in pages[0]
    assert pages[1].index("Sooner") < pages[1].index("Later") < pages[1].index("Other month")
    assert "Later" not in pages[2] and not any("Hidden words" in one for one in pages)


def test_programs_are_kept_out(app: Place, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fills in the hidden field is told thanks, and nothing is saved; what is too quick, or never saw the form, is asked again."""
    _, url = link(app)
    assert send(stranger, url, **{NAME: "Bot", opened.TRAP: "http://spam"}).status_code == 200
    assert stranger.post(url, data={"sent": "forged", NAME: "Bot", f"was-{NAME}": ""}).status_code == 422
    monkeypatch.setattr(opened, "SOON_S", 2)
    quick = send(stranger, url, **{NAME: "Quick"})
    assert quick.status_code == 422 and "send it again" in quick.get_data(as_text=True) and "Quick" in quick.get_data(as_text=True)
    assert records(app) == []


def test_an_address_that_is_none_is_not_found(app: Place, stranger: FlaskClient) -> None:
    """Nor one of another app or organization, or that was renewed or removed."""
    key, url = link(app)
    for wrong in (url + "x", url[:-1], url.replace(app.id, "a_9999999999"), url.replace(app.id, "x")):
        assert stranger.get(wrong).status_code == 404 == stranger.post(wrong).status_code
    with transaction():
        links.renew(app.row, key)
    assert stranger.get(url).status_code == 404
    _, other = link(app)
    with transaction():
        links.remove(app.row, links.find_by_token(app, other.rpartition("/")[2]).key)  # type: ignore[union-attr]
    assert stranger.get(other).status_code == 404
    _, last = link(app)
    with transaction():
        db.session.execute(update(Organization).where(Organization.id == app.organization_id).values(closed_at=1))
    assert stranger.get(last).status_code == 404


def test_a_view_shows_its_records_and_no_others(app: Place, stranger: FlaskClient) -> None:
    """By its filter, also on a field that it hides; people and files are left out, and nothing leads anywhere."""
    for name, secret in (("Shown", "no"), ("Zebra", "yes")):
        with transaction():
            service.put_record(app.row, THINGS, None, {NAME: name, SECRET: secret, MAIL: f"{name}@example.org", POINTS: 770077}, "system")
    _, url = link(app, GRID)
    page = stranger.get(url).get_data(as_text=True)
    assert "Shown" in page and "Zebra" not in page and "@example.org" not in page and "770077" not in page and "Who" not in page
    assert "/worksheet/" not in page and "/record/" not in page
    assert stranger.post(url, data={NAME: "A"}).status_code == 200 and len(records(app)) == 2


def test_a_password_opens_it(app: Place, stranger: FlaskClient) -> None:
    """Asked for first; what proves it comes along with the form, and is of no use with another link or after it was changed."""
    key, url = link(app, password="open sesame")
    first = stranger.get(url).get_data(as_text=True)
    assert "Enter the password" in first and NAME not in first
    assert stranger.post(url, data={"password": "wrong"}).status_code == 401
    assert stranger.post(url, data={"sent": "x", NAME: "A", "proof": "forged"}).status_code == 200 and records(app) == []
    page = stranger.post(url, data={"password": "open sesame"}).get_data(as_text=True)
    proof = re.search(r'name="proof" value="([^"]+)"', page)
    assert proof is not None
    data = {"sent": stamp(page), "proof": proof[1], NAME: "A", f"was-{NAME}": ""}
    assert stranger.post(url, data=data).status_code == 200 and len(records(app)) == 1
    with transaction():
        links.change(app.row, key, password="another")
    assert "Enter the password" in stranger.post(url, data=data).get_data(as_text=True) and len(records(app)) == 1


def test_other_pages_show_it_where_that_is_allowed(app: Place, stranger: FlaskClient) -> None:
    """And nowhere else."""
    _, shut = link(app)
    _, framed = link(app, embedded=True)
    assert "frame-ancestors 'none'" in stranger.get(shut).headers["Content-Security-Policy"] and "X-Frame-Options" in stranger.get(shut).headers
    assert "frame-ancestors *" in stranger.get(framed).headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in stranger.get(framed).headers and "Set-Cookie" not in stranger.get(framed).headers


def test_files_are_taken_where_that_is_allowed(app: Place, stranger: FlaskClient) -> None:
    """Otherwise the form does not ask for them, and what is sent of them is let go."""
    from io import BytesIO

    for allowed in (False, True):
        _, url = link(app, files=allowed)
        page = stranger.get(url).get_data(as_text=True)
        assert (FILE in page) is allowed
        sent = {"sent": stamp(page), NAME: "A", f"was-{NAME}": "", f"was-{FILE}": "", FILE: (BytesIO(b"paper"), "paper.txt")}
        assert stranger.post(url, data=sent, content_type="multipart/form-data").status_code == 200
    assert [FILE in one for one in records(app)] == [False, True]


def test_a_copy_has_no_links_and_a_restore_leaves_them(app: Place, server: Flask) -> None:
    """They are in no backup."""
    key, _ = link(app)
    backup = direct.back_up(app.row)
    copy = direct.restore_as_new(backup, name="Copy")
    assert links.listed(copy, THINGS) == []
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    direct.restore(app.row, backup)
    assert [one.key for one in links.listed(app.row, THINGS)] == [key]


def test_an_admin_makes_opens_bounds_and_removes_one(app: Place, server: Flask, stranger: FlaskClient) -> None:
    """By pages; others do not find these."""
    from tenants import service as tenants

    person = make_member(app.organization_id, "admin@example.org")
    with transaction():
        tenants.name_admin(app.row, person)
    client, start = signed_in(server, "admin@example.org"), f"/o/{app.organization_id}/apps/{app.id}/manage/worksheet/{THINGS}"
    made = client.post(f"{start}/links", data={"view": FORM})
    assert made.status_code == 303 and "Ask us" in client.get(f"{start}/links").get_data(as_text=True)
    one = made.headers["Location"]
    page = client.get(one).get_data(as_text=True)
    assert "Closed" in page and "Who, Paper" in page
    url = re.search(r'value="[^"]*(/public/[^"]+)"', page)
    assert url is not None and stranger.get(url[1]).status_code == 410
    client.post(f"{one}/open", data={"on": "1"})
    assert stranger.get(url[1]).status_code == 200
    assert client.post(one, data={"closes_at": "2020-01-01T00:00", "most": "5"}).status_code == 303
    assert stranger.get(url[1]).status_code == 410 and "Check its times" in client.get(one).get_data(as_text=True)
    assert client.post(one, data={"most": "many"}).status_code == 422
    assert client.post(one, data={"opens_at": "2026-01-02T00:00", "closes_at": "2026-01-01T00:00"}).status_code == 422
    client.post(f"{one}/renew")
    assert stranger.get(url[1]).status_code == 404
    client.post(f"{one}/remove")
    assert 404 == client.get(one).status_code
    make_member(app.organization_id, "else@example.org")
    assert 404 == signed_in(server, "else@example.org").get(f"{start}/links").status_code
    with as_tenant(app.organization_id):
        assert not db.session.scalars(select(PublicLink)).all()
