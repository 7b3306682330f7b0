"""Spans: which days "within this week" or "5 days ago" mean, in the organization's time zone. Pure.

Weeks begin on Monday. "Within 3 days from now" is every day between today and that one, both included.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PERIODS = ("this_week", "this_month", "this_year")
_FAR = re.compile(r"(days|weeks|months|years)_(ago|from_now)\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
MAX_AMOUNT = 4000


@dataclass(frozen=True, slots=True)
class DayRange:
    """From a moment up to another, which is not part of it; a single moment where both are the same.

    `first` and `last` are the days it begins and ends on, `last` included; `start` and `end` moments in UTC.
    """

    first: date
    last: date
    start: datetime
    end: datetime


def span_of(unit: str | None, value: Any, zone: ZoneInfo, now: datetime, *, within: bool = False) -> DayRange | None:
    """Return the days that a condition names, None where it names none that there are."""
    today = now.astimezone(zone).date()
    try:
        if unit in PERIODS:
            return _days(*_period(unit, today), zone)
        if unit in (None, "exact_date"):
            return _exact(value, zone)
        day = _day(str(unit), value, today)
        if day is None:
            return None
        return _days(min(day, today), max(day, today), zone) if within else _days(day, day, zone)
    except (ValueError, OverflowError):
        return None


def _period(unit: str, today: date) -> tuple[date, date]:
    if unit == "this_week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if unit == "this_month":
        return today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1])
    return today.replace(month=1, day=1), today.replace(month=12, day=31)


def _day(unit: str, value: Any, today: date) -> date | None:
    near = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if unit in near:
        return today + timedelta(days=near[unit])
    found, text = _FAR.match(unit), str(value).strip()
    if not found or not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) > MAX_AMOUNT:
        return None
    amount = int(text) * (-1 if found[2] == "ago" else 1)
    if found[1] in ("days", "weeks"):
        return today + timedelta(days=amount * (7 if found[1] == "weeks" else 1))
    months = today.year * 12 + today.month - 1 + amount * (12 if found[1] == "years" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _exact(value: Any, zone: ZoneInfo) -> DayRange | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    if _DAY.match(text):
        day = date.fromisoformat(text)
        return _days(day, day, zone)
    moment = datetime.fromisoformat(text)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    day = moment.astimezone(zone).date()
    return DayRange(day, day, moment, moment)


def _days(first: date, last: date, zone: ZoneInfo) -> DayRange:
    return DayRange(first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
