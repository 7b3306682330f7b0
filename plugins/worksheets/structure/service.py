"""Services on structure: a new worksheet, a field with its other side, formulas. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.api import (
    App,
    Definition,
    Document,
    InvalidDocument,
    InvalidInput,
    InvalidValue,
    NotFound,
    Run,
    documents,
    done_later,
    field_type,
    locks,
    new_key,
    placing,
)
from plugins.worksheets import indexing
from plugins.worksheets.definitions import check_field, check_options
from plugins.worksheets.fields import KEY_KINDS, fields_of
from plugins.worksheets.formula import check_expression, check_template
from plugins.worksheets.query import Query, count
from plugins.worksheets.service import moved_fields, store_of
from plugins.worksheets.structure import expressions, unique_names

LINKING = ("relationship", "subform", "cascading_select")
WRITTEN = {"formula": ("expression", False), "text_combination": ("template", True)}
"""Types that are written by hand: the option that holds the text, and whether it is a template."""
MAX_COUNTS = 3
Body = Mapping[str, Any]


def new_worksheet(app: App, name: str, person: str, description: str = "") -> Document:
    """Make a worksheet that one can use at once: a field “Name” that names its records, and a grid."""
    locks.take(app)
    key, field = new_key("w"), new_key("f")
    body = {
        "name": name, "fields": [{"key": field, "type": "text", "name": "Name", "options": {}}],
        "title_field": {"ref": f"worksheet/{key}/field/{field}"}, "views": [{"key": new_key("v"), "type": "grid", "name": "All"}],
        **({"description": description} if description else {}),
    }
    check_worksheet_name(app, key, name)
    position = max((d.position + 1 for d in documents.live(app, "worksheet")), default=0)
    return documents.put(app, Document(kind="worksheet", key=key, body=body, position=position), person)


def check_worksheet_name(app: App, key: str, name: str) -> None:
    """Refuse a name that another worksheet of the app has.

    Raises:
        InvalidDocument: with the other's name.
    """
    siblings = [{"key": one.key, "name": one.body["name"]} for one in documents.live(app, "worksheet")]
    unique_names.check_free({"key": key, "name": name}, siblings, "worksheet")


def put_field(app: App, sheet: Document, field: Definition, person: str) -> int:
    """Make a field or change it, and return how many records' values it takes no more: they are set aside.

    Raises:
        InvalidDocument: it makes no sense.
    """
    _check_form(sheet, field)
    was = fields_of(sheet.body)
    moving = field["key"] in was and moved_fields({field["key"]: was[field["key"]]}, fields_of({"fields": [field]}))
    store = store_of(app)
    before = store.set_aside(sheet.key, field["key"]) if moving else 0
    placing.put_part(app, sheet, "field", field, person)
    return max(store.set_aside(sheet.key, field["key"]) - before, 0) if moving else 0


def aside_sentence(number: int) -> str:
    """Say how many values a field has not any more."""
    return f"Values set aside because the field does not accept them now: {number:,}. They come back when it accepts them again."


def put_field_later(app: App, sheet: Document, before: Definition, field: Definition, person: str) -> Run | None:
    """Have a worker change a field whose values move, in a large worksheet; None where that is the caller's to do.

    Raises:
        InvalidDocument: it makes no sense.
    """
    _check_form(sheet, field)
    if not moved_fields(fields_of({"fields": [before]}), fields_of({"fields": [field]})):
        return None
    return done_later(app, {"op": "put_field", "document": sheet.address, "part": "field", "body": field}, person)


def _check_form(sheet: Document, field: Definition) -> None:
    check_options(field)
    _check_default(field)
    _check_names(sheet, field)


def switch_index(app: App, sheet: Document, key: str, on: bool, person: str) -> str:
    """Turn a field's index on or off, and return its name; the index is built from the records there are.

    Raises:
        NotFound: there is no such field.
        InvalidInput: its type has no one value to go by.
    """
    field = placing.part_of(sheet, "field", key)
    if on and field["type"] not in KEY_KINDS:
        raise InvalidInput(f"“{field['name']}” cannot be indexed. Texts, numbers, dates, checkboxes and single selects can.")
    if on and field.get("indexed"):
        indexing.go_on(app)
    made = {name: value for name, value in field.items() if name != "indexed"}
    placing.put_part(app, sheet, "field", {**made, **({"indexed": True} if on else {})}, person)
    return str(field["name"])


@dataclass(frozen=True, slots=True)
class Lost:
    """A choice, or several, that are taken out of a field while records hold them."""

    name: str
    count: int
    exact: bool

    @property
    def count_text(self) -> str:
        """How many records, as people read it."""
        return f"{'' if self.exact else 'more than '}{self.count:,} record{'' if self.count == 1 else 's'}"


def choices_lost(app: App, sheet: Document, before: Definition, after: Definition) -> list[Lost]:
    """Return the choices that a field has no more although records hold them."""
    kept = {choice["key"] for choice in after["options"].get("choices", ())}
    gone = [choice for choice in before.get("options", {}).get("choices", ()) if choice["key"] not in kept]
    if before.get("type") != after["type"] or "option_set" in after["options"]:
        return []
    # Each group is counted on its own, which may take a look at every record.
    groups = [[choice] for choice in gone] if len(gone) <= MAX_COUNTS else [gone]
    lost = (_lost(app, sheet, before, group) for group in groups)
    return [one for one in lost if one.count]


def _lost(app: App, sheet: Document, field: Definition, choices: Sequence[Body]) -> Lost:
    ref, keys = {"ref": f"{sheet.address}/field/{field['key']}"}, [str(choice["key"]) for choice in choices]
    some = [{"field": ref, "operator": "is_any_of", "value": keys[n:n + 100]} for n in range(0, len(keys), 100)]
    number, exact = count(app, Query(sheet.key, filter={"any": some})) if some else (0, True)
    return Lost(", ".join(str(choice["name"]) for choice in choices)[:300], number, exact)


def put_two_way(app: App, sheet: Document, field: Definition, other_name: str, person: str) -> None:
    """Make a relationship with its other side: a field in the worksheet it points to that shows who points there.

    Raises:
        NotFound: it points to no live worksheet of this app.
        InvalidDocument: one of the two makes no sense.
    """
    check_field(field)
    _check_names(sheet, field)
    target = documents.get(app, str(field["options"]["target"].get("ref", "")))
    mirror = {"key": new_key("f"), "type": "relationship", "name": other_name, "options": {
        "target": {"ref": sheet.address}, "mirrors": {"ref": f"{sheet.address}/field/{field['key']}"}}}
    _check_mirror(target, mirror, field)
    if target.address == sheet.address:
        body = {**sheet.body, "fields": [*sheet.body.get("fields", ()), field, mirror]}
        placing.put_body(app, sheet, body, person)
        return
    bodies = [(sheet, placing.with_part(sheet, "field", field)), (target, placing.with_part(target, "field", mirror))]
    documents.change(app, person, put=[placing.merged_with(app, document, body) for document, body in bodies])


def linked_fields(app: App) -> expressions.Linked:
    """Return what gives the fields behind a link field."""
    known: dict[str, Sequence[Definition]] = {}

    def fields_behind(link: Definition) -> Sequence[Definition]:
        target = link.get("options", {}).get("target", {}) if link["type"] in LINKING else {}
        address = str(target.get("ref", ""))
        if address and address not in known:
            try:
                known[address] = documents.get(app, address).body.get("fields", ())
            except NotFound:
                known[address] = ()
        return known.get(address, ())

    return fields_behind


def as_written(app: App, sheet: Document, kind: str, options: Body) -> dict[str, Any]:
    """Return a field's options with the text of its formula as people write it."""
    option, template = WRITTEN.get(kind, ("", False))
    if option not in options:
        return dict(options)
    return {**options, option: expressions.named(options[option], sheet.body.get("fields", ()), linked_fields(app), template=template)}


