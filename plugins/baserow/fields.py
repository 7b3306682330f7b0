"""Baserow's fields as fields of worksheets: one function a type, in a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.api import ImportContext, InvalidDocument
from plugins.baserow.formulas import Untranslatable, translate
from plugins.baserow.names import Names, Table
from plugins.baserow.read import Item, id_of, items, name_of, number, text

ROLLUPS = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "count": "count", "every": "every", "any": "any"}
FORMATS = {"number": "number", "date": "date", "boolean": "checkbox", "duration": "duration", "text": "text", "char": "text",
           "url": "url"}
Made = tuple[str, dict[str, Any]]


@dataclass
class Fields:
    """Makes the definitions of one table's fields."""

    table: Table
    names: Names
    context: ImportContext

    def define(self, item: Item) -> dict[str, Any]:
        """Return the definition of a field; what cannot be computed here becomes a field to read only, with a note."""
        field_id = id_of(item) or 0
        base: dict[str, Any] = {"key": self.table.fields[field_id], "name": name_of(item, "Field")}
        if description := text(item, "description", 2000):
            base["description"] = description
        make = TYPES.get(str(item.get("type")))
        try:
            if make is None:
                raise Untranslatable(f"there is no matching field type for “{str(item.get('type'))[:60]}”")
            kind, options = make(self, item)
            definition = {**base, "type": kind, "options": options}
            self.context.check_field(definition)
        except (Untranslatable, InvalidDocument) as error:
            reason = error.message if isinstance(error, InvalidDocument) else str(error)
            kept = "" if item.get("type") == "password" else "; its last values are kept, read-only"
            self.note(item, f"{reason}{kept}")
            definition = {**base, "type": "imported", "options": {
                "original_type": str(item.get("type"))[:100], "source": _source(item)}}
        return definition

    def note(self, item: Item, reason: str) -> None:
        """Say that a field came in other than it was."""
        self.context.unsupported("field", f"{self.table.name}: {name_of(item, 'Field')}", reason)


def _source(item: Item) -> str:
    for key in ("formula", "rollup_function", "ai_prompt"):
        if isinstance(item.get(key), str):
            return text(item, key, 50_000)
    return str(item.get("type"))[:100]


def _plain(kind: str) -> Callable[[Fields, Item], Made]:
    return lambda fields, item: (kind, {})


def _long_text(fields: Fields, item: Item) -> Made:
    return ("rich_text", {"format": "markdown"}) if item.get("long_text_enable_rich_text") is True else ("long_text", {})


def _decimals(item: Item) -> int:
    return min(max(int(number(item, "number_decimal_places")), 0), 10)


def _number(fields: Fields, item: Item) -> Made:
    options: dict[str, Any] = {"decimals": _decimals(item)}
    for ours, theirs in (("unit", "number_suffix"), ("unit_before", "number_prefix")):
        if value := text(item, theirs, 20):
            options[ours] = value
    return "number", options


def _rating(fields: Fields, item: Item) -> Made:
    options: dict[str, Any] = {"max": min(max(int(number(item, "max_value")), 1), 10)}
    for ours, theirs in (("colour", "color"), ("symbol", "style")):
        if value := text(item, theirs, 40):
            options[ours] = value
    return "rating", options


def _date(fields: Fields, item: Item) -> Made:
    options = {"format": text(item, "date_format", 40)} if text(item, "date_format") else {}
    if item.get("date_include_time") is not True:
        return "date", options
    zone = {"time_zone": text(item, "date_force_timezone", 60)} if text(item, "date_force_timezone") else {}
    return "datetime", {**options, "time_format": text(item, "date_time_format", 20) or "24", **zone}


def _duration(fields: Fields, item: Item) -> Made:
    return "duration", {"format": text(item, "duration_format", 20)} if text(item, "duration_format") else {}


