"""Comparators: how the values of each type of field are compared, each way in SQL and in Python alike.

A comparator gives a value's key (which is compared and sorted by), its text, and its items where it is a list; in SQL each is
NULL where the value is empty. Computed fields have the Python side only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Text, cast, func, literal

from plugins.worksheets.fields import KEY_KINDS, Field
from plugins.worksheets.models import Record
from plugins.worksheets.query.evaluated_record import LINKING, EvaluatedRecord
from plugins.worksheets.query.relative_dates import DayRange
from plugins.worksheets.records.keys import CHOICE, MOMENT, NUMBER, TEXT, decimal_of, key_of
from plugins.worksheets.records.values import Expression, Values

r = Record.__table__.c
ITEMS: Mapping[str, str | None] = {
    "multiple_select": None, "region": None, **dict.fromkeys(LINKING), "file": "name", "signature": "name", "free_link": "ref",
    "member": "org", "department": "org", "org_role": "org"}
"""Types whose values are lists, and what of an item is looked at; None is the item itself."""


@dataclass(frozen=True, slots=True)
class Comparator:
    """A stored field whose value is one thing. `kind` is its kind of key."""

    field: Field
    kind: str
    slow = False

    @property
    def name(self) -> str:
        """The field's key."""
        return self.field.key

    def key_sql(self, values: Values) -> Expression:
        """Return what is compared and sorted by."""
        return values.key(self.kind, self.name)

    def key(self, seen: EvaluatedRecord) -> str:
        """Return the same as text."""
        return key_of(self.kind, seen.view.vals.get(self.name))

    def raw_number(self, seen: EvaluatedRecord) -> str | None:
        """Return a number as plain text."""
        number = decimal_of(seen.view.vals.get(self.name))
        return None if number is None else format(number, "f")

    def bound(self, values: Values, value: Any) -> Expression:
        """Return something to compare `key_sql` with."""
        return values.bound(self.kind, value)

    def bound_key(self, value: Any) -> str:
        """Return the same to compare `key` with."""
        return key_of(self.kind, value)

    def edges(self, span: DayRange) -> tuple[Any, Any]:
        """Return where a span of time begins, and what comes after it."""
        if self.field.acts_as == "date":
            return _day(span.first), _day(span.last) + "~"
        return _moment(span.start), _moment(span.end) if span.end > span.start else _moment(span.end) + "~"

    def text_sql(self, values: Values) -> Expression:
        """Return the value as text."""
        return values.held(self.name)

    def text(self, seen: EvaluatedRecord) -> str | None:
        """Return the same in Python."""
        value = seen.view.vals.get(self.name)
        return None if value is None else str(value)

    def filled_sql(self, values: Values) -> Expression:
        """Return whether there is a value."""
        return values.held(self.name).is_not(None)

    def filled(self, seen: EvaluatedRecord) -> bool:
        """Return the same in Python."""
        return seen.view.vals.get(self.name) is not None

    def has_sql(self, values: Values, wanted: Sequence[str]) -> Expression:
        """Return whether the value is one of *wanted*."""
        return values.held(self.name).in_(list(wanted))

    def items(self, seen: EvaluatedRecord) -> Sequence[str]:
        """Return what `has_sql` looks through."""
        text = self.text(seen)
        return () if text is None else (text,)


@dataclass(frozen=True, slots=True)
class Box(Comparator):
    """A checkbox: not ticked is not a value of its own, but sorts as one."""

    def bound(self, values: Values, value: Any) -> Expression:
        """A spot holds the key itself."""
        return literal(self.bound_key(value), Text)

    def bound_key(self, value: Any) -> str:
        return "1" if value is True or value == "1" else "0"

    def filled_sql(self, values: Values) -> Expression:
        return values.truth(self.name)

    def text_sql(self, values: Values) -> Expression:
        return values.key(self.kind, self.name)

    def text(self, seen: EvaluatedRecord) -> str | None:
        return self.key(seen)


@dataclass(frozen=True, slots=True)
class Many(Comparator):
    """A field whose values are lists; sorted by the first item."""

    @property
    def inner(self) -> str | None:
        """What of an item is looked at."""
        return ITEMS[self.field.type.name]

    def _path(self) -> tuple[str | int, ...]:
        return (self.name, 0) if self.inner is None else (self.name, 0, self.inner)

    def key_sql(self, values: Values) -> Expression:
        return values.key(self.kind, *self._path())

    def key(self, seen: EvaluatedRecord) -> str:
        first = next(iter(self._given(seen)), None)
        return key_of(self.kind, first)

    def raw_number(self, seen: EvaluatedRecord) -> str | None:
        first = next(iter(self._given(seen)), None)
        return None if first is None else str(first)

    def text_sql(self, values: Values) -> Expression:
        return values.joined(self.name, self.inner)

    def text(self, seen: EvaluatedRecord) -> str | None:
        return ", ".join(map(str, self._given(seen))) or None

    def has_sql(self, values: Values, wanted: Sequence[str]) -> Expression:
        return values.has(self.name, wanted, inner=self.inner)

    def items(self, seen: EvaluatedRecord) -> Sequence[str]:
        return [str(one) for one in self._given(seen)]

    def _given(self, seen: EvaluatedRecord) -> list[Any]:
        given = seen.view.vals.get(self.name) or []
        return given if self.inner is None else [one[self.inner] for one in given]


