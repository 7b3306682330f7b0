"""Records: the second reading of a table, which turns its rows into edits."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from core.api import ImportContext
from plugins.tabular.cells import shown
from plugins.tabular.field_plan import Plan, Turn
from plugins.tabular.portions import together, too_long
from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.table import Row

MAGIC = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"))


def batches(plan: Plan, keys: Keys, context: ImportContext) -> Iterator[Mapping[str, Any]]:
    """Yield the edits that put a table's records, some hundred at a time."""
    width = len(plan.survey.table.columns)
    first = 1
    for some in together(plan.survey.table.rows):
        full = some.padded(width)
        columns = {**_values(plan, full, some.overlong), **_linked(plan, full, keys), **_files(plan, full, first, context)}
        yield {"op": "put_records", "worksheet": plan.key, "first": first, "count": len(some), "columns": columns}
        first += len(some)


def _values(plan: Plan, rows: Sequence[Row], overlong: Mapping[int, Collection[int]]) -> dict[str, list[Any]]:
    """Return the values of rows by field, without those texts that become files."""
    columns = list(zip(*rows, strict=False))
    return {key: _column(turn, columns[place], {number for number, places in overlong.items() if place in places})
            for place, key, turn in plan.plain}


def _column(turn: Turn, cells: Sequence[Any], overlong: Collection[int]) -> list[Any]:
    """Return the values of one column's cells; those *overlong* become files."""
    if not overlong and {str}.issuperset(map(type, cells)) and "" not in cells and (values := turn.texts(cells)) is not None:
        return values
    return [None if cell is None or cell == "" or type(cell) is bytes or number in overlong else turn.one(cell)
            for number, cell in enumerate(cells)]


def _linked(plan: Plan, rows: Sequence[Row], keys: Keys) -> dict[str, list[Any]]:
    """Return by field which records rows point to."""
    found: dict[str, list[Any]] = {}
    for one, key in plan.links:
        named = (key_of(row, one.link.columns) for row in rows)
        targets = (None if name is None else keys.find(one.index, name) for name in named)
        found[key] = [None if target is None else [target] for target in targets]
    return found


def _files(plan: Plan, rows: Sequence[Row], first: int, context: ImportContext) -> dict[str, list[Any]]:
    """Return by field the files that cells become; those of a row come one after the other."""
    if not plan.files:
        return {}
    found = [dict(_files_of(plan, row, seq, context)) for seq, row in enumerate(rows, start=first)]
    return {key: [one.get(key) for one in found] for _, key, _ in plan.files}


def _files_of(plan: Plan, row: Row, seq: int, context: ImportContext) -> Iterator[tuple[str, Any]]:
    spilled = too_long(row)
    for place, key, name in plan.files:
        cell = row[place]
        if isinstance(cell, bytes):
            yield key, [context.put_file(io.BytesIO(cell), f"{name[:80]}-{seq}.{_extension(cell)}")]
        elif place in spilled:
            yield key, [context.put_file(io.BytesIO(shown(cell).encode()), f"{name[:80]}-{seq}.txt", "text/plain")]


def _extension(content: bytes) -> str:
    return next((ending for magic, ending in MAGIC if content.startswith(magic)), "bin")
