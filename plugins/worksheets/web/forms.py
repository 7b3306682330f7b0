"""Form views: which fields they ask for, with which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.worksheets.fields import Field
from plugins.worksheets.web.sheet_context import SheetContext, part_key


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as a form asks for it."""

    field: Field
    label: str
    help: str
    required: bool
    show_if: Mapping[str, Any] | None = None


def form_fields(sheet: SheetContext, view: Mapping[str, Any]) -> list[FormField]:
    """Return the fields that a form view asks for and the visitor may enter; all of these where it names none."""
    listed = view.get("form", {}).get("fields", ())
    found = []
    for one in listed:
        key = part_key(one["field"])
        if key in sheet.fields and sheet.editable(sheet.fields[key], "create"):
            field = sheet.fields[key]
            required = bool(one.get("required") or field.definition.get("required"))
            found.append(FormField(field, one.get("label") or field.name, one.get("help", ""), required, one.get("show_if")))
    if not listed:
        found = [FormField(field, field.name, str(field.definition.get("description", "")), bool(field.definition.get("required")))
                 for field in sheet.fields.values() if sheet.editable(field, "create")]
    return found


def next_url(view: Mapping[str, Any]) -> str | None:
    """Return where a form view leads when it was sent, if that is an address of the web."""
    url = str(view.get("form", {}).get("done", {}).get("url", ""))
    return url if url.lower().startswith(("http://", "https://")) else None
