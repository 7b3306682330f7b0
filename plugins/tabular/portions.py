"""Portions: rows of a table that are looked at together, few enough that memory does not follow their number. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from plugins.tabular.table import Row

TOGETHER, MAX_TOGETHER_CHARS = 2000, 1_000_000
MAX_CELL_BYTES = 50_000
MAX_TEXTS_BYTES = 80_000
_NOTHING: frozenset[int] = frozenset()


class Portion(list[Row]):
    """Some rows of a table, one after the other."""

    longest = 0
    """How many characters the texts of its longest row have."""

    def padded(self, width: int) -> list[Row]:
        """Return the rows, those that are shorter filled up with nothing."""
        if {width}.issuperset(map(len, self)):
            return self
        return [row if len(row) >= width else [*row, *[None] * (width - len(row))] for row in self]

    @property
    def overlong(self) -> dict[int, frozenset[int]]:
        """Which rows, by their place here, have texts that a record cannot hold, and where; see `too_long`."""
        if 6 * self.longest <= MAX_CELL_BYTES:
            return {}
        return {number: places for number, row in enumerate(self) if (places := too_long(row))}


def chars_of(row: Row) -> int:
    """Return how many characters the texts of a row have."""
    return len("".join([cell for cell in row if type(cell) is str]))


class Portioned:
    """What reads a table, and can give its rows some at a time as well."""

    def portions(self) -> Iterator[Portion]:
        """Yield the rows, see `portions`."""
        raise NotImplementedError


def together(rows: Callable[[], Iterator[Row]]) -> Iterator[Portion]:
    """Yield the rows that *rows* reads, some at a time."""
    return rows.portions() if isinstance(rows, Portioned) else portions(rows())


def portions(rows: Iterable[Row], most: int = TOGETHER) -> Iterator[Portion]:
    """Yield rows some at a time: at most so many, fewer where their texts or bytes are long, so that memory does not follow them."""
    some, chars, only_texts = Portion(), 0, True
    for row in rows:
        some.append(row)
        try:
            size = len("".join(row)) if only_texts else chars_of(row)
        except TypeError:  # and so it is with most rows of this table
            only_texts, size = False, chars_of(row)
        chars += size if only_texts else size + sum([len(cell) for cell in row if type(cell) is bytes])
        if size > some.longest:
            some.longest = size
        if len(some) == most or chars >= MAX_TOGETHER_CHARS:
            yield some
            some, chars = Portion(), 0
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
