"""Cells of computed values: shown as what they look like, never edited."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import EMPTY, Around, Cell, form_of
from plugins.worksheets.web.cells.numbers import duration_text, grouped
from plugins.worksheets.web.cells.text import link, short, show_text
from plugins.worksheets.web.cells.times import show_date, show_datetime

_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


def show_derived(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show what a formula, lookup or rollup gave, by its format or by its looks."""
    if isinstance(value, list):
        parts = [show_derived(one, field, around, False) for one in value[:50]]
        more = Markup(' <span class="soft small">+{}</span>').format(len(value) - 50) if len(value) > 50 else EMPTY
        return Markup(", ").join(parts) + more
    if isinstance(value, bool):
        return Markup('<span class="w-tick" role="img" aria-label="yes">✓</span>') if value else escape("no")
    if isinstance(value, Mapping):
        return _object(value)
    form = form_of(field)
    if form == "duration" and (isinstance(value, int) or _NUMBER.match(str(value))):
        return escape(duration_text(value))
    if isinstance(value, int) or form == "number":
        return escape(grouped(value))
    return _words(str(value), form, field, around, whole)


def _words(text: str, form: str | None, field: Field, around: Around, whole: bool) -> Markup:
    if _DAY.match(text):
        return show_date(text, field, around, whole)
    if _MOMENT.match(text):
        return show_datetime(text, field, around, whole)
    if form == "url":
        return link(text, short(text))
    return show_text(text, field, around, whole)


def _object(value: Mapping[str, Any]) -> Markup:
    if "url" in value:
        text = str(value.get("label") or value["url"])
        return link(str(value["url"]), short(text))
    return escape(short(str(value.get("name") or value.get("label") or json.dumps(value, ensure_ascii=False))))


def show_person(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show who it was."""
    return escape(around.org_name(f"user/{value}"))


def show_imported(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show what another program had computed."""
    return show_text(", ".join(map(str, value)) if isinstance(value, list) else value, field, around, whole)


DERIVED = {
    **dict.fromkeys(("formula", "lookup"), Cell(show_derived)),
    "rollup": Cell(show_derived, align="number"),
    "count": Cell(show_derived, align="number"),
    "text_combination": Cell(show_text),
    "created_time": Cell(show_datetime),
    "modified_time": Cell(show_datetime),
    "created_by": Cell(show_person),
    "modified_by": Cell(show_person),
    "imported": Cell(show_imported),
}
