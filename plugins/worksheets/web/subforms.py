"""Rows of a subform: shown in their record, added to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, request

from core.api import Forbidden, Needs, NotFound, again, most_form_bytes, transaction
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.service import loads, store_of
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.cells import align_of
from plugins.worksheets.web.editors import Typed, editor_of
from plugins.worksheets.web.layout import embedded, remark, sections_of
from plugins.worksheets.web.lines import Line, lines_of
from plugins.worksheets.web.record_form import Refused, defaults, enter, save, write
from plugins.worksheets.web.record_lookup import find
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet, part_key
from plugins.worksheets.web.uploads import take_files

MOST_ROWS = 100
MOST_COLUMNS = 8


@dataclass(frozen=True)
class Rows:
    """The rows of one subform of one record."""

    sheet: SheetContext
    fields: list[Field]
    lines: list[Line]
    total: int
    add_url: str | None

    @property
    def cut(self) -> bool:
        """Whether there are more than are shown."""
        return self.total > MOST_ROWS

    def align(self, field: Field) -> str:
        """Return how a column's values are aligned."""
        return align_of(field)

    def may_edit(self, line: Line) -> bool:
        """Say whether the visitor may change a row."""
        return self.sheet.access.may("update", line.row)

    def may_delete(self, line: Line) -> bool:
        """Say whether the visitor may remove a row."""
        return self.sheet.access.may("delete", line.row)


def rows_of(sheet: SheetContext, line: Line, field: Field) -> Rows | None:
    """Return the rows of a record's subform, None where the visitor may not see their worksheet."""
    child = child_of(field)
    if child is None:
        return None
    found = [row for row in store_of(sheet.app).some(child.key, line.values.get(field.key) or ()) if child.access.may("read", row)]
    order = {seq: n for n, seq in enumerate(line.values.get(field.key) or ())}
    found.sort(key=lambda row: order.get(row.seq, 0))
    wanted = [part_key(one) for one in field.definition["options"].get("fields", ())]
    fields = [child.fields[key] for key in wanted if key in child.fields] or list(child.fields.values())[:MOST_COLUMNS]
    add = sheet.url("add_row", seq=line.seq, field=field.key) if _may_add(sheet, child, line, field) else None
    return Rows(child, fields, lines_of(RelatedNames(child), found[:MOST_ROWS], fields), len(found), add)


def child_of(field: Field) -> SheetContext | None:
    """Return the worksheet of a subform's rows, None where the visitor may not see it."""
    try:
        return open_sheet(target_address(field.definition).rpartition("/")[2])
    except NotFound:
        return None


def _may_add(sheet: SheetContext, child: SheetContext, line: Line, field: Field) -> bool:
    return (child.access.may_create and field.stored and sheet.rights.may("update", f"field/{field.key}")
            and sheet.access.may("update", line.row))


@pages.page(f"{RECORD}/rows/<field>/add", Needs.APP, ("GET", "POST"), max_bytes=most_form_bytes, guests=True)
def add_row(organization_id: str, app_id: str, key: str, seq: int, field: str) -> str | Response:
    """Add a row to a record's subform."""
    sheet = open_sheet(key)
    row, one = find(sheet, seq, "update"), sheet.field(field)
    child = child_of(one) if one.type.name == "subform" else None
    if child is None:
        raise NotFound("This subform no longer exists.")
    if not child.access.may_create or not sheet.rights.may("update", f"field/{one.key}"):
        raise Forbidden("You cannot add rows here.")
    fields = [f for f in child.fields.values() if child.editable(f, "create")]
    if request.method == "GET":
        return _form(sheet, child, one, seq, None)
    entered = enter(child, fields, request.form, None, take_files(child, fields))
    try:
        with transaction():
            row = find(sheet, seq, "update")
            made = save(child, None, entered)
            write(sheet, seq, {one.key: [*loads(row.vals).get(one.key, ()), made]})
    except Refused as refused:
        return again(_form(sheet, child, one, seq, refused.typed))
    flash("Row added.", "good")
    return redirect(sheet.url("record", seq=seq))  # type: ignore[return-value]


def _form(sheet: SheetContext, child: SheetContext, one: Field, seq: int, typed: Typed | None) -> str:
    around, start = RelatedNames(child), defaults(child)

    def editor(field: Field) -> Any:
        found = editor_of(child, around, field, start.get(field.key), typed=typed)
        found.was = ""
        return found

    return render_template("worksheets/edit.html", sheet=child, line=None, title=None, heading=f"Add to {one.name}",
                           sections=sections_of(child), editor=editor, typed=typed, remark=remark, embedded=embedded,
                           cancel=sheet.url("record", seq=seq), back="", action="create")
