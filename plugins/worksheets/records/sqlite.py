"""Records on SQLite: segments by `group_concat` over one key range each, rows in by `executemany`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from core.api import Segment, driver
from plugins.worksheets.records.lines import SEGMENT_RECORDS, Columns
from plugins.worksheets.records.store import LAST_SEGMENT, RecordStore, Row

# The inner SELECT reads in key order, and group_concat takes its rows as they come; printf is faster than "||".
_SEGMENT = """
SELECT count(*), CAST(group_concat(line, '') AS BLOB) FROM (
  SELECT printf('{"at":[%d,%d],"by":["%s","%s"],"seq":%d,"vals":%s}' || char(10),
                created_at, updated_at, created_by, updated_by, seq, vals) AS line
  FROM record WHERE app_id = ? AND worksheet = ? AND seq BETWEEN ? AND ? AND deleted_at IS NULL ORDER BY seq)
"""
_NEXT = "SELECT seq FROM record WHERE app_id = ? AND worksheet = ? AND seq >= ? AND deleted_at IS NULL ORDER BY seq LIMIT 1"
_LOAD = """
INSERT INTO record (app_id, worksheet, seq, vals, hidden, created_at, created_by, updated_at, updated_by, deleted_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_LINES = """
INSERT INTO record (created_at, updated_at, created_by, updated_by, seq, vals, app_id, worksheet)
VALUES (?, ?, ?, ?, ?, ?, '{app}', '{worksheet}')
"""
"""Takes a line as it is: columns of whole numbers turn their texts into numbers."""
_WRITE = f"""{_LOAD}
ON CONFLICT (app_id, worksheet, seq) DO UPDATE SET vals = excluded.vals, hidden = excluded.hidden,
  created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at,
  updated_by = excluded.updated_by, deleted_at = excluded.deleted_at
"""
_POINTING = """
SELECT r.seq, j.value FROM record r, json_each(r.vals, '$.' || ?) j
WHERE r.app_id = ? AND r.worksheet = ? AND r.deleted_at IS NULL AND j.value IN ({marks}) ORDER BY r.seq
"""
_HOLDER = """
SELECT json_quote(json_extract(vals, '$.' || :field)), seq FROM record
WHERE app_id = :app AND worksheet = :worksheet AND deleted_at IS NULL
  AND json_extract(vals, '$.' || :field) {held} AND seq NOT IN (SELECT value FROM json_each(:but)) LIMIT 1
"""
_HELD_BY = {one: _HOLDER.format(held=held) for one, held in (
    (True, "= json_extract(:of, '$[0]')"), (False, "IN (SELECT value FROM json_each(:of))"))}
"""Who holds one value, and who one of several: to look one up in a list takes longer."""
_SHARED = """
SELECT json_extract(vals, '$.' || ?) AS value, count(*) FROM record
WHERE app_id = ? AND worksheet = ? AND deleted_at IS NULL AND value IS NOT NULL GROUP BY value HAVING count(*) > 1
"""
_HIGHEST = """
SELECT max(json_extract(vals, '$.' || ?)) FROM record WHERE app_id = ? AND worksheet = ?
"""


class SQLiteRecordStore(RecordStore):
    """See `RecordStore`."""

    loaded_bytes = 2 * 1024 * 1024

    def segments(self, worksheet: str, first: int = 0, last: int = LAST_SEGMENT) -> Iterator[Segment]:
        connection = driver(self.connection)
        n: int | None = first if first == last else self._next(connection, worksheet, first)  # one alone is just looked at
        while n is not None and n <= last:
            start, end = n * SEGMENT_RECORDS, (n + 1) * SEGMENT_RECORDS - 1
            count, raw = connection.execute(_SEGMENT, (self.app_id, worksheet, start, end)).fetchone()
            if count:
                yield Segment(n, count, raw)
            n = self._next(connection, worksheet, n + 1) if n < last else None

    def _next(self, connection: Any, worksheet: str, n: int) -> int | None:
        """Return the number of the next segment, from *n* on, that has a record."""
        found = connection.execute(_NEXT, (self.app_id, worksheet, n * SEGMENT_RECORDS)).fetchone()
        return None if found is None else found[0] // SEGMENT_RECORDS

    def put_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        driver(self.connection).executemany(_WRITE, ((self.app_id, worksheet, *row) for row in rows))

    def load_rows(self, worksheet: str, rows: Iterable[Row]) -> None:
        driver(self.connection).executemany(_LOAD, ((self.app_id, worksheet, *row) for row in rows))

    def load_lines(self, worksheet: str, segments: Iterable[Columns]) -> None:
        app, sheet = (text.replace("'", "''") for text in (self.app_id, worksheet))
        insert, connection = _LINES.format(app=app, worksheet=sheet), driver(self.connection)
        for lines in segments:
            connection.executemany(insert, lines.rows())

    def pointing(self, worksheet: str, field: str, seqs: Sequence[int]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(seqs), 500):
            some = seqs[start:start + 500]
            sql = _POINTING.format(marks=",".join("?" * len(some)))
            found += driver(self.connection).execute(sql, (field, self.app_id, worksheet, *some)).fetchall()
        return sorted(found)

    def holder(self, worksheet: str, field: str, values: Sequence[Any], but: Sequence[int]) -> tuple[Any, int] | None:
        given = {"app": self.app_id, "worksheet": worksheet, "field": field, "of": json.dumps(values), "but": json.dumps(but)}
        found = driver(self.connection).execute(_HELD_BY[len(values) == 1], given).fetchone()
        # A tick is 1 to SQLite: what was asked for is told, not what was found.
        return (values[values.index(json.loads(found[0]))], found[1]) if found else None

    def value_counts(self, worksheet: str, field: str) -> list[tuple[str, int]]:
        rows = driver(self.connection).execute(_SHARED, (field, self.app_id, worksheet)).fetchall()
        return [(str(value), count) for value, count in rows]

    def highest(self, worksheet: str, field: str) -> int:
        found = driver(self.connection).execute(_HIGHEST, (field, self.app_id, worksheet)).fetchone()[0]
        return int(found or 0)
