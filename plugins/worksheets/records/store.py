"""What both engines do alike, and the interface of what they do apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, or_, select, text, update

from core.api import FILE_MARK, Segment, batched, files_in_text, touch
from plugins.worksheets.models import Attachment, Counter, Record
from plugins.worksheets.records.index import Index, Kept
from plugins.worksheets.records.lines import SEGMENT_RECORDS, Columns, Line, columns_of

table = Record.__table__
c = table.c


class Row(NamedTuple):
    """A record's row without its app and worksheet. `vals` and `hidden` are canonical JSON text."""

    seq: int
    vals: str
    hidden: str | None
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str
    deleted_at: int | None


def row_of(line: Line) -> Row:
    """Return a line of a backup as the row of a record that is live."""
    (created_at, updated_at), (created_by, updated_by) = line.at, line.by
    return Row(line.seq, bytes(line.vals).decode(), None, created_at, created_by, updated_at, updated_by, None)


COLUMNS = [c[name] for name in Row._fields]
_ONE = select(*COLUMNS).where(c.app_id == bindparam("app"), c.worksheet == bindparam("worksheet"), c.seq == bindparam("seq"))
_ONE_HELD = _ONE.with_for_update()
_COUNT_AT = select(func.count()).select_from(table).where(
    c.app_id == bindparam("app"), c.worksheet == bindparam("worksheet"), c.deleted_at.is_(None),
    c.seq >= bindparam("place"), c.seq < bindparam("place") + bindparam("records"))
LOAD_ROWS = 20_000
MOST_AT_ONCE = 500
"""How many numbers one question names at most."""
COUNTED, PLACES = 50_000, 24
"""Up to this many numbers records are counted; beyond, in so many places of one segment's length each."""
LAST_SEGMENT = 2**54
"""Further than any segment lies, of numbers that no record should have as well."""
# One statement each: two that make the same counter at once would both find none.
_TAKE = text("""
INSERT INTO counter (app_id, name, next) VALUES (:app, :name, :first)
ON CONFLICT (app_id, name) DO UPDATE SET next = counter.next + :count RETURNING next
""")
_RAISE = text("""
INSERT INTO counter (app_id, name, next) VALUES (:app, :name, :next) ON CONFLICT (app_id, name)
DO UPDATE SET next = CASE WHEN counter.next < excluded.next THEN excluded.next ELSE counter.next END
""")


def _kept(row: Row) -> Kept:
    return Kept(row.seq, row.vals, row.deleted_at)


_LASTS = """
SELECT one.key, (SELECT seq FROM record WHERE app_id = :app AND worksheet = one.key AND deleted_at IS NULL ORDER BY seq DESC LIMIT 1)
FROM ({each}) AS one
"""


