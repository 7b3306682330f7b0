"""The filter of a view as rows of conditions, like the filter bar has them; a filter in a filter has no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from core.api import InvalidInput
from plugins.worksheets.web.grid import condition_row
from plugins.worksheets.web.grid_query import MAX_SEARCH
from plugins.worksheets.web.operators import PERIODS, Condition, condition_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MAX_ROWS = 50
Filter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The rows of a filter, and whether one that fits is enough."""

    sheet: SheetContext
    around: RelatedNames
    found: Sequence[Condition]
    any_of: bool

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The conditions as the filter bar shows them."""
        return [condition_row(self.sheet, self.around, one.field, one.operator, one.text) for one in self.found]

    @property
    def blank(self) -> Mapping[str, Any]:
        """A row for one more."""
        return condition_row(self.sheet, self.around, "", "", "")

    @property
    def filter(self) -> Filter | None:
        """The filter that the rows are; rows that lack something are left out."""
        parts = [one.filter for one in self.found if one.filter is not None]
        return {"any" if self.any_of else "all": parts} if parts else None


def check_whole(conditions: Conditions | None) -> None:
    """Refuse rows that name a field and not yet what they ask of it.

    Raises:
        InvalidInput: naming the field.
    """
    for one in conditions.found if conditions is not None else ():
        if one.filter is None:
            name = conditions.sheet.fields[one.field].name if conditions is not None else ""
            raise InvalidInput(f"Nothing was saved. Enter a value for the condition on “{name}”.")


def conditions_of(sheet: SheetContext, filter: Filter | None, form: MultiDict[str, str]) -> Conditions | None:
    """Return the rows that a form sent, else those of a filter; None where it cannot be said in rows."""
    stored = _rows(sheet, filter)
    if stored is None:
        return None
    any_of, found = (form.get("match") == "any", _sent(sheet, form)) if "match" in form else stored
    return Conditions(sheet, RelatedNames(sheet), found, any_of)


def with_filter(part: Mapping[str, Any], filter: Filter | None, name: str = "filter") -> dict[str, Any]:
    """Return a view, or another part, with another filter under a name, or with none."""
    made = {one: value for one, value in part.items() if one != name}
    return made if filter is None else {**made, name: filter}


def _sent(sheet: SheetContext, form: MultiDict[str, str]) -> list[Condition]:
    fields, operators, values = form.getlist("where"), form.getlist("op"), form.getlist("value")
    rows = zip(fields[:MAX_ROWS], operators, values, strict=False)
    return [condition_of(sheet, sheet.fields[key], operator, text[:MAX_SEARCH]) for key, operator, text in rows if key in sheet.fields]


def _rows(sheet: SheetContext, filter: Filter | None) -> tuple[bool, list[Condition]] | None:
    if filter is None:
        return False, []
    leaves = filter.get("all", filter.get("any", [filter]))
    found = [_row(sheet, leaf) for leaf in leaves]
    kept = [one for one in found if one is not None]
    return ("any" in filter, kept) if len(kept) == len(found) else None


def _row(sheet: SheetContext, leaf: Filter) -> Condition | None:
    """Return the row that says the same as one condition, None where there is none."""
    field = sheet.fields.get(part_key(leaf.get("field")) or "")
    if field is None:
        return None
    unit, value = leaf.get("unit"), leaf.get("value")
    operator = unit if unit in (*PERIODS, "today") else leaf["operator"]
    text = {True: "yes", False: "no", None: ""}.get(value, str(value)) if not isinstance(value, list) else ""
    row = condition_of(sheet, field, str(operator), text)
    return row if _same(row.filter, leaf) else None


def _same(one: Filter | None, other: Filter) -> bool:
    """Say whether two conditions mean the same; a number and its text do."""
    def plain(node: Filter) -> dict[str, Any]:
        value = node.get("value")
        return {**node, "value": str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value}

    return one is not None and plain(one) == plain(other)
