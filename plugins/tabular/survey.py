"""Survey: the first of two readings of a table, which learns what its columns are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from plugins.tabular.cells import shown
from plugins.tabular.portions import Portion, together, too_long
from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.table import Column, Row, Table, check_width, is_empty
from plugins.tabular.type_inference import Guess

SAMPLE_ROWS = 200
MAX_SAMPLES = 5
MAX_SAMPLE_CHARS = 60


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
    indexes = keys.of(place)
    for some in together(table.rows):
        for row in some[:max(0, SAMPLE_ROWS - found.rows)]:
            _sample(found, row)
        for number, columns in indexes:
            for seq, row in enumerate(some, start=found.rows + 1):
                keys.add(number, key_of(row, columns), seq)
        found.rows += len(some)
        if _are_plain(some, len(found.guesses)):
            _see_plain(found, some.padded(len(found.guesses)))
        else:
            _see_each(found, some)
    return found


def _are_plain(rows: Portion, width: int) -> bool:
    """Say whether no row is wider than the table, or holds bytes or an overlong text."""
    return (not rows.overlong and max(map(len, rows)) <= width
            and bytes not in set(map(type, chain.from_iterable(rows))))


def _see_each(found: Survey, rows: list[Row]) -> None:
    """Look at rows of any kind: together at those of the full width, without bytes and overlong texts."""
    plain: list[Row] = []
    for row in rows:
        if len(row) > len(found.guesses):
            _see_plain(found, plain)
            plain = []
            found.widen(row)
        spilled = too_long(row)
        if len(row) == len(found.guesses) and not spilled and bytes not in map(type, row):
            plain.append(row)
        else:
            _see_alone(found, row, spilled)
    _see_plain(found, plain)


def _see_plain(found: Survey, rows: list[Row]) -> None:
    """Look at rows column by column."""
    for guess, column in zip(found.guesses, zip(*rows, strict=True), strict=False):
        guess.see_all(column if None not in column and "" not in column else [cell for cell in column if cell is not None and cell != ""])


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
