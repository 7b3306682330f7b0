"""Colours at the left of records, as a view says: by conditions, or by what a select field holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.worksheets.web.cells.choices import hue_of
from plugins.worksheets.web.filter_match import fitting
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.lines import Line
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key


def colours_of(sheet: SheetContext, asked: GridQuery, around: RelatedNames, lines: Sequence[Line]) -> dict[int, int]:
    """Return the hue of each record that has a colour; it repeats what a field of the record says in words."""
    found: dict[int, int] = {}
    rows = [line.row for line in lines]
    for given in (asked.view or {}).get("colours", ()):
        if "field" in given:
            return {**_by_choice(sheet, around, given, lines), **found}
        hue = hue_of(given.get("colour", ""))
        for row, fit in zip(rows, fitting(sheet, given.get("when"), rows), strict=True):
            if fit and hue is not None:
                found.setdefault(row.seq, hue)
    return found


def _by_choice(sheet: SheetContext, around: RelatedNames, given: Mapping[str, Any], lines: Sequence[Line]) -> dict[int, int]:
    field = sheet.fields.get(part_key(given["field"]) or "")
    if field is None or field.type.name != "single_select":
        return {}
    hues = {choice.value: hue_of(choice.colour) for choice in around.choices(field.definition)}
    found = {line.seq: hues.get(line.view.vals.get(field.key, "")) for line in lines}
    return {seq: hue for seq, hue in found.items() if hue is not None}
