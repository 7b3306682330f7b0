"""Dates and times written and read by a pattern such as YYYY-MM-DD HH24:MI."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.worksheets.formula.values import CalculationFailed

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WRITTEN: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: f"{at.year:04d}", "YY": lambda at: f"{at.year % 100:02d}",
    "IYYY": lambda at: f"{at.isocalendar().year:04d}", "IW": lambda at: f"{at.isocalendar().week:02d}",
    "MONTH": lambda at: _MONTHS[at.month - 1].upper(), "Month": lambda at: _MONTHS[at.month - 1],
    "month": lambda at: _MONTHS[at.month - 1].lower(), "MON": lambda at: _MONTHS[at.month - 1][:3].upper(),
    "Mon": lambda at: _MONTHS[at.month - 1][:3], "mon": lambda at: _MONTHS[at.month - 1][:3].lower(),
    "MM": lambda at: f"{at.month:02d}", "DDD": lambda at: f"{at.timetuple().tm_yday:03d}",
    "DD": lambda at: f"{at.day:02d}", "DAY": lambda at: _DAYS[at.weekday()].upper(),
    "Day": lambda at: _DAYS[at.weekday()], "day": lambda at: _DAYS[at.weekday()].lower(),
    "DY": lambda at: _DAYS[at.weekday()][:3].upper(), "Dy": lambda at: _DAYS[at.weekday()][:3],
    "dy": lambda at: _DAYS[at.weekday()][:3].lower(), "ID": lambda at: str(at.isoweekday()),
    "D": lambda at: str(at.isoweekday() % 7 + 1), "WW": lambda at: f"{(at.timetuple().tm_yday - 1) // 7 + 1:02d}",
    "Q": lambda at: str((at.month - 1) // 3 + 1), "HH24": lambda at: f"{at.hour:02d}",
    "HH12": lambda at: f"{(at.hour - 1) % 12 + 1:02d}", "HH": lambda at: f"{(at.hour - 1) % 12 + 1:02d}",
    "MI": lambda at: f"{at.minute:02d}", "SS": lambda at: f"{at.second:02d}",
    "MS": lambda at: f"{at.microsecond // 1000:03d}", "US": lambda at: f"{at.microsecond:06d}",
    "AM": lambda at: "AM" if at.hour < 12 else "PM", "PM": lambda at: "AM" if at.hour < 12 else "PM",
    "am": lambda at: "am" if at.hour < 12 else "pm", "pm": lambda at: "am" if at.hour < 12 else "pm",
}
_READ = {
    "YYYY": r"(?P<year>\d{4})", "YY": r"(?P<short>\d{2})", "MM": r"(?P<month>\d{1,2})", "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})", "HH12": r"(?P<hour>\d{1,2})", "HH": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})", "SS": r"(?P<second>\d{1,2})", "US": r"(?P<fraction>\d{1,6})",
    **dict.fromkeys(("AM", "PM", "am", "pm"), r"(?P<half>[AaPp][Mm])"),
    "Mon": r"(?P<word>[A-Za-z]{3,9})", "Month": r"(?P<word>[A-Za-z]{3,9})",
}
_PIECE = re.compile("|".join(['"[^"]*"', "FM", *sorted(_WRITTEN, key=len, reverse=True)]))
_MAX_PATTERN = 200


def written(at: datetime, pattern: str) -> str:
    """Return a moment by a pattern; what stands in double quotes stays as it is."""
    _check_length(pattern)
    return _PIECE.sub(lambda m: _WRITTEN[m[0]](at) if m[0] in _WRITTEN else m[0].strip('"').replace("FM", ""), pattern)


def read(value: str, pattern: str) -> datetime:
    """Return the moment that a text tells by a pattern, as UTC.

    Raises:
        CalculationFailed: the text is not of that form.
        ValueError: it names no real day or time.
    """
    _check_length(pattern)
    match = re.match(_expression(pattern), value.strip()[:_MAX_PATTERN])
    if match is None:
        raise CalculationFailed("the text has not the form of the pattern")
    parts = {name: part for name, part in match.groupdict().items() if part}
    hour = int(parts.get("hour", 0))
    if "half" in parts:
        hour = hour % 12 + 12 * (parts["half"].lower() == "pm")
    return datetime(_year(parts), _month(parts), int(parts.get("day", 1)), hour, int(parts.get("minute", 0)),
                    int(parts.get("second", 0)), int(parts.get("fraction", "0").ljust(6, "0")), tzinfo=UTC)


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name, such as Europe/Berlin.

    Raises:
        CalculationFailed: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CalculationFailed("unknown time zone") from error


def _expression(pattern: str) -> str:
    """Return the regular expression for a pattern; each part at most once, so it stays as simple as the pattern."""
    found, end, seen = [], 0, set()
    for piece in _PIECE.finditer(pattern):
        found.append(re.escape(pattern[end:piece.start()]))
        end = piece.end()
        part = _READ.get(piece[0], "" if piece[0] == "FM" else None)
        if part is None or (part and part in seen):
            raise CalculationFailed(f"“{piece[0]}” cannot be read")
        seen.add(part)
        found.append(part)
    return "".join(found) + re.escape(pattern[end:])


def _year(parts: Mapping[str, str]) -> int:
    if "short" in parts:
        return 2000 + int(parts["short"]) - (100 if int(parts["short"]) >= 70 else 0)
    if "year" not in parts:
        raise CalculationFailed("the pattern has no year")
    return int(parts["year"])


def _month(parts: Mapping[str, str]) -> int:
    if "word" not in parts:
        return int(parts.get("month", 1))
    word = parts["word"].lower()
    found = [number for number, name in enumerate(_MONTHS, 1) if name.lower() == word or name[:3].lower() == word]
    if not found:
        raise CalculationFailed("unknown month")
    return found[0]


def _check_length(pattern: str) -> None:
    if len(pattern) > _MAX_PATTERN:
        raise CalculationFailed("the pattern is too long")
