"""Cells as text: once for judging what they are, once for people. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def text_of(cell: Any) -> str:
    """Return a cell that is no bytes as the text by which it is judged; the forms of `text_formats` and `date_formats` read it."""
    kind = type(cell)
    if kind is str or kind is int:
        return str(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return float.__repr__(cell).removesuffix(".0")
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return f"PT{seconds(cell)}S"
    return str(cell)


def shown(cell: Any) -> str:
    """Return a cell that is no bytes as people read it in a text field."""
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return str(cell) if isinstance(cell, timedelta) else text_of(cell)


def seconds(length: timedelta) -> str:
    """Return a length of time in seconds, exactly."""
    whole = Decimal(length.days * 86_400 + length.seconds) + Decimal(length.microseconds).scaleb(-6)
    return format(whole.normalize() if whole else Decimal(0), "f")
