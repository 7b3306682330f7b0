"""Records on PostgreSQL: segments by `string_agg` in a binary COPY, rows in by COPY and one merge."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from struct import calcsize, pack
from typing import Any
from zlib import crc32

from sqlalchemy import func, select, text

from core.api import Segment, batched, driver, loading
from plugins.worksheets.records.lines import SEGMENT_RECORDS, Columns
from plugins.worksheets.records.store import LAST_SEGMENT, RecordStore, Row, table

# One short range of the primary key a segment: sorting all records at once would go through temporary files. Which
# segments there are is found by jumping along the key from one to the next, not by reading all of it.
_ALL = """
  WITH RECURSIVE segment (n) AS (
    (SELECT seq / {span} FROM record
     WHERE app_id = {app} AND worksheet = {worksheet} AND seq >= {first} * {span} ORDER BY seq LIMIT 1)
    UNION ALL
    SELECT (SELECT seq / {span} FROM record
            WHERE app_id = {app} AND worksheet = {worksheet} AND seq >= (segment.n + 1) * {span} ORDER BY seq LIMIT 1)
    FROM segment WHERE segment.n < {last})
"""
_NAMED = "WITH segment (n) AS (SELECT unnest({numbers}::bigint[]))"
_SEGMENTS = """
COPY ({which}
  SELECT segment.n, line.count, line.raw
  FROM (SELECT n FROM segment WHERE n <= {last} ORDER BY n) AS segment
  CROSS JOIN LATERAL (
    SELECT count(*) AS count, string_agg('{{"at":[' || created_at || ',' || updated_at || '],"by":["'
        || created_by || '","' || updated_by || '"],"seq":' || seq || ',"vals":' || vals || E'}}\\n', ''
        ORDER BY seq) AS raw
    FROM record WHERE app_id = {app} AND worksheet = {worksheet} AND deleted_at IS NULL
      AND seq >= segment.n * {span} AND seq < (segment.n + 1) * {span}
  ) AS line
  WHERE line.count > 0 ORDER BY 1
) TO STDOUT (FORMAT binary)
"""
BACKSLASH, TWO, NULL = "\\", "\\\\", "\\N"
_SCANS = "SELECT set_config('enable_bitmapscan', %s, true), set_config('enable_seqscan', %s, true)"
_FIELDS = "app_id, worksheet, seq, vals, hidden, created_at, created_by, updated_at, updated_by, deleted_at"
_MERGE = f"""
INSERT INTO record ({_FIELDS}) SELECT {_FIELDS} FROM incoming_record
ON CONFLICT (app_id, worksheet, seq) DO UPDATE SET vals = excluded.vals, hidden = excluded.hidden,
  created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at,
  updated_by = excluded.updated_by, deleted_at = excluded.deleted_at
"""
_POINTING = text("""
SELECT r.seq, j.value::bigint FROM record r, jsonb_array_elements_text((r.vals::jsonb) -> :field) j
WHERE r.app_id = :app AND r.worksheet = :worksheet AND r.deleted_at IS NULL
  AND jsonb_typeof((r.vals::jsonb) -> :field) = 'array' AND j.value = ANY(:seqs) ORDER BY 1, 2
""")
LOTS = 64
"""In how many lots the values of a field are held that no two records may have."""
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_HELD_BY = {one: text(f"""
SELECT (vals::jsonb) -> :field, seq FROM record WHERE app_id = :app AND worksheet = :worksheet AND deleted_at IS NULL
  AND ((vals::jsonb) -> :field) {held} AND seq <> ALL (CAST(:but AS bigint[])) LIMIT 1
