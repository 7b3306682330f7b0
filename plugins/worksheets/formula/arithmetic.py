"""Sums, differences, comparisons: what the operators do with each sort of value."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, Overflow
from typing import Any

from plugins.worksheets.formula.values import (
    EXACT,
    NAN,
    CalculationFailed,
    Choice,
    Link,
    Several,
    Span,
    blank,
    bounded,
    moment,
    number,
    seconds_of,
    text,
)

ROUGH = Context(prec=30, rounding=ROUND_HALF_EVEN, Emax=60, Emin=-60, traps=[InvalidOperation, Overflow])
"""For what has no exact decimal: quotients, roots, logarithms."""

_TEXTS = str | Choice | Link | Several
_DAY = 86_400


def add(left: Any, right: Any) -> Any:
    """Return a sum; texts are joined, and a date is moved by a length of time or a number of days."""
    if isinstance(left, date) or isinstance(right, date):
        return _moved(left, right, 1)
    if isinstance(left, _TEXTS) or isinstance(right, _TEXTS):
        return bounded(text(left) + text(right))
    if isinstance(left, Span) or isinstance(right, Span):
        one, other = _span(left), _span(right)
        return Span(one.months + other.months, EXACT.add(one.seconds, other.seconds))
    return EXACT.add(number(left), number(right))


def minus(left: Any, right: Any) -> Any:
    """Return a difference; between two dates it is a length of time."""
    if isinstance(left, date) and (isinstance(right, (date, str))):
        return _between(left, right)
    if isinstance(left, date) or isinstance(right, date):
        return _moved(left, right, -1)
    if isinstance(left, Span) or isinstance(right, Span):
        one, other = _span(left), _span(right)
        return Span(one.months - other.months, EXACT.subtract(one.seconds, other.seconds))
    return EXACT.subtract(number(left), number(right))


def multiply(left: Any, right: Any) -> Any:
    """Return a product; a length of time can be taken several times."""
    if isinstance(right, Span):
        left, right = right, left
    if isinstance(left, Span):
        return _scaled(left, number(right))
    return EXACT.multiply(number(left), number(right))


def divide(left: Any, right: Any) -> Any:
    """Return a quotient of 30 digits; not a number when divided by zero."""
    by = _span(right).seconds if isinstance(right, Span) else number(right)
    if by == 0:
        return NAN
    if isinstance(left, Span) and not isinstance(right, Span):
        return _scaled(left, ROUGH.divide(Decimal(1), by))
    return trimmed(ROUGH.divide(number(left), by))


def trimmed(value: Decimal) -> Decimal:
    """Return a number without zeros behind its fraction."""
    if value.is_nan() or value == value.to_integral_value():
        return value if value.is_nan() else value.quantize(Decimal(1), context=EXACT)
    return value.normalize(EXACT)


def equal(left: Any, right: Any) -> bool:
    """Return whether two values say the same; blank is the same as 0, false and empty text."""
    try:
        one, other = _comparable(left, right)
    except CalculationFailed:
        return False
    return bool(one == other)


def compare(left: Any, right: Any) -> int | None:
    """Return -1, 0 or 1 as *left* is less, equal or greater; None when they cannot be compared, a date is blank."""
    one, other = _comparable(left, right)
    if one is None or other is None:
        return None
    if isinstance(one, Decimal) and (one.is_nan() or other.is_nan()):
        return None
    return int(one > other) - int(one < other)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, date) or isinstance(right, date):
        return moment(left), moment(right)
    if isinstance(left, _TEXTS) or isinstance(right, _TEXTS):
        return _texts_or_numbers(left, right)
    if isinstance(left, Decimal | bool | Span) or isinstance(right, Decimal | bool | Span):
        return _seconds_or_number(left), _seconds_or_number(right)
    return text(left), text(right)


def _texts_or_numbers(left: Any, right: Any) -> tuple[Any, Any]:
    """Compare text with a number as numbers where the text is one."""
    if (isinstance(left, Decimal) and not blank(right)) or (isinstance(right, Decimal) and not blank(left)):
        try:
            return number(left), number(right)
        except CalculationFailed:
            return text(left), text(right)
    return text(left), text(right)


def _seconds_or_number(value: Any) -> Decimal:
    if isinstance(value, Span):
        return EXACT.add(value.seconds, Decimal(value.months * 30 * _DAY))
    return number(value)


def _span(value: Any) -> Span:
    return value if isinstance(value, Span) else Span(0, number(value))


def _scaled(span: Span, by: Decimal) -> Span:
    months = EXACT.multiply(Decimal(span.months), by)
    if months != months.to_integral_value():
        raise CalculationFailed("months cannot be divided")
    return Span(int(months), trimmed(ROUGH.multiply(span.seconds, by)))


def _between(left: date, right: Any) -> Span | None:
    one, other = moment(left), moment(right)
    if one is None or other is None:
        return None
    return Span(0, seconds_of(one - other))


def _moved(left: Any, right: Any, sign: int) -> Any:
    start, by = (left, right) if isinstance(left, date) else (right, left)
    if isinstance(by, str) and sign > 0 and not blank(by):
        return bounded(text(left) + text(right))
    if not isinstance(left, date) and sign < 0:
        raise CalculationFailed("a date cannot be taken away from that")
    if by is None:
        return None
    span = by if isinstance(by, Span) else Span(0, EXACT.multiply(number(by), Decimal(_DAY)))
    return moved(start, Span(sign * span.months, sign * span.seconds))


def moved(start: date, span: Span) -> date:
    """Return a date or datetime after a length of time; a date stays one when moved by whole days.

    The 31st moved to a shorter month is its last day.
    """
    shifted = _months_later(start, span.months)
    if not isinstance(shifted, datetime) and span.seconds % _DAY == 0:
        return shifted + timedelta(days=int(span.seconds // _DAY))
    at = moment(shifted)
    if at is None or abs(span.seconds) > 10**12:
        raise CalculationFailed("a date is out of range")
    return at + timedelta(microseconds=int(span.seconds.scaleb(6).to_integral_value()))


def _months_later(start: date, months: int) -> date:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
