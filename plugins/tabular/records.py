"""Records: the second reading of a table, which turns its rows into edits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from core.api import ImportContext
from plugins.tabular.cells import shown
from plugins.tabular.field_plan import Plan
from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.survey import too_long
from plugins.tabular.table import Row

BATCH = 500
MAGIC = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"))


def batches(plan: Plan, keys: Keys, context: ImportContext) -> Iterator[Mapping[str, Any]]:
    """Yield the edits that put a table's records, some hundred at a time."""
    records = _records(plan, keys, context)
    while batch := list(islice(records, BATCH)):
        yield {"op": "put_records", "worksheet": plan.key, "records": batch}


def _records(plan: Plan, keys: Keys, context: ImportContext) -> Iterator[dict[str, Any]]:
    width = len(plan.survey.table.columns)
    for seq, given in enumerate(plan.survey.table.rows(), start=1):
        row = given if len(given) >= width else [*given, *[None] * (width - len(given))]
        values = _values(plan, row)
        for one, key in plan.links:
            found = key_of(row, one.link.columns)
            target = None if found is None else keys.find(one.index, found)
            if target is not None:
                values[key] = [target]
        if plan.files:
            values.update(_files(plan, row, seq, context))
        yield {"seq": seq, "values": values}


def _values(plan: Plan, row: Row) -> dict[str, Any]:
    values, spilled = {}, too_long(row)
    for place, key, turn in plan.plain:
        cell = row[place]
        if cell is None or cell == "" or type(cell) is bytes or (spilled and place in spilled):
            continue
        value = turn(cell)
        if value is not None:
            values[key] = value
    return values


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
