"""Index: the keys of values in indexed fields, kept by the record store with every write. It follows from the records alone.

Only live records are in it, each with one key for each indexed field. The rows that a write is about to change are
locked before their old keys are worked out, so that two writers cannot leave a key behind.

The index of a field in a large worksheet is built a stretch of records at a time, each in a transaction of its own, while people go
on writing. Writers keep the keys of such a field from the start; nobody reads by them until the last stretch is in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update

from core.api import driver, loading, remembered
from plugins.worksheets.models import IndexedField, Record, RecordKey
from plugins.worksheets.records.keys import key_of

r, k, x = Record.__table__.c, RecordKey.__table__.c, IndexedField.__table__.c
BATCH_ROWS = 5000
SMALL = 200
_INSERT = "INSERT INTO record_key (app_id, worksheet, field, key, seq) VALUES (?, ?, ?, ?, ?)"
_INSERT_MISSING = ("INSERT INTO record_key (app_id, worksheet, field, key, seq) SELECT %s, %s, * FROM "
                   "unnest(%s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING")
_DELETE = "DELETE FROM record_key WHERE app_id = ? AND worksheet = ? AND field = ? AND key = ? AND seq = ?"


class Kept(NamedTuple):
    """What of a record decides about its keys."""

    seq: int
    vals: str
    deleted_at: int | None


Key = tuple[str, str, int]
"""Field, key, seq."""


class Indexed(NamedTuple):
    """By what kind of key a field is indexed, and up to which record; None once all are in."""

    kind: str
    built_to: int | None


class Index:
    """The index of one app's records through one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection, app_id: str) -> None:
        self.connection, self.app_id = connection, app_id
        self._fields: dict[str, dict[str, Indexed]] = {}

    def kinds(self, worksheet: str) -> Mapping[str, str]:
        """Return the kind of key by indexed field, as writers keep them: of fields whose index is still being built, too."""
        return {field: one.kind for field, one in self.fields(worksheet).items()}

    def complete(self, worksheet: str) -> Mapping[str, str]:
        """Return the kind of key by field whose index holds every record, as readers may go by it."""
        return {field: one.kind for field, one in self.fields(worksheet).items() if one.built_to is None}

    def fields(self, worksheet: str) -> Mapping[str, Indexed]:
        """Return the indexed fields."""
        if worksheet not in self._fields:
            self._fields[worksheet] = remembered(("record_index", self.app_id, worksheet), lambda: self._read(worksheet))
        return self._fields[worksheet]

    def _read(self, worksheet: str) -> dict[str, Indexed]:
        query = select(x.field, x.kind, x.built_to).where(x.app_id == self.app_id, x.worksheet == worksheet)
        return {row.field: Indexed(row.kind, row.built_to) for row in self.connection.execute(query)}

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
        for field in [field for field, one in self.fields(worksheet).items() if wanted.get(field) != one.kind]:
            for table in (IndexedField.__table__, RecordKey.__table__):
                self.connection.execute(delete(table).where(
                    table.c.app_id == self.app_id, table.c.worksheet == worksheet, table.c.field == field))
        self._fields.pop(worksheet, None)

    def build(self, worksheet: str, wanted: Mapping[str, str]) -> None:
        """Index the wanted fields that are not yet, from the records that are there."""
        fresh = self._lacking(worksheet, wanted)
        if not fresh:
            return
        self._note(worksheet, fresh, None)
        after = 0
        while batch := self._some(worksheet, after):
            self._add(worksheet, sorted(_keys(fresh, batch)))
            after = batch[-1].seq

    def begin(self, worksheet: str, wanted: Mapping[str, str]) -> bool:
        """Have writers keep the keys of the wanted fields that are not indexed yet; say whether there are such, for `build_some`."""
        lacking = self._lacking(worksheet, wanted)
        self._note(worksheet, lacking, 0)
        return bool(lacking)

    def unfinished(self) -> list[str]:
        """Return the worksheets of which an index is being built."""
        query = select(x.worksheet).where(x.app_id == self.app_id, x.built_to.is_not(None)).distinct().order_by(x.worksheet)
        return list(self.connection.execute(query).scalars())

    def build_some(self, worksheet: str) -> int | None:
        """Put the next stretch of records into the indexes that are being built, and return how many; None where no index is built.

        After a stretch of none they are complete. The caller keeps the worksheet's document as it is until the transaction ends.
        """
        query = select(x.field, x.kind, x.built_to).where(
            x.app_id == self.app_id, x.worksheet == worksheet, x.built_to.is_not(None)).order_by(x.field).with_for_update()
        building = {row.field: Indexed(row.kind, row.built_to) for row in self.connection.execute(query)}
        self._fields.pop(worksheet, None)
        if not building:
            return None
        after = min(one.built_to or 0 for one in building.values())
        batch = self._held(worksheet, after)
        self._add_missing(worksheet, sorted(_keys({field: one.kind for field, one in building.items()}, batch)))
        last = batch[-1].seq if batch else None
        behind = building if last is None else [field for field, one in building.items() if (one.built_to or 0) < last]
        self.connection.execute(update(IndexedField.__table__).where(
            x.app_id == self.app_id, x.worksheet == worksheet, x.field.in_(list(behind))).values(built_to=last))
        return len(batch)

    def _lacking(self, worksheet: str, wanted: Mapping[str, str]) -> dict[str, str]:
        known = self.fields(worksheet)
        return {field: kind for field, kind in wanted.items() if field not in known}

    def _note(self, worksheet: str, kinds: Mapping[str, str], built_to: int | None) -> None:
        if kinds:
            self.connection.execute(insert(IndexedField.__table__), [
                {"app_id": self.app_id, "worksheet": worksheet, "field": field, "kind": kind, "built_to": built_to}
                for field, kind in kinds.items()])
            self._fields.pop(worksheet, None)

    def forget(self, worksheet: str) -> None:
        """Forget all of a worksheet, also which fields were indexed."""
        self.settle(worksheet, {})

    def _some(self, worksheet: str, after: int) -> list[Kept]:
        return [Kept(*row) for row in self.connection.execute(self._next(worksheet, after))]

    def _held(self, worksheet: str, after: int) -> list[Kept]:
        """Return the next rows, kept as they are until the transaction's end, up to the first that a writer holds.

        What a writer is about to change gets its key from that writer, who waits for this transaction, or from here. Who waits for a
        writer while holding other rows would wait for ever where that writer goes on to one of them; so only one row is waited for.
        """
        numbers = [row.seq for row in self.connection.execute(self._next(worksheet, after))]
        free = self.connection.execute(self._next(worksheet, after).with_for_update(read=True, skip_locked=True))
        held = [Kept(*row) for row, _ in takewhile(lambda pair: pair[0].seq == pair[1], zip(free, numbers, strict=False))]
        if numbers and not held:
            held = [Kept(*row) for row in self.connection.execute(self._next(worksheet, after).limit(1).with_for_update(read=True))]
        return held

    def _next(self, worksheet: str, after: int) -> Select[Any]:
        return select(r.seq, r.vals, r.deleted_at).where(
            r.app_id == self.app_id, r.worksheet == worksheet, r.seq > after).order_by(r.seq).limit(BATCH_ROWS)

    def _add_missing(self, worksheet: str, keys: Sequence[Key]) -> None:
        """Add keys of which writers have added some."""
        if self.connection.dialect.name == "sqlite":
            rows = [(self.app_id, worksheet, *key) for key in keys]
            driver(self.connection).executemany(_INSERT.replace("INSERT", "INSERT OR IGNORE"), rows)
        elif keys:
            with driver(self.connection).cursor() as cursor:
                cursor.execute(_INSERT_MISSING, (self.app_id, worksheet, *map(list, zip(*keys, strict=True))))

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
