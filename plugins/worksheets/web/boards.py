"""Boards and galleries: records as cards, stacked by what a select field says, or with a picture on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from plugins.worksheets.fields import Field
from plugins.worksheets.query import LOOK_ROWS, count, page
from plugins.worksheets.web.cells.choices import tag
from plugins.worksheets.web.cells.files import PICTURES
from plugins.worksheets.web.editors import digest
from plugins.worksheets.web.grid_query import GridQuery, columns_of, view_columns
from plugins.worksheets.web.lines import Line, lines_of, title_of
from plugins.worksheets.web.operators import condition_of
from plugins.worksheets.web.paging import Place, page_of, query_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key

CARDS = 20
TILES = 48
FACTS = 4
MOST_STACKS = 30
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Stack:
    """One stack of a board: what its cards share, a page of them, how many there are."""

    value: str
    name: str
    shown: Markup
    lines: list[Line]
    count_text: str
    more_url: str | None


def kanban(sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> dict[str, Any]:
    """Return a board: a stack for each choice, and one for records without any."""
    view = asked.view or {}
    field = sheet.fields.get(part_key(view.get("stack_field")) or "")
    if field is None or field.type.name != "single_select":
        return {"stacks": [], "stack_field": None}
    fields = facts_of(sheet, asked, {field.key})
    needed = needed_fields(sheet, [*fields, field])
    without = _stack(sheet, asked, around, field, needed, "", "No status", Markup('<span class="soft">No status</span>'))
    stacks = [_stack(sheet, asked, around, field, needed, choice.value, choice.name, tag(choice))
              for choice in list(around.choices(field.definition))[:MOST_STACKS]]
    stacks = [without, *stacks] if without.lines else [*stacks, without]
    return {"stacks": stacks, "stack_field": field, "stack_editable": sheet.editable(field), "fields": fields,
            "title_of": lambda line: title_of(around, line), "was": lambda line: digest(line.values.get(field.key))}


def _stack(sheet: SheetContext, asked: GridQuery, around: RelatedNames, field: Field, needed: list[Field], value: str, name: str,
           shown: Markup) -> Stack:
    condition = condition_of(sheet, field, "is" if value else "is_empty", value)
    parts = [one for one in (asked.filter(), condition.filter) if one is not None]
    ask = query_of(sheet, asked, filter={"all": parts})
    found = page(sheet.app, ask, limit=CARDS, look=LOOK_ROWS)
    lines = lines_of(around, found.rows, needed)
    total, exact = count(sheet.app, ask, most=MOST_COUNTED, look=LOOK_ROWS) if found.next else (len(lines), True)
    grid = next((v for v in sheet.views if v["type"] == "grid"), None)
    more = replace(asked, view=grid, conditions=(*asked.conditions, condition)).url(sheet) if found.next and grid is not None else None
    return Stack(value, name, shown, lines, f"{total:,}{'' if exact else '+'}", more)


def gallery(sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> dict[str, Any]:
    """Return a page of cards with their pictures."""
    cover = sheet.fields.get(part_key((asked.view or {}).get("cover_field")) or "")
    fields = facts_of(sheet, asked, {cover.key} if cover is not None else set())
    ask = query_of(sheet, asked)
    asked, found = page_of(sheet, asked, ask, TILES)
    lines = lines_of(around, found.rows, needed_fields(sheet, [*fields, *([cover] if cover is not None else [])]))
    cover = cover if any(_picture(line, cover) for line in lines) else None
    return {"lines": lines, "fields": fields, "cover": cover, "place": Place.of(sheet, asked, ask, found, size=TILES),
            "title_of": lambda line: title_of(around, line), "cover_url": lambda line: _picture(line, cover)}


def _picture(line: Line, cover: Field | None) -> str | None:
    items: Any = line.values.get(cover.key) if cover is not None else None
    item: Mapping[str, Any] | None = next((one for one in items or () if one.get("type") in PICTURES), None)
    return None if item is None or cover is None else line.around.file_url(cover.key, item)


def facts_of(sheet: SheetContext, asked: GridQuery, but: set[str]) -> list[Field]:
    """Return the few fields that stand on a card below its title: those the view names, or the first ones."""
    but = but | {sheet.title_key or ""}
    if asked.shown is not None:
        return [field for field in columns_of(sheet, asked) if field.key not in but]
    most = 12 if (asked.view or {}).get("fields") else FACTS
    return [sheet.fields[key] for key in view_columns(sheet, asked.view) if key not in but][:most]


def needed_fields(sheet: SheetContext, fields: list[Field]) -> list[Field]:
    """Return the fields whose values are needed: those given, and the title."""
    title = [sheet.fields[sheet.title_key]] if sheet.title_key is not None else []
    return list({field.key: field for field in [*title, *fields]}.values())
