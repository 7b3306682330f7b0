"""When a schedule is due, and when a date of a record is reached: by a wall clock in a time zone. Pure.

A time that daylight saving skips is taken an hour later; one that comes twice is taken the first time. A day that a month does not have
is its last one. Every second day, week or month is counted from a fixed one, so that a schedule needs no memory.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EARLY_HOUR = 9
"""When a date without a time counts as reached, unless a trigger says another hour."""
MOST_DAYS = 40_000
_FIRST_MONDAY = date(1970, 1, 5).toordinal()
Schedule = Mapping[str, Any]


def next_due(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment later than *after* at which a schedule is due, in UTC; None where there is none for a hundred years.

    Args:
        schedule: "every", "interval" and what goes with it, as documents have it.
        after: An aware time.
        zone: Whose wall clock is meant.
    """
    every, interval = schedule.get("every", "day"), max(int(schedule.get("interval", 1)), 1)
    if every == "minute":
        minutes = int(after.timestamp()) // 60
        return datetime.fromtimestamp((minutes // interval + 1) * interval * 60, UTC)
    if every == "hour":
        return _next_hour(schedule, after.astimezone(UTC), zone, interval)
    first = after.astimezone(zone).date() - timedelta(days=1)  # the day before: a skipped time can lie past midnight
    minute = int(schedule.get("hour", 0)) * 60 + int(schedule.get("minute", 0))
    for day in _days(schedule, every, interval, first):
        due = moment(day, minute, zone)
        if due > after:
            return due
    return None


def reached(value: str, days_before: int, minute: int, zone: ZoneInfo) -> datetime | None:
    """Return when a record's date counts as reached: so many days before or after it; a day without a time at a minute of that day."""
    try:
        if len(value) == 10:
            return moment(date.fromisoformat(value) - timedelta(days=days_before), minute, zone)
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        local = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(zone)
        return datetime.combine(local.date() - timedelta(days=days_before), local.time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the moment at which a wall clock shows a minute of a day."""
    # fold=0 is the first of two equal times, and the offset before the gap for one that does not exist.
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def _next_hour(schedule: Schedule, after: datetime, zone: ZoneInfo, interval: int) -> datetime:
    minute = int(schedule.get("minute", 0))
    found = after.replace(second=0, microsecond=0)
    while True:
        found += MINUTE
        if found.astimezone(zone).minute == minute and int(found.timestamp()) // 3600 % interval == 0:
            return found


def _days(schedule: Schedule, every: str, interval: int, first: date) -> Iterator[date]:
    """Yield the days that a schedule names, from one on."""
    weekdays = set(schedule.get("weekdays") or (0,))
    for n in range(MOST_DAYS):
        day = first + timedelta(days=n)
        if every == "day":
            named = day.toordinal() % interval == 0
        elif every == "week":
            named = day.weekday() in weekdays and (day.toordinal() - _FIRST_MONDAY) // 7 % interval == 0
        else:
            last = calendar.monthrange(day.year, day.month)[1]
            named = (day.year * 12 + day.month) % interval == 0 and day.day == min(int(schedule.get("day", 1)), last)
        if named:
            yield day