""") for one, held in ((True, "= CAST(:of AS jsonb) -> 0"), (False, "IN (SELECT jsonb_array_elements(CAST(:of AS jsonb)))"))}
"""Who holds one value, and who one of several: to look one up in a list takes longer."""
_SHARED = text("""
SELECT (vals::jsonb) ->> :field AS value, count(*) FROM record
WHERE app_id = :app AND worksheet = :worksheet AND deleted_at IS NULL AND (vals::jsonb) ->> :field IS NOT NULL
GROUP BY 1 HAVING count(*) > 1
""")
_HIGHEST = text("""
SELECT max(((vals::jsonb) ->> :field)::bigint) FROM record WHERE app_id = :app AND worksheet = :worksheet
""")
_USES = text("""
INSERT INTO attachment (app_id, worksheet, seq, field, content) SELECT :app, :worksheet, *
FROM unnest(CAST(:seqs AS bigint[]), CAST(:fields AS text[]), CAST(:contents AS text[]))
""")
"""As arrays: parameters of their own for each row take several times as long."""
_COPY_LINES = ("COPY record (app_id, worksheet, created_at, updated_at, created_by, updated_by, seq, vals) FROM STDIN "
               "(FORMAT binary)")
_COPY_BEGIN, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_COLUMNS = 8
COPY_ROWS = 1000
WIDTH_BYTES = 2 * 1024 * 1024
SHORT_RUN, MOST_NAMED = 8, 500
SMALL = 200
"""Up to this number of rows, a plain INSERT is cheaper than a COPY beside the table."""


def _copied_text(row: Row) -> str:
    """Return a row as a line of a COPY: canonical JSON has no tab or line feed, its backslashes are doubled."""
    seq, vals, hidden, created_at, created_by, updated_at, updated_by, deleted_at = row
    kept = NULL if hidden is None else hidden.replace(BACKSLASH, TWO)
    return (f"{seq}\t{vals.replace(BACKSLASH, TWO)}\t{kept}\t{created_at}\t{created_by}\t"
            f"{updated_at}\t{updated_by}\t{NULL if deleted_at is None else deleted_at}\n")


def _packed(lines: Columns, head: str) -> bytes:
    """Return lines as rows of a binary COPY, each after *head*: every value after its length.

    The server takes it in two thirds of the time that it needs for text. Bytes are letters here until all are joined; what is made for
    each record is made by the library of C, few things at a time.
    """
    count = len(lines.numbers)
    times, ends = [8] * (4 * count), [8] * (3 * count)
    times[1::4], times[3::4] = map(int, lines.column(0)), map(int, lines.column(1))
    vals = lines.vals() if lines.is_ascii else list(map(_letters, lines.vals()))
    ends[1::3], ends[2::3] = lines.numbers, map(len, vals)
    pairs = list(zip(lines.column(2), lines.column(3), strict=True))
    people = {pair: "".join(_valued(one.encode()) for one in pair) for pair in set(pairs)}
    told = [head] * (5 * count)
    told[1::5], told[2::5], told[3::5], told[4::5] = _each("iqiq", times), map(people.__getitem__, pairs), _each("iqi", ends), vals
    return "".join(told).encode("latin-1")


def _each(form: str, numbers: list[int]) -> list[str]:
    """Return each few of the numbers packed, as letters."""
    size = calcsize(f">{form}")
    whole = pack(f">{form * (len(numbers) // len(form))}", *numbers).decode("latin-1")
    return [whole[at:at + size] for at in range(0, len(whole), size)]


def _widen(connection: Any) -> None:
    """Let a server on this machine lag behind by some segments, so that it never waits while the next ones are made."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.pgconn.socket)) as ours:
        if ours.family == getattr(socket, "AF_UNIX", None):  # TCP finds its own width
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WIDTH_BYTES)


def _letters(text: str) -> str:
    """Return a text's bytes as a letter each."""
    return text.encode().decode("latin-1")


def _valued(value: bytes) -> str:
    """Return a value after its length, as letters."""
    return (pack(">i", len(value)) + value).decode("latin-1")


def _lot(value: Any) -> int:
    """Return the lot of a value: values that are the same are in the same."""
    return crc32(json.dumps(value, sort_keys=True).encode()) % LOTS


