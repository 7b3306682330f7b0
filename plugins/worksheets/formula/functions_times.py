"""Functions of dates, times and lengths of time. Without a time zone named, it is UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from plugins.worksheets.formula.arithmetic import moved, trimmed
from plugins.worksheets.formula.function import Function, Surroundings
from plugins.worksheets.formula.functions_numbers import rounded
from plugins.worksheets.formula.timeformat import read, written, zone
from plugins.worksheets.formula.values import (
    EXACT,
    CalculationFailed,
    Span,
    blank,
    moment,
    number,
    seconds_of,
    text,
    whole,
)

_SECONDS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "hr": 3600,
            "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}
_MONTHS = {"mon": 1, "month": 1, "quarter": 3, "y": 12, "year": 12, "decade": 120}
_UNIT = re.compile(r"\s*([-+]?\d{1,30}(?:\.\d{1,60})?|[-+]?\.\d{1,60})\s*([a-z]{1,10})\s*,?")
_CLOCK = re.compile(r"\s*(-?)(\d{1,12}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,6})?))?\s*\Z")


def _today(around: Surroundings) -> date:
    return around.now.date()


def _now(around: Surroundings) -> datetime:
    return around.now


def _part(take: Callable[[datetime], int]) -> Callable[[Any], Decimal | None]:
    def read_part(value: Any) -> Decimal | None:
        at = moment(value)
        return None if at is None else Decimal(take(at))
    return read_part


def _format(value: Any, pattern: Any) -> str:
    at = moment(value)
    return "" if at is None else written(at, text(pattern))


def _format_in_zone(value: Any, pattern: Any, name: Any) -> str:
    at = moment(value)
    return "" if at is None else written(at.astimezone(zone(text(name))), text(pattern))


def _to_date(value: Any, pattern: Any = None) -> date | None:
    at = _to_datetime(value, pattern)
    return None if at is None else at.date()


def _to_datetime(value: Any, pattern: Any = None) -> datetime | None:
    if blank(value):
        return None
    if isinstance(value, str) and pattern is not None:
        return read(value, text(pattern))
    at = moment(value)
    if at is None:
        raise CalculationFailed("not a date")
    return at


def _to_date_in_zone(value: Any, pattern: Any, name: Any) -> date | datetime | None:
    """Return the date that a moment has in a time zone; a text's pattern is read as of that zone."""
    if blank(value):
        return None
    if isinstance(value, str):
        return read(value, text(pattern)).replace(tzinfo=zone(text(name))).astimezone(UTC)
    at = moment(value)
    return None if at is None else at.astimezone(zone(text(name))).date()


def _difference(unit: Any, start: Any, end: Any) -> Decimal | None:
    """Return how many whole units lie between two moments, counted as calendar steps for months and years."""
    first, second, name = moment(start), moment(end), _unit_name(text(unit))
    if first is None or second is None:
        return None
    if name in _MONTHS:
        months = (second.year - first.year) * 12 + second.month - first.month
        return Decimal(int(months / _MONTHS[name]))
    seconds = seconds_of(second - first)
    return EXACT.divide_int(seconds, Decimal(_SECONDS[name]))


def _unit_name(unit: str) -> str:
    name = unit.strip().lower()
    name = {"yy": "year", "yyyy": "year", "mm": "month", "dd": "day", "wk": "week", "hh": "hour", "mi": "minute",
            "ss": "second", "qq": "quarter"}.get(name, name)
    for found in (name, name.removesuffix("s")):
        if found in _SECONDS or found in _MONTHS:
            return found
    raise CalculationFailed("unknown unit of time")


def interval(value: Any) -> Span | None:
    """Return the length of time that a text such as “1 month 3.5 days” or “1:30:00” tells; None when blank.

    Raises:
        CalculationFailed: it tells none.
    """
    if isinstance(value, Span):
        return value
    if isinstance(value, Decimal):
        return Span(0, value)
    shown = text(value).strip().lower()
    return _clock(shown) or _units(shown) if shown else None


