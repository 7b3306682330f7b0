"""Files of records: given only when that record names them in a field that the visitor may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from core.api import Needs, NotFound, file_response
from plugins.worksheets.service import loads
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.record_lookup import find
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet


@pages.page(f"{RECORD}/file/<field>/<content>", Needs.APP, guests=True, browse=True)
def file(organization_id: str, app_id: str, key: str, seq: int, field: str, content: str) -> Response:
    """Give a file of a record."""
    sheet = open_sheet(key)
    return file_response(named_file(sheet, seq, field, content))


def named_file(sheet: SheetContext, seq: int, key: str, content: str) -> Mapping[str, Any]:
    """Return the file as the record names it.

    Raises:
        NotFound: the record does not name that content in a field of files that the visitor may read.
    """
    row, one = find(sheet, seq, "read"), sheet.field(key)
    if one.type.name in ("file", "signature"):
        for item in loads(row.vals).get(one.key) or ():
            if item["file"] == content:
                return item  # type: ignore[no-any-return]
    raise NotFound("This file does not exist in this record any more.")
