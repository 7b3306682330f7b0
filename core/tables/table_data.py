"""TableData: a component's own table of rows, with all that backups, restores and undo ask of it.

The core cuts the rows into segments, judges them when they come from a file, merges them field by field, keeps the journal of a
restore, and knows the files that they name. A plugin declares the table and writes through the verbs here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Boolean, Connection, Enum, Float, Integer, String, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from core.apps import locks
from core.apps.change_log import SEGMENT_ROWS
from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical
from core.base.db import db
from core.base.errors import InvalidInput, NotFound
from core.base.refs import DIGEST, files
from core.base.text import is_encodable
from core.base.time import now_us
from core.extension.component import Segment
from core.extension.data_report import CollectionReport, DataReport, LostReference
from core.tables.rows import MAX_JSON_BYTES, Json, NumberGiven, Row
from core.tenancy.models import App

MAX_NUMBER = 2**40
MAX_INTEGER = 2**53 - 1
MAX_TEXT_CHARS = 100_000
AT_ONCE = 1000
OWN = ("app_id", "number", "deleted_at")
KEPT = (Integer, Float, String, Boolean, Json)
"""The types of columns whose values are what a line of a backup holds."""
Values = dict[str, Any]
"""Column -> value of one row; of those that are stored, `number` and `deleted_at` are columns too."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Columns of a row that point to something: `kind` is "record" (two columns: a worksheet's key, a number), "document" or "org" (an
    address)."""

    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TableData:
    """The rows of one table of a component.

    Args:
        model: A class of SQLAlchemy that mixes in `Row`; its further columns are what a backup holds.
        section: A small letter by which the component's backups know the table; it never changes.
        noun: What people call the table's rows together: "Comments".
        record: Two columns, the key of a worksheet and the number of a record in it, that point to a record.
        documents: Columns with the address of a document.
        org: Columns with an address outside apps ("department/d_…").
        people: Columns with the id of a person ("u_…"): of a file that nobody here signed, they are not believed.
        files: Columns of JSON that name files.
        check: Refuses (InvalidInput) the values of a row that make no sense together.
    """

    model: type[Row]
    section: str
    noun: str
    record: tuple[str, str] | None = None
    documents: Sequence[str] = ()
    org: Sequence[str] = ()
    people: Sequence[str] = ()
    files: Sequence[str] = ()
    check: Callable[[Mapping[str, Any]], None] = field(default=lambda values: None)

    def __post_init__(self) -> None:
        if len(self.section) != 1 or not self.section.isascii() or not self.section.islower():
            raise ValueError(f"The section of {self.model.__name__} is one small letter.")
        unknown = {*(self.record or ()), *self.documents, *self.org, *self.people, *self.files} - {c.name for c in self.columns}
        if unknown:
            raise ValueError(f"{self.model.__name__} has no column {sorted(unknown)[0]}.")
        if missing := set(OWN) - set(self.table.columns.keys()):
            raise ValueError(f"{self.model.__name__} has no column {sorted(missing)[0]}: mix in Row.")
        strange = next((c for c in self.columns if not isinstance(c.type, KEPT) or isinstance(c.type, Enum)), None)
        if strange is not None:
            kind = type(strange.type).__name__
            raise ValueError(f"{self.model.__name__} has the column {strange.name} of the type {kind}. Columns are whole numbers "
                             "(BigInteger), floats (Float), texts (String, Text), booleans and Json of core.api.")

    @cached_property
    def table(self) -> Table:
        """The table."""
        return self.model.__table__  # type: ignore[attr-defined,no-any-return]

    @cached_property
    def columns(self) -> list[Any]:
        """The columns that a backup holds, in the order of their names."""
        return sorted((c for c in self.table.columns if c.name not in OWN), key=lambda c: str(c.name))

    @cached_property
    def name(self) -> str:
        """The section's name in backups."""
        return f"records/{self.section}_1"

    @cached_property
    def pointers(self) -> list[Pointer]:
        """The columns that point to something."""
        return [*([Pointer("record", self.record)] if self.record else []), *(Pointer("document", (c,)) for c in self.documents),
                *(Pointer("org", (c,)) for c in self.org)]

    # What a plugin does with rows. The caller owns the transaction.

    def add(self, app: App, **values: Any) -> int:
        """Make a row and return its number.

        Raises:
            InvalidInput: a value does not fit its column.
        """
        self._check(values, whole=True)
        locks.share(app)
        number = self._given(app.id, db.session.connection(), 1, more=True)
        db.session.connection().execute(insert(self.table).values(app_id=app.id, number=number, deleted_at=None, **values))
        return number

    def change(self, app: App, number: int, **values: Any) -> None:
        """Change columns of a live row; the others stay as they are.

        Raises:
            NotFound: there is no such row.
            InvalidInput: a value does not fit its column.
        """
        self._check(values, whole=False)
        self._set(app, number, values, deleted=False)

    def remove(self, app: App, number: int) -> None:
        """Move a live row to the recycle bin (NotFound)."""
        self._set(app, number, {"deleted_at": now_us()}, deleted=False)

    def bring_back(self, app: App, number: int) -> None:
        """Bring a row back from the recycle bin (NotFound)."""
        self._set(app, number, {"deleted_at": None}, deleted=True)

    def purge(self, app: App, number: int) -> None:
        """Remove a row from the recycle bin for good (NotFound)."""
        locks.share(app)
        t = self.table.c
        gone = db.session.connection().execute(delete(self.table).where(
            t.app_id == app.id, t.number == number, t.deleted_at.is_not(None))).rowcount
        if not gone:
            raise NotFound(f"{self.noun}: {number} is not in the recycle bin.")

    def purge_where(self, app: App, **equal: Any) -> int:
        """Remove all rows with these values for good, those in the recycle bin too; return how many there were.

        A list stands for any of its values, here and in `rows`.
        """
        locks.share(app)
        return db.session.connection().execute(delete(self.table).where(*self._where(app.id, equal))).rowcount

    def get(self, app: App, number: int) -> Values:
        """Return a live row (NotFound)."""
        found = next(iter(self.rows(app, number=number)), None)
        if found is None:
            raise NotFound(f"{self.noun}: there is no {number}.")
        return found

    def rows(self, app: App, *, deleted: bool = False, limit: int = AT_ONCE, **equal: Any) -> list[Values]:
        """Return rows with these values by number: live ones, or with *deleted* those in the recycle bin; at most *limit*."""
        query = self._select().where(*self._where(app.id, equal), self._lies(deleted)).order_by(self.table.c.number).limit(limit)
        return [dict(row) for row in db.session.connection().execute(query).mappings()]

    # What backups and restores ask.

    def segments(self, snapshot: Snapshot) -> Iterator[Segment]:
        """Yield the live rows as segments of JSON Lines."""
        yield from self._cut(self._live(snapshot))

    def some_segments(self, snapshot: Snapshot, runs: Sequence[tuple[int, int]]) -> Iterator[Segment]:
        """Yield those of the segments that lie in runs, (first, last) with both included, in order."""
        t = self.table.c
        for first, last in runs:
            lying = t.number.between(first * SEGMENT_ROWS, last * SEGMENT_ROWS + SEGMENT_ROWS - 1)
            yield from self._cut(self._read(snapshot, self._select().where(
                t.app_id == snapshot.app_id, t.deleted_at.is_(None), lying)))

    def _cut(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Segment]:
        n, lines = -1, list[bytes]()
        for row in rows:
            if row["number"] // SEGMENT_ROWS != n:
                if lines:
                    yield Segment(n, len(lines), b"".join(lines))
                n, lines = row["number"] // SEGMENT_ROWS, []
            lines.append(canonical(self.value_of(row)) + b"\n")
        if lines:
            yield Segment(n, len(lines), b"".join(lines))

    def count(self, snapshot: Snapshot) -> int:
        """Return how many live rows there are."""
        t = self.table.c
        query = select(func.count()).where(t.app_id == snapshot.app_id, t.deleted_at.is_(None))
        return int(snapshot.connection.execute(query).scalar_one())

    def given(self, snapshot: Snapshot) -> dict[str, int]:
        """Return the highest number that was given out, by the section's key; nothing where it follows from the rows."""
        g, t = NumberGiven.__table__.c, self.table.c
        last = snapshot.connection.execute(select(g.last).where(
            g.app_id == snapshot.app_id, g.table_name == self.table.name)).scalar() or 0
        highest = snapshot.connection.execute(select(func.max(t.number)).where(
            t.app_id == snapshot.app_id, t.deleted_at.is_(None))).scalar() or 0
        return {f"{self.section}_1": last} if last > highest else {}

    def files_named(self, snapshot: Snapshot, *, everything: bool) -> set[str]:
        """Return the digests of the files that live rows name; with *everything* those in the recycle bin too."""
        if not self.files:
            return set()
        rows = self._all(snapshot) if everything else self._live(snapshot)
        return {digest for row in rows for column in self.files for digest in files(row[column])}

    def check_lines(self, n: int, values: Iterable[Any], listed: Collection[str]) -> None:
        """Refuse foreign lines of segment *n* that this table could not have written; *listed* are the files that the backup holds.

        Raises:
            InvalidInput: with the row and what is wrong.
        """
        before = 0
        for value in values:
            if not isinstance(value, dict) or type(number := value.get("number")) is not int or not 0 < number <= MAX_NUMBER:
                raise InvalidInput(f"A row of {self.noun} has no number.")
            if number <= before or number // SEGMENT_ROWS != n:
                raise InvalidInput(f"{self.noun}: row {number} is out of order.")
            before = number
            row = {name: held_value for name, held_value in value.items() if name != "number"}
            self._check(row, whole=True, where=f"{self.noun}, row {number}")
            if empty := next((name for name, held_value in row.items() if held_value is None), None):
                raise InvalidInput(f"{self.noun}, row {number}: {empty} is empty, and named all the same.")
            unlisted = next((d for column in self.files for d in files(row.get(column)) if d not in listed), None)
            if unlisted is not None:
                raise InvalidInput(f"{self.noun}, row {number}, names the file {unlisted}, which the backup lacks.")

    def report_of(self, said: Mapping[str, Any]) -> CollectionReport:
        """Return what a report says of this table."""
        counts = {name: said.get(name, 0) for name in ("brought_back", "overwritten", "unchanged", "new_since", "binned")}
        return CollectionReport(key=self.name, name=self.noun, **counts)

    # Rows as they are stored.

    def value_of(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row as the value of a line: what is empty is left out."""
        return {"number": row["number"], **{str(c.name): row[c.name] for c in self.columns if row[c.name] is not None}}

    def row_of(self, value: Mapping[str, Any]) -> Values:
        """Return a line's value as a live row."""
        return {"number": value["number"], "deleted_at": None, **{str(c.name): value.get(c.name) for c in self.columns}}

    def between(self, app_id: str, connection: Connection, first: int, last: int) -> dict[int, Values]:
        """Return the rows whose numbers lie between two, both included, those in the recycle bin too."""
        t = self.table.c
        found = connection.execute(self._select().where(t.app_id == app_id, t.number >= first, t.number <= last)).mappings()
        return {row["number"]: dict(row) for row in found}

    def numbered(self, app_id: str, connection: Connection, numbers: Sequence[int]) -> dict[int, Values]:
        """Return those of the rows that exist, those in the recycle bin too; a few hundred at most are asked for."""
        t = self.table.c
        found = connection.execute(self._select().where(t.app_id == app_id, t.number.in_(numbers))).mappings()
        return {row["number"]: dict(row) for row in found}

    def put(self, app_id: str, connection: Connection, changes: Sequence[tuple[Values | None, Values]]) -> None:
        """Write whole rows, each given with what stands there now."""
        t = self.table.c
        new = [{"app_id": app_id, **after} for before, after in changes if before is None]
        if new:
            connection.execute(insert(self.table), new)
        there = [{f"to_{name}": value for name, value in after.items()} for before, after in changes if before is not None]
        if there:
            names = [*(c.name for c in self.columns), "deleted_at"]
            connection.execute(update(self.table).where(t.app_id == app_id, t.number == bindparam("to_number")).values(
                {name: bindparam(f"to_{name}", type_=t[name].type) for name in names}), there)

    def raise_number(self, app_id: str, connection: Connection, highest: int) -> None:
        """Give no number up to *highest* again."""
        self._given(app_id, connection, min(highest, MAX_NUMBER), more=False)

    def _select(self) -> Any:
        t = self.table.c
        return select(t.number, t.deleted_at, *self.columns)

    def _live(self, snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
        t = self.table.c
        return self._read(snapshot, self._select().where(t.app_id == snapshot.app_id, t.deleted_at.is_(None)))

    def _all(self, snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
        return self._read(snapshot, self._select().where(self.table.c.app_id == snapshot.app_id))

    def _read(self, snapshot: Snapshot, query: Any) -> Iterator[Mapping[str, Any]]:
        """Yield rows in the order of their numbers, some at a time, so that memory stays flat."""
        t, after = self.table.c, 0
        while found := snapshot.connection.execute(query.where(t.number > after).order_by(t.number).limit(AT_ONCE)).mappings().all():
            yield from map(dict, found)
            after = found[-1]["number"]

    def _where(self, app_id: str, equal: Mapping[str, Any]) -> list[Any]:
        t = self.table.c
        return [t.app_id == app_id, *(t[name].in_(value) if isinstance(value, list | tuple | set) else t[name] == value
                                      for name, value in equal.items())]

    def _lies(self, deleted: bool) -> Any:
        """Return the condition of rows in the recycle bin, or of live ones."""
        at = self.table.c.deleted_at
        return at.is_not(None) if deleted else at.is_(None)

    def _set(self, app: App, number: int, values: Mapping[str, Any], *, deleted: bool) -> None:
        locks.share(app)
        t = self.table.c
        if not values:
            return
        if not db.session.connection().execute(update(self.table).where(
                t.app_id == app.id, t.number == number, self._lies(deleted)).values(dict(values))).rowcount:
            raise NotFound(f"{self.noun}: there is no {number}{' in the recycle bin' if deleted else ''}.")

    def _given(self, app_id: str, connection: Connection, by: int, *, more: bool) -> int:
        """Raise the highest number that was given out, by so many or to it, and return it."""
        g = NumberGiven.__table__
        made = (insert_on_postgresql if connection.dialect.name == "postgresql" else insert_on_sqlite)(g).values(
            app_id=app_id, table_name=self.table.name, last=by)
        larger = func.greatest if connection.dialect.name == "postgresql" else func.max
        last = g.c.last + made.excluded.last if more else larger(g.c.last, made.excluded.last)
        found = connection.execute(made.on_conflict_do_update(
            index_elements=["app_id", "table_name"], set_={"last": last}).returning(g.c.last)).scalar_one()
        return int(found)

    def _check(self, values: Mapping[str, Any], *, whole: bool, where: str | None = None) -> None:
        """Refuse values that do not fit their columns."""
        where = where or self.noun
        named = {c.name: c for c in self.columns}
        for name, value in values.items():
            if name not in named:
                raise InvalidInput(f"{where}: there is no column {str(name)[:40]}.")
            if value is not None and not _fits(named[name], value):
                raise InvalidInput(f"{where}: {name} does not fit: {str(value)[:60]}.")
            if value is not None and name in self.files and not _are_files(value):
                raise InvalidInput(f"{where}: {name} is a list of files, each with “file”, “name”, “size” and “type”.")
        needed = (c.name for c in self.columns if not c.nullable and (whole or c.name in values))
        lacking = next((name for name in needed if values.get(name) is None), None)
        if lacking is not None:
            raise InvalidInput(f"{where}: {lacking} is missing.")
        if whole:
            self.check(values)


def _fits(column: Any, value: Any) -> bool:
    kind = column.type
    if isinstance(kind, Json):
        try:
            return len(canonical(value)) <= MAX_JSON_BYTES
        except ValueError:
            return False
    if isinstance(kind, Boolean):
        return isinstance(value, bool)
    if isinstance(kind, Float):
        return type(value) in (int, float) and abs(value) <= MAX_INTEGER
    if isinstance(kind, Integer):
        return type(value) is int and abs(value) <= MAX_INTEGER
    if isinstance(kind, String):
        return isinstance(value, str) and "\0" not in value and len(value) <= (kind.length or MAX_TEXT_CHARS) and is_encodable(value)
    return False


def _are_files(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and one.keys() == {"file", "name", "size", "type"} and isinstance(one["file"], str)
        and DIGEST.match(one["file"]) for one in value)


def report(tables: Sequence[TableData], said: Mapping[str, Any]) -> DataReport:
    """Return what a report of tables says, see `merge` and `undo`, in the form that the core shows."""
    by_name = {one.name: one for one in tables}
    lost = [LostReference(collection=by_name[one["table"]].noun if one["table"] in by_name else one["table"], record=one["number"],
                          field=one["column"], target=one["target"], reason=one["reason"])
            for one in said.get("references_not_restored", ())]
    left = [f"{by_name[one['table']].noun if one['table'] in by_name else one['table']}, {one['number']}"
            f"{', ' + one['column'] if one['column'] else ''}: {one['reason']}" for one in said.get("left_alone", ())]
    return DataReport(
        noun="Table", collections=[by_name[name].report_of(told) for name, told in said.get("tables", {}).items() if name in by_name],
        references=lost, references_count=said.get("references_not_restored_count", 0), kept=left,
        kept_count=said.get("left_alone_count", 0),
        unlike=said.get("references_not_restored_count", 0) + said.get("notes", {}).get("authors_not_proven", 0))
