"""Record rules: what a worksheet asks of a record beyond its fields, kept whenever somebody saves one on a page.

"show" and "hide" say which fields stand on a record's pages, by the values that it has when the page is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.api import InvalidValue, now_us
from plugins.worksheets.records import Row
from plugins.worksheets.service import dumps
from plugins.worksheets.web.filter_match import fits
from plugins.worksheets.web.sheet_context import SheetContext, part_key

Step = Mapping[str, Any]


@dataclass
class Ruled:
    """What the rules say of a change: values to set too, mistakes by field, a refusal of all of it."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str | None = None


def hidden_fields(sheet: SheetContext, row: Row) -> set[str]:
    """Return the keys of the fields that the rules leave out of a record's pages."""
    hidden: set[str] = set()
    shown: set[str] = set()
    wanted: set[str] = set()
    for rule in _rules(sheet):
        holds = fits(sheet, rule.get("when"), row)
        for step in rule["then"]:
            key = part_key(step.get("field"))
            if key is not None and step["do"] == "hide" and holds:
                hidden.add(key)
            elif key is not None and step["do"] == "show":
                (shown if holds else wanted).add(key)
    return hidden | (wanted - shown)


def ruled(sheet: SheetContext, old: Row | None, vals: Mapping[str, Any], changes: Mapping[str, Any]) -> Ruled:
    """Return what the rules say of making or changing a record: *vals* are its values after *changes*."""
    found, new = Ruled(), _imagined(sheet, old, vals)
    for rule in _rules(sheet):
        if old is not None and fits(sheet, rule.get("when"), old):
            for key in {part_key(step.get("field")) for step in rule["then"] if step["do"] == "read_only"} & changes.keys():
                found.errors[str(key)] = "This cannot be changed in the record's current state."
        if fits(sheet, rule.get("when"), new):
            for step in rule["then"]:
                _follow(sheet, rule, step, vals, found)
    for key in found.values:
        found.errors.pop(key, None)
    return found


def _follow(sheet: SheetContext, rule: Step, step: Step, vals: Mapping[str, Any], found: Ruled) -> None:
    one = sheet.everything.get(part_key(step.get("field")) or "")
    if step["do"] == "refuse":
        found.refusal = found.refusal or step.get("message") or f"The rule “{rule['name']}” does not allow this."
    elif one is None or not one.stored:
        return
    elif step["do"] == "require" and vals.get(one.key) is None and one.key not in found.values:
        found.errors[one.key] = step.get("message") or "This field is required."
    elif step["do"] == "set":
        try:
            value = one.canonical(step.get("value"))
        except InvalidValue:
            return
        if value != vals.get(one.key):
            found.values[one.key] = value


def _rules(sheet: SheetContext) -> Iterator[Step]:
    return (rule for rule in sheet.body.get("rules", ()) if rule.get("enabled", True))


def _imagined(sheet: SheetContext, old: Row | None, vals: Mapping[str, Any]) -> Row:
    """Return the row as it would be."""
    text = dumps({key: value for key, value in vals.items() if value is not None})
    if old is not None:
        return old._replace(vals=text)
    now = now_us()
    return Row(0, text, None, now, sheet.person, now, sheet.person, None)
