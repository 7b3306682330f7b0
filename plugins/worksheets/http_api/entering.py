"""Values that programs write: the form that records hold, with the rights and the checks of a form on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from core.api import Forbidden, InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.http_api.handles import opened_upload
from plugins.worksheets.records import Row
from plugins.worksheets.service import loads, put_record
from plugins.worksheets.web.cells.files import PICTURES
from plugins.worksheets.web.record_form import Broken, allowed, check_reach, defaults, path_to
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext
from plugins.worksheets.web.uploads import check_type

NO_UPLOAD = ("a file is {\"upload\": …}, as sending one answered to you within a day, or one that this field of the record holds, as it "
             "was read")
Values = Mapping[str, Any]


def put(sheet: SheetContext, values: Values, held: Row | None = None) -> int:
    """Change a record that this transaction holds, or make one, and return its number; what is the same already is not written.

    Raises:
        Forbidden, InvalidValue: see `entered`.
    """
    changes = entered(sheet, RelatedNames(sheet), values, held)
    if held is not None and not changes:
        return held.seq
    return put_record(sheet.app, sheet.key, None if held is None else held.seq, changes, sheet.person, held=held)


def entered(sheet: SheetContext, around: RelatedNames, values: Values, held: Row | None) -> dict[str, Any]:
    """Return what values change of a record, None for a new one, as records hold it, with what the worksheet's rules set besides.

    Raises:
        InvalidValue: a field is unknown, a value does not fit it, or a rule is not kept.
        Forbidden: a field may not be written, or no record made.
    """
    changes = _changes(sheet, around, values, held)
    if held is not None and not changes:
        return {}
    try:
        return allowed(sheet, held, changes)
    except Broken as broken:
        broken.details["fields"] = {key: text for key, text in broken.ruled.errors.items() if key in sheet.fields}
        raise


def _changes(sheet: SheetContext, around: RelatedNames, values: Values, held: Row | None) -> dict[str, Any]:
    """Return what values change, as records hold it; a new record begins with its fields' defaults."""
    old = {} if held is None else loads(held.vals)
    found = {key: value for key, value in (defaults(sheet) if held is None else {}).items() if key not in values}
    for key, value in values.items():
        one = _writable(sheet, key, "create" if held is None else "update")
        if value == old.get(key):  # what stands as it was is not judged anew, see `cells.read`
            continue
        with _naming(one):
            new = _stored(sheet, around, one, value, old.get(key))
            check_reach(around, one, new, old.get(key))
        if new != old.get(key):
            found[key] = new
    return found


def _writable(sheet: SheetContext, key: str, action: str) -> Field:
    one = sheet.fields.get(key)
    if one is None:
        raise InvalidValue(f"“{key[:40]}” is not a field of this worksheet that you can read.", field=key[:40])
    if one.type.name == "subform":
        raise Forbidden(f"Rows of “{one.name}” are added by themselves, with POST …/rows/{key}, and changed in their own worksheet.",
                        field=key)
    if not sheet.editable(one, action):
        raise Forbidden(f"The field “{one.name}” cannot be written by you.", field=key)
    return one


@contextmanager
def _naming(one: Field) -> Iterator[None]:
    try:
        yield
    except InvalidValue as error:
        raise InvalidValue(f"The field “{one.name}”: {error.message}", field=one.key) from error


def _stored(sheet: SheetContext, around: RelatedNames, one: Field, value: Any, old: Any) -> Any:
    """Return a value as records hold it, None where it is empty."""
    if one.type.name in ("file", "signature") and value is not None:
        value = [_file(sheet, one, item, old or ()) for item in (value if isinstance(value, list) else [value])]
        return one.canonical(value)
    new = one.canonical(value)
    if one.type.name == "cascading_select" and new is not None:
        return _way(sheet, around, one, new)
    if one.type.holds_files and not _files(one, new) <= _files(one, old):
        raise InvalidValue("files of this type of field cannot be entered here.")
    return new


def _file(sheet: SheetContext, one: Field, item: Any, old: Any) -> Mapping[str, Any]:
    """Return a file that was sent, or that the field holds already: to name a digest gives nobody its content."""
    if isinstance(item, dict) and item.keys() == {"upload"}:
        found = opened_upload(sheet.app, item["upload"])
        if found is None:
            raise InvalidValue(f"{NO_UPLOAD}.")
        _check_fresh(one, found)
        return found
    held: Mapping[str, Any] | None = next((there for there in old if there == item), None)
    if held is None:
        raise InvalidValue(f"{NO_UPLOAD}.")
    return held


def _check_fresh(one: Field, item: Mapping[str, Any]) -> None:
    check_type(one, item["name"], item["type"])
    most = one.definition.get("options", {}).get("max_size")
    if most is not None and item["size"] > most:
        raise InvalidValue(f"“{item['name'][:60]}” is too large. This field accepts files up to {most:,} bytes.")
    if one.type.name == "signature" and item["type"] not in PICTURES:
        raise InvalidValue("a signature is a picture (PNG, JPEG, GIF, WebP or AVIF).")


def _files(one: Field, value: Any) -> set[Any]:
    return set() if value is None else {reference.target for reference in one.references(value) if reference.kind == "file"}


def _way(sheet: SheetContext, around: RelatedNames, one: Field, given: list[int]) -> list[int]:
    """Return the way to the last record that is named; who names more of it names it right."""
    way = path_to(sheet, around, one, given[-1])
    if given not in (way, given[-1:]):
        raise InvalidValue(f"the way to record {given[-1]} is another one. Name that record alone: the way to it is found.")
    return way
