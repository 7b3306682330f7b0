"""The types of views: what each asks for, and which fields go with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
