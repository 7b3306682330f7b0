"""What programs ask for: filters, sorts and views of an address, checked in words before the query layer sees them.

The grid leaves out what it does not understand, since somebody looks at what came; a program would take that for the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.api import InvalidInput, parse
from plugins.worksheets.fields import Field
from plugins.worksheets.query.comparators import Comparator, comparator_of
from plugins.worksheets.query.conditions import MAX_OPERAND, ORDER, VALUELESS
from plugins.worksheets.query.predicates import exact_number
from plugins.worksheets.query.query import Filter, Query
from plugins.worksheets.query.relative_dates import span_of
from plugins.worksheets.records.keys import NUMBER
from plugins.worksheets.schema import OPERATORS
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.paging import query_of
from plugins.worksheets.web.sheet_context import SheetContext

MOST_CONDITIONS, MOST_DEPTH, MOST_OPERANDS = 100, 10, 100
MAX_FILTER_BYTES = 80_000
PARTS = {"field", "operator", "value", "unit"}
BY_COLUMN: Mapping[str, str] = {"number": "seq", "created_at": "created_at", "updated_at": "updated_at"}
TIMED = ("date", "datetime", "created_time", "modified_time")
_DAY, _UTC = datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")


def query_asked(sheet: SheetContext, query: Mapping[str, Any]) -> Query:
    """Return the question for the records that an address asks for, no further than the person may read.

    Raises:
        InvalidInput: something in it cannot be asked.
        NotFound: the person sees no view of that key.
    """
    view = sheet.view(query["view"]) if "view" in query else None
    asked = GridQuery(view=view, sorts=tuple(_sorts(sheet, query.get("sort", ()))), search=query.get("search", "").strip())
    filters = [one for one in (asked.filter(), _filter_of(sheet, query.get("filter"))) if one]
    return query_of(sheet, asked, filter={"all": filters} if filters else None)


def _sorts(sheet: SheetContext, given: Sequence[str]) -> Iterator[tuple[str, bool]]:
    for text in given:
        name = text.removeprefix("-")
        if name not in BY_COLUMN and (name not in sheet.fields or comparator_of(sheet.fields[name]) is None):
            raise InvalidInput(f"Records cannot be sorted by “{name[:40]}”. Use the key of a field that you can read, number, created_at "
                               "or updated_at, with a minus before it for the other direction.", parameter="sort")
        yield BY_COLUMN.get(name, name), text.startswith("-")


def _filter_of(sheet: SheetContext, text: str | None) -> Filter | None:
    if text is None:
        return None
    try:
        value = parse(text.encode(), max_bytes=MAX_FILTER_BYTES)
    except ValueError as error:
        raise InvalidInput(f"The filter cannot be read: {error}.", parameter="filter") from None
    return _Reading(sheet).node(value, "", 1)


@dataclass
class _Reading:
    """Reads one filter; *place* is where in it one is, as a JSON pointer."""

    sheet: SheetContext
    conditions: int = 0

    def node(self, value: Any, place: str, depth: int) -> Filter:
        """Return a filter or a part of one, its fields named by their keys."""
        if not isinstance(value, dict):
            raise _refusal(place, "it must be an object")
        if depth > MOST_DEPTH:
            raise _refusal(place, f"it is nested more than {MOST_DEPTH} deep")
        name = next((name for name in ("all", "any") if value.keys() == {name}), None)
        if name is None:
            return self.condition(value, place)
        if not isinstance(value[name], list):
            raise _refusal(f"{place}/{name}", "it must be a list")
        return {name: [self.node(one, f"{place}/{name}/{n}", depth + 1) for n, one in enumerate(value[name])]}

    def condition(self, value: Mapping[str, Any], place: str) -> Filter:
        """Return a condition."""
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            raise _refusal(place, f"a filter has at most {MOST_CONDITIONS} conditions")
        if not {"field", "operator"} <= value.keys() <= PARTS:
            raise _refusal(place, "it must have “all”, or “any”, or “field” and “operator” with, if you like, “value” and “unit”")
        one, operator = self.field(value["field"], f"{place}/field"), value["operator"]
        if operator not in OPERATORS:
            raise _refusal(f"{place}/operator", f"it must be one of {', '.join(OPERATORS)}")
        comparator = comparator_of(one)
        if comparator is None:
            raise _refusal(f"{place}/field", f"“{one.name}” cannot be filtered by")
        _check_operands(comparator, operator, value.get("value"), value.get("unit"), place)
        return {**value, "field": one.key}

    def field(self, pointer: Any, place: str) -> Field:
        """Return the field that a condition is on; one that may not be read is as if it were not there."""
        key = pointer.get("ref") if isinstance(pointer, dict) and pointer.keys() == {"ref"} else pointer
        key = key.removeprefix(f"{self.sheet.document.address}/field/") if isinstance(key, str) else ""
        if key not in self.sheet.fields:
            raise _refusal(place, "it is not a field of this worksheet that you can read")
        return self.sheet.fields[key]


def _check_operands(comparator: Comparator, operator: str, value: Any, unit: Any, place: str) -> None:
    """Refuse to compare with nothing, or with what the field never holds: everything or nothing would be found."""
    operands = value if isinstance(value, list) else [value]
    if len(operands) > MOST_OPERANDS or any(isinstance(one, dict | list) or len(str(one)) > MAX_OPERAND for one in operands):
        raise _refusal(f"{place}/value", f"it must be a text, a number, true, false, or a list of at most {MOST_OPERANDS} such")
    filled = [one for one in operands if one not in (None, "")]
    if unit is not None or operator == "within" or (_is_timed(comparator, False) and operator in ("is", "is_not", *ORDER)):
        _check_days(comparator, operator, filled[0] if filled else None, unit, place)
    elif operator not in VALUELESS and not filled:
        raise _refusal(f"{place}/value", "it is missing")
    elif comparator.kind == NUMBER and operator in ("is", "is_not", *ORDER) and any(exact_number(one) is None for one in filled):
        raise _refusal(f"{place}/value", "it must be a number")


def _check_days(comparator: Comparator, operator: str, value: Any, unit: Any, place: str) -> None:
    if not _is_timed(comparator, unit is not None):
        raise _refusal(f"{place}/unit", "it fits fields only that hold dates")
    if span_of(unit, value, _UTC, _DAY, within=operator == "within") is None:
        raise _refusal(f"{place}/value", "it names no day: give one such as 2026-11-23, or a unit such as days_ago and a whole number")


def _is_timed(comparator: Comparator, maybe: bool) -> bool:
    """Say whether a field holds dates; with *maybe* whether it may, as what is computed."""
    one = comparator.field
    return one.acts_as in TIMED or (maybe and one.type.derived_for(one.definition))


def _refusal(place: str, why: str) -> InvalidInput:
    return InvalidInput(f"The filter{f', at {place[:200]}' if place else ''}: {why}.", parameter="filter", pointer=place[:200])
