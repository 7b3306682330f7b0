"""Records as programs read them: what is stored, what is computed, and what stands for their state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.api import Answer, etag_of
from plugins.worksheets.fields import Field
from plugins.worksheets.formula.values import iso
from plugins.worksheets.records import Row
from plugins.worksheets.service import loads, store_of
from plugins.worksheets.web.lines import Line, valued_lines
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US = -62_135_596_800_000_000
"""When the year 1 began: what came from elsewhere may lie before it, and RFC 3339 has no years before it."""
OF_THE_RECORD = ("created_time", "created_by", "modified_time", "modified_by")
"""Types of computed fields that change with their record alone."""
MOMENTS = ("created_time", "modified_time")


def values_shown(sheet: SheetContext, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows that may be read as the API gives them; how many there are costs no more questions."""
    return [_value(sheet, line) for line in valued_lines(RelatedNames(sheet), rows, sheet.fields.values())]


def _value(sheet: SheetContext, line: Line) -> dict[str, Any]:
    row = line.row
    return {
        "number": row.seq,
        "values": {key: value for key, value in line.values.items() if not _is_computed(sheet.fields[key])},
        "computed": {key: _computed(sheet.fields[key], value) for key, value in line.values.items() if _is_computed(sheet.fields[key])},
        "created_at": moment_text(row.created_at), "created_by": row.created_by,
        "updated_at": moment_text(row.updated_at), "updated_by": row.updated_by, "etag": etag_of_row(sheet, row)}


def etag_of_row(sheet: SheetContext, row: Row) -> str:
    """Return what stands for a record as it is stored, as far as it may be read.

    What is computed is not in it: it changes with the time and with other records, and nobody overwrites it.
    """
    stored = {key: value for key, value in loads(row.vals).items() if key in sheet.fields}
    return etag_of([row.seq, row.updated_at, row.updated_by, stored])


def answered(sheet: SheetContext, number: int, **more: Any) -> Answer:
    """Return the answer that gives a record that was written; its number alone where the person may not read it."""
    row = store_of(sheet.app).row(sheet.key, number)
    if row is None or not sheet.access.may("read", row):
        return Answer({"number": number}, **more)
    (value,) = values_shown(sheet, [row])
    return Answer(value, etag=value["etag"], **more)


def read_answer(sheet: SheetContext, row: Row) -> Answer:
    """Return the answer that gives a record to whoever may have it already."""
    (value,) = values_shown(sheet, [row])
    if any(_is_computed(one) and one.type.name not in OF_THE_RECORD for one in sheet.fields.values()):
        # What is computed may have changed since, with the record the same: that is not answered with 304.
        return Answer(value, headers={"ETag": f'"{value["etag"]}"'})
    return Answer(value, etag=value["etag"])


def moment_text(time_us: int) -> str:
    """Return a time in microseconds as RFC 3339 says it."""
    return iso(EPOCH + timedelta(microseconds=max(time_us, FIRST_US)))


def _is_computed(one: Field) -> bool:
    return one.type.derived_for(one.definition)


def _computed(one: Field, value: Any) -> Any:
    """Return a computed value as JSON, a moment as all of the API's are."""
    return moment_text(value) if one.type.name in MOMENTS and type(value) is int else _json(value)


def _json(value: Any) -> Any:
    """Return a computed value as JSON; what a plugin's type computes otherwise is its text."""
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _json(one) for key, one in value.items()}
    return value if value is None or isinstance(value, str | bool | int) else str(value)
