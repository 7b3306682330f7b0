"""The fields of a view, one row each in its form, so that showing and hiding is a tick; stored only where they say something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import Document, Input
from plugins.worksheets.fields import fields_of
from plugins.worksheets.web.sheet_context import SheetContext, has_value, part_key

CELLS = ("field", "hidden", "width", "wrap", "aggregate")


def listed(document: Document, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view that lists every field: those it lists already first, in its order, the others behind them.

    Where a view lists some fields, those that it does not list are hidden in it; where it lists none, all are shown.
    """
    given = list(view.get("fields", ()))
    known = {part_key(one["field"]) for one in given}
    rest = [{"field": {"ref": f"{document.address}/field/{key}"}, **({"hidden": True} if given else {})}
            for key in _valued(document) if key not in known]
    return {**view, "fields": [*given, *rest]}


def compacted(sheet: SheetContext, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view without a list of fields that says no more than that all are shown as they stand in the worksheet."""
    made = {name: value for name, value in view.items() if name != "fields"}
    rows = [{name: value for name, value in one.items() if value is not False} for one in view.get("fields", ())]
    plain = all(one.keys() == {"field"} for one in rows) and [part_key(one["field"]) for one in rows] == _valued(sheet.document)
    if rows and not plain:
        made["fields"] = rows
    return made


def names_of(document: Document) -> dict[str, str]:
    """Return what the fields of a worksheet are called, by address."""
    return {f"{document.address}/field/{one['key']}": str(one["name"]) for one in document.body.get("fields", ())}


def cells_of(row: Input) -> dict[str, Input]:
    """Return the controls of a row by name; one that the row does not hold stands empty under its own name."""
    found = {one.path.rpartition(".")[2]: one for one in row.inside}
    return {name: found.get(name) or Input("text", f"{row.name}.{name}", f"{row.path}.{name}", name, False) for name in CELLS}


def _valued(document: Document) -> list[str]:
    """Return the keys of the fields that can stand in a view: those whose records have a value."""
    return [key for key, one in fields_of(document.body, stored=False).items() if has_value(one)]
