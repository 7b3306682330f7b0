"""Buttons of a worksheet on a record's page: set fields, open a page or an address, make a record elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect

from core.api import Forbidden, InvalidInput, InvalidValue, Needs, NotFound, document_url, rights_here, server, transaction
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.filter_match import fits
from plugins.worksheets.web.lines import Line
from plugins.worksheets.web.record_form import write
from plugins.worksheets.web.record_lookup import find
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet, part_key

REAL = ("set_fields", "open_url", "open_page", "create_record", "run_workflow")


@dataclass(frozen=True, slots=True)
class Button:
    """A button as it stands on a record's page: it goes somewhere, or it does something."""

    key: str
    name: str
    colour: str
    confirm: str
    url: str | None = None
    away: bool = False


def buttons_of(sheet: SheetContext, line: Line) -> list[Button]:
    """Return the buttons that work for the visitor on this record; one that could not do its work is not there."""
    found = (_button(sheet, line, given) for given in sheet.body.get("buttons", ()) if fits(sheet, given.get("show_if"), line.row))
    return [one for one in found if one is not None]


def _button(sheet: SheetContext, line: Line, given: Mapping[str, Any]) -> Button | None:
    made = {"key": given["key"], "name": given["name"], "colour": given.get("colour", ""), "confirm": given.get("confirm", "")}
    target = str((given.get("target") or {}).get("ref", ""))
    match given["do"]:
        case "set_fields" if sheet.access.may("update", line.row) and _settable(sheet, given):
            return Button(**made)
        case "open_url" if str(given.get("url", "")).lower().startswith(("http://", "https://", "mailto:", "tel:")):
            return Button(**made, url=given["url"], away=True)
        case "open_page" if target.startswith(("page/", "worksheet/")) and rights_here(target).may("see"):
            return Button(**made, url=document_url(target))
        case "create_record" if _creatable(target) is not None:
            return Button(**made)
        case "run_workflow" if target.startswith("workflow/"):
            return Button(**made)
    return None


def _settable(sheet: SheetContext, given: Mapping[str, Any]) -> bool:
    fields = [sheet.fields.get(part_key(one["field"]) or "") for one in given.get("values", ())]
    return bool(fields) and all(one is not None and sheet.editable(one) for one in fields)


def _creatable(target: str) -> SheetContext | None:
    if not target.startswith("worksheet/"):
        return None
    try:
        found = open_sheet(target.partition("/")[2])
    except NotFound:
        return None
    return found if found.access.may_create else None


@pages.page(f"{RECORD}/button/<button>", Needs.APP, ("POST",), guests=True)
def press(organization_id: str, app_id: str, key: str, seq: int, button: str) -> Response:
    """Do what a button says with a record."""
    sheet = open_sheet(key)
    row = find(sheet, seq, "read")
    given = next((one for one in sheet.body.get("buttons", ()) if one["key"] == button), None)
    if given is None or given["do"] not in REAL or not fits(sheet, given.get("show_if"), row) or (
            given["do"] == "run_workflow" and not given.get("target")):
        raise NotFound("This button no longer exists.")
    try:
        if given["do"] == "create_record":
            return _create(given)
        if given["do"] == "set_fields" and sheet.access.may("update", row) and _settable(sheet, given):
            with transaction():
                find(sheet, seq, "update")
                write(sheet, seq, _values(sheet, given.get("values", ())))
                said = _told(sheet, seq, given)
            for text in said or [f"“{given['name']}” done."]:
                flash(text, "good")
            return redirect(sheet.url("record", seq=seq))  # type: ignore[return-value]
        if given["do"] == "run_workflow":
            with transaction():
                said = _told(sheet, seq, given)
            for text in said or ["The workflow that this button starts was deleted. An app admin can choose another one."]:
                flash(text, "good" if said else "bad")
            return redirect(sheet.url("record", seq=seq))  # type: ignore[return-value]
    except (InvalidValue, InvalidInput) as error:
        flash(error.message, "bad")
        return redirect(sheet.url("record", seq=seq))  # type: ignore[return-value]
    raise Forbidden("You do not have permission to use this button.")


def _told(sheet: SheetContext, seq: int, given: Mapping[str, Any]) -> list[str]:
    """Tell plugins that a button was clicked, and return what they say to the person."""
    found = server().registry.hook.button_pressed(app=sheet.app, worksheet=sheet.key, button=given["key"], seq=seq, person=sheet.actor,
                                                  target=str((given.get("target") or {}).get("ref", "")))
    return [text for some in found for text in some]


def _create(given: Mapping[str, Any]) -> Response:
    target = _creatable(str((given.get("target") or {}).get("ref", "")))
    if target is None:
        raise Forbidden("You cannot create records there.")
    with transaction():
        made = write(target, None, _values(target, given.get("values", ()), "create"))
    return redirect(target.url("edit", seq=made))  # type: ignore[return-value]


def _values(sheet: SheetContext, given: Sequence[Mapping[str, Any]], action: str = "update") -> dict[str, Any]:
    """Return a button's values by field; a worksheet's own fields only, as far as the visitor may enter them."""
    found = {}
    for one in given:
        field = sheet.fields.get(part_key(one["field"]) or "")
        if field is not None and sheet.editable(field, action):
            found[field.key] = field.canonical(one.get("value"))
    return found