def as_stored(app: App, sheet: Document, kind: str, options: Body, before: Body) -> dict[str, Any]:
    """Return a field's options with the text of its formula as it is stored, and with all the fields that it uses.

    Raises:
        InvalidDocument: the formula has a mistake; `path` in its details names the option.
    """
    option, template = WRITTEN.get(kind, ("", False))
    text = options.get(option)
    if not isinstance(text, str):
        return dict(options)
    fields, linked = sheet.body.get("fields", ()), linked_fields(app)
    old = before.get(option)
    if isinstance(old, str) and text == expressions.named(old, fields, linked, template=template):
        return {**options, option: old, **({"uses": before["uses"]} if "uses" in before else {})}
    try:
        stored = expressions.keyed(text, fields, linked, template=template)
        paths = (check_template if template else check_expression)(stored)
    except InvalidDocument as error:
        raise InvalidDocument(error.message, **{**error.details, "path": [option], "problem": f"{error.message}."}) from error
    found = {**options, option: stored, "uses": [{"ref": address} for address in _used(sheet, paths, linked)]}
    return found if found["uses"] else {name: value for name, value in found.items() if name != "uses"}


def _used(sheet: Document, paths: Sequence[str], linked: expressions.Linked) -> list[str]:
    """Return the address of every field that a formula reads, each once."""
    by_key = {d["key"]: d for d in sheet.body.get("fields", ())}
    found = []
    for path in paths:
        first, _, second = path.partition(".")
        found.append(f"{sheet.address}/field/{first}")
        target = by_key.get(first, {}).get("options", {}).get("target", {}).get("ref")
        if second and target:
            found.append(f"{target}/field/{second}")
    return list(dict.fromkeys(found))


def _check_names(sheet: Document, field: Definition) -> None:
    fields = sheet.body.get("fields", ())
    before: Body = next((one for one in fields if one["key"] == field["key"]), {})
    unique_names.check_free(field, fields, "field")
    unique_names.check_choices(field["options"].get("choices", ()), before.get("options", {}).get("choices", ()))


def _check_mirror(target: Document, mirror: Definition, field: Definition) -> None:
    """Refuse a name for the other side that a field there has; it is no field of the form, so that the sentence says it all."""
    try:
        unique_names.check_free(mirror, [*target.body.get("fields", ()), field], "field")
    except InvalidDocument as error:
        raise InvalidInput(f"{target.body['name']}: {error.message}") from error


def _check_default(field: Definition) -> None:
    if field.get("default") in (None, ""):
        return
    try:
        field_type(field["type"]).canonical(field["default"], field)
    except InvalidValue as error:
        raise InvalidDocument(f"The default does not fit: {error.message}", path=["default"],
                              problem=f"This value does not fit the field: {error.message}") from error
