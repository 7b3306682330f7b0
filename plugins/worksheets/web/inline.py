"""Editing in place: the editor of one cell, and what stands there after it was saved."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request

from core.api import Forbidden, Needs, again, most_form_bytes, transaction
from plugins.worksheets.fields import Field
from plugins.worksheets.records import Row
from plugins.worksheets.service import loads
from plugins.worksheets.web.blueprint import RECORD, SHEET, pages
from plugins.worksheets.web.choices import candidates
from plugins.worksheets.web.editors import Typed, editor_of
from plugins.worksheets.web.grid import column
from plugins.worksheets.web.grid_query import columns_of, read_grid_query
from plugins.worksheets.web.lines import lines_of
from plugins.worksheets.web.record_form import Refused, enter, save
from plugins.worksheets.web.record_lookup import back_url, find
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet
from plugins.worksheets.web.uploads import take_files

CELL = f"{RECORD}/cell/<field>"


def editable_field(sheet: SheetContext, key: str) -> Field:
    """Return a field that the visitor may enter.

    Raises:
        NotFound: they may not read it.
        Forbidden: they may read it and not write it.
    """
    one = sheet.field(key)
    if not sheet.editable(one):
        raise Forbidden(f"You do not have permission to change “{one.name}”.")
    return one


@pages.page(CELL, Needs.APP, ("GET", "POST"), max_bytes=most_form_bytes, guests=True)
def cell(organization_id: str, app_id: str, key: str, seq: int, field: str) -> str | Response:
    """Give the editor of a cell, or save it and give the whole row anew: what is computed may have changed too."""
    sheet = open_sheet(key)
    row = find(sheet, seq, "update")
    one = editable_field(sheet, field)
    if request.method == "GET":
        return _editor(sheet, row, one, None)
    uploads = take_files(sheet, [one])
    try:
        with transaction():
            row = find(sheet, seq, "update")
            save(sheet, seq, enter(sheet, [one], request.form, loads(row.vals), uploads), row)
    except Refused as refused:
        response = again(_editor(sheet, row, one, refused.typed))
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "closest td", "innerHTML"
        return response
    if request.headers.get("HX-Request") != "true":
        return redirect(sheet.url("record", seq=seq))  # type: ignore[return-value]
    return row_html(sheet, find(sheet, seq, "read"))


def _editor(sheet: SheetContext, row: Row, one: Field, typed: Typed | None) -> str:
    around = RelatedNames(sheet)
    line = lines_of(around, [row], [one])[0]
    editor = editor_of(sheet, around, one, line.values.get(one.key), seq=row.seq, typed=typed, bare=True)
    url = sheet.url("cell", seq=row.seq, field=one.key, **{name: request.args.getlist(name) for name in request.args})
    return render_template("worksheets/cell.html", e=editor, url=url)


def row_html(sheet: SheetContext, row: Row) -> str:
    """Return a record's row of the grid that the request's address describes."""
    asked = read_grid_query(sheet, request.args)
    fields = columns_of(sheet, asked)
    line = lines_of(RelatedNames(sheet), [row], fields)[0]
    return render_template("worksheets/line.html", sheet=sheet, line=line, columns=[column(sheet, asked, one) for one in fields],
                           colours={})


@pages.page(f"{RECORD}/move/<field>", Needs.APP, ("POST",), guests=True)
def move(organization_id: str, app_id: str, key: str, seq: int, field: str) -> Response:
    """Move a card of a board to another stack: change the field by which they are stacked."""
    sheet = open_sheet(key)
    one = editable_field(sheet, field)
    try:
        with transaction():
            row = find(sheet, seq, "update")
            save(sheet, seq, enter(sheet, [one], request.form, loads(row.vals)), row)
    except Refused as refused:
        trouble = refused.typed.trouble
        flash(trouble.general or f"{one.name}: {next(iter(trouble.errors.values()))}", "bad")
    return redirect(back_url(sheet, sheet.url()))  # type: ignore[return-value]


@pages.page(f"{SHEET}/choose/<field>", Needs.APP, guests=True)
def choose(organization_id: str, app_id: str, key: str, field: str) -> str:
    """Give what can be chosen in a field and matches what was typed."""
    sheet = open_sheet(key)
    one = editable_field(sheet, field)
    around = RelatedNames(sheet)
    editor = editor_of(sheet, around, one, None)
    found = candidates(sheet, around, one, request.args.get(f"find-{one.key}", ""), request.args.getlist(one.key))
    editor.options, editor.cut = found.options, found.cut
    return render_template("worksheets/options.html", e=editor)

