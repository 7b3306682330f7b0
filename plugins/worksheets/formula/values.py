"""What formulas calculate with: blank (None), text, numbers, booleans, times, choices, links, files and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow
from typing import Any

MAX_TEXT = 100_000
MAX_LIST = 20_000
MAX_DIGITS = 60

EXACT = Context(prec=MAX_DIGITS, Emax=MAX_DIGITS, Emin=-MAX_DIGITS, traps=[InvalidOperation, Overflow])
"""The one context of all arithmetic, whatever the thread's own context is."""

NAN = Decimal("NaN")


class CalculationFailed(Exception):
    """The formula has no value for this record; the message says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: whole months, which have no fixed length, and seconds."""

    months: int = 0
    seconds: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select field."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address to follow, with what to show in its place."""

    url: str
    label: str
    button: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file held by a record."""

    sha256: str
    name: str
    size: int
    type: str


@dataclass(frozen=True, slots=True)
class Several:
    """One value made of several: choices, people, files, a path of regions. Functions take it as one."""

    items: tuple[Any, ...]


def number(value: Any) -> Decimal:
    """Return a value as a number; blank counts as 0.

    Raises:
        CalculationFailed: it is no number.
    """
    if isinstance(value, Decimal):
        return value
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Span) and not value.months:
        return value.seconds
    return _parsed(text(value).strip())


def _parsed(digits: str) -> Decimal:
    if len(digits) > MAX_DIGITS + 2 or not digits.isascii() or "_" in digits:
        raise CalculationFailed("not a number")
    try:
        found = EXACT.create_decimal(digits)
    except DecimalException as error:
        raise CalculationFailed("not a number") from error
    if not found.is_finite():
        raise CalculationFailed("not a number")
    return found


def whole(value: Any, low: int = -(2**53), high: int = 2**53) -> int:
    """Return a value as a whole number, cut towards zero, within bounds.

    Raises:
        CalculationFailed: it is no number or lies outside.
    """
    found = number(value)
    if found.is_nan() or not low <= found <= high:
        raise CalculationFailed("a number is out of range")
    return int(found)


def truth(value: Any) -> bool:
    """Return whether a value counts as true: neither blank, false, zero, empty nor the text “false”."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "0")
    if isinstance(value, Decimal):
        return not value.is_nan() and value != 0
    return bool(value)


def blank(value: Any) -> bool:
    """Return whether there is nothing: no value, empty text, or a list with nothing in it."""
    if isinstance(value, tuple | Several):
        return all(blank(item) for item in items(value))
    return value is None or value == ""


def text(value: Any) -> str:
    """Return a value as text, the way people read it; lists joined by commas."""
    if value is None:
        return ""
    for sort, show in _SHOWN:
        if isinstance(value, sort):
            return bounded(show(value))
    return bounded(str(value))


def plain(value: Decimal) -> str:
    """Return a number in digits, without an exponent or a negative zero."""
    if value.is_nan():
        return "NaN"
    return format(value if value else abs(value), "f")


def duration(span: Span) -> str:
    """Return a length of time as hours, minutes and seconds, after its months."""
    seconds = span.seconds
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    second = plain(rest).rstrip("0").rstrip(".") if "." in plain(rest) else plain(rest)
    clock = f"{sign}{int(hours)}:{int(minutes):02d}:{second.zfill(2) if '.' not in second else second}"
    if not span.months:
        return clock
    return f"{span.months} months" + (f" {clock}" if seconds else "")


def iso(moment: datetime) -> str:
    """Return a UTC moment in the form records hold, fractions without trailing zeros."""
    at = moment.astimezone(UTC).replace(tzinfo=None)
    digits = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return at.replace(microsecond=0).isoformat() + digits + "Z"


def bounded(value: str) -> str:
    """Return a text as it is.

    Raises:
        CalculationFailed: it is too long.
    """
    if len(value) > MAX_TEXT:
        raise CalculationFailed("a text becomes too long")
    return value


def items(value: Any) -> tuple[Any, ...]:
    """Return a list as it is, and one value as a list of one; nothing is an empty list."""
    if isinstance(value, Several):
        return value.items
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def leaves(value: Any) -> Iterator[Any]:
    """Yield what is in a list and in the lists within it, but nothing blank."""
    for item in items(value):
        if isinstance(item, tuple | Several):
            yield from leaves(item)
        elif not blank(item):
            yield item


def _joined(values: Any) -> str:
    shown, size = [], 0
    for value in leaves(values):
        shown.append(text(value))
        size += len(shown[-1]) + 2
        if size > MAX_TEXT:
            raise CalculationFailed("a text becomes too long")
    return ", ".join(shown)


def moment(value: Any) -> datetime | None:
    """Return a date, a datetime or its ISO text as a UTC moment; None when it is nothing of the kind."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str) and len(value) <= 40:
        return _moment_of_text(value.strip())
    return None


def _moment_of_text(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def seconds_of(delta: timedelta) -> Decimal:
    """Return an exact number of seconds."""
    whole_seconds = delta.days * 86_400 + delta.seconds
    return Decimal(whole_seconds) + Decimal(delta.microseconds).scaleb(-6) if delta.microseconds else Decimal(whole_seconds)


_SHOWN: tuple[tuple[type, Any], ...] = (
    (str, str),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, plain),
    (datetime, iso),
    (date, date.isoformat),
    (time, time.isoformat),
    (Span, duration),
    (Choice, lambda value: value.name),
    (Link, lambda value: value.label or value.url),
    (File, lambda value: value.name),
    (tuple, _joined),
    (Several, _joined),
)
