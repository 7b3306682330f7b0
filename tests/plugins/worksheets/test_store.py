"""The record store: what it must not cost, whatever the database believes of its tables."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from core.api import App, apps, db, transaction
from plugins.worksheets.records import Row, open_store
from plugins.worksheets.records.lines import SEGMENT_RECORDS

W = "w_1111111111"
RECORDS = 20_000


def load(app_id: str) -> None:
    """Put many records into a worksheet."""
    with transaction():
        rows = (Row(n, '{"f_1111111111":"' + "x" * 400 + '"}', None, n, "system", n, "system", None) for n in range(1, RECORDS + 1))
        open_store(db.session.connection(), app_id).load(W, rows)


def vacuum() -> None:
    """Let the server write down how many records there are."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE, TRUNCATE off) record"))


def fetched() -> int:
    """Return how many records this transaction has read."""
    query = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'record'"
    return int(db.session.execute(text(query)).scalar_one())


@pytest.mark.parametrize("emptied", [False, True], ids=["as it is", "as it was when it was empty"])
def test_records_are_read_once_whatever_the_statistics_say(server: Flask, app: App, engine: str, emptied: bool) -> None:
    """On PostgreSQL, which plans by them: statistics of a table that was emptied lead to reading all of it for each segment."""
    if engine != "postgresql":
        pytest.skip("SQLite plans without statistics")
    app_id = app.id
    load(app_id)
    vacuum()
    if emptied:
        with transaction():
            db.session.execute(text("DELETE FROM record"))
        vacuum()
        load(app_id)
    with transaction():
        store, before = open_store(db.session.connection(), apps.find(app_id).id), fetched()
        found = list(store.segments(W))
        more = fetched() - before
        before = fetched()
        scanned = sum(map(len, store.holding(W, ["f_1111111111"])))
        again = fetched() - before
        settings = [db.session.execute(text(f"SHOW enable_{name}")).scalar_one() for name in ("bitmapscan", "seqscan")]
    assert (RECORDS // SEGMENT_RECORDS + 1, RECORDS) == (len(found), sum(one.count for one in found))
    assert more < 2 * RECORDS
    assert (RECORDS, True) == (scanned, again < 2 * RECORDS)
    assert ["on", "on"] == settings


def test_an_estimate_is_near(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many numbers, of which two thirds are purged, in the bin, or never were; few are counted."""
    load(app.id)
    with transaction():
        store = open_store(db.session.connection(), app.id)
        store.purge(W, [n for n in range(1, RECORDS + 1) if n % 3 == 0])
        store.set_deleted(W, [n for n in range(1, RECORDS + 1) if n % 3 == 1], 1)
        counted = store.count(W)
        assert counted == store.estimate(W)
        monkeypatch.setattr("plugins.worksheets.records.store.COUNTED", 1000)
        assert abs(store.estimate(W) - counted) < counted // 20
        assert 0 == store.estimate("w_2222222222")
