"""The page of a worksheet: one of its views, as far as the visitor may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, render_template, request

from core.api import Needs
from plugins.worksheets.fields import Field
from plugins.worksheets.web import boards, calendars, groups
from plugins.worksheets.web.blueprint import SHEET, pages
from plugins.worksheets.web.cells import align_of, cell_of
from plugins.worksheets.web.grid_query import GridQuery, columns_of, read_grid_query, view_columns
from plugins.worksheets.web.lines import lines_of
from plugins.worksheets.web.operators import TITLES, VALUELESS, control_of, operators_of
from plugins.worksheets.web.paging import Place, page_of, query_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.row_colours import colours_of
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet, part_key


@pages.page(SHEET, Needs.APP, guests=True, browse=True)
def grid(organization_id: str, app_id: str, key: str) -> str | Response:
    """Show a view of a worksheet."""
    sheet = open_sheet(key)
    asked = read_grid_query(sheet, request.args)
    kind = (asked.view or {}).get("type", "grid")
    if kind == "form" and asked.view is not None:
        return redirect(sheet.url("new", view=asked.view["key"]))  # type: ignore[return-value]
    around = RelatedNames(sheet)
    shown = {"kanban": boards.kanban, "gallery": boards.gallery, "calendar": calendars.calendar}.get(kind, table)
    name = "grid" if shown is table else kind
    return render_template(f"worksheets/{name}.html", sheet=sheet, asked=asked, bar=Bar(sheet, asked, around),
                           **shown(sheet, asked, around))


@dataclass(frozen=True)
class Column:
    """A column of a grid: its field and how it is laid out."""

    field: Field
    width: int
    align: str
    sorted: str | None
    sort_url: str
    editable: bool


def table(sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> dict[str, Any]:
    """Return what a grid shows: columns, a page of lines, where one is and where one can go."""
    fields = columns_of(sheet, asked)
    grouping = groups.grouping_of(sheet, asked, around)
    ask = query_of(sheet, asked, **grouping.narrowing)
    asked, found = page_of(sheet, asked, ask)
    needed = {field.key: field for field in [*fields, *grouping.fields]}
    lines = lines_of(around, found.rows, needed.values())
    return {"columns": [column(sheet, asked, field) for field in fields], "lines": lines, "grouping": grouping,
            "place": Place.of(sheet, asked, ask, found), "colours": colours_of(sheet, asked, around, lines),
            "height": (asked.view or {}).get("row_height", "small"), "dates": (asked.view or {}).get("type") == "timeline"}


def column(sheet: SheetContext, asked: GridQuery, field: Field) -> Column:
    """Return how a field stands in a grid."""
    listed: Mapping[str, Any] = next((one for one in (asked.view or {}).get("fields", ()) if part_key(one["field"]) == field.key), {})
    directions = dict(asked.sorting())
    now = None if field.key not in directions else "descending" if directions[field.key] else "ascending"
    mine = dict(asked.sorts)
    after: tuple[tuple[str, bool], ...] = ((field.key, True),) if mine.get(field.key) is False else () if field.key in mine \
        else ((field.key, now == "ascending"),)
    return Column(field, min(max(int(listed.get("width", 0)) or WIDTHS.get(cell_of(field).editor, 180), 60), 600),
                  align_of(field), now, asked.url(sheet, sorts=after), sheet.editable(field))


WIDTHS = {"area": 260, "checkbox": 110, "number": 130, "date": 130, "datetime": 170, "rating": 130, "time": 110, "duration": 120}


class Bar:
    """What stands above every view: tabs, conditions, search, columns."""

    def __init__(self, sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> None:
        self.sheet, self.asked, self.around = sheet, asked, around

    @property
    def tabs(self) -> list[Mapping[str, Any]]:
        """The views as tabs."""
        return [{"name": view["name"], "type": view["type"], "url": self.sheet.url(view=view["key"]),
                 "on": self.asked.view is not None and view["key"] == self.asked.view["key"]} for view in self.sheet.views]

    @property
    def conditions(self) -> list[Mapping[str, Any]]:
        """The conditions there are, as rows of the filter bar."""
        return [condition_row(self.sheet, self.around, c.field, c.operator, c.text) for c in self.asked.conditions]

    def blank(self) -> Mapping[str, Any]:
        """A row for one more condition."""
        return condition_row(self.sheet, self.around, "", "", "")

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The pairs of the address that the filter form does not hold itself."""
        return [(n, v) for n, v in self.asked.query() if n not in ("where", "op", "value", "match", "q")]

    @property
    def unchosen(self) -> list[tuple[str, str]]:
        """The pairs of the address that the form of columns does not hold itself."""
        return [(n, v) for n, v in self.asked.query() if n not in ("show", "columns")]

    @property
    def columns(self) -> list[tuple[Field, bool]]:
        """All fields, and whether each is shown."""
        shown = {field.key for field in columns_of(self.sheet, self.asked)}
        order = [*view_columns(self.sheet, self.asked.view), *self.sheet.fields]
        return [(self.sheet.fields[key], key in shown) for key in dict.fromkeys(order)]

    @property
    def changed(self) -> bool:
        """Whether the address asks for something that the view could keep."""
        return self.asked.view is not None and bool(self.asked.conditions or self.asked.sorts or self.asked.shown is not None)

    @property
    def clear_url(self) -> str:
        """The address without what narrows the view."""
        return self.asked.url(self.sheet, conditions=(), search="", group=None, any_of=False)

    @property
    def export_url(self) -> str:
        """The address of the file with all the records of the view."""
        pairs = self.asked.query()
        return self.sheet.url("export", **{name: [v for n, v in pairs if n == name] for name, _ in pairs})


def condition_row(sheet: SheetContext, around: RelatedNames, key: str, operator: str, text: str) -> Mapping[str, Any]:
    """Return one row of the filter bar: the field, the operators it can be asked with, the control for the value."""
    field = sheet.fields.get(key)
    if field is None:
        return {"field": "", "operators": (), "operator": "", "text": "", "control": None, "choices": ()}
    known = operators_of(field)
    chosen = operator if operator in known else known[0]
    control, choices = control_of(field, around.choices(field.definition) if field.type.name.endswith("_select") else ())
    return {"field": key, "operators": [(name, TITLES[name]) for name in known], "operator": chosen, "text": text,
            "control": None if chosen in VALUELESS else control, "choices": choices}


@pages.page(f"{SHEET}/condition", Needs.APP, guests=True, browse=True)
def condition(organization_id: str, app_id: str, key: str) -> str:
    """Give a row of the filter bar anew, after its field or operator was chosen."""
    sheet = open_sheet(key)
    given = [request.args.get(name, "")[:200] for name in ("where", "op", "value")]
    return render_template("worksheets/condition.html", sheet=sheet, row=condition_row(sheet, RelatedNames(sheet), *given))

