"""Predicates: what a condition asks of a record, in SQL and in Python with the same answer.

SQL of a predicate is never NULL. One that is `slow` can be asked in Python only; its SQL lets every record through, so a
tree with one in it finds too much in SQL, never too little, and is asked again in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, false, func, literal, not_, or_, true

from plugins.worksheets.query.comparators import Comparator
from plugins.worksheets.query.evaluated_record import EvaluatedRecord
from plugins.worksheets.records.keys import decimal_of, fold
from plugins.worksheets.records.values import Expression, Values


class Predicate:
    """Everything is let through."""

    @property
    def slow(self) -> bool:
        """Whether it can be asked in Python only."""
        return False

    @property
    def needs(self) -> frozenset[str]:
        """The keys of the fields it looks at."""
        return frozenset()

    def sql(self, values: Values) -> Expression:
        """Return it as an expression that is never NULL."""
        return true()

    def holds(self, seen: EvaluatedRecord) -> bool:
        """Say whether it is true of a record."""
        return True


@dataclass(frozen=True, slots=True)
class Never(Predicate):
    """Nothing is let through: the condition asks for what cannot be."""

    def sql(self, values: Values) -> Expression:
        return false()

    def holds(self, seen: EvaluatedRecord) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _On(Predicate):
    comparator: Comparator

    @property
    def slow(self) -> bool:
        return self.comparator.slow

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.comparator.name})

    def sql(self, values: Values) -> Expression:
        return true() if self.slow else func.coalesce(self.expression(values), literal(False))

    def expression(self, values: Values) -> Expression:
        """Return the expression, which may be NULL."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Filled(_On):
    """There is a value."""

    def expression(self, values: Values) -> Expression:
        return self.comparator.filled_sql(values)

    def holds(self, seen: EvaluatedRecord) -> bool:
        return self.comparator.filled(seen)


@dataclass(frozen=True, slots=True)
class Words(_On):
    """The text compares with another, whatever the case: "is", "contains", "starts" or "ends"."""

    how: str
    word: str

    def expression(self, values: Values) -> Expression:
        text, word = values.fold(self.comparator.text_sql(values)), fold(self.word)
        if self.how == "is":
            return text == word
        if self.how == "starts":
            return func.substr(text, 1, len(word)) == word
        if self.how == "ends":
            return and_(func.length(text) >= len(word), func.substr(text, func.length(text) - len(word) + 1, len(word)) == word)
        return values.contains(text, word)

    def holds(self, seen: EvaluatedRecord) -> bool:
        text = self.comparator.text(seen)
        return text is not None and _HOW[self.how](fold(text), fold(self.word))


_HOW: Mapping[str, Callable[[str, str], bool]] = {
    "is": str.__eq__, "starts": str.startswith, "ends": str.endswith, "contains": str.__contains__}


@dataclass(frozen=True, slots=True)
class Shorter(_On):
    """The text has fewer characters than that, or there is none."""

    length: int

    def expression(self, values: Values) -> Expression:
        return func.coalesce(func.length(self.comparator.text_sql(values)), 0) < self.length

    def holds(self, seen: EvaluatedRecord) -> bool:
        return len(self.comparator.text(seen) or "") < self.length


@dataclass(frozen=True, slots=True)
class Between(_On):
    """The value lies between two others; None is no bound. `low_open` and `high_open` leave the bound itself out."""

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False

    def expression(self, values: Values) -> Expression:
        key, parts = self.comparator.key_sql(values), []
        if self.low is not None:
            low = self.comparator.bound(values, self.low)
            parts.append(key > low if self.low_open else key >= low)
        if self.high is not None:
            high = self.comparator.bound(values, self.high)
            parts.append(key < high if self.high_open else key <= high)
        return and_(true(), *parts)

    def keys(self) -> tuple[str | None, str | None]:
        """Return the lowest and the highest key there can be."""
        return (None if self.low is None else self.comparator.bound_key(self.low),
                None if self.high is None else self.comparator.bound_key(self.high))

    def holds(self, seen: EvaluatedRecord) -> bool:
        key, (low, high) = self.comparator.key(seen), self.keys()
        return key != "" and (low is None or key > low or (key == low and not self.low_open)) and (
            high is None or key < high or (key == high and not self.high_open))


@dataclass(frozen=True, slots=True)
class Having(_On):
    """The value is, or has among its items, one of these."""

    wanted: tuple[str, ...]

    def expression(self, values: Values) -> Expression:
        return self.comparator.has_sql(values, self.wanted) if self.wanted else false()

    def holds(self, seen: EvaluatedRecord) -> bool:
        return not set(self.wanted).isdisjoint(self.comparator.items(seen))


@dataclass(frozen=True, slots=True)
class Even(_On):
    """The number is whole and even."""

    def expression(self, values: Values) -> Expression:
        text, places = self.comparator.text_sql(values), self._decimals
        # Texts of numbers are canonical: digits, and a point only with the field's number of decimals behind it.
        if not places:
            return and_(not_(values.contains(text, ".")), func.substr(text, func.length(text), 1).in_(list("02468")))
        even = func.substr(text, func.length(text) - places - 1, 1).in_(list("02468"))
        return and_(even, func.substr(text, func.length(text) - places + 1, places) == "0" * places)

    @property
    def _decimals(self) -> int:
        return int(self.comparator.field.definition.get("options", {}).get("decimals", 0))

    def holds(self, seen: EvaluatedRecord) -> bool:
        number = decimal_of(self.comparator.text(seen))
        return number is not None and number == number.to_integral_value() and number % 2 == 0


@dataclass(frozen=True, slots=True)
class Titled(_On):
    """The shown text, names of linked records and people in it, has a word; Python only."""

    word: str
    how: str = "contains"

    @property
    def slow(self) -> bool:
        return True

    def expression(self, values: Values) -> Expression:
        return true()

    def holds(self, seen: EvaluatedRecord) -> bool:
        text = seen.text(self.comparator.name)
        return text != "" and _HOW[self.how](fold(text), fold(self.word))


@dataclass(frozen=True, slots=True)
class Not(Predicate):
    """The opposite; empty values are not like anything, so they are let through."""

    of: Predicate

    @property
    def slow(self) -> bool:
        return self.of.slow

    @property
    def needs(self) -> frozenset[str]:
        return self.of.needs

    def sql(self, values: Values) -> Expression:
        return true() if self.slow else not_(self.of.sql(values))

    def holds(self, seen: EvaluatedRecord) -> bool:
        return not self.of.holds(seen)


@dataclass(frozen=True, slots=True)
class Together(Predicate):
    """All of several, or any of them."""

    parts: Sequence[Predicate]
    any_of: bool = False

    @property
    def slow(self) -> bool:
        return any(part.slow for part in self.parts)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset().union(*(part.needs for part in self.parts))

    def sql(self, values: Values) -> Expression:
        parts = [part.sql(values) for part in self.parts]
        return or_(false(), *parts) if self.any_of else and_(true(), *parts)

    def holds(self, seen: EvaluatedRecord) -> bool:
        return (any if self.any_of else all)(part.holds(seen) for part in self.parts)


def exact_number(value: Any) -> str | None:
    """Return a number that somebody typed as plain decimal text, None for what is none."""
    text = str(value).strip().replace(" ", "") if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else ""
    number = decimal_of(text.removeprefix("+")) if len(text) <= 60 else None
    return None if number is None else format(number, "f")
