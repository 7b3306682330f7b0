"""A table's rows are parsed once where they fit on the disk, and come again as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice

import pytest

from plugins.tabular import kept_rows
from plugins.tabular.kept_rows import KeptRows
from plugins.tabular.table import Row

ROWS: list[Row] = [["a", 1, 1.5, True, None, "", date(2026, 1, 2), datetime(2026, 1, 2, 3), time(4), timedelta(5), b"\0"],
                   *[[f"row {n}", n] for n in range(2500)]]


class Parsed:
    """A source that counts how often it was read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[Row]:
        self.times += 1
        yield from ROWS


def test_they_are_parsed_once_and_come_as_they_were() -> None:
    """However often they are asked for, also by two at the same time."""
    source = Parsed()
    rows = KeptRows(source)
    assert ROWS == list(rows())
    one, other = rows(), rows()
    together = list(zip(one, other, strict=True))
    assert [(row, row) for row in ROWS] == together
    assert 1 == source.times


def test_what_was_not_read_to_its_end_is_parsed_again() -> None:
    """Half a table is none."""
    source = Parsed()
    rows = KeptRows(source)
    assert ROWS[:5] == list(islice(rows(), 5))
    assert ROWS == list(rows())
    assert 2 == source.times


def test_what_takes_too_much_room_is_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is not filled for the sake of speed."""
    monkeypatch.setattr(kept_rows, "MOST_BYTES", 1000)
    source = Parsed()
    rows = KeptRows(source)
    assert ROWS == list(rows()) == list(rows())
    assert (2, None) == (source.times, rows.kept)


def test_all_tables_of_a_file_share_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of hundreds of tables takes no more of the disk than one of a single table."""
    first, second = KeptRows(Parsed()), KeptRows(Parsed())
    list(first())
    monkeypatch.setattr(kept_rows, "MOST_BYTES", first.size * 3 // 2)
    assert ROWS == list(second()) == list(second())
    assert (True, False) == (first.kept is not None, second.kept is not None)
