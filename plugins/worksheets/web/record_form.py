"""What a form says about a record: what it changes, and what is wrong with it, field by field.

A form carries a mark of each value as it was when the form was made. What the visitor did not touch is not written, and
what somebody else changed meanwhile is not overwritten without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from core.api import Forbidden, InvalidValue
from plugins.worksheets.access import check_writes, found_row
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.records import Row
from plugins.worksheets.service import loads, put_record
from plugins.worksheets.web.cells import Given, read
from plugins.worksheets.web.cells.pointers import address_of
from plugins.worksheets.web.editors import Trouble, Typed, digest
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.rules import Ruled, ruled
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MAX_DEPTH = 30
Vals = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entered:
    """What a form changes, and what is wrong with it."""

    changes: dict[str, Any]
    typed: Typed


class Refused(Exception):
    """The form has mistakes; `typed` has them, and all that was typed."""

    def __init__(self, typed: Typed) -> None:
        super().__init__("Please correct the marked fields.")
        self.typed = typed


def enter(sheet: SheetContext, fields: Iterable[Field], form: MultiDict[str, str], old: Vals | None,
          uploads: tuple[Mapping[str, Any], Mapping[str, str]] = ({}, {})) -> Entered:
    """Return what *form* changes of the record *old* (None for a new one) in those of *fields* that it holds."""
    fresh, wrong = uploads
    trouble = Trouble(errors={key: _sentence(text) for key, text in wrong.items()})
    before, changes = old or {}, dict[str, Any]()
    around = RelatedNames(sheet)
    for one in fields:
        if f"was-{one.key}" not in form or one.key in trouble.errors:
            continue
        given = Given(form, before.get(one.key), sheet.zone, fresh, lambda field, seq: path_to(sheet, around, field, seq))
        try:
            value = read(one, given)
            check_reach(around, one, value, given.old)
        except InvalidValue as error:
            trouble.errors[one.key] = _sentence(error.message)
            continue
        _compare(one, value, given.old, form[f"was-{one.key}"], changes, trouble)
        if value is None and one.definition.get("required") and (old is None or one.key in changes):
            trouble.errors[one.key] = "This field is required."
    return Entered(changes, Typed(form=form, fresh=fresh, trouble=trouble))


def _compare(one: Field, value: Any, old: Any, was: str, changes: dict[str, Any], trouble: Trouble) -> None:
    mine = digest(value)
    if value == old or mine == was:
        return
    if digest(old) != was:
        trouble.errors[one.key] = "Somebody changed this while you were editing. Save again to replace their change."
        trouble.theirs[one.key] = old
        return
    changes[one.key] = value


def save(sheet: SheetContext, seq: int | None, entered: Entered, held: Row | None = None) -> int:
    """Write what a form changes, in the caller's transaction, and return the record's number.

    *held* is the row, where this transaction holds it already.

    Raises:
        Refused: the form has mistakes, or the worksheet refuses a value.
    """
    trouble = entered.typed.trouble
    if trouble:
        raise Refused(entered.typed)
    if seq is not None and not entered.changes:
        return seq
    try:
        return write(sheet, seq, entered.changes, held)
    except Broken as broken:
        trouble.errors.update(broken.ruled.errors)
        trouble.general = broken.ruled.refusal
        raise Refused(entered.typed) from broken
    except InvalidValue as error:
        key = next((k for k in sheet.fields if f"“{sheet.fields[k].name}”" in error.message), None)
        message = _sentence(error.message.partition(": ")[2] or error.message)
        if key is None:
            trouble.general = message
        else:
            trouble.errors[key] = message
        raise Refused(entered.typed) from error


class Broken(InvalidValue):
    """A record would break rules of its worksheet."""

    code, title = "rule_broken", "A rule does not allow this"

    def __init__(self, ruled: Ruled) -> None:
        super().__init__(ruled.refusal or next(iter(ruled.errors.values()), "A rule of this worksheet does not allow this."))
        self.ruled = ruled


def write(sheet: SheetContext, seq: int | None, changes: Vals, held: Row | None = None) -> int:
    """Change a record, or make one, as the visitor may and the worksheet's rules allow; return its number. For *held* see `save`.

    Raises:
        Broken: a rule is not kept.
        NotFound, Forbidden, InvalidValue: see `access.save_record`.
    """
    old = None if seq is None else held or found_row(sheet.app, sheet.access, seq, "update")
    return put_record(sheet.app, sheet.key, seq, allowed(sheet, old, changes), sheet.person, held=old)


def allowed(sheet: SheetContext, old: Row | None, changes: Vals) -> dict[str, Any]:
    """Return what is written of a change of a record, or of a new one: with what the rules set besides.

    Raises:
        Broken: a rule is not kept.
        Forbidden: the visitor may not make a record, or not write a field.
    """
    check_writes(sheet.access, changes, "create" if old is None else "update")
    if old is None and not sheet.access.may_create:
        raise Forbidden("You cannot create records in this worksheet.")
    before = {} if old is None else loads(old.vals)
    found = ruled(sheet, old, {**before, **changes}, changes)
    if found.errors or found.refusal:
        raise Broken(found)
    return {**changes, **found.values}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def check_reach(around: RelatedNames, one: Field, value: Any, old: Any) -> None:
    """Refuse links to records that the visitor may not read: they are as if they did not exist."""
    for address, seqs in _fresh_links(one, value, old).items():
        place = around.place(address)
        found = around.computation.records(address, seqs) if place is not None else {}
        for seq in seqs:
            if seq not in found:
                raise InvalidValue(f"record {seq} cannot be chosen.")


def _fresh_links(one: Field, value: Any, old: Any) -> dict[str, list[int]]:
    added = [item for item in value or () if item not in (old or ())] if isinstance(value, list) else []
    if one.type.name in ("relationship", "cascading_select"):
        return {target_address(one.definition): added} if added else {}
    found: dict[str, list[int]] = {}
    for item in added if one.type.name == "free_link" else ():
        address, seq = address_of(item["ref"])
        found.setdefault(address, []).append(seq)
    return found


def path_to(sheet: SheetContext, around: RelatedNames, one: Field, seq: int) -> list[int]:
    """Return the numbers from the root of a tree of records to one of them."""
    address = target_address(one.definition)
    body = around.computation.worksheet(address) or {}
    parent = part_key(one.definition["options"].get("parent_field")) or _parent_field(address, body)
    path = [seq]
    while parent is not None and len(path) < MAX_DEPTH:
        record = around.computation.records(address, [path[0]]).get(path[0])
        above = (record.vals.get(parent) or [])[:1] if record is not None else []
        if not above or above[0] in path:
            break
        path.insert(0, above[0])
    return path


def _parent_field(address: str, body: Vals) -> str | None:
    """Return the field by which a worksheet is a tree: its first one-way pointer to itself."""
    fields = fields_of(body)
    return next((key for key, one in fields.items() if one.type.name == "relationship"
                 and one.definition["options"].get("multiple") is False and target_address(one.definition) == address), None)


def defaults(sheet: SheetContext) -> dict[str, Any]:
    """Return what a new record starts with: the defaults of its fields, as far as they fit."""
    found: dict[str, Any] = {}
    for key, one in sheet.fields.items():
        options = one.definition.get("options", {})
        given = one.definition.get("default", options.get("default"))
        if given is None or not sheet.editable(one, "create"):
            continue
        if one.type.name == "single_select" and isinstance(given, list):
            given = given[0] if given else None
        try:
            value = one.canonical(given)
        except InvalidValue:
            continue
        if value is not None:
            found[key] = value
    return found