class RecordStore:
    """The records of one app through one connection; the caller owns the transaction."""

    each: ClassVar[str] = "SELECT value AS key FROM json_each(:keys)"
    """Gives the texts of a list, as JSON, as rows."""
    loaded_bytes: ClassVar[int] = 4 * 1024 * 1024
    """How many bytes of whole segments are loaded at once, and unpacked ahead."""

    def __init__(self, connection: Connection, app_id: str) -> None:
        self.connection, self.app_id = connection, app_id
        self.index = Index(connection, app_id)

    # What the engines do apart.

    def segments(self, worksheet: str, first: int = 0, last: int = LAST_SEGMENT) -> Iterator[Segment]:
        """Yield the live records of a worksheet as segments of lines, built by the database; those from the first to the last."""
        raise NotImplementedError

    def some_segments(self, worksheet: str, runs: Sequence[tuple[int, int]]) -> Iterator[Segment]:
        """Yield those that lie in runs of segments, (first, last) with both included, in order."""
        for first, last in runs:
            yield from self.segments(worksheet, first, last)

    def put_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        """Make or replace whole rows and nothing else; see `write`."""
        raise NotImplementedError

    def load_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        """Make rows where none of the worksheet exist, and nothing else; see `load`."""
        self.put_rows(worksheet, rows)

    def load_lines(self, worksheet: str, segments: Iterable[Columns]) -> None:
        """Make records from lines where none of their numbers exist, and nothing else; see `load_segments`."""
        raise NotImplementedError

    def pointing(self, worksheet: str, field: str, seqs: Sequence[int]) -> list[tuple[int, int]]:
        """Return (seq, seq pointed to) of live records whose array *field* names one of *seqs*, ordered."""
        raise NotImplementedError

    def holder(self, worksheet: str, field: str, values: Sequence[Any], but: Sequence[int]) -> tuple[Any, int] | None:
        """Return a value of these that a live record has in *field*, and that record's number; the records *but* do not count."""
        raise NotImplementedError

    def value_counts(self, worksheet: str, field: str) -> list[tuple[str, int]]:
        """Return (value as JSON text, how many) of values that several live records share."""
        raise NotImplementedError

    def highest(self, worksheet: str, field: str) -> int:
        """Return the greatest whole number that any record has in *field*, 0 where there is none."""
        raise NotImplementedError

    @contextmanager
    def along_the_key(self) -> Iterator[None]:
        """Make queries of the block go along the primary key, whatever the planner believes of the table."""
        yield

    def hold_values(self, worksheet: str, values: Iterable[tuple[str, Any]]) -> None:
        """Keep others from giving any of these (field, value) to a record until the transaction ends."""

    # What a backup that is browsed does otherwise: its records are not all there from the start.

    def bring_all(self, worksheet: str, fields: Collection[str] = ()) -> None:
        """Have all records of a worksheet there, and the index of these fields complete: something is asked that no number answers."""

    def bring_from(self, worksheet: str, seq: int | None, number: int, *, back: bool) -> None:
        """Have so many records there from a number on, itself included, or before it; from the end where *seq* is None."""

    def known_count(self, worksheet: str) -> int | None:
        """Return how many live records a worksheet has, where that is known without counting."""
        return None

    # What they do alike.

    def write(self, worksheet: str, rows: Iterable[Row]) -> None:
        """Make or replace whole rows."""
        rows = list(rows)
        self._touch(worksheet, [row.seq for row in rows])
        if not self.index.kinds(worksheet):
            self.put_rows(worksheet, rows)
            return
        before = self.index.before(worksheet, [row.seq for row in rows])
        self.put_rows(worksheet, rows)
        self.index.follow(worksheet, before, map(_kept, rows))

    def load(self, worksheet: str, rows: Iterable[Row]) -> None:
        """Make rows where none of those numbers exist."""
        touched: set[int] = set()

        def noted() -> Iterator[Row]:
            for row in rows:
                touched.add(row.seq // SEGMENT_RECORDS)
                yield row

        if not self.index.kinds(worksheet):
            self.load_rows(worksheet, noted())
        else:
            for some in batched(noted(), LOAD_ROWS):
                self.load_rows(worksheet, some)
                self.index.follow(worksheet, (), map(_kept, some))
        self._touch(worksheet, [n * SEGMENT_RECORDS for n in touched])

    def load_segments(self, worksheet: str, segments: Mapping[int, bytes], may_go: Callable[[int, bytes], bool] = lambda n, raw: True,
                      ) -> dict[int, list[int]]:
        """Make the records of whole segments where none of those records exist; see `columns_of`.

        *may_go* is asked of each on its way, and must not ask the database: it is busy with those before.
        Returns segment -> numbers of its records, without those of another form, and those that may not go: nothing is made of them.
        """
        loaded: dict[int, list[int]] = {}
        indexed: list[Columns] = []
        kinds = self.index.kinds(worksheet)

        def made() -> Iterator[Columns]:
            for n, raw in segments.items():
                lines = columns_of(n, raw) if may_go(n, raw) else None
                if lines is not None:
                    loaded[n] = lines.numbers
                    if kinds:
                        indexed.append(lines)
                    yield lines

        self.load_lines(worksheet, made())
        for lines in indexed:
            self.index.follow(worksheet, (), (Kept(seq, vals, None) for seq, vals in zip(lines.numbers, lines.vals(), strict=True)))
        self._touch(worksheet, [n * SEGMENT_RECORDS for n in loaded])
        return loaded

    def fetch(self, query: Select[Any]) -> list[Row]:
        """Return the rows that a query for `COLUMNS` finds."""
        return [Row(*row) for row in self.connection.execute(query)]

    def rows(self, worksheet: str, first: int, last: int) -> list[Row]:
        """Return all rows with first <= seq <= last, in the bin or not, in order."""
        query = select(*COLUMNS).where(*self._of(worksheet), c.seq.between(first, last)).order_by(c.seq)
        return [Row(*row) for row in self.connection.execute(query)]

    def row(self, worksheet: str, seq: int) -> Row | None:
        """Return one row, in the bin or not."""
        found = self.connection.execute(_ONE, {"app": self.app_id, "worksheet": worksheet, "seq": seq}).first()
        return None if found is None else Row(*found)

    def held(self, worksheet: str, seq: int) -> Row | None:
        """Return one row as `hold` does."""
        found = self.connection.execute(_ONE_HELD, {"app": self.app_id, "worksheet": worksheet, "seq": seq}).first()
        return None if found is None else Row(*found)

    def hold(self, worksheet: str, seqs: Iterable[int]) -> list[Row]:
        """Return those of the rows that exist, in the bin or not, in order, to be changed: nobody else can until the end.

        Whoever reads a record, merges and writes it whole reads it by this.
        """
        found: list[Row] = []
        for some in batched(sorted(set(seqs)), MOST_AT_ONCE):
            found += self.fetch(select(*COLUMNS).where(*self._of(worksheet), c.seq.in_(some)).order_by(c.seq).with_for_update())
        return found

    def rows_of(self, worksheet: str, seqs: Sequence[int]) -> list[Row]:
        """Return those of the rows that exist, in the bin or not, in order."""
        found: list[Row] = []
        for some in batched(sorted(set(seqs)), MOST_AT_ONCE):
            found += self.fetch(select(*COLUMNS).where(*self._of(worksheet), c.seq.in_(some)).order_by(c.seq))
        return found

    def some(self, worksheet: str, seqs: Iterable[int]) -> list[Row]:
        """Return those of the rows that exist and are not in the bin, in order."""
        wanted = sorted(set(seqs))
        found: list[Row] = []
        for some in batched(wanted, MOST_AT_ONCE):
            query = select(*COLUMNS).where(*self._of(worksheet), c.seq.in_(some),
                                           c.deleted_at.is_(None)).order_by(c.seq)
            found += [Row(*row) for row in self.connection.execute(query)]
        return found

    def some_of(self, wanted: Mapping[str, Iterable[int]]) -> dict[str, list[Row]]:
        """Return what `some` does of several worksheets; at once where they are few."""
        lists = {worksheet: sorted(set(seqs)) for worksheet, seqs in wanted.items()}
        if sum(map(len, lists.values())) > MOST_AT_ONCE:
            return {worksheet: self.some(worksheet, seqs) for worksheet, seqs in lists.items()}
        found: dict[str, list[Row]] = {worksheet: [] for worksheet in lists}
        these = or_(*(and_(c.worksheet == worksheet, c.seq.in_(seqs)) for worksheet, seqs in lists.items()))
        query = select(c.worksheet, *COLUMNS).where(c.app_id == self.app_id, c.deleted_at.is_(None), these).order_by(c.worksheet, c.seq)
        for worksheet, *row in self.connection.execute(query):
            found[worksheet].append(Row(*row))
        return found

    def some_after(self, worksheet: str, after: int, *, deleted: bool = False, limit: int = 1000) -> list[Row]:
        """Return at most *limit* live rows, or rows in the bin, with seq > after, in order."""
        state = c.deleted_at.is_not(None) if deleted else c.deleted_at.is_(None)
        query = select(*COLUMNS).where(*self._of(worksheet), c.seq > after, state).order_by(c.seq).limit(limit)
        with self.along_the_key():
            return self.fetch(query)

    def seqs(self, worksheet: str) -> Iterator[int]:
        """Yield the numbers of all rows, in the bin or not."""
        yield from self.connection.execute(select(c.seq).where(*self._of(worksheet))).scalars()

    def count(self, worksheet: str, *, deleted: bool = False) -> int:
        """Return how many live records there are, or how many in the bin."""
        state = c.deleted_at.is_not(None) if deleted else c.deleted_at.is_(None)
        return self.connection.execute(select(func.count()).select_from(table).where(*self._of(worksheet), state)
                                       ).scalar_one()

    def set_aside(self, worksheet: str, field: str) -> int:
        """Return how many live records have a value set aside under a field."""
        return self.connection.execute(select(func.count()).select_from(table).where(
            *self._of(worksheet), c.deleted_at.is_(None), c.hidden.contains(f'"{field}":', autoescape=True))).scalar_one()

    def estimate(self, worksheet: str) -> int:
        """Return about how many live records there are: counted in some places, where there are many numbers."""
        first, last = self._first(worksheet), self.last(worksheet)
        span = last - first + 1
        if span <= COUNTED:
            return self.count(worksheet)
        places = [first + n * (span - SEGMENT_RECORDS) // (PLACES - 1) for n in range(PLACES)]
        mine = {"app": self.app_id, "worksheet": worksheet, "records": SEGMENT_RECORDS}
        found = sum(self.connection.execute(_COUNT_AT, mine | {"place": place}).scalar_one() for place in places)
        return found * span // (PLACES * SEGMENT_RECORDS)

    def is_bare(self, worksheet: str) -> bool:
        """Say whether the worksheet has no row at all, not even in the bin."""
        return self.connection.execute(select(c.seq).where(*self._of(worksheet)).limit(1)).first() is None

    def has_more_than(self, worksheet: str, number: int) -> bool:
        """Say whether the worksheet has more rows than that, those in the bin counted too."""
        query = select(c.seq).where(*self._of(worksheet)).order_by(c.seq).limit(1).offset(number)
        return self.connection.execute(query).first() is not None

    def hold_all(self, worksheet: str, fields: Iterable[str]) -> Iterator[list[Row]]:
        """Yield what `holding` does, to be changed; see `hold`."""
        for batch in self.holding(worksheet, fields):
            yield self.hold(worksheet, [row.seq for row in batch])

    def holding(self, worksheet: str, fields: Iterable[str]) -> Iterator[list[Row]]:
        """Yield, in batches, the rows that may hold a value of one of *fields*, shown or hidden."""
        fields, after = list(fields), 0
        while True:
            mentions = [column.contains(f'"{field}":', autoescape=True)
                        for field in fields for column in (c.vals, c.hidden)]
            clause = mentions[0]
            for mention in mentions[1:]:
                clause = clause | mention
            query = (select(*COLUMNS).where(*self._of(worksheet), c.seq > after, clause)
                     .order_by(c.seq).limit(2000))
            with self.along_the_key():
                batch = self.fetch(query)
            if not batch:
                return
            after = batch[-1].seq
            yield batch

    def set_deleted(self, worksheet: str, seqs: Sequence[int], deleted_at: int | None) -> None:
        """Move records to the bin, or back."""
        self._touch(worksheet, seqs)
        before = self.index.before(worksheet, seqs)
        self.connection.execute(update(table).where(*self._of(worksheet), c.seq.in_(seqs))
                                .values(deleted_at=deleted_at))
        self.index.follow(worksheet, before, [row._replace(deleted_at=deleted_at) for row in before])

    def purge(self, worksheet: str, seqs: Sequence[int] | None = None) -> None:
        """Remove rows for good, with their attachments; all of the worksheet's where *seqs* is None."""
        self._touch(worksheet, seqs)
        if seqs is None:
            self.index.forget(worksheet)
        else:
            self.index.follow(worksheet, self.index.before(worksheet, seqs), ())
        for model in (Record, Attachment):
            columns = model.__table__.c
            clause = [columns.app_id == self.app_id, columns.worksheet == worksheet]
            if seqs is not None:
                clause.append(columns.seq.in_(seqs))
            self.connection.execute(delete(model.__table__).where(*clause))

    def attach(self, worksheet: str, seqs: Sequence[int], fields: Sequence[str],
               uses: Iterable[tuple[int, str, str]]) -> None:
        """Say which files (seq, field, content) the records *seqs* use in *fields* from now on."""
        a = Attachment.__table__.c
        for start in range(0, len(seqs), 500):
            self.connection.execute(delete(Attachment.__table__).where(
                a.app_id == self.app_id, a.worksheet == worksheet, a.seq.in_(seqs[start:start + 500]),
                a.field.in_(fields)))
        if rows := sorted(set(uses)):
            self.put_uses(worksheet, rows)

    def put_uses(self, worksheet: str, uses: Sequence[tuple[int, str, str]]) -> None:
        """Write the rows of uses (seq, field, content) that are new."""
        self.connection.execute(Attachment.__table__.insert(), [
            {"app_id": self.app_id, "worksheet": worksheet, "seq": seq, "field": field, "content": content}
            for seq, field, content in uses])

    def detach(self, worksheet: str, field: str) -> None:
        """Forget which files the records use in one field."""
        a = Attachment.__table__.c
        self.connection.execute(delete(Attachment.__table__).where(
            a.app_id == self.app_id, a.worksheet == worksheet, a.field == field))

    def attached(self, worksheet: str, fields: Sequence[str]) -> Iterator[str]:
        """Yield the digests that live records use in *fields*, ascending, each once."""
        a = Attachment.__table__.c
        query = (select(a.content).distinct().join_from(
            Attachment.__table__, table,
            (c.app_id == a.app_id) & (c.worksheet == a.worksheet) & (c.seq == a.seq))
            .where(a.app_id == self.app_id, a.worksheet == worksheet, a.field.in_(list(fields)),
                   c.deleted_at.is_(None)))
        yield from sorted(self.connection.execute(query).scalars())

    def files_named(self) -> Iterator[str]:
        """Yield the digests of all files that any record of the app names, shown or hidden, in the bin or not.

        Read from the records themselves: attachments follow from them.
        """
        named = [column.contains(FILE_MARK, autoescape=True) for column in (c.vals, c.hidden)]
        query = select(c.vals, c.hidden).where(c.app_id == self.app_id, named[0] | named[1]).execution_options(yield_per=1000)
        for vals, hidden in self.connection.execute(query):
            yield from files_in_text(vals)
            yield from files_in_text(hidden or "")

    def next_number(self, name: str, count: int = 1) -> int:
        """Take *count* numbers from a counter and return the first."""
        given = {"app": self.app_id, "name": name, "first": 1 + count, "count": count}
        return int(self.connection.execute(_TAKE, given).scalar_one()) - count

    def raise_counter(self, name: str, above: int) -> None:
        """Make sure that a counter's next number is above *above*; nobody else takes of it until the transaction ends."""
        self.connection.execute(_RAISE, {"app": self.app_id, "name": name, "next": above + 1})

    def given_numbers(self) -> dict[str, int]:
        """Return the highest number that each counter of the app has given out."""
        n = Counter.__table__.c
        return {name: after - 1 for name, after in self.connection.execute(select(n.name, n.next).where(n.app_id == self.app_id))}

    def _first(self, worksheet: str) -> int:
        """Return the number of the first live record, 0 where there is none."""
        query = select(c.seq).where(*self._of(worksheet), c.deleted_at.is_(None)).order_by(c.seq).limit(1)
        return self.connection.execute(query).scalar() or 0

    def last(self, worksheet: str) -> int:
        """Return the number of the last live record, 0 where there is none."""
        query = select(c.seq).where(*self._of(worksheet), c.deleted_at.is_(None)).order_by(c.seq.desc()).limit(1)
        return self.connection.execute(query).scalar() or 0

    def lasts(self, worksheets: Sequence[str]) -> dict[str, int]:
        """Return the number of the last live record of each worksheet, 0 where there is none; one question for all."""
        rows = self.connection.execute(text(_LASTS.format(each=self.each)), {"app": self.app_id, "keys": json.dumps(list(worksheets))})
        return {key: last or 0 for key, last in rows}

    def _touch(self, worksheet: str, seqs: Iterable[int] | None) -> None:
        """Tell the log of touched segments; whoever writes rows does."""
        touch(self.connection, self.app_id, f"records/{worksheet}", seqs)

    def _of(self, worksheet: str) -> tuple[Any, Any]:
        return c.app_id == self.app_id, c.worksheet == worksheet
