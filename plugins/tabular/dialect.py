"""Dialect: which character stands between the cells of a CSV file, found by which one makes rows of one length. Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARS = 64 * 1024
_SAID = re.compile(r"\ufeff?sep=(.)\r?\n?\Z", re.IGNORECASE)


def said_delimiter(line: str) -> str | None:
    """Return the delimiter that a first line such as "sep=;" says, as Excel writes it."""
    found = _SAID.match(line)
    return found[1] if found and found[1] not in "\"\r\n\0" else None


def delimiter_of(sample: Sequence[str]) -> str:
    """Return the delimiter of some first lines of a file; a comma where there is none."""
    return max(DELIMITERS, key=lambda delimiter: (_score(sample, delimiter), -DELIMITERS.index(delimiter)))


def _score(sample: Sequence[str], delimiter: str) -> tuple[float, int]:
    """Return which share of the rows has the most frequent length above 1, and that length.

    Nothing where the first row is not divided and most others are not either: then it is a character in texts.
    """
    try:
        found = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    divided = Counter(width for width in found if width > 1)
    if not divided or (found[0] == 1 and 2 * divided.total() < len(found)):
        return 0.0, 0
    width, count = max(divided.items(), key=lambda item: (item[1], item[0]))
    return count / len(found), width
