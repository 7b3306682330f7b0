"""Whole segments into a bare worksheet: what comes back is what looking at each record would have brought."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, db, direct, documents, transaction
from core.backups.catalog import find_backup
from core.objects.writer import put_file
from plugins.worksheets import service
from plugins.worksheets.models import Attachment, RecordKey
from plugins.worksheets.records import SEGMENT_RECORDS, RecordStore, columns_of, read_lines
from plugins.worksheets.records.sqlite import SQLiteRecordStore
from plugins.worksheets.restore_whole import WholeSegments
from tests.plugins.worksheets.test_restore import (
    CHOICE,
    FIELDS,
    FILES,
    LINK,
    ONE,
    TWO,
    A,
    B,
    T,
    W,
    back_up,
    edit,
    field,
    restore,
    worksheet,
)

COUNT = 3 * SEGMENT_RECORDS
AWKWARD = '"f_3030303030":[1] \\ \\" ] {"at": \t\n\u2028 \U0001f600'


@pytest.fixture
def sheet(server: Flask, app: App) -> App:
    """An app with 768 records that point to records, choices and files, some of them often, most to nothing."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[
            worksheet(T, [field(A)]), worksheet(W, [{**one, **({"indexed": True} if one["key"] == B else {})} for one in FIELDS])])
        content, size = put_file(io.BytesIO(b"a file"))
        for n in range(1, 6):
            service.put_record(live, T, None, {A: f"target {n}"}, "system")
        records = []
        for n in range(1, COUNT + 1):
            values: dict[str, Any] = {A: AWKWARD if n % 7 == 0 and n < 2 * SEGMENT_RECORDS else f"a{n}", B: f"b{n % 10}"}
            values |= {LINK: [n % 5 + 1, 1] if n % 5 else [1]} if n % 3 == 0 else {}
            values |= {CHOICE: ONE if n < SEGMENT_RECORDS else TWO} if n % 2 == 0 else {}
            values |= {FILES: [{"file": content, "name": 'a] "b".txt', "size": size, "type": "text/plain"}]} if n == 300 else {}
            records.append({"seq": n, "values": values})
        service.put_records(live, W, records, "system")
    return apps.find(app.id)


def everything(app: App) -> tuple[Any, ...]:
    """Return all that the store holds of the worksheet."""
    store = service.store_of(apps.find(app.id))
    a, k = Attachment.__table__.c, RecordKey.__table__.c
    return (store.rows(W, 0, 10 * COUNT), sorted(map(tuple, db.session.execute(select(a.seq, a.field, a.content).where(a.app_id == app.id)))),
            sorted(map(tuple, db.session.execute(select(k.worksheet, k.field, k.key, k.seq).where(k.app_id == app.id)))))


