"""Pages on whole worksheets: a new one, and the overview of one's structure with its index and its own recycle bin."""

from __future__ import annotations

from flask import Response, flash, render_template, request

from core.api import (
    ICONS,
    MANAGE,
    AppkeepError,
    Editing,
    Input,
    Needs,
    binned,
    current_app_row,
    document_url,
    placing,
    schemas,
    server,
    transaction,
    visit,
    walk,
)
from plugins.worksheets.fields import KEY_KINDS
from plugins.worksheets.indexing import run_of
from plugins.worksheets.schema import WORKSHEET
from plugins.worksheets.service import store_of
from plugins.worksheets.structure.blueprint import SHEET, own_targets, pages, sheet_document, to, url
from plugins.worksheets.structure.service import check_worksheet_name, new_worksheet, switch_index
from plugins.worksheets.structure.unique_names import doubled
from plugins.worksheets.structure.view_types import TYPES

NEW = schemas.closed({"name": WORKSHEET.schema["properties"]["name"], "description": WORKSHEET.schema["properties"]["description"]},
                     ["name"])


@pages.page(f"{MANAGE}/worksheet/new", Needs.APP_ADMIN, ("GET", "POST"))
def new(organization_id: str, app_id: str) -> str | Response | tuple[str, int]:
    """Make a worksheet with a field that names its records and a grid."""
    app = current_app_row()
    editing = Editing(app, NEW, {}, targets=own_targets())
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            with transaction():
                made = new_worksheet(app, editing.value["name"], visit().person, editing.value.get("description", ""))
            flash(f"“{made.body['name']}” was created. Now add its fields.", "good")
            return to(url("worksheet", key=made.key))
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("structure/new.html", editing=editing), editing.status


@pages.page(SHEET, Needs.APP_ADMIN, ("GET", "POST"))
def worksheet(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Show what a worksheet is made of, and change what it is called."""
    app, sheet = current_app_row(), sheet_document(key)
    editing = Editing(app, WORKSHEET.schema, sheet.body, targets=own_targets(sheet), without=WORKSHEET.parts.values(), narrow=_narrow)
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            with transaction():
                check_worksheet_name(app, key, editing.value["name"])
                placing.put_body(app, sheet, editing.value, visit().person)
            flash("Worksheet saved.", "good")
            return to(url("worksheet", key=key))
        except AppkeepError as error:
            editing.refuse(error)
    fields = sheet.body.get("fields", ())
    title = sheet.body.get("title_field", {}).get("ref", "").rpartition("/")[2]
    building = {key for key, one in store_of(app).index.fields(sheet.key).items() if one.built_to is not None}
    return render_template(
        "structure/worksheet.html", sheet=sheet, editing=editing, records=document_url(sheet.address),
        titles={name: kind.title for name, kind in server().registry.field_types.items()},
        view_titles={name: kind.title for name, kind in TYPES.items()}, title_key=title or next((one["key"] for one in fields), None),
        indexable=[one for one in fields if one["type"] in KEY_KINDS],
        building=building, indexing=run_of(app) if building else None, binned=binned(app, sheet.address),
        doubled=[(what, name) for what in ("fields", "views") for name in doubled(sheet.body.get(what, ()))],
        referring=placing.referring(app, sheet.address)), editing.status


def _narrow(tree: Input) -> None:
    for node in walk(tree):
        if node.path == "icon":
            known = [*ICONS, *([str(node.value)] if node.value and node.value not in ICONS else [])]
            node.asks, node.options = "enum", [(name, name.replace("_", " ").capitalize()) for name in known]
        if node.path == "title_field":
            node.title = "Title field"
            node.help = "Shown wherever a record is linked. By default, the first field."


@pages.page(f"{SHEET}/field/<field_key>/index", Needs.APP_ADMIN, ("POST",))
def index_field(organization_id: str, app_id: str, key: str, field_key: str) -> Response:
    """Switch the index of a field on or off."""
    sheet, on = sheet_document(key), request.form.get("on") == "1"
    with transaction():
        app = current_app_row()
        name = switch_index(app, sheet, field_key, on, visit().person)
        building = on and field_key not in store_of(app).index.complete(key)
    if building:
        flash(f"“{name}” is being indexed. You can go on working.", "good")
    else:
        flash(f"“{name}” is indexed now." if on else f"The index of “{name}” was dropped.", "good")
    return to(url("worksheet", key=key) + f"#index-{field_key}")