def _select(kind: str) -> Callable[[Fields, Item], Made]:
    def make(fields: Fields, item: Item) -> Made:
        choices = []
        for option in sorted(items(item.get("select_options")), key=lambda o: (number(o, "order"), number(o, "id"))):
            if (option_id := id_of(option)) is not None:
                colour = {"colour": text(option, "color", 40)} if text(option, "color") else {}
                choices.append({"key": fields.names.choices[option_id], "name": text(option, "value", 200), **colour})
        return kind, {"choices": choices}

    return make


def _link(fields: Fields, item: Item) -> Made:
    target = fields.names.tables.get(id_of(item, "link_row_table_id") or -1)
    if target is None:
        raise Untranslatable("the table that it links to is not in the export")
    options: dict[str, Any] = {"target": {"ref": target.address}}
    if item.get("link_row_multiple_relationships") is False:
        options["multiple"] = False
    limit = fields.names.view_ref(id_of(item, "link_row_limit_selection_view_id"))
    if limit is not None:
        options["view"] = limit
    if (stored := stored_side(item, fields.names)) is not None:
        options = {"target": {"ref": target.address}, "mirrors": target.ref(stored)}
    return "relationship", options


def stored_side(item: Item, names: Names) -> int | None:
    """Return the id of the field that stores a two-way link, None where *item* itself does.

    Of the two sides the older one stores; the other one is computed.
    """
    own, other = id_of(item), id_of(item, "link_row_related_field_id")
    table = names.table_of_field.get(other) if other is not None else None
    if own is None or other is None or table is None or table.items[other].get("type") != "link_row" or other >= own:
        return None
    return other


def _formula(fields: Fields, item: Item) -> Made:
    expression, uses = translate(text(item, "formula", 20_000), fields.table, fields.names)
    shown = FORMATS.get(str(item.get("formula_type")))
    if shown == "date" and item.get("date_include_time") is True:
        shown = "datetime"
    options: dict[str, Any] = {"expression": expression, "uses": uses[:500]}
    if shown is not None:
        options["format"] = {"type": shown, **({"decimals": _decimals(item)} if shown == "number" else {})}
    return "formula", options


def _through(fields: Fields, item: Item) -> dict[str, Any]:
    through = id_of(item, "through_field_id")
    if through is None or through not in fields.table.fields:
        raise Untranslatable("the link it uses is missing")
    return {"through": fields.table.ref(through)}


def _across(fields: Fields, item: Item) -> dict[str, Any]:
    target = fields.names.field_ref(id_of(item, "target_field_id"))
    if target is None:
        raise Untranslatable("the field it looks up is missing")
    return {**_through(fields, item), "target": target}


def _rollup(fields: Fields, item: Item) -> Made:
    function = ROLLUPS.get(str(item.get("rollup_function")))
    if function is None:
        raise Untranslatable(f"unknown rollup “{str(item.get('rollup_function'))[:60]}”")
    return "rollup", {**_across(fields, item), "function": function}


def _collaborators(fields: Fields, item: Item) -> Made:
    raise Untranslatable("people of another platform cannot be imported")


def _password(fields: Fields, item: Item) -> Made:
    raise Untranslatable("passwords are never imported")


def _ai(fields: Fields, item: Item) -> Made:
    fields.note(item, "it becomes a plain text field; AI texts are not generated here")
    return "long_text", {}


TYPES: dict[str, Callable[[Fields, Item], Made]] = {
    "text": _plain("text"), "long_text": _long_text, "url": _plain("url"), "email": _plain("email"),
    "phone_number": _plain("phone"), "number": _number, "rating": _rating, "boolean": _plain("checkbox"), "date": _date,
    "duration": _duration, "file": _plain("file"), "single_select": _select("single_select"),
    "multiple_select": _select("multiple_select"), "link_row": _link, "formula": _formula, "rollup": _rollup,
    "lookup": lambda fields, item: ("lookup", _across(fields, item)),
    "count": lambda fields, item: ("count", _through(fields, item)),
    "created_on": _plain("created_time"), "last_modified": _plain("modified_time"), "created_by": _plain("created_by"),
    "last_modified_by": _plain("modified_by"), "autonumber": _plain("autonumber"),
    "multiple_collaborators": _collaborators, "password": _password, "ai": _ai,
}