def emptied(app: App) -> None:
    """Remove all records for good."""
    with transaction():
        service.store_of(apps.find(app.id)).purge(W, list(range(1, COUNT + 1)))


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of the segments that go whole, which grows."""
    taken: list[int] = []
    load = RecordStore.load_segments

    def noted(self: RecordStore, *given: Any) -> dict[int, list[int]]:
        loaded = load(self, *given)
        taken.extend(loaded)
        return loaded

    monkeypatch.setattr(RecordStore, "load_segments", noted)
    return taken


BATCHES = pytest.mark.parametrize("batch_bytes", [1, RecordStore.loaded_bytes])
"""Each segment by itself, so that later ones are looked at on their way; or all at once."""


@BATCHES
def test_whole_segments_are_what_each_record_would_be(sheet: App, monkeypatch: pytest.MonkeyPatch, batch_bytes: int) -> None:
    """Rows, uses of files, keys of indexed fields, next numbers, the report."""
    before, backup = everything(sheet), back_up(sheet)
    emptied(sheet)
    for store in (RecordStore, SQLiteRecordStore):
        monkeypatch.setattr(store, "loaded_bytes", batch_bytes)
    taken = watched(monkeypatch)
    said, after = restore(sheet, backup), everything(sheet)
    assert sorted(taken) == list(range(COUNT // SEGMENT_RECORDS + 1))
    emptied(sheet)
    monkeypatch.setattr(WholeSegments, "take", lambda self, n, raw: [(n, raw)])
    assert (said, after) == (restore(sheet, backup), everything(sheet))
    assert before == after
    edit(sheet, {"op": "put_record", "worksheet": W, "seq": None, "values": {A: "next"}})
    assert service.store_of(sheet).last(W) == COUNT + 1


@BATCHES
def test_a_segment_whose_pointer_reaches_nothing_is_looked_at(sheet: App, monkeypatch: pytest.MonkeyPatch, batch_bytes: int) -> None:
    """A pointer to nothing is reported as ever; segments without one go whole."""
    with transaction():
        store = service.store_of(apps.find(sheet.id))
        store.purge(T, [3])
        linked = [row for row in store.rows(W, SEGMENT_RECORDS, 2 * SEGMENT_RECORDS - 1) if LINK in row.vals]
        store.write(W, [row._replace(vals=service.dumps({k: v for k, v in service.loads(row.vals).items() if k != LINK})) for row in linked])
    backup = back_up(sheet)
    emptied(sheet)
    for store in (RecordStore, SQLiteRecordStore):
        monkeypatch.setattr(store, "loaded_bytes", batch_bytes)
    taken = watched(monkeypatch)
    said, after = restore(sheet, backup), everything(sheet)
    assert sorted(taken) == [1, 3]
    emptied(sheet)
    monkeypatch.setattr(WholeSegments, "take", lambda self, n, raw: [(n, raw)])
    assert said == restore(sheet, backup)
    assert after == everything(sheet)
    assert said["references_not_restored_count"] > 0


def test_what_came_back_whole_goes_by_undo(sheet: App) -> None:
    """The journal has whole segments: undo takes them away but for what was edited since, and what the files use stays until then."""
    backup = back_up(sheet)
    emptied(sheet)
    report = direct.restore(apps.find(sheet.id), find_backup(backup), config=False, data=True, safety_backup=True)
    assert len(everything(sheet)[0]) == COUNT
    edit(sheet, {"op": "put_record", "worksheet": W, "seq": 300, "values": {A: "edited since"}})
    direct.undo(apps.find(sheet.id), str(find_backup(report["safety_backup"]).run_id))
    live = [row for row in everything(sheet)[0] if row.deleted_at is None]
    assert [(row.seq, service.loads(row.vals)[A]) for row in live] == [(300, "edited since")]


LINE = b'{"at":[1,2],"by":["system","system"],"seq":5,"vals":{"f_1":"x"}}\n'


@pytest.mark.parametrize("raw", [
    b"", LINE + LINE, LINE.replace(b":5", b":256"), LINE.replace(b"system", b"sys\\u0074em"), LINE.replace(b'"seq"', b' "seq"'),
    LINE[:-1], LINE.replace(b":5,", b":6,") + LINE, LINE.replace(b":5,", b":05,"), LINE.replace(b"[1,2]", b"[1,-2]"),
    LINE.replace(b"x", b"\xff"), LINE + b"\n", LINE.replace(b"system", b"a\tb", 1)])
def test_lines_of_another_form_are_not_taken_as_they_are(raw: bytes) -> None:
    """They are read one by one, by whom says what is wrong with them."""
    assert columns_of(0, raw) is None


def test_lines_are_taken_as_they_stand() -> None:
    """Columns have what parsed lines have."""
    found, (line,) = columns_of(0, LINE), read_lines(LINE)
    assert found is not None
    vals = bytes(line.vals).decode()
    assert [*found.rows()] == [("1", "2", "system", "system", "5", vals)]
    assert (found.numbers, found.vals()) == ([5], [vals])
