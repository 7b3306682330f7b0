"""A worksheet with a field of every type, and people with and without rights to it: what tests of its pages start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from core.api import App, Document, apps, as_tenant, db, documents, find_app, transaction
from plugins.roles.service import assign
from plugins.worksheets import service
from tenants.service import user_by_email
from tests.web import Browser, make_member, make_organization, signed_in

SHEET, PEOPLE, ROWS = "w_Things1111", "w_PeopLe1111", "w_Rows111111"
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"
RED, BLUE, GREEN = "o_Red1111111", "o_BLue111111", "o_Green11111"
CHOICES = [{"key": RED, "name": "Red", "colour": "red"}, {"key": BLUE, "name": "Blue", "colour": "#3366ff"},
           {"key": GREEN, "name": "Green & <b>", "colour": "\"><script>"}]
ROLE = "r_RoLe111111"


def key_of(letter: str, word: str) -> str:
    """Return a key that a word stands in."""
    clean = "".join(char if char in ALPHABET else "x" for char in word.replace("_", ""))
    return f"{letter}_{clean[:10].ljust(10, '1')}"


def field_ref(sheet: str, word: str) -> dict[str, str]:
    """Return a pointer to a field."""
    return {"ref": f"worksheet/{sheet}/field/{key_of('f', word)}"}


def field(word: str, kind: str | None = None, name: str | None = None, options: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a field's definition; its key and name follow its word."""
    return {"key": key_of("f", word), "type": kind or word, "name": name or word, "options": dict(options or {}), **more}


TARGET = {"target": {"ref": f"worksheet/{PEOPLE}"}}
FIELDS = [
    field("text", required=True), field("long_text"), field("rich_text", options={"format": "markdown"}), field("number"),
    field("exact", "number", options={"decimals": 2}), field("currency", options={"decimals": 2, "currency": "EUR"}), field("percent"),
    field("date"), field("datetime"), field("time"), field("duration"), field("checkbox"),
    field("single_select", options={"choices": CHOICES}), field("multiple_select", options={"choices": CHOICES}),
    field("rating"), field("email", unique=True), field("phone"), field("url"), field("identity_number"), field("location"),
    field("region"), field("autonumber", options={"prefix": "T-", "digits": 3}), field("member"), field("department"), field("org_role"),
    field("link", "relationship", options=TARGET), field("file"), field("signature"), field("free_link"),
    field("way", "cascading_select", options={**TARGET, "parent_field": field_ref(PEOPLE, "boss")}),
    field("rows", "subform", options={"target": {"ref": f"worksheet/{ROWS}"}}),
    field("double", "formula", options={"expression": f"{{{key_of('f', 'number')}}} * 2", "uses": [field_ref(SHEET, "number")]}),
    field("created_time"), field("created_by"), field("imported"), field("head", "section", "More"), field("line", "divider"),
    field("hint", "remark", options={"text": "Only <b>words</b>."}), field("code", "barcode", options={"form": "qr", "record": True}),
    field("secret", "text"),
]
VIEW = {"key": "v_ALL1111111", "type": "grid", "name": "All"}
HIDDEN_VIEW = {"key": "v_Hidden1111", "type": "grid", "name": "Hidden one"}
BOARD = {"key": "v_Board11111", "type": "kanban", "name": "Board", "stack_field": field_ref(SHEET, "single_select")}
GROUPED = {"key": "v_Grouped111", "type": "grid", "name": "Grouped", "groups": [{"field": field_ref(SHEET, "single_select")}]}
MONTH = {"key": "v_Month11111", "type": "calendar", "name": "Month", "start_field": field_ref(SHEET, "date")}
FORM = {"key": "v_Form111111", "type": "form", "name": "Form", "form": {
    "title": "Tell us", "button": "Send it", "done": {"message": "Thank you so much."},
    "fields": [{"field": field_ref(SHEET, "text"), "label": "Your words"}, {"field": field_ref(SHEET, "number"), "required": True}]}}


@dataclass
class Desk:
    """An organization with an app, its owner's browser, and what tests ask of them."""

    server: Flask
    organization_id: str
    app_id: str
    owner: Browser

    @property
    def app(self) -> App:
        """The app, inside `as_tenant`."""
        found = find_app(self.app_id)
        if found is None:
            raise LookupError(self.app_id)
        return found

    def url(self, rest: str = "", sheet: str = SHEET) -> str:
        """Return the address of a page of a worksheet."""
        return f"/o/{self.organization_id}/apps/{self.app_id}/worksheet/{sheet}{rest}"

    def put(self, sheet: str = SHEET, seq: int | None = None, *, person: str = "system", **values: Any) -> int:
        """Make or change a record; its values are named by the words of their fields."""
        named = {key_of("f", word): value for word, value in values.items()}
        with as_tenant(self.organization_id), transaction():
            return service.put_record(self.app, sheet, seq, named, person)

    def vals(self, seq: int, sheet: str = SHEET) -> dict[str, Any]:
        """Return a record's values as they are now, by field key."""
        db.session.rollback()
        with as_tenant(self.organization_id):
            row = service.store_of(self.app).row(sheet, seq)
        if row is None:
            raise LookupError(seq)
        return service.loads(row.vals)

    def value(self, seq: int, word: str, sheet: str = SHEET) -> Any:
        """Return one value of a record."""
        return self.vals(seq, sheet).get(key_of("f", word))

    def is_deleted(self, seq: int, sheet: str = SHEET) -> bool:
        """Say whether a record is in the recycle bin."""
        db.session.rollback()
        with as_tenant(self.organization_id):
            row = service.store_of(self.app).row(sheet, seq)
        return row is not None and row.deleted_at is not None

    def person_with(self, email: str, *worksheets: Mapping[str, Any]) -> tuple[Browser, str]:
        """Return the browser and id of a member whose role gives these rights to worksheets."""
        person = make_member(self.organization_id, email)
        with as_tenant(self.organization_id), transaction():
            body = {"name": "Some", "worksheets": list(worksheets)}
            documents.put(self.app, Document(kind="role", key=ROLE, body=body, position=0), "system")
            assign(self.app, ROLE, f"user/{person}")
        return signed_in(self.server, email), person


def rights(sheet: str = SHEET, read: str = "all", **more: Any) -> dict[str, Any]:
    """Return what a role gives on a worksheet."""
    return {"worksheet": {"ref": f"worksheet/{sheet}"}, "read": read, **more}


def make_desk(server: Flask) -> Desk:
    """Make an organization with an app that has a worksheet of every type of field."""
    organization_id = make_organization("Example")
    owner = signed_in(server)
    with as_tenant(organization_id), transaction():
        app = apps.create("Desk", user_by_email("owner@example.org").id)
        people = {"name": "People", "fields": [field("name", "text"), field("boss", "relationship", options={**TARGET, "multiple": False})]}
        rows = {"name": "Rows", "fields": [field("what", "text"), field("pieces", "number")]}
        things = {"name": "Things", "fields": FIELDS, "views": [VIEW, HIDDEN_VIEW, BOARD, GROUPED, MONTH, FORM], "buttons": [
            {"key": "b_Button1111", "name": "Make it red", "do": "set_fields",
             "values": [{"field": field_ref(SHEET, "single_select"), "value": RED}]},
            {"key": "b_Run1111111", "name": "Run", "do": "run_workflow"}]}
        for position, (key, body) in enumerate(((PEOPLE, people), (ROWS, rows), (SHEET, things))):
            documents.put(app, Document(kind="worksheet", key=key, body=body, position=position), "system")
        app_id = app.id
    return Desk(server, organization_id, app_id, owner)
