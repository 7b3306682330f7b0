"""The store of an app's records: of those of now, or of those in a backup that is browsed, which come when they are asked for.

What names records by their numbers, or reads them in order, brings the segments that these lie in. Whatever asks more than that brings
the whole worksheet first, and the index of the fields that it goes by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from core.api import BrowsedBackup, browsing, content_connection, documents
from plugins.worksheets.fields import fields_of, indexed_kinds
from plugins.worksheets.records import SEGMENT_RECORDS, RecordStore, Row, columns_of, open_store, read_lines, row_of
from plugins.worksheets.records.index import Index, Indexed, Kept
from plugins.worksheets.records.sqlite import SQLiteRecordStore
from plugins.worksheets.records.store import LAST_SEGMENT

COMPONENT, RECORDS = "worksheets", "records/"


def content_store(app_id: str) -> RecordStore:
    """Return the store of an app's records in the current session: of the app itself, or of a backup of it that is browsed."""
    connection, backup = content_connection(), browsing()
    if backup is not None and backup.app.id == app_id:
        return BrowsedRecordStore(connection, app_id, backup)
    return open_store(connection, app_id)


class _BrowsedIndex(Index):
    """The index of a backup's records. It may become complete while a page is made, so nothing of it is kept for the request."""

    def fields(self, worksheet: str) -> Mapping[str, Indexed]:
        if worksheet not in self._fields:
            self._fields[worksheet] = self._read(worksheet)
        return self._fields[worksheet]

    def _held(self, worksheet: str, after: int) -> list[Kept]:
        """Return the next rows; nobody else changes them."""
        return self._some(worksheet, after)


class BrowsedRecordStore(SQLiteRecordStore):
    """See `RecordStore`."""

    def __init__(self, connection: Connection, app_id: str, backup: BrowsedBackup) -> None:
        super().__init__(connection, app_id)
        self.backup, self.index = backup, _BrowsedIndex(connection, app_id)

    def bring_all(self, worksheet: str, fields: Collection[str] = ()) -> None:
        kinds = self._kinds(worksheet) if fields else {}
        lacking = {field: kinds[field] for field in sorted(kinds.keys() & set(fields) - self.index.complete(worksheet).keys())}
        follow = partial(self._index_some, worksheet, lacking) if lacking else None
        self.backup.make_ready(COMPONENT, RECORDS + worksheet, partial(self._put, worksheet), follow, ",".join(lacking))

    def bring_from(self, worksheet: str, seq: int | None, number: int, *, back: bool) -> None:
        start = (LAST_SEGMENT if back else 0) if seq is None else seq // SEGMENT_RECORDS
        self._bring(worksheet, self.backup.around(COMPONENT, RECORDS + worksheet, start, number, back=back))

    def known_count(self, worksheet: str) -> int | None:
        return self.backup.total(COMPONENT, RECORDS + worksheet)

    def row(self, worksheet: str, seq: int) -> Row | None:
        self._bring_seqs(worksheet, [seq])
        return super().row(worksheet, seq)

    def rows(self, worksheet: str, first: int, last: int) -> list[Row]:
        self._bring_seqs(worksheet, range(first, last + 1))
        return super().rows(worksheet, first, last)

    def rows_of(self, worksheet: str, seqs: Sequence[int]) -> list[Row]:
        self._bring_seqs(worksheet, seqs)
        return super().rows_of(worksheet, seqs)

    def some(self, worksheet: str, seqs: Iterable[int]) -> list[Row]:
        wanted = list(seqs)
        self._bring_seqs(worksheet, wanted)
        return super().some(worksheet, wanted)

    def some_of(self, wanted: Mapping[str, Iterable[int]]) -> dict[str, list[Row]]:
        lists = {worksheet: list(seqs) for worksheet, seqs in wanted.items()}
        for worksheet, seqs in lists.items():
            self._bring_seqs(worksheet, seqs)
        return super().some_of(lists)

    def some_after(self, worksheet: str, after: int, *, deleted: bool = False, limit: int = 1000) -> list[Row]:
        self.bring_from(worksheet, after + 1, limit + SEGMENT_RECORDS, back=False)
        return super().some_after(worksheet, after, deleted=deleted, limit=limit)

    def pointing(self, worksheet: str, field: str, seqs: Sequence[int]) -> list[tuple[int, int]]:
        self.bring_all(worksheet)
        return super().pointing(worksheet, field, seqs)

    def count(self, worksheet: str, *, deleted: bool = False) -> int:
        return 0 if deleted else self.backup.total(COMPONENT, RECORDS + worksheet)

    def has_more_than(self, worksheet: str, number: int) -> bool:
        return self.count(worksheet) > number

    def is_bare(self, worksheet: str) -> bool:
        return not self.count(worksheet)

    def _bring_seqs(self, worksheet: str, seqs: Iterable[int]) -> None:
        self._bring(worksheet, {seq // SEGMENT_RECORDS for seq in seqs})

    def _bring(self, worksheet: str, numbers: Iterable[int]) -> None:
        self.backup.reach(COMPONENT, RECORDS + worksheet, set(numbers), partial(self._put, worksheet))

    def _put(self, worksheet: str, n: int, raw: bytes) -> None:
        lines = columns_of(n, raw)
        if lines is not None:
            self.load_lines(worksheet, [lines])
        else:
            self.load_rows(worksheet, map(row_of, read_lines(raw)))

    def _kinds(self, worksheet: str) -> dict[str, str]:
        return indexed_kinds(fields_of(documents.get(self.backup.app, f"worksheet/{worksheet}").body))

    def _index_some(self, worksheet: str, kinds: Mapping[str, str]) -> int:
        """Put some records more into the index of these fields; return how many, 0 where it holds them all."""
        self.index.begin(worksheet, kinds)
        return self.index.build_some(worksheet) or 0


def record_counts(backup: BrowsedBackup) -> dict[str, int]:
    """Return how many records each worksheet of a backup has, by address; none where it holds configuration only."""
    if backup.backup.part == "config":
        return {}
    return {one.address: backup.total(COMPONENT, RECORDS + one.key) for one in documents.live(backup.app, "worksheet")}

