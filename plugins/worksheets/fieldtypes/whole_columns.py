"""Whole columns: whether many values of a field are in stored form already, asked of all at once where C code can tell. Pure.

The rules are those of each type's `canonical`, which decides wherever the answer here is no: a column is let through only where
`canonical` would return every value as it is. A type that overrides `canonical` is never asked here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from core.api import Definition, FieldType
from plugins.worksheets.fieldtypes.numbers import MAX_SAFE, Checkbox, Number, Rating
from plugins.worksheets.fieldtypes.text import Email, Text, Url
from plugins.worksheets.fieldtypes.times import DATE, MOMENT, Date, DateTime

_SAFE_LINK = re.compile(r"https?://[^\x00-\x20]*\Z")
Rule = Callable[[FieldType, Sequence[Any], Definition], bool]


def all_stored(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    """Say whether all values, none of them None, are known to be in the form in which the field stores them."""
    rule = _RULES.get(type(kind).canonical)
    return rule is not None and rule(kind, values, definition)


def _are(values: Sequence[Any], kind: type) -> bool:
    return {kind}.issuperset(map(type, values))


def _texts(values: Sequence[Any], longest: int) -> bool:
    if not _are(values, str) or "" in values or max(map(len, values)) > longest:
        return False
    joined = "".join(values)
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            return False
    return "\0" not in joined


def _text(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    assert isinstance(kind, Text)
    return _texts(values, definition.get("options", {}).get("max_length", kind.longest))


def _formed(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    assert isinstance(kind, Email)
    return _texts(values, 320) and all(map(kind.form.match, values))


def _url(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    return _texts(values, 8000) and all(map(_SAFE_LINK.match, values))


def _number(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    decimals = definition.get("options", {}).get("decimals", 0)
    if decimals:
        return _are(values, str) and all(map(_decimal(decimals).match, values))
    return _are(values, int) and -MAX_SAFE <= min(values) and max(values) <= MAX_SAFE


@lru_cache
def _decimal(decimals: int) -> re.Pattern[str]:
    return re.compile(rf"(?:-?[1-9][0-9]{{0,29}}|0)\.[0-9]{{{decimals}}}\Z")


def _ticked(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    return _are(values, bool) and all(values)


def _stars(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    return _are(values, int) and min(values) >= 1 and max(values) <= definition.get("options", {}).get("max", 5)


def _dates(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    return _are(values, str) and all(map(DATE.match, values)) and _exist(date.fromisoformat, values)


def _moments(kind: FieldType, values: Sequence[Any], definition: Definition) -> bool:
    return _are(values, str) and all(map(MOMENT.match, values)) and _exist(datetime.fromisoformat, values)


def _exist(read: Callable[[str], Any], values: Sequence[str]) -> bool:
    try:
        deque(map(read, values), maxlen=0)
    except ValueError:
        return False
    return True


_RULES: dict[Any, Rule] = {
    Text.canonical: _text, Email.canonical: _formed, Url.canonical: _url, Number.canonical: _number, Checkbox.canonical: _ticked,
    Rating.canonical: _stars, Date.canonical: _dates, DateTime.canonical: _moments}
