"""Cursors: a place in the order of one question as text that pages carry. They come from outside, so all is checked.

A cursor only says where to go on: what may be seen there is decided anew each time, so it needs no signature.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from core.api import InvalidInput
from plugins.worksheets.query.orders import Order, Spot

MAX_CURSOR = 4000


def write_cursor(mark: str, spot: Spot, *, back: bool) -> str:
    """Return a cursor to what comes after a spot, or before it where *back*."""
    text = json.dumps([mark, int(back), *spot], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(mark: str, order: Order, cursor: str) -> tuple[Spot, bool]:
    """Return a cursor's spot, and whether it goes back.

    Raises:
        InvalidInput: it is none, or one of another question.
    """
    found = _parsed(cursor)
    if not isinstance(found, list) or len(found) < 3 or found[0] != mark or found[1] not in (0, 1) or not order.sound(found[2:]):
        raise InvalidInput("That place in the list no longer exists; start again from its first page.")
    return tuple(found[2:]), found[1] == 1


def mark_of(*parts: Any) -> str:
    """Return what tells the cursors of one question from those of others."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]


def _parsed(cursor: Any) -> Any:
    if not isinstance(cursor, str) or not 0 < len(cursor) <= MAX_CURSOR or not cursor.isascii():
        return None
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found = json.loads(raw.decode())
        json.dumps(found, allow_nan=False).encode("utf-8")
        _checked(found)
    except (ValueError, RecursionError):
        return None
    return found


def _checked(found: Any) -> None:
    """Refuse texts that no database takes: U+0000, halves of characters."""
    for item in found if isinstance(found, list) else ():
        if isinstance(item, str) and ("\0" in item or not item.encode("utf-8", "strict")) and item:
            raise ValueError
