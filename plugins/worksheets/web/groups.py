"""Groups of a grid: sorted by the view's first group field, each group with a heading and a count, one group by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

from markupsafe import Markup

from plugins.worksheets.fields import Field
from plugins.worksheets.query import groups as counted
from plugins.worksheets.web.cells import show
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.lines import Line
from plugins.worksheets.web.operators import condition_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MOST_GROUPS = 40
NARROWED = ("single_select", "text", "number", "currency", "percent", "rating", "date", "email", "checkbox")
"""Types of fields of which one group can be shown by itself: those that a condition can ask for exactly."""


@dataclass(frozen=True)
class Group:
    """One group: its value, how many records it has, where it is by itself."""

    shown: Markup
    count_text: str
    url: str | None
    on: bool


@dataclass(frozen=True)
class Grouping:
    """How a grid is grouped; nothing where it is not."""

    field: Field | None = None
    options: Sequence[Group] = ()
    all_url: str = ""
    narrowing: Mapping[str, Any] = made(default_factory=dict)

    @property
    def fields(self) -> list[Field]:
        """The fields that headings need."""
        return [] if self.field is None else [self.field]

    def heading(self, line: Line, before: Line | None) -> Markup | None:
        """Return the heading above a line where a new group begins."""
        if self.field is None or (isinstance(before, Line) and before.values.get(self.field.key) == line.values.get(self.field.key)):
            return None
        return Markup("{}: {}").format(self.field.name, line.show(self.field) or Markup('<span class="soft">Empty</span>'))


def grouping_of(sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> Grouping:
    """Return how the view's grid is grouped."""
    first = next(iter((asked.view or {}).get("groups", ())), None)
    one = sheet.fields.get(part_key(first["field"]) or "") if first else None
    if one is None or not one.stored:
        return Grouping()
    whole = sheet.access.ask(filter=asked.filter(), search=asked.search)
    counts = counted(sheet.app, whole, one.key, most=MOST_GROUPS)
    options = in_order(around, one, counts.found)
    around.load([one], [{one.key: value} for value, _ in options])
    narrowing = {} if asked.group is None else {"filter": _narrowed(sheet, asked, one, asked.group)}
    more = "" if counts.exact else "+"
    shown = [_group(sheet, asked, around, one, value, f"{n:,}{more}") for value, n in options]
    return Grouping(one, shown, asked.url(sheet, group=None), narrowing)


def in_order(around: RelatedNames, one: Field, counts: Sequence[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Return groups as people look for them: choices in their own order, others by value; those without one last."""
    choices = {choice.value: n for n, choice in enumerate(around.choices(one.definition))} if one.type.name == "single_select" else {}
    return sorted(counts, key=lambda item: (item[0] is None, choices.get(item[0], len(choices)) if isinstance(item[0], str) else 0,
                                            str(item[0]).rjust(40) if isinstance(item[0], int) else str(item[0])))


def _group(sheet: SheetContext, asked: GridQuery, around: RelatedNames, one: Field, value: Any, count: str) -> Group:
    text = "" if value is None else "yes" if value is True else str(value)
    url = asked.url(sheet, group=text) if one.type.name in NARROWED else None
    return Group(show(value, one, around) or Markup("empty"), count, url, asked.group == text and url is not None)


def _narrowed(sheet: SheetContext, asked: GridQuery, one: Field, text: str) -> Mapping[str, Any] | None:
    if one.type.name == "checkbox":
        condition = condition_of(sheet, one, "is", text or "no")
    else:
        condition = condition_of(sheet, one, "is" if text else "is_empty", text)
    parts = [part for part in (asked.filter(), condition.filter) if part is not None]
    return {"all": parts} if parts else None
