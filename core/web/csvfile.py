"""CSV files for people who open them in a spreadsheet: nothing in them is taken for a formula."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

from core.base import budget

ROWS_AT_ONCE = 500
FORMULA = "=+-@\u2212"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][+-]?[0-9]+)?\Z")


def csv_response(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """Answer with rows as a CSV file to download, sent as they come; *name* is plain ASCII."""
    budget.hold_place("the file", math.inf)
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
    return f"'{cell}" if isinstance(cell, str) and _runs(cell) and not _NUMBER.match(cell) else cell


def _runs(text: str) -> bool:
    """Say whether a text begins like a formula, as sloppy readers see it: without blanks, and in any width of letters."""
    if text[:1] in ("\t", "\r", "\n"):
        return True
    first = next((char for char in text if not _is_blank(char)), "")
    return first != "" and unicodedata.normalize("NFKC", first)[:1] in FORMULA


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Zs")
