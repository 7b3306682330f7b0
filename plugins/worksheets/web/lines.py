"""Lines: a page of records as they are shown, computed values and names of what they point to read for all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from core.api import RecordView, budget
from plugins.worksheets.fields import Field
from plugins.worksheets.query import record_views
from plugins.worksheets.records import Row
from plugins.worksheets.web.cells import show
from plugins.worksheets.web.related_names import RecordAround, RelatedNames


@dataclass(frozen=True, slots=True)
class Line:
    """One record: its row, all its values that were asked for, and what is around them."""

    row: Row
    view: RecordView
    values: dict[str, Any]
    around: RecordAround

    @property
    def seq(self) -> int:
        """The record's number."""
        return self.row.seq

    def show(self, field: Field, whole: bool = False) -> Markup:
        """Return a field's value as people see it."""
        return show(self.values.get(field.key), field, self.around, whole)


def lines_of(around: RelatedNames, rows: Sequence[Row], fields: Iterable[Field]) -> list[Line]:
    """Return the lines of some rows with the values of *fields*; how many rows there are costs no more questions."""
    wanted = list(fields)
    found = valued_lines(around, rows, wanted)
    _as_far_as_possible(lambda: around.load(wanted, [line.values for line in found]))
    return found


def valued_lines(around: RelatedNames, rows: Sequence[Row], fields: Iterable[Field]) -> list[Line]:
    """Return what `lines_of` does for whoever needs the values alone, and not what the things are called that they point to."""
    budget.begin_showing()
    wanted = list(fields)
    views = list(record_views(rows))
    address = around.sheet.document.address
    derived = [field.key for field in wanted if field.type.derived_for(field.definition)]
    _as_far_as_possible(lambda: around.computation.load(address, derived, views))
    stored = {field.key for field in wanted if field.stored}
    found = []
    for row, view in zip(rows, views, strict=True):
        values = {key: value for key, value in view.vals.items() if key in stored}
        _as_far_as_possible(partial(_add_computed, values, around, derived, view))
        found.append(Line(row, view, values, around.of(row.seq)))
    return found


def _add_computed(values: dict[str, Any], around: RelatedNames, derived: Sequence[str], view: RecordView) -> None:
    values.update(around.computation.values(around.sheet.document.address, derived, view))


def _as_far_as_possible(act: Callable[[], object]) -> None:
    """Do something of a page; where the request's budget ends, the page lacks it and says so."""
    try:
        act()
    except budget.BudgetSpent:
        budget.tell(f"Some computed values and names are not shown: they take more work than one page may do. {budget.HELP}")


def title_of(around: RelatedNames, line: Line) -> str:
    """Return what a record is called."""
    sheet = around.sheet
    if sheet.title_key is None:
        return f"#{line.seq}"
    field = sheet.fields[sheet.title_key]
    value = line.values.get(field.key)
    if value is None:
        return f"#{line.seq}"
    if field.type.name in ("relationship", "subform", "cascading_select", "free_link"):
        return str(show(value, field, line.around).striptags()) or f"#{line.seq}"
    return around.text(field.definition, value) or f"#{line.seq}"
