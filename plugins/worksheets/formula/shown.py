"""Results as JSON. While computing goes on they also carry what they were, so that others calculate with that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from plugins.worksheets.formula.functions_numbers import rounded
from plugins.worksheets.formula.values import (
    CalculationFailed,
    Choice,
    File,
    Link,
    Several,
    Span,
    blank,
    iso,
    items,
    moment,
    number,
    plain,
    text,
    truth,
)

_SAFE = 2**53 - 1
_DECIMALS = 10


class ShownText(str):
    """A JSON string that was a number, a date or a length of time."""

    native: Any


class ShownNumber(int):
    """A JSON number that was a length of time."""

    native: Any


def native_of(value: Any) -> Any:
    """Return what a JSON value was when it was calculated; None when it carries nothing."""
    return value.native if isinstance(value, ShownText | ShownNumber) else None


def bare(value: Any) -> Any:
    """Return a JSON value that carries nothing any more."""
    if isinstance(value, ShownText):
        return str.__str__(value)
    if isinstance(value, ShownNumber):
        return int(value)
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def shown(value: Any, form: Mapping[str, Any] | None = None) -> Any:
    """Return a calculated value as JSON, blank as None.

    Args:
        value: Any value of the formula language.
        form: A formula's "format": the type to turn it into, and the decimals of numbers.

    Raises:
        CalculationFailed: the value is not a number, too large, or not what the format asks for.
    """
    form = form or {}
    if isinstance(value, tuple):
        return [shown(item, form) for item in value if not blank(item)] or None
    if blank(value):
        return None
    return _json(_formed(value, form.get("type")), form.get("decimals"))


def _formed(value: Any, sort: str | None) -> Any:
    """Turn a value into the type that a format names; types of mere text stay what they are."""
    if sort in ("number", "currency", "percent"):
        return number(value)
    if sort == "checkbox":
        return truth(value)
    if sort == "duration":
        return value if isinstance(value, Span) else Span(0, number(value))
    if sort in ("date", "datetime"):
        return _moment(value, sort)
    if sort in ("text", "long_text"):
        return text(value)
    return value


def _moment(value: Any, sort: str) -> date:
    at = moment(value)
    if at is None:
        raise CalculationFailed("not a date")
    return at if sort == "datetime" else at.date()


def _json(value: Any, decimals: int | None) -> Any:
    if isinstance(value, Decimal):
        return _number(value, decimals)
    if isinstance(value, Span):
        return _span(value)
    if isinstance(value, date | time):
        return _carrying(iso(value) if isinstance(value, datetime) else value.isoformat(), value)
    if isinstance(value, Several):
        return [_json(item, decimals) for item in items(value)]
    if isinstance(value, File):
        return {"file": value.sha256, "name": value.name, "size": value.size, "type": value.type}
    if isinstance(value, Link):
        return {"url": value.url, "label": value.label} | ({"button": True} if value.button else {})
    return value.name if isinstance(value, Choice) else value


def _number(value: Decimal, decimals: int | None) -> Any:
    if value.is_nan():
        raise CalculationFailed("not a number")
    found = rounded(value, _DECIMALS if decimals is None else decimals)
    if not decimals and found == found.to_integral_value() and abs(found) <= _SAFE:
        return int(found)
    digits = plain(found)
    return _carrying(digits.rstrip("0").rstrip(".") if decimals is None and "." in digits else digits, found)


def _span(value: Span) -> Any:
    if value.months:
        return _carrying(text(value), value)
    seconds = _number(value.seconds, None)
    if isinstance(seconds, str):
        return _carrying(str.__str__(seconds), value)
    found = ShownNumber(seconds)
    found.native = value
    return found


def _carrying(digits: str, value: Any) -> ShownText:
    found = ShownText(digits)
    found.native = value
    return found
