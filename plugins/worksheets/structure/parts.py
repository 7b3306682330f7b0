"""Pages on how records are laid out, on rules and on buttons: each a form of its own, which offers the worksheet's own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, render_template, request

from core.api import (
    AppkeepError,
    Document,
    Editing,
    Input,
    Needs,
    NotFound,
    current_app_row,
    new_key,
    placing,
    transaction,
    visit,
    walk,
)
from plugins.worksheets.schema import BUTTON, FORM, RULE, WORKSHEET
from plugins.worksheets.structure import filters
from plugins.worksheets.structure.blueprint import SHEET, own_targets, pages, sheet_document, to, url
from plugins.worksheets.web.sheet_context import open_sheet

SCHEMAS: Mapping[str, Mapping[str, Any]] = {"form": FORM, "rule": RULE, "button": BUTTON}
LETTERS = {"form": "l", "rule": "k", "button": "b"}
FILTERS = {"rule": "when", "button": "show_if"}
"""The property of a part that says for which records it is."""
ANCHORS = {"form": "forms", "rule": "rules", "button": "rules"}
SAYS = {
    "form": "The layout of a record page: sections with fields in columns. The first form is used.",
    "rule": "What happens to fields while somebody edits a matching record.",
    "button": "A button on the record page.",
}


@pages.page(f"{SHEET}/<any(form, rule, button):part>/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_part(organization_id: str, app_id: str, key: str, part: str) -> str | Response | tuple[str, int]:
    """Make a form, a rule or a button."""
    sheet = sheet_document(key)
    return _page(sheet, part, _starting(sheet, part), None)


@pages.page(f"{SHEET}/<any(form, rule, button):part>/<part_key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_part(organization_id: str, app_id: str, key: str, part: str, part_key: str) -> str | Response | tuple[str, int]:
    """Change a form, a rule or a button."""
    sheet = sheet_document(key)
    return _page(sheet, part, dict(placing.part_of(sheet, part, part_key)), part_key)


def _page(document: Document, part: str, body: dict[str, Any], part_key: str | None) -> str | Response | tuple[str, int]:
    if part not in SCHEMAS:
        raise NotFound("A worksheet has no such parts.")
    sheet, filtered = open_sheet(document.key), FILTERS.get(part, "")
    conditions = filters.conditions_of(sheet, body.get(filtered), request.form) if filtered else None
    editing = _editing(document, part, body, [filtered] if conditions is not None else [])
    if request.method == "POST" and editing.receive(request.form, request.files):
        made = {**editing.value, "key": part_key or new_key(LETTERS[part])}
        if conditions is not None:
            made = filters.with_filter(made, conditions.filter, filtered)
        try:
            filters.check_whole(conditions)
            with transaction():
                placing.put_part(current_app_row(), document, part, made, visit().person)
            flash(f"The {part} “{made['name']}” was saved.", "good")
            return to(url("worksheet", key=document.key) + f"#{ANCHORS[part]}")
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("structure/part.html", document=document, sheet=sheet, part=part, part_key=part_key, editing=editing,
                           conditions=conditions, says=SAYS[part], anchor=ANCHORS[part]), editing.status


def _editing(document: Document, part: str, body: Mapping[str, Any], apart: Sequence[str]) -> Editing:
    """Return the form of a part; the properties *apart* are asked for otherwise."""
    schema = SCHEMAS[part]
    schema = {**schema, "properties": {name: one for name, one in schema["properties"].items() if name not in apart}}
    return Editing(current_app_row(), schema, body, root={**schema, "$defs": WORKSHEET.schema["$defs"]}, targets=own_targets(document),
                   without=apart, narrow=_narrow)


def _narrow(tree: Input) -> None:
    """Ask for what is yes or no with a tick."""
    for node in walk(tree):
        node.plain = node.plain or node.asks == "flag"


def _starting(document: Document, part: str) -> dict[str, Any]:
    """Return what a new one starts with: a form has all fields in one section, so that one only moves them about."""
    if part == "rule":
        return {"enabled": True}
    if part != "form":
        return {}
    fields = [{"ref": f"{document.address}/field/{one['key']}"} for one in document.body.get("fields", ())]
    return {"name": "Record", "sections": [{"columns": 2, "fields": fields}]}
