"""Which conditions can be put on which fields, how they are said, and what they are to the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import Choice, form_of
from plugins.worksheets.web.sheet_context import SheetContext

TITLES = {
    "is": "is", "is_not": "is not", "contains": "contains", "contains_not": "does not contain", "starts_with": "starts with",
    "ends_with": "ends with", "is_empty": "is empty", "is_filled": "is not empty", "greater": "is greater than",
    "greater_or_equal": "is at least", "less": "is less than", "less_or_equal": "is at most", "before": "is before",
    "after": "is after", "on_or_before": "is on or before", "on_or_after": "is on or after", "has": "has", "has_not": "does not have",
    "this_week": "is this week", "this_month": "is this month", "this_year": "is this year", "today": "is today",
}
"""The operators that the filter bar offers; the last four are a period and need no value."""
PERIODS = ("this_week", "this_month", "this_year")
VALUELESS = ("is_empty", "is_filled", "today", *PERIODS)
_TEXT = ("contains", "contains_not", "is", "is_not", "starts_with", "ends_with", "is_empty", "is_filled")
_NUMBER = ("is", "is_not", "greater", "greater_or_equal", "less", "less_or_equal", "is_empty", "is_filled")
_DATE = ("is", "is_not", "before", "after", "on_or_before", "on_or_after", "today", *PERIODS, "is_empty", "is_filled")
_THERE = ("is_filled", "is_empty")
_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("number", "currency", "percent", "rating", "autonumber", "duration", "count", "rollup"), _NUMBER),
    **dict.fromkeys(("date", "datetime", "created_time", "modified_time"), _DATE),
    "time": ("is", "is_not", "is_empty", "is_filled"),
    "checkbox": ("is",), "single_select": ("is", "is_not", "is_empty", "is_filled"),
    "multiple_select": ("has", "has_not", "is_empty", "is_filled"),
    **dict.fromkeys(("relationship", "cascading_select", "subform", "free_link"), ("contains", "contains_not", "is_filled", "is_empty")),
    **dict.fromkeys(("file", "signature", "member", "department", "org_role", "location", "region", "created_by", "modified_by"), _THERE),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of the filter bar: its parts as the address has them, and the filter it is; None while incomplete."""

    field: str
    operator: str
    text: str
    filter: Mapping[str, Any] | None


def operators_of(field: Field) -> tuple[str, ...]:
    """Return the operators that a field of this type can be asked with, the usual one first."""
    form = form_of(field)
    if field.type.name == "formula" and form in ("number", "date", "datetime"):
        return _NUMBER if form == "number" else _DATE
    return _BY_TYPE.get(field.acts_as, _TEXT)


def condition_of(sheet: SheetContext, field: Field, operator: str, text: str) -> Condition:
    """Return the condition that an address says; an operator that does not go with the field becomes the usual one."""
    known = operators_of(field)
    chosen = operator if operator in known else known[0]
    return Condition(field.key, chosen, text, _filter(sheet, field, chosen, text))


def _filter(sheet: SheetContext, field: Field, operator: str, text: str) -> Mapping[str, Any] | None:
    made = {"field": {"ref": f"{sheet.document.address}/field/{field.key}"}, "operator": operator}
    if operator in ("is_empty", "is_filled"):
        return made
    if operator == "today":
        return {**made, "operator": "is", "unit": "today"}
    if operator in PERIODS:
        return {**made, "operator": "within", "unit": operator}
    if field.type.name == "checkbox":
        return {**made, "value": text != "no"}
    if not text.strip():
        return None
    if known_dates(field):
        return {**made, "value": text.strip(), "unit": "exact_date"}
    return {**made, "value": text.strip()}


def known_dates(field: Field) -> bool:
    """Say whether a field is asked by a day."""
    return operators_of(field) is _DATE


def control_of(field: Field, choices: Sequence[Choice]) -> tuple[str, Sequence[Choice]]:
    """Return the kind of control that a condition's value is entered with, and what it chooses from."""
    if field.type.name in ("single_select", "multiple_select"):
        return "select", choices
    if field.type.name == "checkbox":
        return "select", (Choice("yes", "checked"), Choice("no", "not checked"))
    return ("date" if known_dates(field) else "time" if field.acts_as == "time" else "text"), ()
