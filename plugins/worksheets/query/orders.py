"""Orders: by what records are sorted, and where in that order a record lies.

Empty values come last, whichever way a field is sorted; records that are alike go by their numbers, in the direction of
the last sort. So the order is total and the same on both engines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from sqlalchemy import and_, false, func, or_

from plugins.worksheets.fields import Field
from plugins.worksheets.models import Record
from plugins.worksheets.query.comparators import Comparator, comparator_of
from plugins.worksheets.query.evaluated_record import EvaluatedRecord, Evaluator
from plugins.worksheets.records.keys import decimal_of
from plugins.worksheets.records.values import Expression, Values

r = Record.__table__.c
COLUMNS = ("created_at", "updated_at")
SELECTS = ("single_select", "multiple_select")
Spot = tuple[Any, ...]
"""Where a record lies: the value of each term (None where empty), then the record's number."""


class Term:
    """One of the things sorted by. A spot's value is plain text or a whole number, so that a cursor can carry it."""

    name: str
    descending: bool
    slow = False

    def sql(self, values: Values) -> Expression:
        """Return what is sorted by, NULL where it is empty."""
        raise NotImplementedError

    def bound(self, values: Values, value: Any) -> Expression:
        """Return a spot's value to compare `sql` with."""
        raise NotImplementedError

    def value(self, seen: EvaluatedRecord) -> Any:
        """Return a record's value for a spot."""
        raise NotImplementedError

    def key(self, value: Any) -> Any:
        """Return what spots' values are compared by in Python."""
        return value

    def sound(self, value: Any) -> bool:
        """Say whether a value that came from outside can be one of this term's."""
        return value is None or (type(value) is str and len(value) <= 200)


@dataclass(frozen=True, slots=True)
class ByColumn(Term):
    """When a record was made or changed."""

    name: str
    descending: bool

    def sql(self, values: Values) -> Expression:
        return r[self.name]

    def bound(self, values: Values, value: Any) -> Any:
        return value

    def value(self, seen: EvaluatedRecord) -> Any:
        return getattr(seen.row, self.name)

    def sound(self, value: Any) -> bool:
        return type(value) is int and abs(value) < 2**62


@dataclass(frozen=True, slots=True)
class ByComparator(Term):
    """By a field's key."""

    comparator: Comparator
    descending: bool

    @property
    def name(self) -> str:  # type: ignore[override]
        """The field's key."""
        return self.comparator.name

    @property
    def slow(self) -> bool:  # type: ignore[override]
        """Whether it is known in Python only."""
        return self.comparator.slow

    @property
    def numeric(self) -> bool:
        """Whether spots hold decimal text, since numbers are compared as numbers."""
        return self.comparator.kind == "number" and not self.slow

    def sql(self, values: Values) -> Expression:
        return self.comparator.key_sql(values)

    def bound(self, values: Values, value: Any) -> Any:
        return self.comparator.bound(values, value)

    def value(self, seen: EvaluatedRecord) -> Any:
        return (self.comparator.raw_number(seen) if self.numeric else self.comparator.key(seen)) or None

    def key(self, value: Any) -> Any:
        return decimal_of(value) if self.numeric else value

    def sound(self, value: Any) -> bool:
        if not Term.sound(self, value):
            return False
        return value is None or not self.numeric or decimal_of(value) is not None


@dataclass(frozen=True, slots=True)
class ByChoice(Term):
    """By a select field's (first) choice, in the order in which the field has them; choices that are gone come last."""

    comparator: Comparator
    descending: bool
    keys: Sequence[str]
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The field's key."""
        return self.comparator.name

    def sql(self, values: Values) -> Expression:
        return values.rank(self.comparator.key_sql(values), self.keys)

    def bound(self, values: Values, value: Any) -> Any:
        return value

    def value(self, seen: EvaluatedRecord) -> Any:
        key = self.comparator.key(seen)
        return self.ranks.get(key, len(self.keys)) if key else None

    def sound(self, value: Any) -> bool:
        return value is None or (type(value) is int and 0 <= value <= 100_000)


