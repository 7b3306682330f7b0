"""CSV files for people who open them in a spreadsheet: nothing in them is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

ROWS_AT_ONCE = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_response(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """Answer with rows as a CSV file to download, sent as they come; *name* is plain ASCII."""
    response = Response(stream_with_context(csv_text(rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_text(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a CSV file in pieces; it begins with the mark by which spreadsheets know UTF-8."""
    text, waiting = io.StringIO(), 0
    text.write("\ufeff")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        waiting += 1
        if waiting == ROWS_AT_ONCE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
            waiting = 0
    yield text.getvalue()


def harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
