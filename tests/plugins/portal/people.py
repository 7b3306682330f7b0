"""A portal with people: an app whose portal is open, and what it takes to come in there."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from core.api import Document, apps, documents, server, transaction
from plugins.portal import accounts, guest, service
from plugins.portal.settings import settings_of
from plugins.worksheets import service as records
from tenants import mail
from tests import places
from tests.web import Browser, browser

DEALS, NOTES = "w_1111111111", "w_2222222222"
TITLE, MAIL, SECRET, WHO, LINK, FILE, SUM, DEPTH = (f"f_{n}111111111" for n in "12345678")
CUSTOMER, PARTNER = "q_1111111111", "q_2222222222"
PAGE, HIDDEN_PAGE = "p_1111111111", "p_2222222222"
FORM, GRID, SHUT_VIEW = "v_1111111111", "v_2222222222", "v_3333333333"
ANN, BEN = "ann@customer.example", "ben@customer.example"
PASSWORD = "12 stars over a horse"


class Place(places.Place):
    """An app and its portal."""

    def url(self, path: str = "") -> str:
        """Return the address of a page of its portal."""
        return f"/portal/{self.id}/{path}"


def ref(sheet: str, key: str, part: str = "field") -> dict[str, str]:
    """Return the pointer to a part of a worksheet."""
    return {"ref": f"worksheet/{sheet}/{part}/{key}"}


def portal(**more: Any) -> dict[str, Any]:
    """Return the body of an open portal; *more* are settings of its sign-in."""
    return {"enabled": True, "title": "Our customers", "default_role": {"ref": f"portal_role/{CUSTOMER}"},
            "sign_in": {"methods": ["password", "email_code"], "registration": "open", **more}}


def customer(**more: Any) -> dict[str, Any]:
    """Return what the role of customers gives on deals: their own, without the secret and one view; *more* replaces some of it."""
    return {"worksheet": {"ref": f"worksheet/{DEALS}"}, "read": "own", "update": "own", "create": True,
            "email_field": ref(DEALS, MAIL), "fields": [{"field": ref(DEALS, SECRET), "read": False}],
            "views": [{"view": ref(DEALS, SHUT_VIEW, "view"), "visible": False}], **more}


def built(organization: str) -> Place:
    """Make an app with two worksheets, two pages, an open portal, and deals of two customers."""
    with transaction():
        made = apps.create("Internal CRM", "system")
        documents.put(made, Document(kind="worksheet", key=NOTES, position=1, body={
            "name": "Notes", "title_field": ref(NOTES, DEPTH), "fields": [
                {"key": DEPTH, "type": "text", "name": "Depth", "options": {}}]}), "system")
        documents.put(made, Document(kind="worksheet", key=DEALS, position=0, body={
            "name": "Deals", "title_field": ref(DEALS, TITLE), "fields": [
                {"key": TITLE, "type": "text", "name": "Title", "options": {}}, {"key": MAIL, "type": "email", "name": "Mail", "options": {}},
                {"key": SECRET, "type": "text", "name": "Margin", "options": {}},
                {"key": WHO, "type": "member", "name": "Seller", "options": {}},
                {"key": LINK, "type": "relationship", "name": "Note", "options": {"target": {"ref": f"worksheet/{NOTES}"}}},
                {"key": FILE, "type": "file", "name": "Paper", "options": {}},
                {"key": SUM, "type": "formula", "name": "Told", "options": {"expression": f"{{{SECRET}}}", "uses": [ref(DEALS, SECRET)]}}],
            "views": [{"key": GRID, "type": "grid", "name": "All"},
                      {"key": SHUT_VIEW, "type": "grid", "name": "Inside"},
                      {"key": FORM, "type": "form", "name": "Ask us", "form": {"fields": [{"field": ref(DEALS, TITLE)}]}}]}), "system")
        for key, name in ((PAGE, "Welcome page"), (HIDDEN_PAGE, "Staff page")):
            documents.put(made, Document(kind="page", key=key, position=0, body={"name": name, "blocks": [
                {"key": "b_1111111111", "type": "heading", "text": {"template": name}, "level": 1}]}), "system")
        documents.put(made, Document(kind="portal_role", key=CUSTOMER, position=0, body={
            "name": "Customer", "worksheets": [customer()], "pages": [{"page": {"ref": f"page/{PAGE}"}, "visible": True}]}), "system")
        documents.put(made, Document(kind="portal_role", key=PARTNER, position=1, body={"name": "Partner", "worksheets": []}), "system")
        documents.put(made, Document(kind="portal", key="main", position=0, body=portal()), "system")
        records.put_record(made, NOTES, None, {DEPTH: "Deep note"}, "system")
        records.put_record(made, DEALS, None, {TITLE: "Deal of Ann", MAIL: "Ann@Customer.example", SECRET: "Margin 90", LINK: [1]}, "system")
        records.put_record(made, DEALS, None, {TITLE: "Deal of Ben", MAIL: BEN, SECRET: "Margin 80"}, "system")
    return Place(made.id, organization)


def set_up(place: Place, **more: Any) -> None:
    """Change settings of the portal's sign-in."""
    with transaction():
        documents.put(place.row, Document(kind="portal", key="main", position=0, body=portal(**more)), "system")


def role(place: Place, **more: Any) -> None:
    """Change what customers may do with deals."""
    with transaction():
        documents.put(place.row, Document(kind="portal_role", key=CUSTOMER, position=0, body={
            "name": "Customer", "worksheets": [customer(**more)], "pages": [{"page": {"ref": f"page/{PAGE}"}, "visible": True}]}), "system")


def mails() -> list[tuple[str, str, str]]:
    """Return (to, subject, text) of all mails that were sent, oldest first."""
    mail.finish()
    folder = server().config.home_path / "mail"
    found = sorted(folder.glob("*.eml"), key=lambda one: one.stat().st_mtime_ns) if folder.is_dir() else []
    read = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in found]
    return [(str(one["To"]), str(one["Subject"]), one.get_content()) for one in read]


def code_of(to: str) -> str:
    """Return the code in the last mail to an address."""
    said = next(subject for address, subject, _ in reversed(mails()) if address == to)
    found = re.match(r"\d{6}", said)
    assert found is not None, said
    return found[0]


def hidden(page: TestResponse, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.get_data(as_text=True))
    assert found is not None, page.get_data(as_text=True)
    return found[1]


def give_code(client: Browser, place: Place, asked: TestResponse, code: str, **more: str) -> TestResponse:
    """Send the code that a page asks for."""
    return client.post(place.url("code"), data={"asked": hidden(asked, "asked"), "email": hidden(asked, "email"), "code": code, **more})


def entered(app: Flask, place: Place, email: str = ANN, *, role: str | None = None, name: str = "") -> Browser:
    """Return a browser in which somebody has signed in to the portal; their account is made where there is none."""
    client = browser(app)
    with app.test_request_context(), transaction():
        service.put_account(place.row, email, role)
        account = accounts.by_email(place.row, email)
        settings = settings_of(place.row)
        assert account is not None and settings is not None
        account.name = name or account.name
        token = guest.sessions.start(place.row, account.key, settings.hours, "127.0.0.1", "a test")
        key = f"portal_{place.id}"
    client.set_cookie(key, token, path=f"/portal/{place.id}")
    return client