class PostgreSQLRecordStore(RecordStore):
    """See `RecordStore`."""

    each = "SELECT value AS key FROM json_array_elements_text(CAST(:keys AS json))"

    def segments(self, worksheet: str, first: int = 0, last: int = LAST_SEGMENT) -> Iterator[Segment]:
        yield from self._segments(worksheet, _ALL, first=first, last=last)

    def some_segments(self, worksheet: str, runs: Sequence[tuple[int, int]]) -> Iterator[Segment]:
        """Short runs are asked for together: a COPY of its own for each would take longer than what it brings."""
        short: list[int] = []
        for first, last in runs:
            if last - first < SHORT_RUN:
                short += range(first, last + 1)
            if last - first >= SHORT_RUN or len(short) > MOST_NAMED:
                yield from self._named(worksheet, short)
                short = []
            if last - first >= SHORT_RUN:
                yield from self.segments(worksheet, first, last)
        yield from self._named(worksheet, short)

    def _named(self, worksheet: str, numbers: list[int]) -> Iterator[Segment]:
        if numbers:
            yield from self._segments(worksheet, _NAMED, numbers=numbers, last=LAST_SEGMENT)

    def _segments(self, worksheet: str, which: str, **given: Any) -> Iterator[Segment]:
        from psycopg import sql

        values = {"span": SEGMENT_RECORDS, "app": self.app_id, "worksheet": worksheet, **given}
        literals = {name: sql.Literal(value) for name, value in values.items()}
        named = {name: literals[name] for name in ("span", "app", "worksheet", "first", "last", "numbers") if "{" + name + "}" in which}
        statement = sql.SQL(_SEGMENTS).format(which=sql.SQL(which).format(**named), **literals)
        with driver(self.connection).cursor() as cursor:
            cursor.execute("SET LOCAL client_encoding TO 'UTF8'")
            with self.along_the_key():
                yield from self._copied(cursor, statement)

    @contextmanager
    def along_the_key(self) -> Iterator[None]:
        """See `RecordStore.along_the_key`.

        Where the statistics are of a moment when the table was empty, reading all that is left looks as cheap as one step
        along the key: a backup of a million records would take minutes instead of a second.
        """
        connection = driver(self.connection)
        connection.execute(_SCANS, ("off", "off"))
        yield
        connection.execute(_SCANS, ("on", "on"))

    def _copied(self, cursor, statement) -> Iterator[Segment]:  # type: ignore[no-untyped-def]  # psycopg, loaded late
        with cursor.copy(statement) as copy:
            copy.set_types(("int8", "int8", "bytea"))  # text looks the same on the wire, and is not to be decoded
            for n, count, raw in copy.rows():
                yield Segment(n, count, raw)

    def count(self, worksheet: str, *, deleted: bool = False) -> int:
        """All are counted in the key, those in the bin in their index; no record is read for it."""
        everything = select(func.count()).select_from(table).where(*self._of(worksheet))
        in_bin = int(self.connection.execute(everything.where(table.c.deleted_at.is_not(None))).scalar_one())
        return in_bin if deleted else int(self.connection.execute(everything).scalar_one()) - in_bin

    def put_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        with driver(self.connection).cursor() as cursor:
            if len(rows) <= SMALL:
                marks = f"({', '.join(['%s'] * 10)})"
                cursor.executemany(_MERGE.replace(f"SELECT {_FIELDS} FROM incoming_record", f"VALUES {marks}"),
                                   [(self.app_id, worksheet, *row) for row in rows])
                return
            with loading(self.connection, self.app_id):
                cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS incoming_record (LIKE record) ON COMMIT DROP")
                cursor.execute("TRUNCATE incoming_record")
                self._copy(cursor, "incoming_record", worksheet, rows)
                cursor.execute(_MERGE)

    def load_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        with loading(self.connection, self.app_id), driver(self.connection).cursor() as cursor:
            self._copy(cursor, "record", worksheet, rows)

    def load_lines(self, worksheet: str, segments: Iterable[Columns]) -> None:
        head = pack(">h", _COLUMNS).decode("latin-1") + "".join(_valued(one.encode()) for one in (self.app_id, worksheet))
        _widen(driver(self.connection))
        with loading(self.connection, self.app_id), driver(self.connection).cursor() as cursor, cursor.copy(_COPY_LINES) as copy:
            copy.write(_COPY_BEGIN)
            for lines in segments:
                copy.write(_packed(lines, head))
            copy.write(_COPY_END)

    def put_uses(self, worksheet: str, uses: Sequence[tuple[int, str, str]]) -> None:
        seqs, fields, contents = (list(column) for column in zip(*uses, strict=True))
        self.connection.execute(_USES, {"app": self.app_id, "worksheet": worksheet, "seqs": seqs, "fields": fields, "contents": contents})

    def pointing(self, worksheet: str, field: str, seqs: Sequence[int]) -> list[tuple[int, int]]:
        given = {"field": field, "app": self.app_id, "worksheet": worksheet, "seqs": [str(seq) for seq in seqs]}
        return [(row[0], row[1]) for row in self.connection.execute(_POINTING, given)]

    def hold_values(self, worksheet: str, values: Iterable[tuple[str, Any]]) -> None:
        # By lots: the server has room for some thousand locks, which a thousand values for each of several writers would take up.
        for name in sorted({f"{self.app_id}/{worksheet}/{field}/{_lot(value)}" for field, value in values}):
            self.connection.execute(_HOLD, {"name": name})

    def holder(self, worksheet: str, field: str, values: Sequence[Any], but: Sequence[int]) -> tuple[Any, int] | None:
        given = {"field": field, "app": self.app_id, "worksheet": worksheet, "but": list(but), "of": json.dumps(values)}
        found = self.connection.execute(_HELD_BY[len(values) == 1], given).first()
        return (found[0], found[1]) if found else None

    def value_counts(self, worksheet: str, field: str) -> list[tuple[str, int]]:
        given = {"field": field, "app": self.app_id, "worksheet": worksheet}
        return [(row[0], row[1]) for row in self.connection.execute(_SHARED, given)]

    def highest(self, worksheet: str, field: str) -> int:
        given = {"field": field, "app": self.app_id, "worksheet": worksheet}
        return int(self.connection.execute(_HIGHEST, given).scalar() or 0)

    def _copy(self, cursor, table: str, worksheet: str, rows: Iterable[Row]) -> None:  # type: ignore[no-untyped-def]
        head = f"{self.app_id}\t{worksheet}\t"
        with cursor.copy(f"COPY {table} ({_FIELDS}) FROM STDIN") as copy:
            for some in batched(rows, COPY_ROWS):
                copy.write("".join([f"{head}{_copied_text(row)}" for row in some]))
