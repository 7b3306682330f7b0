"""When schedules are due: over a year, across daylight saving, at the ends of months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backups.schedule.rule import Schedule, next_due
from core.base.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")


def dues(schedule: Schedule, start: datetime, count: int, zone: ZoneInfo = BERLIN) -> list[datetime]:
    """Return the next so many moments, in the zone."""
    found, at = [], start
    for _ in range(count):
        at = next_due(schedule, at, zone)
        found.append(at.astimezone(zone))
    return found


def test_daily_is_the_same_wall_time_all_year() -> None:
    """365 times in 2026, at three in the morning by the clock on the wall, once a day."""
    found = dues(Schedule(every="daily"), datetime(2025, 12, 31, 12, tzinfo=UTC), 365)
    assert [datetime(2026, 1, 1).date() + timedelta(days=n) for n in range(365)] == [at.date() for at in found]
    assert {(3, 0)} == {(at.hour, at.minute) for at in found}


def test_a_skipped_time_comes_an_hour_later() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin: it runs at 03:30, once, and at 02:30 again the next day."""
    found = dues(Schedule(every="daily", minute=150), datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"] == [at.isoformat() for at in found]


def test_a_time_that_comes_twice_runs_once() -> None:
    """On 25 October 2026 there are two 02:30 in Berlin: it runs at the first."""
    found = dues(Schedule(every="daily", minute=150), datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"] == [at.isoformat() for at in found]


def test_the_31st_is_the_last_day_of_shorter_months() -> None:
    """Twelve runs in a leap year, each on the last day."""
    found = dues(Schedule(every="monthly", day=31), datetime(2027, 12, 31, 23, tzinfo=UTC), 12)
    assert [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] == [at.day for at in found]


def test_weekly_is_always_that_weekday() -> None:
    """52 Sundays."""
    found = dues(Schedule(every="weekly", weekday=6), datetime(2026, 1, 1, tzinfo=UTC), 52)
    assert {6} == {at.weekday() for at in found}
    assert {timedelta(days=7)} == {b.date() - a.date() for a, b in pairwise(found)}


@given(st.sampled_from(("daily", "weekly", "monthly")), st.integers(0, 1439), st.integers(0, 6), st.integers(1, 31),
       st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),
       st.sampled_from(("Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu")))
def test_the_next_is_later_and_none_lies_between(every: str, minute: int, weekday: int, day: int, at: datetime,
                                                 zone: str) -> None:
    """What is due next lies after the moment asked about, and asked from just before it, it is the same."""
    schedule = Schedule(every=every, minute=minute, weekday=weekday, day=day)
    after = at.replace(tzinfo=UTC)
    due = next_due(schedule, after, ZoneInfo(zone))
    assert due > after
    assert due == next_due(schedule, due - timedelta(microseconds=1), ZoneInfo(zone))
    assert due - after <= timedelta(days=63)


@pytest.mark.parametrize("wrong", [{"every": "hourly"}, {"every": "daily", "minute": 1440}, {"every": "weekly", "weekday": 7},
                                   {"every": "monthly", "day": 0}, {"every": "daily", "minute": True}])
def test_a_wrong_schedule_is_refused(wrong: dict[str, object]) -> None:
    """With a sentence that says what may stand there."""
    with pytest.raises(InvalidInput):
        Schedule(**wrong)  # type: ignore[arg-type]
