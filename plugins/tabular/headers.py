"""Headers: which row of a grid names its columns, and which rows above it are titles and comments. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from plugins.tabular.table import Row, is_empty
from plugins.tabular.type_inference import MARKS, looks_typed

MAX_ABOVE = 10
YEARS = range(1900, 2101)


def header_of(rows: Sequence[Row]) -> int | None:
    """Return the place of the row that names the columns among some first rows that hold something, None where none does."""
    width = _width(rows)
    above = 0
    while above < min(len(rows), MAX_ABOVE) and _is_comment(rows[above], width):
        above += 1
    for place in range(above, min(len(rows), above + MAX_ABOVE)):
        if above < place < len(rows) - 1 and _strictly_named(rows[place], width):
            return place
        if not _is_title(rows[place], width):
            break
    return above if above < len(rows) and _names(rows[above:]) else None


def passed(rows: Sequence[Row]) -> int:
    """Return how many rows at the beginning are comments, for a grid in which no row names the columns."""
    width = _width(rows)
    return next((place for place, row in enumerate(rows) if not _is_comment(row, width)), 0)


def _width(rows: Sequence[Row]) -> int:
    """Return how many cells of a row mostly hold something."""
    counts = Counter(_filled(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _filled(row: Row) -> int:
    return sum(not is_empty(cell) for cell in row)


def _is_comment(row: Row, width: int) -> bool:
    first = next(iter(row), None)
    return type(first) is str and first.lstrip().startswith("#") and _filled(row) < width


def _is_title(row: Row, width: int) -> bool:
    """Say whether a row holds far less than most do, from its first cell on."""
    filled = _filled(row)
    return width > 1 and (filled == 1 or 3 * filled <= width) and not is_empty(next(iter(row), None))


def _strictly_named(row: Row, width: int) -> bool:
    cells = [cell for cell in row if not is_empty(cell)]
    return len(cells) >= width and len(set(map(str, cells))) == len(cells) and not any(map(looks_typed, cells))


def _names(rows: Sequence[Row]) -> bool:
    """Say whether the first row names the columns below.

    It does when all its cells are different texts. Otherwise something must show that it is no row like the others: a
    text above values, a moment above numbers, years or numbers in a row, a first column that counts the rows.
    """
    first = trimmed(rows[0])
    below = [[row[place] for row in rows[1:] if place < len(row) and not is_empty(row[place])] for place in range(len(first))]
    typed = [place for place, cell in enumerate(first) if not is_empty(cell) and looks_typed(cell)]
    names = [str(cell).strip() for cell in first if not is_empty(cell)]
    if not typed and all(names) and len(set(names)) == len(names):
        if len(names) == len(first):
            return True
        if is_empty(first[0]) and len(names) == len(first) - 1 and below[0] and len(set(map(str, below[0]))) == len(rows) - 1:
            return True  # the names of the rows, as pandas and R write them
    if _in_a_row([first[place] for place in typed]) and not all(_same(first, row, typed) for row in rows[1:]):
        return len(set(names)) == len(names)
    shown = [place for place, cell in enumerate(first) if place not in typed and _above_values(cell, below[place])]
    if typed:
        return bool(shown or _others(first, below, typed)) and not any(_alike(first[place], below[place]) for place in typed)
    return bool(shown) or (len(names) == len(first) > 1 and _only_above(names, rows))


def _only_above(names: list[str], rows: Sequence[Row]) -> bool:
    """Say whether names, some of them alike, are words that stand nowhere below."""
    cells = {str(cell).strip() for row in rows[1:] for cell in row if not is_empty(cell)}
    return len(rows) > 1 and cells.isdisjoint(names)


def _above_values(cell: Any, below: Sequence[Any]) -> bool:
    return not is_empty(cell) and str(cell).strip() not in MARKS and bool(below) and all(map(looks_typed, below))


def _others(first: Row, below: Sequence[Sequence[Any]], typed: Sequence[int]) -> bool:
    """Say whether all typed cells stand above cells of another kind."""
    return all(below[place] and _kind(first[place]) not in set(map(_kind, below[place])) for place in typed)


def _alike(cell: Any, below: Sequence[Any]) -> bool:
    """Say whether a value is one like those below it; a year above other numbers is not."""
    if _year(cell):
        return bool(below) and all(map(_year, below))
    return _kind(cell) in set(map(_kind, below))


def _kind(cell: Any) -> str:
    if isinstance(cell, date | datetime):
        return "moment"
    if _number(cell) is not None:
        return "number"
    return "value" if looks_typed(cell) else "text"


def _in_a_row(cells: Sequence[Any]) -> bool:
    """Say whether cells are years, or numbers from 0 or 1, or days, one after the other."""
    if len(cells) > 1 and all(isinstance(cell, date) for cell in cells):
        return list(cells) == sorted(set(cells)) or list(cells) == sorted(set(cells), reverse=True)
    numbers = [number for cell in cells if (number := _number(cell)) is not None]
    if len(numbers) != len(cells) or len(numbers) < 2 or any(number != int(number) for number in numbers):
        return False
    steps = {b - a for a, b in pairwise(numbers)}
    if all(number in YEARS for number in numbers):
        return len(steps) == 1 and 0 not in steps
    return steps == {1} and len(numbers) > 2 and numbers[0] in (0, 1)


def _same(first: Row, row: Row, typed: Sequence[int]) -> bool:
    """Say whether a row goes on as the first does: years below years, or numbers in a row again."""
    cells = [row[place] for place in typed if place < len(row) and not is_empty(row[place])]
    return len(cells) == len(typed) and _in_a_row(cells)


def _year(cell: Any) -> bool:
    return (number := _number(cell)) is not None and number in YEARS


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool | date):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def trimmed(row: Row) -> Row:
    """Return a row without the empty cells at its end."""
    width = max((place for place, cell in enumerate(row, start=1) if not is_empty(cell)), default=0)
    return row[:width]
