"""The API on worksheets: which there are for the token's person, and what may be read of each."""

from __future__ import annotations

from typing import Any

from core.api import Needs, current_app_row, current_standing, documents, object_schema, rights_here
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.fields import Field
from plugins.worksheets.http_api.blueprint import FLAG, MAYBE, PARTS, SHEET, SHEETS, TEXT, api
from plugins.worksheets.query import listed_choices
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

SUBJECT = "Worksheets"
SHEET_VALUE = object_schema({"worksheet": TEXT, "name": TEXT, "may_create": FLAG})
CHOICE = object_schema({"key": TEXT, "name": TEXT, "colour": TEXT})
FIELD_VALUE = object_schema({
    "key": TEXT, "name": TEXT, "type": TEXT, "options": {"type": "object"}, "required": FLAG, "unique": FLAG,
    "writable": {**FLAG, "description": "Whether it may be written, in records that may be changed."},
    "writable_in_new": {**FLAG, "description": "Whether it may be written when a record is created."},
    "computed": {**FLAG, "description": "Whether its values are among `computed`."}}, {
    "choices": {"type": "array", "items": CHOICE, "description": "Of a field that chooses: its own, or its option set’s."}})
VIEW_VALUE = object_schema({"key": TEXT, "name": TEXT, "type": TEXT})
SHEET_WHOLE = object_schema({
    **SHEET_VALUE["properties"], "title_field": {**MAYBE, "description": "Key of the field that names records."},
    "fields": {"type": "array", "items": FIELD_VALUE}, "views": {"type": "array", "items": VIEW_VALUE}})


@api.operation("GET", SHEETS, Needs.APP, name="list_worksheets", scope="read", subject=SUBJECT, summary="The worksheets of an app",
               answer=object_schema({"items": {"type": "array", "items": SHEET_VALUE}}))
def list_worksheets(app_id: str) -> dict[str, Any]:
    """List the worksheets that the person sees."""
    app, here, found = current_app_row(), current_standing(), []
    for document in documents.live(app, "worksheet"):
        rights = rights_here(document.address)
        if rights.may("see"):
            found.append(_value(SheetAccess(app, here, document, rights)))
    return {"items": found}


@api.operation("GET", SHEET, Needs.APP, name="get_worksheet", scope="read", subject=SUBJECT,
               summary="One worksheet, with fields and views", about="Those that may be read and seen.", parts=PARTS, answer=SHEET_WHOLE)
def get_worksheet(app_id: str, worksheet: str) -> dict[str, Any]:
    """Show a worksheet."""
    sheet = open_sheet(worksheet)
    return {**_value(sheet.access), "title_field": sheet.title_key, "fields": [_field(sheet, one) for one in sheet.fields.values()],
            "views": [{name: view[name] for name in ("key", "name", "type")} for view in sheet.views]}


def _value(access: SheetAccess) -> dict[str, Any]:
    return {"worksheet": access.document.key, "name": access.document.body["name"], "may_create": access.may_create}


def _field(sheet: SheetContext, one: Field) -> dict[str, Any]:
    computed = one.type.derived_for(one.definition)
    found: dict[str, Any] = {"key": one.key, "name": one.name, "type": one.type.name}
    if one.type.name in ("single_select", "multiple_select"):
        found["choices"] = [{"key": choice["key"], "name": choice["name"], "colour": choice.get("colour", "")}
                            for choice in listed_choices(sheet.app, one.definition)]
    return {**found, "options": _options(sheet, one, computed), "required": bool(one.definition.get("required")),
            "unique": bool(one.definition.get("unique")), "writable": sheet.editable(one),
            "writable_in_new": sheet.access.may_create and sheet.editable(one, "create"), "computed": computed}


def _options(sheet: SheetContext, one: Field, computed: bool) -> dict[str, Any]:
    """Return a field's options; how something is computed is shown, as on pages, to those only who manage the app."""
    options = dict(one.definition.get("options", {}))
    return options if sheet.admin or not computed else {name: options[name] for name in ("format", "target") if name in options}
