"""Saving what an address asks for to its view, for everybody: by those who manage the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, request

from core.api import Document, Needs, documents, locks, transaction
from plugins.worksheets.web.blueprint import SHEET, pages
from plugins.worksheets.web.grid_query import GridQuery, read_grid_query
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet, part_key


@pages.page(f"{SHEET}/keep", Needs.APP_ADMIN, ("POST",))
def keep(organization_id: str, app_id: str, key: str) -> Response:
    """Save conditions, sorting and columns to the view."""
    sheet = open_sheet(key)
    asked = read_grid_query(sheet, request.form)
    if asked.view is not None:
        with transaction():
            locks.take(sheet.app)
            document = documents.get(sheet.app, sheet.document.address)
            views = [kept(sheet, asked, view) if view["key"] == asked.view["key"] else view for view in document.body["views"]]
            documents.put(sheet.app, Document(kind="worksheet", key=key, body={**document.body, "views": views},
                                              position=document.position), sheet.person)
        flash(f"The view “{asked.view['name']}” was saved.", "good")
        return redirect(sheet.url(view=asked.view["key"]))  # type: ignore[return-value]
    return redirect(sheet.url())  # type: ignore[return-value]


def kept(sheet: SheetContext, asked: GridQuery, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view with what was asked for in it."""
    made, combined = dict(view), asked.filter()
    if asked.conditions and combined is not None:
        made["filter"] = combined if "field" not in combined else {"all": [combined]}
    if asked.sorts:
        made["sorts"] = [{"field": _ref(sheet, key), **({"descending": True} if down else {})} for key, down in asked.sorts]
    if asked.shown is not None:
        before = {part_key(one["field"]): one for one in view.get("fields", ())}
        listed = [{**before.get(key, {"field": _ref(sheet, key)}), "hidden": False} for key in asked.shown]
        hidden = [{**before.get(key, {"field": _ref(sheet, key)}), "hidden": True} for key in sheet.fields if key not in asked.shown]
        made["fields"] = listed + hidden
    return made


def _ref(sheet: SheetContext, key: str) -> dict[str, str]:
    return {"ref": f"{sheet.document.address}/field/{key}"}
