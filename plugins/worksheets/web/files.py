"""Files of records: given only when that record names them in a field that the visitor may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Response

from core.api import Needs, NotFound, budget, read_file
from plugins.worksheets.service import loads
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.record_lookup import find
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf", "text/plain"}
"""What a browser may show by itself; all else is saved to disk, whatever it says it is."""


@pages.page(f"{RECORD}/file/<field>/<content>", Needs.APP)
def file(organization_id: str, app_id: str, key: str, seq: int, field: str, content: str) -> Response:
    """Give a file of a record."""
    sheet = open_sheet(key)
    item = _named(sheet, seq, field, content)
    free = budget.keep_place("the file") if item["size"] > budget.AT_ONCE_BYTES else None
    kind = item["type"] if item["type"] in INLINE else "application/octet-stream"
    way = "inline" if kind in INLINE else "attachment"
    response = Response(read_file(content), mimetype=kind)
    if free is not None:
        response.call_on_close(free)
    response.headers["Content-Length"] = str(item["size"])
    response.headers["Content-Disposition"] = disposition(way, item["name"])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _named(sheet: SheetContext, seq: int, key: str, content: str) -> Mapping[str, Any]:
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


def disposition(way: str, name: str) -> str:
    """Return a Content-Disposition that any browser understands: a plain name, and the real one (RFC 5987)."""
    plain = "".join(char if 32 <= ord(char) < 127 and char not in '"\\;%' else "_" for char in name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