@dataclass(frozen=True, slots=True)
class Location(Comparator):
    """A point on the earth, compared by what it is called."""

    def key_sql(self, values: Values) -> Expression:
        return values.whole(values.fold(func.substr(self.text_sql(values), 1, 100)))

    def key(self, seen: EvaluatedRecord) -> str:
        return key_of(TEXT, self.text(seen))

    def text_sql(self, values: Values) -> Expression:
        lat, lon = values.held(self.name, "lat"), values.held(self.name, "lon")
        return func.coalesce(values.held(self.name, "label"), lat + literal(", ", Text) + lon)

    def text(self, seen: EvaluatedRecord) -> str | None:
        value = seen.view.vals.get(self.name)
        return None if value is None else str(value.get("label") or f"{value['lat']}, {value['lon']}")


@dataclass(frozen=True, slots=True)
class Column(Comparator):
    """What every record has beside its values: when and by whom it was made and changed, its number."""

    column: str = "seq"

    def key_sql(self, values: Values) -> Expression:
        return r[self.column]

    def key(self, seen: EvaluatedRecord) -> str:
        return self.bound_key(getattr(seen.row, self.column))

    def raw_number(self, seen: EvaluatedRecord) -> str | None:
        return str(getattr(seen.row, self.column))

    def bound(self, values: Values, value: Any) -> Expression:
        number = decimal_of(value) if self.kind == NUMBER else None
        if self.kind != NUMBER:
            return literal(value, Text)
        return literal(max(min(int(number or 0), 2**62), -2**62), BigInteger)

    def edges(self, span: DayRange) -> tuple[Any, Any]:
        start, end = _micros(span.start), _micros(span.end)
        return start, end if end > start else end + 1

    def text_sql(self, values: Values) -> Expression:
        return cast(r[self.column], Text)

    def text(self, seen: EvaluatedRecord) -> str | None:
        return str(getattr(seen.row, self.column))

    def filled_sql(self, values: Values) -> Expression:
        return r[self.column].is_not(None)

    def filled(self, seen: EvaluatedRecord) -> bool:
        return True

    def has_sql(self, values: Values, wanted: Sequence[str]) -> Expression:
        return self.text_sql(values).in_(list(wanted))


@dataclass(frozen=True, slots=True)
class Computed(Comparator):
    """A computed field, in Python only. `kind` is what its format says; numbers are told by their look otherwise."""

    slow = True

    def key(self, seen: EvaluatedRecord) -> str:
        return self.bound_key(self._one(seen))

    def bound_key(self, value: Any) -> str:
        if isinstance(value, bool):
            return "1" if value else ""
        if self.kind == NUMBER and decimal_of(value) is None:
            return ""
        return key_of(self.kind, value if self.kind == NUMBER else str(value)) if value is not None else ""

    def edges(self, span: DayRange) -> tuple[Any, Any]:
        """A day and a moment compare by their text, so the days of the span are given."""
        return _day(span.first), _day(span.last) + "~"

    def text(self, seen: EvaluatedRecord) -> str | None:
        return seen.text(self.name) or None

    def filled(self, seen: EvaluatedRecord) -> bool:
        value = seen.value(self.name)
        return value is not None and value is not False

    def items(self, seen: EvaluatedRecord) -> Sequence[str]:
        value = seen.value(self.name)
        return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]

    def _one(self, seen: EvaluatedRecord) -> Any:
        value = seen.value(self.name)
        return (value[0] if value else None) if isinstance(value, list) else value


COLUMNS = {"created_time": "created_at", "modified_time": "updated_at", "created_by": "created_by", "modified_by": "updated_by"}


def comparator_of(field: Field) -> Comparator | None:
    """Return how a field's values are compared; None for fields without values."""
    kind = field.acts_as
    if kind in COLUMNS:
        return Column(field, NUMBER if kind.endswith("_time") else TEXT, COLUMNS[kind])
    if field.type.derived_for(field.definition):
        return Computed(field, _kind_of_computed(field))
    if not field.stored:
        return None
    if kind == "checkbox":
        return Box(field, KEY_KINDS[kind])
    if kind in ITEMS:
        return Many(field, NUMBER if kind in LINKING else CHOICE if kind == "multiple_select" else TEXT)
    return Location(field, TEXT) if kind == "location" else Comparator(field, KEY_KINDS.get(kind, TEXT))


def _kind_of_computed(field: Field) -> str:
    form = (field.definition.get("options", {}).get("format") or {})
    form = form.get("type") if isinstance(form, Mapping) else None
    if field.type.name == "count" or form in ("number", "duration"):
        return NUMBER
    if field.type.name == "rollup" and form is None:
        return NUMBER if field.definition["options"]["function"] not in ("array_join", "array_unique") else TEXT
    if field.type.name in LINKING:
        return NUMBER
    return MOMENT if form in ("date", "datetime") else TEXT


def _day(day: date) -> str:
    return day.isoformat()


def _moment(moment: datetime) -> str:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{text}.{moment.microsecond:06d}".rstrip("0") if moment.microsecond else text


def _micros(moment: datetime) -> int:
    return int(Decimal(moment.timestamp()) * 1_000_000)


__all__ = ["Column", "Comparator", "Computed", "Many", "comparator_of"]
