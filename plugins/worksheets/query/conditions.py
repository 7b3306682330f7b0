"""Conditions: an operator of `schema.OPERATORS` on a field, turned into a predicate.

A condition that still lacks what it compares with is left out, as if it were not there. One that compares with what the
field can never hold ("is more than abc") is true of no record, and its opposite of every one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from plugins.worksheets.query.comparators import Box, Column, Comparator, Computed, Many
from plugins.worksheets.query.evaluated_record import LINKING, PLACES, Evaluator
from plugins.worksheets.query.predicates import (
    Between,
    Even,
    Filled,
    Having,
    Never,
    Not,
    Predicate,
    Shorter,
    Titled,
    Together,
    Words,
    exact_number,
)
from plugins.worksheets.query.relative_dates import DayRange, span_of
from plugins.worksheets.query.searching import stored_address
from plugins.worksheets.records.keys import CHECK, CHOICE, MOMENT, NUMBER, TEXT, fold

VALUELESS = ("is_empty", "is_filled", "is_even_and_whole", "is_today")
OPPOSITES = {"is_not": "is", "contains_not": "contains", "has_not": "has", "is_none_of": "is_any_of", "user_is_not": "user_is",
             "is_empty": "is_filled"}
ORDER = {"greater": ("low", True), "greater_or_equal": ("low", False), "less": ("high", True), "less_or_equal": ("high", False),
         "after": ("low", True), "on_or_after": ("low", False), "before": ("high", True), "on_or_before": ("high", False)}
TEXTUAL = {"contains": "contains", "starts_with": "starts", "ends_with": "ends", "matches": "contains"}
MAX_OPERAND = 2000
_FILES = {"image": ("image/",), "video": ("video/",), "audio": ("audio/",), "document": ("application/", "text/")}


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a question is asked, which "today" hangs on."""

    zone: ZoneInfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one field, about to become a predicate."""

    comparator: Comparator
    operator: str
    value: Any
    unit: str | None
    moment: Moment
    evaluator: Evaluator

    @property
    def kind(self) -> str:
        """The type of the field."""
        return self.comparator.field.type.name

    @property
    def operands(self) -> list[Any]:
        """What is compared with, as a list."""
        given = self.value if isinstance(self.value, list | tuple) else [self.value]
        return [one for one in given[:100] if one is not None and one != "" and isinstance(one, str | int | float)]

    @property
    def word(self) -> str:
        """What is compared with, as text."""
        return str(self.operands[0])[:MAX_OPERAND]

    @property
    def timed(self) -> bool:
        """Whether it is asked about days."""
        moments = self.kind in ("date", "datetime") or (isinstance(self.comparator, Column) and self.comparator.kind == NUMBER)
        return moments or (isinstance(self.comparator, Computed) and (self.comparator.kind == MOMENT or self.unit is not None))


def predicate_of(asked: Condition) -> Predicate:
    """Return the predicate of a condition."""
    if asked.operator in OPPOSITES:
        return Not(_positive(asked, OPPOSITES[asked.operator])) if _complete(asked) else Predicate()
    return _positive(asked, asked.operator) if _complete(asked) else Predicate()


def _complete(asked: Condition) -> bool:
    if asked.operator in VALUELESS or asked.operands or asked.unit not in (None, "exact_date"):
        return True
    return isinstance(asked.comparator, Box)


def _positive(asked: Condition, operator: str) -> Predicate:
    if operator == "is_filled":
        return Filled(asked.comparator)
    if operator == "is_today" or (asked.timed and (operator in ("is", "within") or operator in ORDER)):
        return _timed(asked, operator)
    if not asked.operands and not isinstance(asked.comparator, Box) and operator != "is_even_and_whole":
        return Never()
    if operator in TEXTUAL:
        return _textual(asked, TEXTUAL[operator])
    if operator in ORDER:
        return _ordered(asked, *ORDER[operator])
    return _SPECIAL.get(operator, _equal)(asked)


def _timed(asked: Condition, operator: str) -> Predicate:
    unit, value = ("today", None) if operator == "is_today" else (asked.unit, asked.operands[0] if asked.operands else None)
    span: DayRange | None = span_of(unit, value, asked.moment.zone, asked.moment.now, within=operator == "within")
    if span is None or not asked.timed:
        return Never()
    start, end = asked.comparator.edges(span)
    if operator not in ORDER:
        return Between(asked.comparator, low=start, high=end, high_open=True)
    side, beyond = ORDER[operator]
    if side == "low":
        return Between(asked.comparator, low=end if beyond else start)
    return Between(asked.comparator, high=start if beyond else end, high_open=True)


def _ordered(asked: Condition, side: str, beyond: bool) -> Predicate:
    bound = _bound(asked, asked.operands[0])
    if bound is None:
        return Never()
    if side == "low":
        return Between(asked.comparator, low=bound, low_open=beyond)
    return Between(asked.comparator, high=bound, high_open=beyond)


def _bound(asked: Condition, value: Any) -> Any:
    """Return what a key is compared with, None where the field never holds such a thing."""
    if asked.comparator.kind == NUMBER:
        return exact_number(value)
    if asked.comparator.kind == MOMENT:
        text = str(value).strip()[:40]
        return f"{text}:00" if asked.kind == "time" and len(text) == 5 else text or None
    return str(value)[:MAX_OPERAND] if asked.comparator.kind in (TEXT, CHOICE) else None


def _equal(asked: Condition) -> Predicate:
    """Is, is any of, has: the value, or one item of it, is one of these."""
    if isinstance(asked.comparator, Box):
        ticked = bool(asked.operands) and str(asked.operands[0]).strip().lower() in ("true", "1", "yes", "on")
        return Filled(asked.comparator) if ticked else Not(Filled(asked.comparator))
    if asked.kind in PLACES:
        return Having(asked.comparator, tuple(_addresses(asked)))
    if asked.kind in ("single_select", "multiple_select"):
        return Having(asked.comparator, tuple(_choices(asked)))
    if asked.kind in LINKING and not isinstance(asked.comparator, Computed):
        return Having(asked.comparator, tuple(n for one in asked.operands if (n := exact_number(one)) is not None))
    if asked.kind in ("free_link",):
        return Having(asked.comparator, tuple(map(str, asked.operands)))
    if asked.comparator.kind in (NUMBER, MOMENT, CHECK):
        bounds = [bound for one in asked.operands if (bound := _bound(asked, one)) is not None]
        return _any([Between(asked.comparator, low=bound, high=bound) for bound in bounds])
    found: list[Predicate] = [Words(asked.comparator, "is", str(one)[:MAX_OPERAND]) for one in asked.operands]
    if isinstance(asked.comparator, Many | Computed):
        found.append(Having(asked.comparator, tuple(str(one) for one in asked.operands)))
    return _any(found)


def _any(parts: list[Any]) -> Predicate:
    return parts[0] if len(parts) == 1 else Together(parts, any_of=True) if parts else Never()


def _textual(asked: Condition, how: str) -> Predicate:
    if asked.kind in ("single_select", "multiple_select"):
        return Having(asked.comparator, tuple(_named(asked.evaluator.choices(asked.comparator.field.definition), how, asked.word)))
    if asked.kind in PLACES:
        found = _named(asked.evaluator.names(PLACES[asked.kind]), how, asked.word)
        return Having(asked.comparator, tuple(stored_address(asked.comparator, address) for address in found))
    if asked.kind in LINKING or asked.kind in ("autonumber", "free_link"):
        return Titled(asked.comparator, asked.word, how)
    return Words(asked.comparator, how, asked.word)


def _named(names: Mapping[str, str], how: str, word: str) -> list[str]:
    match: Callable[[str, str], bool] = {"contains": str.__contains__, "starts": str.startswith, "ends": str.endswith}[how]
    return sorted(key for key, name in names.items() if match(fold(name), fold(word)))


def _choices(asked: Condition) -> list[str]:
    """Return the keys that are meant, by themselves or by name; a key that is no choice any more can still be held."""
    names = asked.evaluator.choices(asked.comparator.field.definition)
    found = {str(one) for one in asked.operands}
    folded = {fold(one) for one in found}
    return sorted(found | {key for key, name in names.items() if fold(name) in folded})


def _addresses(asked: Condition) -> list[str]:
    kind = PLACES[asked.kind]
    return sorted({stored_address(asked.comparator, text if "/" in (text := str(one)[:100]) else f"{kind}/{text}")
                   for one in asked.operands})


def _shorter(asked: Condition) -> Predicate:
    text = exact_number(asked.operands[0])
    length = int(float(text)) if text is not None else None
    return Never() if length is None else Shorter(asked.comparator, max(0, min(length, 10**6)))


def _file_type(asked: Condition) -> Predicate:
    heads = _FILES.get(asked.word.strip().lower(), (asked.word.strip().lower(),))
    if asked.kind not in ("file", "signature"):
        return Never()
    return _any([FileType(asked.comparator, head) for head in heads])


def _even(asked: Condition) -> Predicate:
    return Even(asked.comparator) if asked.comparator.kind == NUMBER and not isinstance(asked.comparator, Column | Many) else Never()


@dataclass(frozen=True, slots=True)
class FileType(Filled):
    """One of the files is of a type that begins like this."""

    head: str = ""

    def expression(self, values: Any) -> Any:
        return values.begins(self.comparator.name, self.head, inner="type")

    def holds(self, seen: Any) -> bool:
        return any(item["type"].startswith(self.head) for item in seen.view.vals.get(self.comparator.name) or ())


_SPECIAL: Mapping[str, Callable[[Condition], Predicate]] = {
    "length_is_lower_than": _shorter, "file_type_is": _file_type, "is_even_and_whole": _even}