@dataclass(frozen=True, slots=True)
class Order:
    """The whole order of a question."""

    terms: tuple[Term, ...] = ()
    down: bool = False

    @property
    def slow(self) -> bool:
        """Whether it is known in Python only."""
        return any(term.slow for term in self.terms)

    def by(self, values: Values, *, back: bool) -> list[Any]:
        """Return what to sort by in SQL, the other way round where *back*."""
        found: list[Any] = []
        for term in self.terms:
            key = term.sql(values)
            found.append(key.is_(None).desc() if back else key.is_(None).asc())
            found.append(key.desc() if term.descending is not back else key.asc())
        return [*found, r.seq.desc() if self.down is not back else r.seq.asc()]

    def beyond(self, values: Values, spot: Spot, *, back: bool) -> Expression:
        """Return whether a record comes after a spot, or before it where *back*."""
        last = r.seq < spot[-1] if self.down is not back else r.seq > spot[-1]
        found: Expression = last
        for term, value in zip(reversed(self.terms), reversed(spot[:-1]), strict=True):
            key = term.sql(values)
            farther: Expression
            same: Expression
            if value is None:
                farther = key.is_not(None) if back else false()
                same = key.is_(None)
            else:
                bound = term.bound(values, value)
                farther = key < bound if term.descending is not back else key > bound
                farther = farther if back else or_(farther, key.is_(None))
                same = key == bound
            found = or_(func.coalesce(farther, false()), and_(same, found))
        return found

    def spot(self, seen: EvaluatedRecord) -> Spot:
        """Return where a record lies."""
        return (*(term.value(seen) for term in self.terms), seen.row.seq)

    def compare(self, one: Spot, other: Spot) -> int:
        """Return -1, 0 or 1: which of two spots comes first."""
        for term, a, b in zip(self.terms, one[:-1], other[:-1], strict=True):
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            x, y = term.key(a), term.key(b)
            if x != y:
                return -1 if (x < y) is not term.descending else 1
        first, second = one[-1], other[-1]
        return 0 if first == second else -1 if (first < second) is not self.down else 1

    def sorted(self, spots: Sequence[tuple[Spot, Any]]) -> list[tuple[Spot, Any]]:
        """Return (spot, anything) pairs in order."""
        def compare(a: tuple[Spot, Any], b: tuple[Spot, Any]) -> int:
            return self.compare(a[0], b[0])

        return sorted(spots, key=cmp_to_key(compare))

    def sound(self, spot: Any) -> bool:
        """Say whether something that came from outside can be a spot in this order."""
        if not isinstance(spot, list) or len(spot) != len(self.terms) + 1:
            return False
        if type(spot[-1]) is not int or not 0 <= spot[-1] <= 2**53:
            return False
        return all(term.sound(value) for term, value in zip(self.terms, spot[:-1], strict=True))


def order_of(sorts: Sequence[tuple[str, bool]], fields: Mapping[str, Field], evaluator: Evaluator) -> tuple[Order, list[str]]:
    """Return the order that sorts give, and the keys among them that cannot be sorted by."""
    terms: list[Term] = []
    down, left = False, list[str]()
    for name, descending in sorts:
        if any(term.name == name for term in terms):
            continue
        if name == "seq":
            return Order(tuple(terms), bool(descending)), left
        term = ByColumn(name, bool(descending)) if name in COLUMNS else _by_field(fields.get(name), bool(descending), evaluator)
        if term is None:
            left.append(name)
            continue
        terms.append(term)
        down = bool(descending)
    return Order(tuple(terms), down), left


def _by_field(one: Field | None, descending: bool, evaluator: Evaluator) -> Term | None:
    comparator = None if one is None else comparator_of(one)
    if one is None or comparator is None:
        return None
    if one.type.name in SELECTS:
        keys = list(evaluator.choices(one.definition))
        return ByChoice(comparator, descending, keys, {key: n for n, key in enumerate(keys)})
    return ByComparator(comparator, descending)
