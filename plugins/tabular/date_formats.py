"""Forms of moments: dates, dates with times, times of day, lengths of time. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from plugins.tabular.text_formats import Form

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NAMES = {name: n for names in (MONTHS, _LONG, ("sept",)) for n, name in enumerate(names, start=9 if "sept" in names else 1)}
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?([AaPp])\.?[Mm]\.?)?\Z")
_ISO_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0{1,6})?)?)?\Z")
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
                         r"( ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}))?\Z")
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_PLAIN_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
_YEAR_FIRST = re.compile(r"([0-9]{4})([/.])([0-9]{1,2})\2([0-9]{1,2})\Z")
_SLASHED = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})\Z")
_DOTTED = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})\Z")
_DAY_NAMED = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -]([0-9]{4})\Z")
_NAMED_DAY = re.compile(r"([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})\Z")
_LENGTH = re.compile(r"(-?)([0-9]{1,9}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,6})?)\Z")
_TYPED_LENGTH = re.compile(r"PT(-?[0-9]{1,15}(?:\.[0-9]{1,6})?)S\Z")
AMBIGUOUS = "its dates could be meant day first or month first"
NO_ZONE = "its times name no time zone; they are taken as UTC"


class _Day(Form):
    """A day."""

    type, family = "date", "date"

    def fits(self, text: str) -> bool:
        return self.day(text) is not None

    def value(self, text: str) -> Any:
        return self.day(text)

    def day(self, text: str) -> str | None:
        """Return the day as a date field has it, or None."""
        raise NotImplementedError


class IsoDate(_Day):
    """2026-11-23, also with a midnight behind it, and 2026/11/23."""

    def fits_all(self, texts: Sequence[str]) -> bool:
        return _all_exist(_PLAIN_DATE, date.fromisoformat, texts) or all(map(self.fits, texts))

    def day(self, text: str) -> str | None:
        if found := _ISO_DATE.match(text):
            return _existing(found[1])
        found = _YEAR_FIRST.match(text)
        return found and _day(found[1], found[3], found[4])


class DayFirst(_Day):
    """23/11/2026 or 23-11-2026."""

    rival = AMBIGUOUS

    def day(self, text: str) -> str | None:
        found = _SLASHED.match(text)
        return found and _day(found[4], found[3], found[1])


class MonthFirst(_Day):
    """11/23/2026 or 11-23-2026."""

    rival = AMBIGUOUS

    def day(self, text: str) -> str | None:
        found = _SLASHED.match(text)
        return found and _day(found[4], found[1], found[3])


class Dotted(_Day):
    """23.11.2026: where points are written, the day is first."""

    def day(self, text: str) -> str | None:
        found = _DOTTED.match(text)
        return found and _day(found[3], found[2], found[1])


class NamedMonth(_Day):
    """23 Nov 2026, 23-Nov-2026, November 23, 2026."""

    def day(self, text: str) -> str | None:
        if found := _DAY_NAMED.match(text):
            return _named(found[3], found[2], found[1])
        found = _NAMED_DAY.match(text)
        return found and _named(found[3], found[1], found[2])


class IsoMoment(Form):
    """2026-11-23 09:30, with seconds, parts of them, and an offset, or without."""

    type, family = "datetime", "datetime"

    def __init__(self) -> None:
        self.zoned = self.bare = False

    def fits(self, text: str) -> bool:
        found = _ISO_MOMENT.match(text)
        if found is None or self._moment(text, found[1]) is None:
            return False
        self.zoned, self.bare = self.zoned or bool(found[1]), self.bare or not found[1]
        return True

    def fits_all(self, texts: Sequence[str]) -> bool:
        if not _all_exist(_PLAIN_MOMENT, datetime.fromisoformat, texts):
            return all(map(self.fits, texts))
        self.zoned = True
        return True

    def doubt(self, blanks: int) -> str:
        return "some of its times name a time zone and some do not" if self.zoned and self.bare else ""

    def remark(self) -> str:
        return NO_ZONE if self.bare else ""

    def value(self, text: str) -> Any:
        found = _ISO_MOMENT.match(text)
        return found and self._moment(text, found[1])

    def _moment(self, text: str, zone: str | None) -> str | None:
        if zone:
            text = text.removesuffix(zone) + zone.strip().replace("UTC", "Z")
        return _parsed(text)


class _Clocked(Form):
    """A date in one of the other forms, a space, a time of day."""

    type, family = "datetime", "datetime"
    dates: ClassVar[_Day]

    def fits(self, text: str) -> bool:
        return self.value(text) is not None

    def remark(self) -> str:
        return NO_ZONE

    def value(self, text: str) -> Any:
        found = _BEFORE_CLOCK.match(text)
        day = self.dates.day(found[1].rstrip(",")) if found else None
        hour = _clock(found[2]) if found and day else None
        return _parsed(f"{day}T{hour}") if hour else None


_BEFORE_CLOCK = re.compile(r"(.{8,20}?)[ T]([0-9]{1,2}:.{2,12})\Z")


class DayFirstMoment(_Clocked):
    """23/11/2026 09:30."""

    dates, rival = DayFirst(), AMBIGUOUS


class MonthFirstMoment(_Clocked):
    """11/23/2026 9:30 AM."""

    dates, rival = MonthFirst(), AMBIGUOUS


class DottedMoment(_Clocked):
    """23.11.2026 09:30."""

    dates = Dotted()


class NamedMonthMoment(_Clocked):
    """23 Nov 2026 09:30."""

    dates = NamedMonth()


class Clock(Form):
    """Times of day: 9:30, 09:30:00, 9:30 PM."""

    type, family = "time", "time"

    def fits(self, text: str) -> bool:
        return _clock(text) is not None

    def value(self, text: str) -> Any:
        return _clock(text)


class Length(Form):
    """Lengths of time: 30:15:00, which is no time of day."""

    type, family = "duration", "duration"

    def fits(self, text: str) -> bool:
        return _TYPED_LENGTH.match(text) is not None or _LENGTH.match(text) is not None

    def value(self, text: str) -> Any:
        """Exact seconds, as text."""
        if found := _TYPED_LENGTH.match(text):
            return found[1]
        found = _LENGTH.match(text)
        if found is None:
            return None
        length = int(found[2]) * 3600 + int(found[3]) * 60 + Decimal(found[4])
        return f"{found[1]}{length}"


def _all_exist(plain: re.Pattern[str], read: Callable[[str], Any], texts: Sequence[str]) -> bool:
    """Say whether all texts are written in the plain way, and are moments that exist."""
    try:
        return all(map(plain.match, texts)) and all(map(read, texts))
    except ValueError:
        return False


def _existing(day: str) -> str | None:
    try:
        date.fromisoformat(day)
    except ValueError:
        return None
    return day


def _day(year: str, month: str, day: str) -> str | None:
    return _existing(f"{year}-{int(month):02}-{int(day):02}")


def _named(year: str, month: str, day: str) -> str | None:
    number = _NAMES.get(month.lower())
    return None if number is None else _day(year, str(number), day)


def _parsed(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat().replace("+00:00", "Z")


def _clock(text: str) -> str | None:
    found = _CLOCK.match(text)
    if found is None:
        return None
    hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), (found[4] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else None
