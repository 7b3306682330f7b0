"""Index: the keys of values in indexed fields, kept by the record store with every write. It follows from the records alone.

Only live records are in it, each with one key for each indexed field. The rows that a write is about to change are
locked before their old keys are worked out, so that two writers cannot leave a key behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select

from core.api import driver, loading, remembered
from plugins.worksheets.models import IndexedField, Record, RecordKey
from plugins.worksheets.records.keys import key_of

r, k, x = Record.__table__.c, RecordKey.__table__.c, IndexedField.__table__.c
BATCH_ROWS = 5000
SMALL = 200
_INSERT = "INSERT INTO record_key (app_id, worksheet, field, key, seq) VALUES (?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM record_key WHERE app_id = ? AND worksheet = ? AND field = ? AND key = ? AND seq = ?"


class Kept(NamedTuple):
    """What of a record decides about its keys."""

    seq: int
    vals: str
    deleted_at: int | None


Key = tuple[str, str, int]
"""Field, key, seq."""


class Index:
    """The index of one app's records through one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection, app_id: str) -> None:
        self.connection, self.app_id = connection, app_id
        self._kinds: dict[str, dict[str, str]] = {}

    def kinds(self, worksheet: str) -> Mapping[str, str]:
        """Return the kind of key by indexed field."""
        if worksheet not in self._kinds:
            self._kinds[worksheet] = remembered(("record_index", self.app_id, worksheet), lambda: self._read_kinds(worksheet))
        return self._kinds[worksheet]

    def _read_kinds(self, worksheet: str) -> dict[str, str]:
        query = select(x.field, x.kind).where(x.app_id == self.app_id, x.worksheet == worksheet)
        return {row.field: row.kind for row in self.connection.execute(query)}

    def before(self, worksheet: str, seqs: Sequence[int]) -> list[Kept]:
        """Return those rows that are there, locked until the transaction's end; none where nothing is indexed."""
        found: list[Kept] = []
        if self.kinds(worksheet):
            for start in range(0, len(seqs), 500):
                query = (select(r.seq, r.vals, r.deleted_at).where(
                    r.app_id == self.app_id, r.worksheet == worksheet, r.seq.in_(seqs[start:start + 500]))
                    .order_by(r.seq).with_for_update())
                found += [Kept(*row) for row in self.connection.execute(query)]
        return found

    def follow(self, worksheet: str, before: Iterable[Kept], after: Iterable[Kept]) -> None:
        """Replace the keys that rows had by those that they have."""
        kinds = self.kinds(worksheet)
        if not kinds:
            return
        old, new = set(_keys(kinds, before)), set(_keys(kinds, after))
        self._remove(worksheet, old - new)
        self._add(worksheet, sorted(new - old))

    def settle(self, worksheet: str, wanted: Mapping[str, str]) -> None:
        """Drop the fields whose kind of key is not the wanted one; those still missing are given by `build`."""
        for field in [field for field, kind in self.kinds(worksheet).items() if wanted.get(field) != kind]:
            for table in (IndexedField.__table__, RecordKey.__table__):
                self.connection.execute(delete(table).where(
                    table.c.app_id == self.app_id, table.c.worksheet == worksheet, table.c.field == field))
        self._kinds.pop(worksheet, None)

    def build(self, worksheet: str, wanted: Mapping[str, str]) -> None:
        """Index the wanted fields that are not yet, from the records that are there."""
        fresh = {field: kind for field, kind in wanted.items() if field not in self.kinds(worksheet)}
        if not fresh:
            return
        self.connection.execute(insert(IndexedField.__table__), [
            {"app_id": self.app_id, "worksheet": worksheet, "field": field, "kind": kind} for field, kind in fresh.items()])
        self._kinds.pop(worksheet, None)
        after = 0
        while batch := self._some(worksheet, after):
            self._add(worksheet, sorted(_keys(fresh, batch)))
            after = batch[-1].seq

    def forget(self, worksheet: str) -> None:
        """Forget all of a worksheet, also which fields were indexed."""
        self.settle(worksheet, {})

    def _some(self, worksheet: str, after: int) -> list[Kept]:
        query = select(r.seq, r.vals, r.deleted_at).where(
            r.app_id == self.app_id, r.worksheet == worksheet, r.seq > after).order_by(r.seq).limit(BATCH_ROWS)
        return [Kept(*row) for row in self.connection.execute(query)]

    def _add(self, worksheet: str, keys: Sequence[Key]) -> None:
        rows = [(self.app_id, worksheet, *key) for key in keys]
        if self.connection.dialect.name == "sqlite":
            driver(self.connection).executemany(_INSERT, rows)
            return
        if len(rows) <= SMALL:
            with driver(self.connection).cursor() as cursor:
                cursor.executemany(_INSERT.replace("?", "%s"), rows)
            return
        with loading(self.connection, self.app_id), driver(self.connection).cursor() as cursor, \
                cursor.copy("COPY record_key (app_id, worksheet, field, key, seq) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _remove(self, worksheet: str, keys: Collection[Key]) -> None:
        rows = [(self.app_id, worksheet, *key) for key in sorted(keys)]
        if self.connection.dialect.name == "sqlite":
            driver(self.connection).executemany(_DELETE, rows)
        elif rows:
            with driver(self.connection).cursor() as cursor:
                cursor.executemany(_DELETE.replace("?", "%s"), rows)


def _keys(kinds: Mapping[str, str], rows: Iterable[Kept]) -> Iterable[Key]:
    for row in rows:
        if row.deleted_at is None:
            vals = msgspec.json.decode(row.vals)
            for field, kind in kinds.items():
                yield field, key_of(kind, vals.get(field)), row.seq
