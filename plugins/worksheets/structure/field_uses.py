"""What in its own worksheet uses a field: views with what they do with it, forms, rules, buttons, formulas and the like. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.api import Document, pointers

PARTS = {"forms": "form", "rules": "rule", "buttons": "button"}
DOES = {"filter": "filter", "sorts": "sort", "groups": "groups", "colours": "colours", "stack_field": "columns of its cards",
        "cover_field": "pictures", "start_field": "start", "end_field": "end", "form": "fields of its form"}
"""What a view does with a field, by the property that names it; that it only shows it is no use that breaks."""


def uses_in(sheet: Document, key: str) -> list[str]:
    """Return in words what of a worksheet uses one of its fields: "the view “Board” (columns of its cards, filter)"."""
    address = f"{sheet.address}/field/{key}"
    own = sheet.body.get
    views = [f"the view “{one['name']}” ({', '.join(does)})" for one in own("views", ()) if (does := list(_done(one, address)))]
    parts = [f"the {word} “{one['name']}”" for listed, word in PARTS.items() for one in own(listed, ()) if _points(one, address)]
    fields = [f"the field “{one['name']}”" for one in sheet.body.get("fields", ()) if one["key"] != key and _points(one, address)]
    names = sheet.body.get("title_field", {}).get("ref") == address
    return [*(["the names of the records"] if names else []), *views, *parts, *fields]


def _done(part: Mapping[str, Any], address: str) -> Iterator[str]:
    for name, word in DOES.items():
        if name in part and _points(part[name], address):
            yield word


def _points(value: Any, address: str) -> bool:
    return any(pointer.tag == "ref" and pointer.target == address for pointer in pointers(value))
