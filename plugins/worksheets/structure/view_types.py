"""The types of views: what each asks for, and which fields go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.api import field_type


@dataclass(frozen=True, slots=True)
class ViewType:
    """A type of view: a sentence on it, what it asks for beyond a name, and what it cannot do without."""

    title: str
    says: str
    asks: tuple[str, ...]
    needs: tuple[str, ...] = ()


_MANY = ("filter", "sorts")
TYPES: Mapping[str, ViewType] = {
    "grid": ViewType("Grid", "All records as a table, with inline editing.",
                     (*_MANY, "groups", "fields", "row_height", "row_number", "colours")),
    "kanban": ViewType("Kanban", "Cards in columns, one per choice of a field.",
                       ("stack_field", "cover_field", *_MANY, "fields", "colours"), ("stack_field",)),
    "gallery": ViewType("Gallery", "Cards with pictures.", ("cover_field", *_MANY, "fields", "colours")),
    "calendar": ViewType("Calendar", "Records on the days of a date field.",
                         ("start_field", "end_field", "filter", "fields", "colours"), ("start_field",)),
    "timeline": ViewType("Timeline", "Records as bars from a start to an end.",
                         ("start_field", "end_field", "scale", *_MANY, "groups", "fields", "colours"), ("start_field",)),
    "form": ViewType("Form", "A page for entering new records.", ("form",)),
}
DATES = frozenset({"date", "datetime", "created_time", "modified_time", "formula"})
FITTING: Mapping[str, frozenset[str]] = {
    "stack_field": frozenset({"single_select", "member", "relationship"}), "cover_field": frozenset({"file"}),
    "start_field": DATES, "end_field": DATES}
"""Which types of fields go with which property."""

LABELS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "row_number": ("Number beside each row", {"count": "Place in the view: 1, 2, 3", "seq": "Number of the record"}),
    "row_height": ("Row height", {"extra_large": "Extra large"}),
    "stack_field": ("Columns by", {}), "cover_field": ("Picture", {}), "start_field": ("Start date", {}), "end_field": ("End date", {}),
    "scale": ("Shows at once", {"day": "A day", "week": "A week", "month": "A month", "quarter": "A quarter", "year": "A year"}),
    "sorts": ("Sort by", {}), "groups": ("Group by", {}), "fields": ("Fields", {}), "colours": ("Colours", {}),
}
"""What the form of a view calls what it asks for, and its choices."""


def fits(definition: Mapping[str, Any] | None, fitting: frozenset[str]) -> bool:
    """Say whether a field goes with a property that takes fields of these types; a formula, unless its format is no date."""
    if definition is None or definition["type"] not in fitting:
        return False
    if definition["type"] != "formula":
        return True
    given = definition["options"].get("format", {}).get("type")
    return given in (None, "date", "datetime")


def titles_of(types: Iterable[str]) -> list[str]:
    """Return what types of fields are called, in a sentence."""
    return sorted(field_type(name).title.lower() for name in types)
