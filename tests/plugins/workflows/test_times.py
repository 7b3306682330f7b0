"""Schedules by a wall clock: a day of them over each change of the clock, months that lack a day, every second week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plugins.workflows.times import next_due, reached

BERLIN = ZoneInfo("Europe/Berlin")


def of_a_day(schedule: dict[str, Any], day: str, zone: ZoneInfo = BERLIN) -> list[str]:
    """Return the moments of a local day at which a schedule is due, as the clock on the wall shows them, each found from the one before."""
    found, at = [], datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    while (due := next_due(schedule, at, zone)) is not None and due < end:
        found.append(due.astimezone(zone).strftime("%H:%M%z"))
        at = due
    return found


@pytest.mark.parametrize(("schedule", "day", "wanted"), [
    # 29 March 2026: 02:00 becomes 03:00. 25 October 2026: 03:00 becomes 02:00 again.
    ({"every": "day", "hour": 2, "minute": 30}, "2026-03-29", ["03:30+0200"]),
    ({"every": "day", "hour": 2, "minute": 30}, "2026-10-25", ["02:30+0200"]),
    ({"every": "day", "hour": 7}, "2026-03-29", ["07:00+0200"]),
    ({"every": "day", "hour": 7}, "2026-10-25", ["07:00+0100"]),
    ({"every": "hour", "interval": 6, "minute": 15}, "2026-06-01", ["02:15+0200", "08:15+0200", "14:15+0200", "20:15+0200"]),
    ({"every": "week", "weekdays": [6], "hour": 2}, "2026-03-29", ["03:00+0200"]),
    ({"every": "week", "weekdays": [0, 1], "hour": 2}, "2026-03-29", []),
    ({"every": "month", "day": 31, "hour": 9}, "2026-02-28", ["09:00+0100"]),
    ({"every": "month", "day": 31, "hour": 9}, "2026-01-30", []),
])
def test_a_day_of_schedules(schedule: dict[str, Any], day: str, wanted: list[str]) -> None:
    """A time that is skipped comes an hour later, one that comes twice the first time."""
    assert of_a_day(schedule, day) == wanted


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_every_hour_and_minute_goes_on_over_a_change_of_the_clock(day: str, hours: int) -> None:
    """As many as the day has."""
    assert len(of_a_day({"every": "hour", "minute": 15}, day)) == hours
    assert len(of_a_day({"every": "minute", "interval": 15}, day)) == 4 * hours


@pytest.mark.parametrize(("every", "days"), [("day", 3), ("week", 14), ("month", 59)])
def test_every_second_or_third(every: str, days: int) -> None:
    """Counted from a fixed one, whenever it is asked."""
    schedule = {"every": every, "interval": {"day": 3, "week": 2, "month": 2}[every], "weekdays": [2], "hour": 5}
    first = next_due(schedule, datetime(2026, 1, 1, tzinfo=UTC), UTC and ZoneInfo("UTC"))
    assert first is not None
    second = next_due(schedule, first, ZoneInfo("UTC"))
    assert second is not None and (second - first).days == days


@given(some.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), some.sampled_from(["minute", "hour", "day", "week", "month"]),
       some.integers(1, 20), some.integers(0, 23), some.integers(0, 59), some.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"]))
def test_what_is_due_next_is_later_and_nothing_is_between(at: datetime, every: str, interval: int, hour: int, minute: int, zone: str) -> None:
    """Asked again from just before it, it is the same moment."""
    schedule = {"every": every, "interval": interval, "hour": hour, "minute": minute}
    due = next_due(schedule, at.replace(tzinfo=UTC), ZoneInfo(zone))
    assert due is not None and due > at.replace(tzinfo=UTC)
    assert next_due(schedule, due - timedelta(microseconds=1), ZoneInfo(zone)) == due


def test_when_a_date_is_reached() -> None:
    """A day at a minute of it, a moment at its own; so many days before and after; what is no date never."""
    assert reached("2026-03-30", 1, 150, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert reached("2026-03-30", 0, 540, BERLIN) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert reached("2026-03-30T09:00:00Z", 2, 540, BERLIN) == datetime(2026, 3, 28, 10, 0, tzinfo=UTC)
    assert reached("2026-03-30", -1, 540, BERLIN) == datetime(2026, 3, 31, 7, 0, tzinfo=UTC)
    assert reached("soon", 0, 540, BERLIN) is None and reached("0001-01-01", 9, 0, BERLIN) is None and date(2026, 1, 1)