def _clock(shown: str) -> Span | None:
    match = _CLOCK.match(shown)
    if match is None:
        return None
    seconds = Decimal(int(match[2]) * 3600 + int(match[3]) * 60) + Decimal(match[4] or 0)
    return Span(0, -seconds if match[1] else seconds)


def _units(shown: str) -> Span:
    months, seconds, end = 0, Decimal(0), 0
    while end < len(shown):
        match = _UNIT.match(shown, end)
        if match is None:
            raise CalculationFailed("not a length of time")
        amount, name, end = Decimal(match[1]), _unit_name(match[2]), match.end()
        if name in _MONTHS:
            months += whole(amount * _MONTHS[name], -120_000, 120_000)
        else:
            seconds = EXACT.add(seconds, EXACT.multiply(amount, Decimal(_SECONDS[name])))
    return Span(months, trimmed(rounded(seconds, 6)))


def _to_seconds(value: Any) -> Decimal | None:
    span = interval(value)
    if span is None:
        return None
    if span.months:
        raise CalculationFailed("months have no fixed number of seconds")
    return trimmed(span.seconds)


def _to_duration(value: Any) -> Span | None:
    return None if blank(value) else Span(0, number(value))


def _date_add(value: Any, amount: Any, unit: Any) -> date | None:
    if blank(value):
        return None
    start = value if isinstance(value, date) else _to_datetime(value)
    span = _units(f"{number(amount):f} {text(unit).strip().lower()}")
    return None if start is None else moved(start, span)


TIMES = (
    Function("today", _today, 0, 0, "today()", "The present day.", surrounded=True),
    Function("now", _now, 0, 0, "now()", "The present moment.", surrounded=True),
    Function("year", _part(lambda at: at.year), 1, 1, "year(date)", "Its year."),
    Function("quarter", _part(lambda at: (at.month + 2) // 3), 1, 1, "quarter(date)", "Its quarter, 1 to 4."),
    Function("month", _part(lambda at: at.month), 1, 1, "month(date)", "Its month, 1 to 12."),
    Function("week", _part(lambda at: at.isocalendar().week), 1, 1, "week(date)", "Its week by ISO 8601."),
    Function("day", _part(lambda at: at.day), 1, 1, "day(date)", "Its day of the month."),
    Function("weekday", _part(lambda at: at.isoweekday()), 1, 1, "weekday(date)", "1 for Monday to 7 for Sunday."),
    Function("hour", _part(lambda at: at.hour), 1, 1, "hour(datetime)", "Its hour."),
    Function("minute", _part(lambda at: at.minute), 1, 1, "minute(datetime)", "Its minute."),
    Function("second", _part(lambda at: at.second), 1, 1, "second(datetime)", "Its second."),
    Function("datetime_format", _format, 2, 2, "datetime_format(date, pattern)",
             "As text by a pattern such as `'YYYY-MM-DD HH24:MI:SS'`, `'IW'`, `'Mon'`, `'Day'`."),
    Function("datetime_format_tz", _format_in_zone, 3, 3, "datetime_format_tz(date, pattern, zone)",
             "The same in a time zone such as `'Europe/Berlin'`."),
    Function("todate", _to_date, 1, 2, "todate(text, pattern)", "The date in a text, read by a pattern."),
    Function("todate_tz", _to_date_in_zone, 3, 3, "todate_tz(text, pattern, zone)",
             "The moment in a text of a time zone, or a moment's date there."),
    Function("todatetime", _to_datetime, 1, 2, "todatetime(text, pattern)", "The moment in a text."),
    Function("date_diff", _difference, 3, 3, "date_diff(unit, from, to)",
             "How many whole days, weeks, months, hours … lie between."),
    Function("date_add", _date_add, 3, 3, "date_add(date, amount, unit)", "A date moved by days, months, …"),
    Function("date_interval", interval, 1, 1, "date_interval(text)",
             "A length of time such as `'3 days'`, `'1 month'`, `'1.5 h'`, to add to a date."),
    Function("toseconds", _to_seconds, 1, 1, "toseconds(duration)", "A length of time in seconds."),
    Function("toduration", _to_duration, 1, 1, "toduration(seconds)", "Seconds as a length of time."),
)
