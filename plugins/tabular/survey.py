"""Survey: the first of two readings of a table, which learns what its columns are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from plugins.tabular.cells import shown
from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.table import Column, Row, Table, check_width, is_empty
from plugins.tabular.type_inference import Guess

MAX_CELL_BYTES = 50_000
MAX_TEXTS_BYTES = 80_000
SAMPLE_ROWS = 200
TOGETHER, MAX_TOGETHER_CHARS = 1000, 1_000_000
MAX_SAMPLES = 5
MAX_SAMPLE_CHARS = 60
_NOTHING: frozenset[int] = frozenset()


@dataclass
class Survey:
    """What is known of a table after the first reading: guesses by column, cells that must be files, rows."""

    table: Table
    guesses: list[Guess] = field(default_factory=list)
    blobs: Counter[int] = field(default_factory=Counter)
    spilled: Counter[int] = field(default_factory=Counter)
    samples: dict[int, list[str]] = field(default_factory=dict)
    """The first different values of columns, as people read them."""
    rows: int = 0
    wider: int = 0

    def widen(self, row: Row) -> None:
        """Make columns for what a row holds beyond those that have a name."""
        width = max((place for place, cell in enumerate(row, start=1) if not is_empty(cell)), default=0)
        if width > len(self.guesses):
            check_width(self.table.name, width)
            self.wider += 1
            for place in range(len(self.guesses) + 1, width + 1):
                self.table.columns.append(Column(f"Column {place}", named=False))
                self.guesses.append(Guess(commas=self.table.commas))


def surveyed(table: Table, place: int, keys: Keys, asked: Sequence[str] = ()) -> Survey:
    """Read a table, the *place*-th, to its end; its keys are put into the indexes that were asked for.

    *asked* are the types that columns shall have, empty where they are guessed.

    Raises:
        ImportFailed: it is too wide, or the file is damaged.
    """
    found = Survey(table, [Guess(column.hint, commas=table.commas, asked=kind)
                           for column, kind in zip(table.columns, asked or [""] * len(table.columns), strict=True)])
    indexes, guesses = keys.of(place), found.guesses
    width = len(guesses)
    plain: list[Row] = []
    """Rows of the full width, without bytes and overlong texts, that are looked at together."""
    chars = 0
    for row in table.rows():
        found.rows += 1
        if len(row) > width:
            _see_plain(found, plain)
            found.widen(row)
            width = len(guesses)
        if found.rows <= SAMPLE_ROWS:
            _sample(found, row)
        spilled = too_long(row)
        if len(row) == width and not spilled and bytes not in map(type, row):
            plain.append(row)
            chars += chars_of(row)
            if len(plain) == TOGETHER or chars >= MAX_TOGETHER_CHARS:
                _see_plain(found, plain)
                chars = 0
        else:
            _see_alone(found, row, spilled)
        for number, columns in indexes:
            keys.add(number, key_of(row, columns), found.rows)
    _see_plain(found, plain)
    return found


def _see_plain(found: Survey, rows: list[Row]) -> None:
    """Look at rows column by column, and let go of them."""
    for guess, column in zip(found.guesses, zip(*rows, strict=True), strict=False):
        guess.see_all([cell for cell in column if cell is not None and cell != ""])
    rows.clear()


def _see_alone(found: Survey, row: Row, spilled: frozenset[int]) -> None:
    for guess, cell in zip(found.guesses, row, strict=False):
        if cell is not None and cell != "" and type(cell) is not bytes and not spilled:
            guess.see(cell)
    _see_odd(found, row, spilled)


def _see_odd(found: Survey, row: Row, spilled: frozenset[int]) -> None:
    for place, cell in enumerate(row):
        if type(cell) is bytes:
            found.blobs[place] += 1
        elif spilled and place in spilled:
            found.spilled[place] += 1
        elif spilled and not is_empty(cell):
            found.guesses[place].see(cell)


def _sample(found: Survey, row: Row) -> None:
    for place, cell in enumerate(row):
        kept = found.samples.setdefault(place, [])
        if len(kept) < MAX_SAMPLES and not is_empty(cell):
            text = f"{len(cell)} bytes" if isinstance(cell, bytes) else shown(cell)
            text = f"{text[:MAX_SAMPLE_CHARS]}…" if len(text) > MAX_SAMPLE_CHARS else text
            if text not in kept:
                kept.append(text)


def chars_of(row: Row) -> int:
    """Return how many characters the texts of a row have."""
    try:
        return len("".join(row))
    except TypeError:  # not all of them are texts
        return sum([len(cell) for cell in row if type(cell) is str])


def portions(rows: Iterable[Row], most: int) -> Iterator[list[Row]]:
    """Yield rows some at a time: at most so many, fewer where their texts are long, so that memory does not follow them."""
    some: list[Row] = []
    chars = 0
    for row in rows:
        some.append(row)
        chars += chars_of(row)
        if len(some) == most or chars >= MAX_TOGETHER_CHARS:
            yield some
            some, chars = [], 0
    if some:
        yield some


def too_long(row: Row) -> frozenset[int]:
    """Return the places of texts that a record cannot hold and that become files, the longest first."""
    if 6 * chars_of(row) <= MAX_CELL_BYTES:  # six bytes a character at worst
        return _NOTHING
    sizes = {place: _size(cell) for place, cell in enumerate(row) if type(cell) is str}
    out = {place for place, size in sizes.items() if size > MAX_CELL_BYTES}
    left = sum(size for place, size in sizes.items() if place not in out)
    for place in sorted(sizes.keys() - out, key=lambda place: -sizes[place]):
        if left <= MAX_TEXTS_BYTES:
            break
        left -= sizes[place]
        out.add(place)
    return frozenset(out)


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())
