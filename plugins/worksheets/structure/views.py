"""Pages on the views of a worksheet: each type asks for what it shows, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    document_url,
    new_key,
    placing,
    schemas,
    transaction,
    visit,
    walk,
)
from plugins.worksheets.schema import VIEW, WORKSHEET
from plugins.worksheets.structure.blueprint import SHEET, own_targets, pages, sheet_document, to, url
from plugins.worksheets.structure.forms import narrowed


@dataclass(frozen=True, slots=True)
class ViewType:
    """A type of view: a sentence on it, what it asks for beyond a name, and what it cannot do without."""

    title: str
    says: str
    asks: tuple[str, ...]
    needs: tuple[str, ...] = ()


_MANY = ("filter", "sorts")
TYPES: Mapping[str, ViewType] = {
    "grid": ViewType("Grid", "All records as a table, with inline editing.",
                     (*_MANY, "groups", "fields", "row_height", "row_number", "colours")),
    "kanban": ViewType("Kanban", "Cards in columns, one for each choice of a field.",
                       ("stack_field", "cover_field", *_MANY, "fields", "colours"), ("stack_field",)),
    "gallery": ViewType("Gallery", "Cards, each with a picture.", ("cover_field", *_MANY, "fields", "colours")),
    "calendar": ViewType("Calendar", "Records on the days of a date field.",
                         ("start_field", "end_field", "filter", "fields", "colours"), ("start_field",)),
    "timeline": ViewType("Timeline", "Records as bars from a start to an end.",
                         ("start_field", "end_field", "scale", *_MANY, "groups", "fields", "colours"), ("start_field",)),
    "form": ViewType("Form", "A page on which new records are entered.", ("form", "public")),
}
DATES = frozenset({"date", "datetime", "created_time", "modified_time", "formula"})
FITTING: Mapping[str, frozenset[str]] = {
    "stack_field": frozenset({"single_select", "member", "relationship"}), "cover_field": frozenset({"file"}),
    "start_field": DATES, "end_field": DATES}
"""Which types of fields go with which property."""


@pages.page(f"{SHEET}/view/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_view(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Choose a type, then make a view of it."""
    sheet, kind = sheet_document(key), request.args.get("type")
    if kind is None:
        return render_template("structure/view_types.html", sheet=sheet, types=TYPES)
    if kind not in TYPES:
        raise NotFound("There is no such type of view.")
    return _page(sheet, {"type": kind, "name": TYPES[kind].title, **_first_fitting(sheet, kind)}, None)


@pages.page(f"{SHEET}/view/<view_key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_view(organization_id: str, app_id: str, key: str, view_key: str) -> str | Response | tuple[str, int]:
    """Change a view."""
    sheet = sheet_document(key)
    return _page(sheet, dict(placing.part_of(sheet, "view", view_key)), view_key)


def _page(sheet: Document, view: dict[str, Any], view_key: str | None) -> str | Response | tuple[str, int]:
    editing = view_editing(sheet, view)
    if request.method == "POST" and editing.receive(request.form, request.files):
        body = {**editing.value, "type": view["type"], "key": view_key or new_key("v")}
        try:
            with transaction():
                placing.put_part(current_app_row(), sheet, "view", body, visit().person)
            flash(f"The view “{body['name']}” was saved.", "good")
            return to(url("worksheet", key=sheet.key) + "#views")
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("structure/view.html", sheet=sheet, view=view, view_key=view_key, editing=editing, kind=TYPES[view["type"]],
                           seen=f"{document_url(sheet.address)}?view={view_key}" if view_key else None), editing.status


def view_editing(sheet: Document, view: Mapping[str, Any]) -> Editing:
    """Return the form of a view; what its type does not ask for keeps its values."""
    kind = TYPES[view["type"]]
    asked = ("name", *kind.asks, "description")
    schema = schemas.closed({name: VIEW["properties"][name] for name in asked}, ["name", *kind.needs])
    return Editing(current_app_row(), schema, view, root={**schema, "$defs": WORKSHEET.schema["$defs"]}, targets=own_targets(sheet),
                   without=view.keys() - set(asked), narrow=lambda tree: _narrow(tree, sheet))


def _narrow(tree: Input, sheet: Document) -> None:
    """Offer only fields that go with what they are to do."""
    types = {f"{sheet.address}/field/{d['key']}": d["type"] for d in sheet.body.get("fields", ())}
    for node in walk(tree):
        fitting = FITTING.get(node.path)
        if node.asks == "ref" and fitting is not None:
            node.targets = narrowed(node, lambda target, fitting=fitting: types.get(target.address) in fitting)  # type: ignore[misc]
            if not node.targets:
                node.help = f"This worksheet has no field for it yet: it takes a {' or '.join(sorted(fitting)).replace('_', ' ')} field."


def _first_fitting(sheet: Document, kind: str) -> dict[str, Any]:
    """Return what a new view needs, filled with the first field that goes with it."""
    found = {}
    for name in TYPES[kind].needs:
        for definition in sheet.body.get("fields", ()):
            if definition["type"] in FITTING[name]:
                found[name] = {"ref": f"{sheet.address}/field/{definition['key']}"}
                break
    return found
