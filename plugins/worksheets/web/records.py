"""Pages on one record: shown, edited, made, deleted, its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request

from core.api import Forbidden, Needs, again, most_form_bytes, server, transaction
from plugins.worksheets.access import delete_record
from plugins.worksheets.fields import Field
from plugins.worksheets.records import Row
from plugins.worksheets.service import dumps, loads
from plugins.worksheets.web.blueprint import RECORD, SHEET, pages
from plugins.worksheets.web.editors import Typed, editor_of
from plugins.worksheets.web.filter_match import fits
from plugins.worksheets.web.forms import FormField, form_fields, next_url
from plugins.worksheets.web.layout import embedded, remark, sections_of
from plugins.worksheets.web.lines import Line, lines_of, title_of
from plugins.worksheets.web.record_form import Entered, Refused, defaults, enter, save
from plugins.worksheets.web.record_lookup import back_url, find
from plugins.worksheets.web.record_page import record_page
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.rules import hidden_fields
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet
from plugins.worksheets.web.uploads import take_files


@pages.page(RECORD, Needs.APP, guests=True, browse=True)
def record(organization_id: str, app_id: str, key: str, seq: int) -> Response:
    """Show a record with all its fields."""
    return record_page(open_sheet(key), seq)


@pages.page(f"{RECORD}/edit", Needs.APP, ("GET", "POST"), max_bytes=most_form_bytes, guests=True)
def edit(organization_id: str, app_id: str, key: str, seq: int) -> str | Response:
    """Change a record in a form."""
    sheet = open_sheet(key)
    row = find(sheet, seq, "update")
    fields = [one for one in sheet.fields.values() if sheet.editable(one)]
    if request.method == "GET":
        return _form(sheet, row, None)
    uploads = take_files(sheet, fields)
    try:
        with transaction():
            row = find(sheet, seq, "update")
            save(sheet, seq, enter(sheet, fields, request.form, loads(row.vals), uploads), row)
    except Refused as refused:
        return again(_form(sheet, row, refused.typed))
    flash("Saved.", "good")
    return redirect(back_url(sheet, sheet.url("record", seq=seq)))  # type: ignore[return-value]


def _form(sheet: SheetContext, row: Row | None, typed: Typed | None) -> str:
    around = RelatedNames(sheet)
    line: Line | None = lines_of(around, [row], sheet.fields.values())[0] if row is not None else None
    values: Mapping[str, Any] = line.values if line is not None else defaults(sheet)
    seq = row.seq if row is not None else None

    def editor(one: Field) -> Any:
        found = editor_of(sheet, around, one, values.get(one.key), seq=seq, typed=typed)
        if row is None:
            found.was = ""
        return found

    return render_template(
        "worksheets/edit.html", sheet=sheet, line=line, title=title_of(around, line) if line is not None else None,
        sections=sections_of(sheet, hidden_fields(sheet, row) if row is not None else ()), editor=editor, typed=typed,
        action="update" if row is not None else "create", remark=remark, embedded=embedded,
        cancel=back_url(sheet, sheet.url("record", seq=seq) if seq is not None else sheet.url()), back=request.values.get("back", ""))


@pages.page(f"{SHEET}/new", Needs.APP, ("GET", "POST"), max_bytes=most_form_bytes, guests=True)
def new(organization_id: str, app_id: str, key: str) -> str | Response:
    """Make a record, in the worksheet's own form or in that of a form view."""
    sheet = open_sheet(key)
    if not sheet.access.may_create:
        raise Forbidden("You cannot create records in this worksheet.")
    view = sheet.view(request.args["view"]) if request.args.get("view") else None
    asked = form_fields(sheet, view) if view is not None and view["type"] == "form" else None
    fields = [one.field for one in asked] if asked is not None else [
        one for one in sheet.fields.values() if sheet.editable(one, "create")]
    if request.method == "GET":
        return _new_form(sheet, view, asked, None)
    entered = enter(sheet, fields, request.form, None, take_files(sheet, fields))
    _require(sheet, asked or (), entered)
    try:
        with transaction():
            seq = save(sheet, None, entered)
            if asked is not None and view is not None:
                server().registry.hook.form_submitted(app=sheet.app, worksheet=key, view=view["key"], seq=seq, person=sheet.person)
    except Refused as refused:
        return again(_new_form(sheet, view, asked, refused.typed))
    if asked is not None and view is not None:
        return render_template("worksheets/thanks.html", sheet=sheet, view=view, next_url=next_url(view))
    flash(f"Record {seq} was created.", "good")
    return redirect(sheet.url("record", seq=seq) if sheet.access.scope("read") else sheet.url("new"))  # type: ignore[return-value]


def _require(sheet: SheetContext, asked: Iterable[FormField], entered: Entered) -> None:
    """Ask for what the form must have, where it asks for it at all."""
    imagined = Row(0, dumps(entered.changes), None, 0, sheet.person, 0, sheet.person, None)
    for one in asked:
        if one.required and one.field.key not in entered.changes and fits(sheet, one.show_if, imagined):
            entered.typed.trouble.errors.setdefault(one.field.key, "This field is required.")


def _new_form(sheet: SheetContext, view: Mapping[str, Any] | None, asked: list[FormField] | None, typed: Typed | None) -> str:
    if asked is None:
        return _form(sheet, None, typed)
    around, start = RelatedNames(sheet), defaults(sheet)
    editors = [editor_of(sheet, around, one.field, start.get(one.field.key), typed=typed, label=one.label, help=one.help,
                         required=one.required) for one in asked]
    for editor in editors:
        editor.was = ""
    return render_template("worksheets/form.html", sheet=sheet, view=view, asked=editors, typed=typed)


@pages.page(f"{RECORD}/delete", Needs.APP, ("POST",), guests=True)
def delete(organization_id: str, app_id: str, key: str, seq: int) -> Response:
    """Move a record to the worksheet's recycle bin."""
    sheet = open_sheet(key)
    with transaction():
        find(sheet, seq, "delete")
        delete_record(sheet.app, sheet.access, seq, sheet.person)
    flash(f"Record {seq} was moved to the recycle bin.", "good")
    return redirect(back_url(sheet, sheet.url()))  # type: ignore[return-value]
