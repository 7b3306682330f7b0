"""Pages on the views of a worksheet: each type asks for what it shows, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
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
from plugins.worksheets.fields import fields_of
from plugins.worksheets.schema import VIEW, WORKSHEET
from plugins.worksheets.structure import filters, unique_names, view_columns
from plugins.worksheets.structure.blueprint import SHEET, own_targets, pages, sheet_document, to, url
from plugins.worksheets.structure.field_form import narrowed
from plugins.worksheets.structure.view_types import FITTING, LABELS, TYPES, fits, titles_of
from plugins.worksheets.web.sheet_context import open_sheet


@pages.page(f"{SHEET}/view/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_view(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Choose a type, then make a view of it."""
    sheet, kind = sheet_document(key), request.args.get("type")
    if kind is None:
        return render_template("structure/view_types.html", sheet=sheet, types=TYPES)
    if kind not in TYPES:
        raise NotFound("Unknown view type. Choose one from the list.")
    return _page(sheet, {"type": kind, "name": _free_name(sheet, TYPES[kind].title), **_first_fitting(sheet, kind)}, None)


@pages.page(f"{SHEET}/view/<view_key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_view(organization_id: str, app_id: str, key: str, view_key: str) -> str | Response | tuple[str, int]:
    """Change a view."""
    sheet = sheet_document(key)
    return _page(sheet, dict(placing.part_of(sheet, "view", view_key)), view_key)


def _page(document: Document, view: dict[str, Any], view_key: str | None) -> str | Response | tuple[str, int]:
    sheet, kind = open_sheet(document.key), TYPES[view["type"]]
    conditions = filters.conditions_of(sheet, view.get("filter"), request.form) if "filter" in kind.asks else None
    editing = view_editing(document, view, flat=conditions is not None)
    if request.method == "POST" and editing.receive(request.form, request.files):
        body = {**view_columns.compacted(sheet, editing.value), "type": view["type"], "key": view_key or new_key("v")}
        if conditions is not None:
            body = filters.with_filter(body, conditions.filter)
        try:
            filters.check_whole(conditions)
            unique_names.check_free(body, document.body.get("views", ()), "view")
            with transaction():
                placing.put_part(current_app_row(), document, "view", body, visit().person)
            flash(f"The view “{body['name']}” was saved.", "good")
            return to(url("worksheet", key=document.key) + "#views")
        except AppkeepError as error:
            editing.refuse(error)
    return render_template(
        "structure/view.html", document=document, sheet=sheet, view=view, view_key=view_key, editing=editing, kind=kind,
        conditions=conditions, names=view_columns.names_of(document), cells_of=view_columns.cells_of,
        wide=view["type"] in ("grid", "timeline"),
        seen=f"{document_url(document.address)}?view={view_key}" if view_key else None), editing.status


def view_editing(sheet: Document, view: Mapping[str, Any], *, flat: bool = False) -> Editing:
    """Return the form of a view; what its type does not ask for keeps its values, and so does a *flat* filter, asked for apart."""
    kind = TYPES[view["type"]]
    asked = [name for name in ("name", *kind.asks, "description") if name != "filter" or not flat]
    schema = schemas.closed({name: VIEW["properties"][name] for name in asked}, ["name", *kind.needs])
    shown = view_columns.listed(sheet, view) if "fields" in asked else view
    return Editing(current_app_row(), schema, shown, root={**schema, "$defs": WORKSHEET.schema["$defs"]}, targets=own_targets(sheet),
                   without=view.keys() - set(asked), narrow=lambda tree: _narrow(tree, sheet))


def _narrow(tree: Input, sheet: Document) -> None:
    """Offer only fields that go with what they are to do."""
    fields = {f"{sheet.address}/field/{d['key']}": d for d in sheet.body.get("fields", ())}
    for node in walk(tree):
        if node.asks == "flag":
            node.plain = True
        if node.path in LABELS:
            node.title, options = LABELS[node.path]
            node.options = [(value, options.get(value, text)) for value, text in node.options]
        fitting = FITTING.get(node.path)
        if node.asks == "ref" and fitting is not None:
            node.targets = narrowed(node, lambda target, fitting=fitting: fits(fields.get(target.address), fitting))  # type: ignore[misc]
            if not node.targets:
                node.help = f"This worksheet has no suitable field yet. Add a {' or '.join(titles_of(fitting))} field."


def _free_name(sheet: Document, title: str) -> str:
    """Return what a new view is called until somebody says better: "Board", "Board 2"."""
    taken = {unique_names.plain(one["name"]) for one in sheet.body.get("views", ())}
    return next(name for name in (title, *(f"{title} {n}" for n in range(2, len(taken) + 3))) if unique_names.plain(name) not in taken)


def _first_fitting(sheet: Document, kind: str) -> dict[str, Any]:
    """Return what a new view needs, filled with the first field that goes with it."""
    found: dict[str, Any] = {"form": {"fields": _entered(sheet)}} if kind == "form" else {}
    for name in TYPES[kind].needs:
        fitting = [one for one in sheet.body.get("fields", ()) if fits(one, FITTING[name])]
        if fitting:
            first = min(fitting, key=lambda one: one["type"] == "formula")  # a formula may give something else after all
            found[name] = {"ref": f"{sheet.address}/field/{first['key']}"}
    return found


def _entered(sheet: Document) -> list[dict[str, Any]]:
    """Return all fields that people enter values into, for a form that begins with them."""
    return [{"field": {"ref": f"{sheet.address}/field/{key}"}} for key, one in fields_of(sheet.body).items() if one.type.writable]
