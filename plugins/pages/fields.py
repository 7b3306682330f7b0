"""Fields of a page's forms: what each asks, its choices, and what it holds before somebody types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.api import RecordGiven
from plugins.pages.page_context import MAX_OPTIONS, PageContext
from plugins.pages.text_templates import is_true, only_use
from plugins.pages.view_models import Shown

TYPES = {"email": "email", "url": "url", "phone": "tel", "integer": "number", "number": "number", "password": "password"}
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?")
Body = Mapping[str, Any]


def field(context: PageContext, block: Body, record: RecordGiven | None) -> Shown:
    """Return one field of a form."""
    kind = block["type"]
    if kind == "rating" and "text" in block:
        return Shown("rating", data={"text": context.text(block["text"], record)})
    label = context.text(block.get("label"), record).strip() or block.get("name", "") or _LABELS[kind]
    data: dict[str, Any] = {
        "name": block["key"], "label": label, "required": bool(block.get("required")),
        "value": context.typed.get(block["key"], context.chosen(block.get("default"), record)),
        "placeholder": context.text(block.get("placeholder"), record), "multiple": bool(block.get("multiple"))}
    return Shown("field", data={**data, **_MORE[kind](context, block, data["value"])})


def _input(context: PageContext, block: Body, value: str) -> dict[str, Any]:
    if block.get("rows", 1) > 1:
        return {"control": "textarea", "rows": min(block["rows"], 20)}
    kind = TYPES.get(block.get("validation", ""), "text")
    return {"control": "input", "type": kind, "step": "any" if block.get("validation") == "number" else None}


def _date(context: PageContext, block: Body, value: str) -> dict[str, Any]:
    found, timed = _DATE.match(value), bool(block.get("include_time"))
    value = "" if found is None else f"{found[1]}T{found[2] or '00:00'}" if timed else found[1]
    return {"control": "input", "type": "datetime-local" if timed else "date", "value": value}


def _choice(context: PageContext, block: Body, value: str) -> dict[str, Any]:
    options = [(one["value"], one["name"]) for one in block.get("options", ())] or _computed(context, block.get("options_source"))
    return {"control": "select", "options": options, "chosen": _chosen(block, value)}


def _records(context: PageContext, block: Body, value: str) -> dict[str, Any]:
    given = context.records(block["source"], limit=MAX_OPTIONS) if "source" in block else None
    options = [(str(one.seq), one.title or f"Record {one.seq}") for one in given.records] if given is not None else []
    return {"control": "select", "options": options, "chosen": _chosen(block, value)}


def _computed(context: PageContext, template: Any) -> list[tuple[str, str]]:
    """Return the choices that a source gives: its records, or what one of their fields holds."""
    use = only_use(template)
    given = context.records(use["source"], limit=MAX_OPTIONS) if use is not None and "source" in use else None
    if use is None or given is None:
        return [(text.strip(), text.strip()) for text in context.text(template).split(",") if text.strip()]
    if "field" not in use:
        return [(str(one.seq), one.title or f"Record {one.seq}") for one in given.records]
    texts = (one.texts.get(use["field"]["ref"].rpartition("/")[2]) for one in given.records)
    return [(text, text) for text in dict.fromkeys(texts) if text]


def _chosen(block: Body, value: str) -> set[str]:
    return {one.strip() for one in value.split(",")} if block.get("multiple") else {value}


_LABELS = {"input": "Text", "choice": "Choice", "date_input": "Date", "checkbox": "Yes", "file_input": "File", "rating": "Rating",
           "record_select": "Record"}
_MORE: dict[str, Callable[[PageContext, Body, str], dict[str, Any]]] = {
    "input": _input, "date_input": _date, "choice": _choice, "record_select": _records,
    "checkbox": lambda context, block, value: {"control": "checkbox", "on": is_true(value)},
    "rating": lambda context, block, value: {
        "control": "select", "options": [(str(n), f"{n} of 5") for n in range(1, 6)], "chosen": {value}},
    "file_input": lambda context, block, value: {
        "control": "stopped", "stopped": "Files are added on the record's own page.", "required": False},
}
