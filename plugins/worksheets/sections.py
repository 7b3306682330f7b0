"""The data sections of worksheets in a backup: "records/w_…" and "fields", which says what their values mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from core.api import Document, InvalidInput, Section, Segment, canonical, is_key, is_person
from plugins.worksheets.fields import MAX_RECORD_BYTES, Field, canonical_values, fields_of, shaped
from plugins.worksheets.fieldtypes import BUILT_IN
from plugins.worksheets.records import MAX_SEQ, SEGMENT_RECORDS, RecordStore

RECORDS = "records/"
FIELDS = "fields"
FIELDS_LINES = 64
"""How many worksheets one segment of the section "fields" describes."""
MAX_TIME_US = 253_402_300_799_999_999
Shapes = dict[str, dict[str, Any]]


def worksheet_of(section: str) -> str:
    """Return the key of the worksheet whose records a section holds."""
    return section.removeprefix(RECORDS)


def sections(store: RecordStore, documents: Sequence[Document]) -> Iterator[Section]:
    """Yield the sections of worksheets: their fields, then the records of each."""
    ordered = sorted(documents, key=lambda d: d.key)
    yield Section(FIELDS, _field_segments(ordered))
    for document in ordered:
        yield Section(RECORDS + document.key, store.segments(document.key), partial(store.some_segments, document.key))


def given_numbers(store: RecordStore, documents: Iterable[Document]) -> dict[str, int]:
    """Return the highest number that each worksheet gave to a record, "w_…", and each of its auto-numbers, "w_…/f_…".

    A worksheet whose last record is still there has no counter of its own: the number follows from the record.
    """
    found: dict[str, int] = {}
    given, asked = store.given_numbers(), list(documents)
    lasts = store.lasts([document.key for document in asked if given.get(document.key)])
    for document in asked:
        numbering = [f"{document.key}/{key}" for key, one in fields_of(document.body).items() if one.type.name == "autonumber"]
        found |= {name: given[name] for name in numbering if given.get(name)}
        if given.get(document.key, 0) > lasts.get(document.key, 0):
            found[document.key] = given[document.key]
    return found


def _field_segments(documents: Sequence[Document]) -> Iterator[Segment]:
    for n, start in enumerate(range(0, len(documents), FIELDS_LINES)):
        some = documents[start:start + FIELDS_LINES]
        raw = b"".join(canonical({"fields": shapes_of(d), "worksheet": d.key}) + b"\n" for d in some)
        yield Segment(n, len(some), raw)


def shapes_of(document: Document) -> dict[str, Any]:
    """Return field key -> shape of a worksheet's fields that hold values."""
    return {key: one.shape for key, one in fields_of(document.body).items()}


def read_shapes(values: Iterable[Mapping[str, Any]]) -> Shapes:
    """Return worksheet -> field -> shape of parsed lines of the section "fields"."""
    return {value["worksheet"]: value["fields"] for value in values}


def check_fields(values: Iterable[Any]) -> Shapes:
    """Return the shapes that foreign lines of the section "fields" give.

    Raises:
        InvalidInput: a line has another form, or names a field type that this server does not have.
    """
    previous, found = "", {}
    for value in values:
        if not isinstance(value, dict) or value.keys() != {"fields", "worksheet"} or not isinstance(value["fields"], dict):
            raise InvalidInput("A line of the section “fields” has another form.")
        if not is_key(value["worksheet"], "w_") or value["worksheet"] <= previous:
            raise InvalidInput("The worksheets of the section “fields” are out of order.")
        previous = value["worksheet"]
        for key, shape in value["fields"].items():
            if not is_key(key, "f_") or not isinstance(shape, dict) or shape.keys() != {"options", "type"}:
                raise InvalidInput(f"The field “{str(key)[:40]}” of worksheet {previous} has another form.")
            if not _described(shaped(key, shape), shape):
                raise InvalidInput(f"The field {key} of worksheet {previous} is not described as this server would.")
        found[previous] = in_todays_shape(value["fields"])
    return found


def _described(one: Field, shape: Mapping[str, Any]) -> bool:
    """Say whether a field is described as this server would, or might have without the plugin of its type: with all of its options."""
    return (one.stored and one.shape == shape) or (one.type.name not in BUILT_IN and (
        not one.stored or shaped(one.key, one.shape).shape == one.shape))


def in_todays_shape(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the shapes of a worksheet's fields as today's types describe them; those that hold no values are left out."""
    known = {key: shaped(key, shape) for key, shape in fields.items()}
    return {key: one.shape for key, one in known.items() if one.stored}


def check_records(worksheet: str, n: int, values: Iterable[Any], fields: Mapping[str, Field]) -> Iterator[str]:
    """Check the foreign lines of segment *n* of a section of records and yield the digests of files that they name.

    Raises:
        InvalidInput: a line could not have been written by a server like this one; the message says which record.
    """
    previous = 0
    for value in values:
        seq = _check_form(worksheet, value, previous)
        if n != seq // SEGMENT_RECORDS:
            raise InvalidInput(f"Record {seq} of worksheet {worksheet} lies in the wrong segment.")
        previous = seq
        where = f"worksheet {worksheet}, record {seq}"
        if canonical_values(fields, value["vals"], where) != value["vals"]:
            raise InvalidInput(f"{where}: a value is not in the form in which it is stored.")
        for key, held in value["vals"].items():
            if fields[key].type.holds_files:
                yield from (r.target for r in fields[key].references(held) if r.kind == "file")


def _check_form(worksheet: str, value: Any, previous: int) -> int:
    if not isinstance(value, dict) or value.keys() != {"at", "by", "seq", "vals"}:
        raise InvalidInput(f"A line of the records of {worksheet} has another form.")
    seq, at, by = value["seq"], value["at"], value["by"]
    if type(seq) is int and seq > MAX_SEQ:
        raise InvalidInput(f"Worksheet {worksheet} has a record {seq}; numbers go up to {MAX_SEQ}.")
    if type(seq) is not int or seq <= previous:
        raise InvalidInput(f"The records of {worksheet} are out of order at {str(seq)[:40]}.")
    if not (isinstance(at, list) and len(at) == 2
            and all(type(t) is int and -MAX_TIME_US <= t <= MAX_TIME_US for t in at)):
        raise InvalidInput(f"Record {seq} of worksheet {worksheet} has no sound times.")
    if not (isinstance(by, list) and len(by) == 2 and all(is_person(person) for person in by)):
        raise InvalidInput(f"Record {seq} of worksheet {worksheet} does not say who made it.")
    if not isinstance(value["vals"], dict) or len(canonical(value["vals"])) > MAX_RECORD_BYTES:
        raise InvalidInput(f"Record {seq} of worksheet {worksheet} is too large or has another form.")
    return seq
