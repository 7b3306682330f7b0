"""Dialect: how the cells of a CSV file are written, found by what makes rows of one length. Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARS = 64 * 1024
_SAID = re.compile(r"\ufeff?sep=(.)\r?\n?\Z", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\"\\])")
NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass(frozen=True)
class Dialect:
    """A delimiter; whether a backslash makes a quotation mark part of a cell; whether spaces before cells are passed over."""

    delimiter: str = ","
    backslash: bool = False
    spaced: bool = False

    def plain(self, line: str) -> str:
        """Return a line with quotation marks in cells written twice, as CSV has them."""
        return _ESCAPED.sub(lambda found: '""' if found[1] == '"' else "\\", line) if self.backslash and "\\" in line else line


def said_delimiter(line: str) -> str | None:
    """Return the delimiter that a first line such as "sep=;" says, as Excel writes it."""
    found = _SAID.match(line)
    return found[1] if found and found[1] not in "\"\r\n\0" else None


def dialect_of(sample: Sequence[str], delimiter: str | None = None) -> Dialect:
    """Return how some first lines of a file are written; with commas, and as plain as can be, where nothing speaks against it."""
    quoted = any('\\"' in line for line in sample)
    found = [Dialect(one, backslash, spaced) for one in ((delimiter,) if delimiter else DELIMITERS)
             for backslash in ((False, True) if quoted else (False,))
             for spaced in ((False, True) if any(f'{one} "' in line for line in sample) else (False,))]
    return max(found, key=lambda one: (_score(sample, one), -found.index(one)))


def _score(sample: Sequence[str], dialect: Dialect) -> tuple[float, int]:
    """Return which share of the rows has the most frequent length above 1, and that length.

    Nothing where the first row is not divided and most others are not either: then it is a character in texts.
    """
    try:
        rows = csv.reader(map(dialect.plain, sample), delimiter=dialect.delimiter, skipinitialspace=dialect.spaced)
        found = [len(row) for row in rows if row]
    except csv.Error:
        return 0.0, 0
    divided = Counter(width for width in found if width > 1)
    if not divided or (found[0] == 1 and 2 * divided.total() < len(found)):
        return 0.0, 0
    width, count = max(divided.items(), key=lambda item: (item[1], item[0]))
    return round(count / len(found), 6), width


def cells_of(text: str, dialect: Dialect) -> list[str]:
    """Return the cells of a row in which quotation marks stand amid quoted cells: one ends a cell only before a delimiter.

    A cell whose quotation mark is never closed so is taken as it stands.
    """
    text, cells, place = text.rstrip("\r\n"), list[str](), 0
    while place <= len(text):
        start = place
        while dialect.spaced and text.startswith(" ", start):
            start += 1
        end = _closing(text, start, dialect.delimiter) if text.startswith('"', start) else None
        if end is None:
            stop = text.find(dialect.delimiter, place)
            stop = len(text) if stop < 0 else stop
            cells.append(text[start:stop])
        else:
            cells.append(text[start + 1:end].replace('""', '"'))
            stop = end + 1
        place = stop + 1
    return cells


def _closing(text: str, start: int, delimiter: str) -> int | None:
    """Return where the quotation mark stands that ends a cell which begins with one."""
    place = text.find('"', start + 1)
    while place >= 0:
        after = text[place + 1:place + 2]
        if after in ("", delimiter):
            return place
        place = text.find('"', place + (2 if after == '"' else 1))
    return None
