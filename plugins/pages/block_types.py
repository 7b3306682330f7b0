"""The kinds of blocks for people: what each is called, what it is for, and what a new one starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import InvalidInput, new_key, server
from plugins.pages.text_templates import fixed

KINDS: Mapping[str, tuple[str, str]] = {
    "heading": ("Heading", "A title for what follows"),
    "text": ("Text", "Plain text or Markdown"),
    "image": ("Image", "An uploaded file, or an image from the web"),
    "link": ("Link", "Opens a page or an address"),
    "button": ("Button", "Opens a page, or creates and changes records"),
    "menu": ("Menu", "Several links in a row"),
    "view": ("Worksheet view", "Records of a worksheet as a table"),
    "table": ("Table", "Records of a source, with columns you choose"),
    "list": ("List", "The same blocks for each record of a source"),
    "record": ("Record", "One record of a source"),
    "chart": ("Chart", "Records counted or summed by group"),
    "form": ("Form", "Fields that create or change a record"),
    "input": ("Text field", "A text box in a form"),
    "choice": ("Choice field", "A list to choose from"),
    "date_input": ("Date field", "A date"),
    "checkbox": ("Checkbox", "Yes or no"),
    "rating": ("Rating field", "One to five stars"),
    "record_select": ("Record field", "A record to choose"),
    "columns": ("Columns", "Blocks side by side"),
    "container": ("Group", "Blocks kept together"),
    "divider": ("Divider", "A line between blocks"),
    "embed": ("Embedded page", "A page from another site, over https"),
    "html": ("HTML", "Formatted text in HTML, without scripts"),
    "header": ("Header", "The top of this page, or of several pages"),
    "footer": ("Footer", "The bottom of this page, or of several pages"),
}
OLD = {"file_input": "File field", "sign_in": "Sign-in form"}
"""Kinds that come along with imported pages and cannot be added."""
STARTS: Mapping[str, Mapping[str, Any]] = {
    "heading": {"text": fixed("New heading"), "level": 2}, "text": {"text": fixed("New text"), "format": "markdown"},
    "link": {"text": fixed("New link")}, "button": {"text": fixed("New button")}, "menu": {"items": []}, "columns": {"columns": 2},
    "form": {"label": fixed("Save")}, "input": {"label": fixed("New field")}, "choice": {"label": fixed("New choice")},
    "date_input": {"label": fixed("New date")}, "checkbox": {"label": fixed("New checkbox")}, "rating": {"label": fixed("New rating")},
    "record_select": {"label": fixed("New record field")}, "chart": {"chart": {"type": "bar"}}, "html": {"html": "<p>New text</p>"},
    "header": {"share": "all"}, "footer": {"share": "all"},
}


BROUGHT = "plugin"
"""The type, in documents, of all blocks of types that other plugins bring; `plugin_type` says which."""


def offered() -> dict[str, tuple[str, str]]:
    """Return what can be added: the kinds above, then those of other plugins ("plugin:name")."""
    brought = sorted(server().registry.block_types.values(), key=lambda one: one.title)
    return {**KINDS, **{f"{BROUGHT}:{one.name}": (one.title, one.about or "A block that a plugin brings") for one in brought}}


def new_block(kind: str, column: int = 0) -> dict[str, Any]:
    """Return a new block of a kind.

    Raises:
        InvalidInput: there is no such kind.
    """
    word, _, name = kind.partition(":")
    if word == BROUGHT and name in server().registry.block_types:
        starts: Mapping[str, Any] = {"plugin_type": name, "settings": dict(server().registry.block_types[name].starts)}
    elif kind in KINDS:
        starts = STARTS.get(kind, {})
    else:
        raise InvalidInput("Choose a block type.")
    return {"key": new_key("b"), "type": word, **starts, **({"column": column} if column else {})}


def title_of(block: Mapping[str, Any]) -> str:
    """Return what the kind of a block is called."""
    kind = block["type"]
    if kind == BROUGHT:
        known = server().registry.block_types.get(block.get("plugin_type", ""))
        return known.title if known is not None else f"{block.get('plugin_type', 'block')} (plugin not installed)"
    return KINDS[kind][0] if kind in KINDS else OLD.get(kind, kind)
