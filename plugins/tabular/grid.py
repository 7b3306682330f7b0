"""Grids: rows without a schema, as CSV files and sheets have them, turned into tables with named columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time
from itertools import islice
from typing import Any

from core.api import ImportFailed
from plugins.tabular.cells import shown
from plugins.tabular.headers import header_of, passed, trimmed
from plugins.tabular.kept_rows import KeptRows
from plugins.tabular.table import Column, Row, Table, Tell, is_empty

SAMPLE_ROWS = 50
MAX_TOLD = 20


def table_of(name: str, rows: Callable[[], Iterator[Row]], tell: Tell, said: int | None = None) -> Table | None:
    """Return a grid as a table, None where it holds nothing; rows without any value are passed over.

    *rows* reads the grid anew each time, blank rows too. *said* is the number of the row that names the columns, from
    1, and 0 where none does; None lets it be found. Rows above it are told and passed over.

    Raises:
        ImportFailed: there is no row of that number.
    """
    sample = list(islice(_numbered(rows()), SAMPLE_ROWS))
    if not sample:
        return None
    header, first = _found([row for _, row in sample]) if said is None else _asked(name, rows, sample, said)
    before = list(islice(_filled(rows()), first))
    head = before.pop() if header else None
    for row in before[:MAX_TOLD]:
        tell("row above the names", name, f"passed over: “{' | '.join(shown(cell) for cell in row if not is_empty(cell))[:150]}”")
    width = len(trimmed(sample[0][1])) if head is None else 0
    columns = [_column(cell, place) for place, cell in enumerate(trimmed(head) if head is not None else [""] * width, start=1)]
    if head is None and said is None:
        tell("header", name, "no row was found that names the columns; all rows are records. Say which row does, if one does")
    table = Table(name, columns, KeptRows(lambda: islice(_filled(rows()), first, None)))
    table.header = 0 if head is None else _number_of(rows, first)
    return table


def _found(sample: list[Row]) -> tuple[bool, int]:
    """Return whether a row names the columns, and how many rows with values are no records."""
    header = header_of(sample)
    return (True, header + 1) if header is not None else (False, passed(sample))


def _asked(name: str, rows: Callable[[], Iterator[Row]], sample: list[tuple[int, Row]], said: int) -> tuple[bool, int]:
    if not said:
        return False, 0
    for count, (number, _) in enumerate(_numbered(rows()), start=1):
        if number == said:
            return True, count
        if number > said:
            break
    raise ImportFailed(f"Row {said} of “{name[:100]}” is empty or missing and cannot be the header. "
                       f"The first row with values is row {sample[0][0]}.")


def _number_of(rows: Callable[[], Iterator[Row]], count: int) -> int:
    """Return the number in the grid of its *count*-th row with values."""
    return next(islice(_numbered(rows()), count - 1, None))[0]


def _column(cell: Any, place: int) -> Column:
    name = "" if is_empty(cell) else _named(cell)
    return Column(name, True) if name.strip() else Column(f"Column {place}", named=False)


def _named(cell: Any) -> str:
    """Return a cell as a column's name; a first of a month names the month."""
    if isinstance(cell, datetime) and cell.time() == time() and cell.day == 1:
        return cell.strftime("%B %Y")
    return shown(cell)


def _numbered(rows: Iterator[Row]) -> Iterator[tuple[int, Row]]:
    return ((number, row) for number, row in enumerate(rows, start=1) if any(row) or not all(map(is_empty, row)))


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if any(row) or not all(map(is_empty, row)))
