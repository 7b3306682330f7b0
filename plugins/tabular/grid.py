"""Grids: rows without a schema, as CSV files and sheets have them, turned into tables with named columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from plugins.tabular.guess import looks_typed
from plugins.tabular.table import Column, Row, Table, is_empty

SAMPLE_ROWS = 50


def table_of(name: str, rows: Callable[[], Iterator[Row]]) -> Table | None:
    """Return a grid as a table, None where it holds nothing; rows without any value are passed over.

    *rows* reads the grid anew each time.
    """
    sample = list(islice(_filled(rows()), SAMPLE_ROWS))
    if not sample:
        return None
    headed = has_header(sample)
    columns = [_column(cell if headed else "", place) for place, cell in enumerate(_trimmed(sample[0]), start=1)]
    return Table(name, columns, lambda: islice(_filled(rows()), int(headed), None))


def has_header(sample: list[Row]) -> bool:
    """Say whether the first row names the columns.

    It does when all its cells are different texts; when some are missing or alike, only if a value below (a
    number, a date) shows that it is no row like the others.
    """
    first = _trimmed(sample[0])
    if any(not is_empty(cell) and looks_typed(cell) for cell in first):
        return False
    names = [cell.strip() for cell in first if not is_empty(cell)]
    if len(names) == len(first) and len(set(names)) == len(names) and all(names):
        return True
    below = ((row[place] for row in sample[1:] if place < len(row) and not is_empty(row[place]))
             for place, cell in enumerate(first) if not is_empty(cell))
    return any(cells and all(map(looks_typed, cells)) for cells in map(list, below))


def _column(cell: str, place: int) -> Column:
    return Column(cell, True) if cell and cell.strip() else Column(f"Column {place}", named=False)


def _trimmed(row: Row) -> Row:
    width = max((place for place, cell in enumerate(row, start=1) if not is_empty(cell)), default=0)
    return row[:width]


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if any(row) or not all(map(is_empty, row)))
