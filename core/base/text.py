"""Text: figures as people read them, names that look like what they are. Pure."""

from __future__ import annotations

import unicodedata

from core.base.errors import InvalidInput

UNITS = ("bytes", "kB", "MB", "GB", "TB")
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of what follows: names that look like other names are made of them."""
_STRAIGHT = str.maketrans("", "", TURNING)


def size_text(size: int) -> str:
    """Return a size in bytes as people say it: "12.3 MB" (powers of ten)."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} bytes" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def count_text(number: int, one: str) -> str:
    """Return how many there are as people say it: "1 record", "2,000 records"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def is_encodable(text: str) -> bool:
    """Say whether a text can be written out: half of a character cannot, and would end what writes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


NO_LINE = ("Cc", "Cs", "Zl", "Zp")
"""Kinds of characters that a line has none of: control characters, halves of characters, ends of lines."""


def straight(text: str) -> str:
    """Return a text without the characters that turn its direction, so that a name in a sentence turns nothing else."""
    return text.translate(_STRAIGHT)


def checked_line(text: str, longest: int, what: str = "a name") -> str:
    """Return what somebody typed on one line, as given.

    Raises:
        InvalidInput: it is empty, too long, or has characters that control or turn what follows.
    """
    if not 1 <= len(text) <= longest:
        raise InvalidInput(f"Enter {what} of 1 to {longest} characters.")
    if any(unicodedata.category(char) in NO_LINE or char in TURNING for char in text):
        raise InvalidInput(f"Enter {what} of 1 to {longest} characters, without control characters.")
    return text
