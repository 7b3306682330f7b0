"""Days that people filter by: read from an address, and turned into moments of their time zone."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import request


def day_asked(name: str, errors: dict[str, str]) -> date | None:
    """Return the day that the address asks for under *name*; what is wrong with it goes into *errors*."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = "Enter a date as year-month-day, such as 2026-11-23."
        return None


def midnight(day: date | None, zone: ZoneInfo) -> int | None:
    """Return the beginning of a day in microseconds UTC; of one that is too far away, the nearest that is not."""
    if day is None:
        return None
    near = min(max(day, date(1970, 1, 2)), date(9999, 1, 1))
    return int(datetime.combine(near, time.min, zone).timestamp()) * 1_000_000
