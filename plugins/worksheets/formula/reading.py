"""Values of fields as formulas calculate with them, read from a record or across a link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from flask import has_app_context

from core.api import Definition, RecordView, Source, field_type
from plugins.worksheets.fields import acts_as
from plugins.worksheets.formula.shown import native_of
from plugins.worksheets.formula.values import (
    MAX_LIST,
    CalculationFailed,
    Choice,
    File,
    Link,
    Several,
    Span,
    moment,
    number,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def field_of(address: str, key: str, source: Source) -> Definition:
    """Return the definition of a live field.

    Raises:
        CalculationFailed: the worksheet or the field is gone.
    """
    body = source.worksheet(address)
    for definition in () if body is None else body.get("fields", ()):
        if definition["key"] == key:
            return definition  # type: ignore[no-any-return]
    raise CalculationFailed("a field is gone")


def target_of(definition: Definition, address: str) -> str | None:
    """Return the address of the worksheet that a field of worksheet *address* points into; None for other fields.

    What a field of another app calls "worksheet/w_…" is a worksheet of that app.
    """
    target = definition.get("options", {}).get("target", {})
    if definition["type"] not in _POINTING or not isinstance(target, Mapping):
        return None
    if "ref" in target:
        app, _, _ = address.rpartition("worksheet/")
        return app + str(target["ref"])
    return target.get("org")


def title_field(address: str, source: Source) -> Definition | None:
    """Return the field that names the records of a worksheet: the one it says, or its first."""
    body = source.worksheet(address) or {}
    fields = body.get("fields", ())
    chosen = str((body.get("title_field") or {}).get("ref", "")).rpartition("/")[2]
    return next((d for d in fields if d["key"] == chosen), fields[0] if fields else None)


def read_path(path: tuple[str, ...], address: str, record: RecordView, source: Source) -> Any:
    """Return a field of a record, or, with two keys, the list of that field of all the records linked.

    Raises:
        CalculationFailed: a field is gone, the first one is no link, or there are too many records.
    """
    if len(path) == 1:
        return read_field(address, path[0], record, source)
    target, records = linked(address, path[0], record, source)
    field_of(target, path[1], source)
    return tuple(read_field(target, path[1], each, source) for each in records)


def read_field(address: str, key: str, record: RecordView, source: Source) -> Any:
    """Return a field's value in a record, ready to calculate with."""
    definition = field_of(address, key, source)
    value = source.compute(address, key, record)
    target = target_of(definition, address)
    if target is None:
        return typed(value, definition, source)
    return tuple(_title(target, each, source) for each in _records(target, value, source))


def linked(address: str, key: str, record: RecordView, source: Source) -> tuple[str, list[RecordView]]:
    """Return the worksheet a link field points into and the live records it names, in order."""
    target = target_of(field_of(address, key, source), address)
    if target is None:
        raise CalculationFailed("the field is not a link")
    return target, _records(target, source.compute(address, key, record), source)


def _records(target: str, value: Any, source: Source) -> list[RecordView]:
    seqs = [seq for seq in value or () if isinstance(seq, int)]
    if len(seqs) > MAX_LIST:
        raise CalculationFailed("a list is too long")
    found = source.records(target, seqs)
    return [found[seq] for seq in seqs if seq in found]


def _title(address: str, record: RecordView, source: Source) -> str:
    definition = title_field(address, source)
    if definition is None or target_of(definition, address) is not None:
        return f"#{record.seq}"
    return text(typed(source.compute(address, definition["key"], record), definition, source)) or f"#{record.seq}"


def typed(value: Any, definition: Definition, source: Source) -> Any:
    """Return a field's JSON value as what formulas calculate with.

    Raises:
        CalculationFailed: it is not of the form that the field's type gives, as after the type was changed.
    """
    try:
        return _typed(value, definition, source)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise CalculationFailed("a value is not of its field's type") from error


def _typed(value: Any, definition: Definition, source: Source) -> Any:
    if value is None:
        return False if definition["type"] == "checkbox" else None
    native = native_of(value)
    if native is not None:
        return native
    sort = _sort(definition["type"])
    if sort in _CHOOSING:
        return _chosen(value, source.choices(definition))
    read = _READ.get(str(_format(definition).get("type", sort)), _guessed)
    return read(value)


def _sort(name: str) -> str:
    """Return the type as which a field's values are calculated with."""
    if name in _READ or name in _CHOOSING or not has_app_context():
        return name
    return acts_as(field_type(name))


def _format(definition: Definition) -> Mapping[str, Any]:
    found = definition.get("options", {}).get("format") or {}
    return found if isinstance(found, Mapping) else {}


def _chosen(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list | tuple):
        return Several(tuple(Choice(key, names.get(key, "")) for key in value))
    return Choice(value, names.get(value, ""))


def _several(read: Callable[[Any], Any]) -> Callable[[Any], Several]:
    def read_all(value: Any) -> Several:
        given: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
        return Several(tuple(read(item) for item in given))
    return read_all


def _file(value: Any) -> File:
    return File(str(value.get("file", "")), str(value.get("name", "")), int(value.get("size", 0)),
                str(value.get("type", "")))


def _address(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("org") or value.get("ref") or "").rpartition("/")[2]
    return str(value)


def _place(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return str(value.get("label") or f"{value.get('lat')}, {value.get('lon')}")


def _moment(value: Any) -> Any:
    if isinstance(value, int):
        return _EPOCH + timedelta(microseconds=value)
    return moment(value)


def _date(value: Any) -> Any:
    at = moment(value)
    return None if at is None else at.date()


def _guessed(value: Any) -> Any:
    """Return a value of which only its JSON is known: a lookup's, an unformatted formula's, a stranger's."""
    native = native_of(value)
    if native is not None:
        return native
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, list | tuple):
        return tuple(_guessed(item) for item in value)
    if isinstance(value, Mapping):
        return _guessed_object(value)
    return value


def _guessed_object(value: Mapping[str, Any]) -> Any:
    if "file" in value:
        return _file(value)
    if "url" in value:
        return Link(str(value["url"]), str(value.get("label", "")), bool(value.get("button")))
    return _address(value)


_POINTING = frozenset({"relationship", "subform", "cascading_select"})
_CHOOSING = frozenset({"single_select", "multiple_select"})
_READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("number", "currency", "percent", "rating", "autonumber", "count"), number),
    "date": _date,
    "time": time.fromisoformat,
    **dict.fromkeys(("datetime", "created_time", "modified_time"), _moment),
    "duration": lambda value: Span(0, number(Decimal(value))),
    "file": _several(_file),
    "signature": _several(_file),
    "region": _several(str),
    **dict.fromkeys(("member", "department", "org_role", "free_link"), _several(_address)),
    **dict.fromkeys(("created_by", "modified_by"), _address),
    "location": _place,
}
