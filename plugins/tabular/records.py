"""Records: the second reading of a table, which turns its rows into edits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.api import ImportContext
from plugins.tabular.cells import shown
from plugins.tabular.field_plan import Plan
from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.survey import portions, too_long
from plugins.tabular.table import Row

BATCH = 2000
MAGIC = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"))


def batches(plan: Plan, keys: Keys, context: ImportContext) -> Iterator[Mapping[str, Any]]:
    """Yield the edits that put a table's records, some hundred at a time."""
    width = len(plan.survey.table.columns)
    first = 1
    for some in portions(plan.survey.table.rows(), BATCH):
        full = [row if len(row) >= width else [*row, *[None] * (width - len(row))] for row in some]
        yield {"op": "put_records", "worksheet": plan.key, "records": list(_records(plan, full, first, keys, context))}
        first += len(some)


def _records(plan: Plan, rows: Sequence[Row], first: int, keys: Keys, context: ImportContext) -> Iterator[dict[str, Any]]:
    for seq, (row, values) in enumerate(zip(rows, _values(plan, rows), strict=True), start=first):
        for one, key in plan.links:
            found = key_of(row, one.link.columns)
            target = None if found is None else keys.find(one.index, found)
            if target is not None:
                values[key] = [target]
        if plan.files:
            values.update(_files(plan, row, seq, context))
        yield {"seq": seq, "values": values}


def _values(plan: Plan, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the values of rows by field, column by column."""
    found: list[dict[str, Any]] = [{} for _ in rows]
    overlong = {number: places for number, row in enumerate(rows) if (places := too_long(row))}
    for place, key, turn in plan.plain:
        cells = [row[place] for row in rows]
        whole = not overlong and "" not in cells and {str}.issuperset(map(type, cells))
        if whole and (values := turn.texts(cells)) is not None:
            for held, value in zip(found, values, strict=True):
                held[key] = value
            continue
        for number, cell in enumerate(cells):
            if cell is None or cell == "" or type(cell) is bytes or (overlong and place in overlong.get(number, ())):
                continue
            value = turn.one(cell)
            if value is not None:
                found[number][key] = value
    return found


def _files(plan: Plan, row: Row, seq: int, context: ImportContext) -> Iterator[tuple[str, Any]]:
    spilled = too_long(row)
    for place, key, name in plan.files:
        cell = row[place]
        if isinstance(cell, bytes):
            yield key, [context.put_file(io.BytesIO(cell), f"{name[:80]}-{seq}.{_extension(cell)}")]
        elif place in spilled:
            yield key, [context.put_file(io.BytesIO(shown(cell).encode()), f"{name[:80]}-{seq}.txt", "text/plain")]


def _extension(content: bytes) -> str:
    return next((ending for magic, ending in MAGIC if content.startswith(magic)), "bin")
