"""Rows of Baserow as records: each value turned, checked by its field, and counted where it does not fit."""

from __future__ import annotations

import mimetypes
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.api import ImportContext, InvalidInput, InvalidValue, field_type
from plugins.baserow.fields import stored_side
from plugins.baserow.names import Names, Table
from plugins.baserow.read import Export, Item, id_of, items, text

LENIENT = ("url", "email", "phone")
BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Records:
    """Makes one table's records. Its fields' definitions are given by old field id."""

    table: Table
    names: Names
    export: Export
    context: ImportContext
    definitions: Mapping[int, dict[str, Any]]
    links: Mapping[int, Mapping[int, list[int]]]
    misfits: Counter[tuple[int, str]] = field(default_factory=Counter)
    files: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def batches(self) -> Iterator[dict[str, Any]]:
        """Yield the edits that put the records, then note what did not fit."""
        for start in range(0, len(self.table.rows), BATCH):
            rows = self.table.rows[start:start + BATCH]
            records = [self._record(row) for row in rows if self.table.seqs[row["id"]]]
            yield {"op": "put_records", "worksheet": self.table.key, "records": records}
        for (field_id, reason), count in self.misfits.items():
            name = text(self.table.items[field_id], "name", 60)
            self.context.unsupported("value", f"{self.table.name}: {name}", f"{count} left out: {reason}")

    def _record(self, row: Item) -> dict[str, Any]:
        values = {}
        for field_id, definition in self.definitions.items():
            value = self._value(field_id, definition, row)
            if value is not None:
                values[definition["key"]] = value
        created = _time(row.get("created_on"))
        updated = _time(row.get("updated_on")) or created
        times = {"created_at": created, "updated_at": max(updated or 0, created)} if created is not None else {}
        return {"seq": self.table.seqs[row["id"]], "values": values, **times}

    def _value(self, field_id: int, definition: dict[str, Any], row: Item) -> Any:
        kind = field_type(definition["type"])
        if not kind.stored_for(definition):
            return None
        if definition["type"] == "relationship":
            return self.links[field_id].get(row["id"]) or None
        value = row.get(f"field_{field_id}")
        if value is None or value == "" or value == []:
            return None
        if self.table.items[field_id].get("type") == "password":
            return None
        try:
            return kind.canonical(self._turned(definition["type"], value), definition)
        except InvalidInput as error:
            self.misfits[field_id, error.message] += 1
            return None

    def _turned(self, kind: str, value: Any) -> Any:
        if kind == "checkbox":
            return value in (True, "true", "True")
        if kind == "single_select":
            return self._choice(value)
        if kind == "multiple_select":
            return list(dict.fromkeys(self._choice(one) for one in value)) if isinstance(value, list) else value
        if kind == "duration":
            return _seconds(value)
        if kind == "file":
            return self._files(value) or ""
        if kind in ("number", "rating", "autonumber"):
            return _exact(value)
        if kind == "imported":
            return [_told(one) for one in value] if isinstance(value, list) else _told(value)
        return value

    def _choice(self, value: Any) -> str:
        found = self.names.choices.get(value) if type(value) is int else None
        if found is None:
            raise InvalidValue("a choice is not among the field's choices.")
        return found

    def _files(self, value: Any) -> list[dict[str, Any]]:
        """Return the files of a cell, each once, where it first stands."""
        found: dict[str, dict[str, Any]] = {}
        for item in items(value):
            if (one := self._file(item)) is not None:
                found.setdefault(one["file"], one)
        return list(found.values())

    def _file(self, item: Item) -> dict[str, Any] | None:
        name = text(item, "name", 500)
        if name not in self.files:
            self.files[name] = self._put_file(item, name)
        found = self.files[name]
        shown = text(item, "visible_name", 255).strip()
        safe = "".join("_" if ord(c) < 32 or c in "/\\\x7f" else c for c in shown)
        return None if found is None else {**found, "name": safe or found["name"]}

    def _put_file(self, item: Item, name: str) -> dict[str, Any] | None:
        if not self.export.has_file(name):
            self.context.unsupported("file", text(item, "visible_name", 100) or name[:100], "it is not in the export")
            return None
        kind = text(item, "mime_type", 200) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind = kind if kind.isascii() and kind.isprintable() else "application/octet-stream"
        with self.export.file(name) as stream:
            return self.context.put_file(stream, text(item, "visible_name", 255) or name[-100:], kind)


def loosened(table: Table, definitions: dict[int, dict[str, Any]], context: ImportContext) -> None:
    """Turn links, email and phone fields into text fields where a value is none, so that nothing is lost."""
    for field_id, definition in definitions.items():
        if definition["type"] in LENIENT and any(_misfits(definition, row.get(f"field_{field_id}")) for row in table.rows):
            context.unsupported("field", f"{table.name}: {definition['name']}",
                                f"some values do not fit the type {definition['type']}; it became a text field")
            definition["type"] = "text"


def _misfits(definition: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        field_type(definition["type"]).canonical(value, definition)
    except InvalidValue:
        return True
    return False


def link_values(names: Names, context: ImportContext) -> dict[int, dict[int, list[int]]]:
    """Return, for each link field that stores its links, row id -> the numbers of the rows it points to.

    What only the other side of a two-way link says is added; what points to no row is left out; both are noted.
    """
    found: dict[int, dict[int, list[int]]] = {}
    for table in names.tables.values():
        for field_id, item in table.items.items():
            target = names.tables.get(id_of(item, "link_row_table_id") or -1)
            if item.get("type") == "link_row" and target is not None and stored_side(item, names) is None:
                found[field_id] = _forward(table, field_id, item, target, context)
    for table in names.tables.values():
        for field_id, item in table.items.items():
            stored = stored_side(item, names) if item.get("type") == "link_row" else None
            if stored is not None and stored in found:
                _add_backward(table, field_id, item, names.table_of_field[stored], found[stored], context)
    return found


def _forward(table: Table, field_id: int, item: Item, target: Table, context: ImportContext) -> dict[int, list[int]]:
    links: dict[int, list[int]] = {}
    dangling = 0
    for row in table.rows:
        pointed = _ids(row.get(f"field_{field_id}"))
        there = list(dict.fromkeys(target.seqs[one] for one in pointed if one in target.seqs))
        dangling += sum(one not in target.seqs for one in pointed)
        if there:
            links[row["id"]] = there[:1] if item.get("link_row_multiple_relationships") is False else there
    if dangling:
        context.unsupported("link", f"{table.name}: {text(item, 'name', 60)}",
                            f"{dangling} point to rows that are not in the export; left out")
    return links


def _add_backward(table: Table, field_id: int, item: Item, holder: Table, links: dict[int, list[int]],
                  context: ImportContext) -> None:
    added = 0
    for row in table.rows:
        seq = table.seqs[row["id"]]
        for one in _ids(row.get(f"field_{field_id}")):
            if one in holder.seqs and seq not in links.setdefault(one, []):
                links[one].append(seq)
                added += 1
    if added:
        context.unsupported("link", f"{table.name}: {text(item, 'name', 60)}",
                            f"{added} were on one side of the link only; both sides have them now")


def _ids(value: Any) -> list[int]:
    return [one for one in value if type(one) is int] if isinstance(value, list) else []


def _seconds(value: Any) -> Any:
    return round(Decimal(repr(value)), 6) if isinstance(value, float) else value


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise InvalidValue("it is not a number.") from None
    return value


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("value", value.get("name", "")))[:10_000]
    return str(value)[:10_000]


def _time(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
