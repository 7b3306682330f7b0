"""When a schedule is due: a wall clock's time in a time zone, once a day, week or month. Pure.

A day that a month does not have is its last one. A time that daylight saving skips is taken an hour later; one that comes
twice is taken the first time.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.base.errors import InvalidInput

EVERY = ("daily", "weekly", "monthly")
DEFAULT_MINUTE = 3 * 60
"""Early in the morning."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How often: *weekday* 0 (Monday) to 6 where weekly, *day* 1 to 31 where monthly, *minute* of the day 0 to 1439."""

    every: str
    minute: int = DEFAULT_MINUTE
    weekday: int = 0
    day: int = 1

    def __post_init__(self) -> None:
        if self.every not in EVERY:
            raise InvalidInput(f"A schedule is {', '.join(EVERY[:-1])} or {EVERY[-1]}.")
        for name, value, last in (("minute", self.minute, 1439), ("weekday", self.weekday, 6), ("day", self.day, 31)):
            if type(value) is not int or not (1 if name == "day" else 0) <= value <= last:
                raise InvalidInput(f"The {name} of a schedule is a whole number up to {last}.")

    def text(self) -> str:
        """Return the schedule as people say it: "every Monday at 03:00"."""
        at = f"at {self.minute // 60:02d}:{self.minute % 60:02d}"
        if self.every == "daily":
            return f"every day {at}"
        if self.every == "weekly":
            return f"every {WEEKDAYS[self.weekday]} {at}"
        last = " (or the last day of a shorter month)" if self.day > 28 else ""
        return f"on day {self.day} of every month{last} {at}"


def next_due(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment later than *after* at which the schedule is due, in UTC.

    Args:
        after: An aware time.
        zone: Whose wall clock the schedule means.
    """
    day = after.astimezone(zone).date() - timedelta(days=1)  # the day before: a skipped time can lie past midnight
    while True:
        day = _day_from(schedule, day)
        due = _moment(day, schedule.minute, zone)
        if due > after:
            return due
        day += timedelta(days=1)


def _day_from(schedule: Schedule, day: date) -> date:
    """Return the first day, *day* or later, that the schedule names."""
    if schedule.every == "weekly":
        return day + timedelta(days=(schedule.weekday - day.weekday()) % 7)
    if schedule.every == "monthly":
        this = _in_month(day.year, day.month, schedule.day)
        return this if this >= day else _in_month(day.year + day.month // 12, day.month % 12 + 1, schedule.day)
    return day


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    # fold=0 is the first of two equal times, and the offset before the gap for one that does not exist.
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)
