"""The kinds of blocks for people: what each is called, what it is for, and what a new one starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import InvalidInput, new_key
from plugins.pages.holes import fixed

KINDS: Mapping[str, tuple[str, str]] = {
    "heading": ("Heading", "Says what follows"),
    "text": ("Text", "Words, plain or in Markdown"),
    "image": ("Picture", "A file, or a picture on the web"),
    "link": ("Link", "Leads to a page or an address"),
    "button": ("Button", "Leads somewhere, or makes and changes records"),
    "menu": ("Menu", "Several links in a row"),
    "view": ("View of a worksheet", "Its records as a table"),
    "table": ("Table", "Records of a source, with columns of your own"),
    "list": ("List", "Blocks of your own for each record of a source"),
    "record": ("Record", "One record of a source"),
    "chart": ("Chart", "Records counted or added up by group"),
    "form": ("Form", "Fields that make or change a record"),
    "input": ("Text field", "A field of a form"),
    "choice": ("Choice field", "A field with choices"),
    "date_input": ("Date field", "A field for a day"),
    "checkbox": ("Tick field", "A field for yes or no"),
    "rating": ("Rating field", "A field for one to five"),
    "record_select": ("Record field", "A field in which a record is chosen"),
    "columns": ("Columns", "Blocks side by side"),
    "container": ("Group", "Blocks that belong together"),
    "divider": ("Line", "A line between blocks"),
    "embed": ("Embedded page", "A page of another server, over https"),
    "html": ("HTML", "Formatted text as HTML, without scripts"),
    "header": ("Header", "Stands on top, also of other pages if this one is shared"),
    "footer": ("Footer", "Stands at the end, also of other pages if this one is shared"),
}
OLD = {"file_input": "File field", "sign_in": "Sign-in form"}
"""Kinds that come along with imported pages and cannot be added."""
STARTS: Mapping[str, Mapping[str, Any]] = {
    "heading": {"text": fixed("New heading"), "level": 2}, "text": {"text": fixed("New text"), "format": "markdown"},
    "link": {"text": fixed("New link")}, "button": {"text": fixed("New button")}, "menu": {"items": []}, "columns": {"columns": 2},
    "form": {"label": fixed("Save")}, "input": {"label": fixed("New field")}, "choice": {"label": fixed("New choice")},
    "date_input": {"label": fixed("New date")}, "checkbox": {"label": fixed("New tick")}, "rating": {"label": fixed("New rating")},
    "record_select": {"label": fixed("New record field")}, "chart": {"chart": {"type": "bar"}}, "html": {"html": "<p>New text</p>"},
    "header": {"share": "all"}, "footer": {"share": "all"},
}


def new_block(kind: str, column: int = 0) -> dict[str, Any]:
    """Return a new block of a kind.

    Raises:
        InvalidInput: there is no such kind.
    """
    if kind not in KINDS:
        raise InvalidInput("Choose what to add.")
    return {"key": new_key("b"), "type": kind, **STARTS.get(kind, {}), **({"column": column} if column else {})}


def title_of(kind: str) -> str:
    """Return what a kind of block is called."""
    return KINDS[kind][0] if kind in KINDS else OLD.get(kind, kind)
