"""A view as CSV, streamed: what people see in its columns, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context
from markupsafe import Markup

from core.api import Forbidden, Needs, as_tenant, budget, disposition, harmless
from plugins.worksheets.fields import Field
from plugins.worksheets.query import page
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.web.blueprint import SHEET, pages
from plugins.worksheets.web.cells import show
from plugins.worksheets.web.grid_query import GridQuery, columns_of, read_grid_query
from plugins.worksheets.web.lines import Line, lines_of
from plugins.worksheets.web.paging import query_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

BATCH = 500
EXPORT_TIMES = 3
"""An export with computed values may take so many times what a page may."""
CHUNK_BYTES = 64 * 1024
RAW = ("text", "long_text", "rich_text", "email", "phone", "url", "identity_number", "number", "currency", "percent", "date",
       "datetime", "time", "rating", "text_combination")
"""Types whose values are written as they are stored; the others as they are shown."""


@pages.page(f"{SHEET}/export.csv", Needs.APP, guests=True)
def export(organization_id: str, app_id: str, key: str) -> Response:
    """Give all records of a view as CSV."""
    sheet = open_sheet(key)
    if not sheet.access.may_export:
        raise Forbidden("You do not have permission to export records of this worksheet.")
    asked = read_grid_query(sheet, request.args)
    response = Response(_streamed(sheet, asked) if _is_plain(sheet, asked) else _made_whole(sheet, asked), mimetype="text/csv")
    response.headers["Content-Disposition"] = disposition("attachment", f"{sheet.name}.csv")
    return response


def _is_plain(sheet: SheetContext, asked: GridQuery) -> bool:
    """Say whether each line takes little work: nothing is computed, nothing looked for in what people read."""
    computed = any(one.type.derived_for(one.definition) for one in columns_of(sheet, asked))
    return not (computed or PreparedQuery(sheet.app, query_of(sheet, asked)).looks)


def _streamed(sheet: SheetContext, asked: GridQuery) -> Iterator[str]:
    budget.hold_place("the export", math.inf)
    return stream_with_context(_as_tenant(sheet, csv_of(sheet, asked)))


def _made_whole(sheet: SheetContext, asked: GridQuery) -> Iterator[bytes]:
    """Yield a file that was made before its first line is sent, so that one that cannot be made whole is refused in words."""
    budget.hold_place("the export", EXPORT_TIMES)
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the answer that reads it
    for text in csv_of(sheet, asked):
        file.write(text.encode())
        budget.check_whole()
    file.seek(0)
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _as_tenant(sheet: SheetContext, lines: Iterator[str]) -> Iterator[str]:
    """Yield while the organization is seen: the request's own view of it ends before the last line is sent."""
    with as_tenant(sheet.app.organization_id):
        yield from lines


def csv_of(sheet: SheetContext, asked: GridQuery) -> Iterator[str]:
    """Yield the lines of a CSV file, some hundred records at a time; it begins with a mark by which Excel knows UTF-8."""
    fields, cursor, head = columns_of(sheet, asked), None, True
    ask = query_of(sheet, asked)
    while True:
        found = page(sheet.app, ask, cursor=cursor, limit=BATCH)
        text = io.StringIO()
        writer = csv.writer(text)
        if head:
            text.write("\ufeff")
            writer.writerow(["Record", *(harmless(one.name) for one in fields)])
            head = False
        for line in lines_of(RelatedNames(sheet), found.rows, fields):
            writer.writerow([line.seq, *(harmless(plain(line, one)) for one in fields)])
        yield text.getvalue()
        cursor = found.next
        if not cursor:
            return


def plain(line: Line, field: Field) -> str:
    """Return a value as text, without marks."""
    value: Any = line.values.get(field.key)
    if value is None:
        return ""
    if field.type.name == "checkbox":
        return "yes"
    if field.type.name in ("file", "signature"):
        return ", ".join(str(item["name"]) for item in value)
    if field.type.name in RAW:
        return str(value)
    shown = str(show(value, field, line.around, True)).replace("<span", " <span")  # what stands beside one another stays apart
    return str(Markup(shown).striptags())
