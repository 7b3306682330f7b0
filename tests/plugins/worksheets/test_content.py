"""Records of a backup that is browsed: the same answers as from the live worksheet of then, and no more unpacked than is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import App, BrowsedBackup, apps, db, direct, documents, transaction
from core.backups import browse, scratch
from core.backups.catalog import find_backup
from core.base.content import StillPreparing
from core.base.db import content_connection, driver
from plugins.worksheets import service
from plugins.worksheets.content import content_store
from plugins.worksheets.query import Query, count, groups, page
from plugins.worksheets.records import SEGMENT_RECORDS, Row
from tests.core.runs.making import FIELD, SHEETS, fill
from tests.plugins.worksheets.query import model
from tests.plugins.worksheets.query.model import CHOICE, SECRET, SHEET, TEXT, make, whole
from tests.writing import at_once

EXAMPLES = int(os.environ.get("APPKEEP_TEST_BROWSED", "12"))
SEQS = [*range(1, 60), *range(1000, 1500, 5), *range(70_000, 70_400), 2**39, 2**39 + 1]
"""Numbers with gaps: of thirteen segments, most of them not full."""


@contextmanager
def browsing(app: App, backup_id: str) -> Iterator[BrowsedBackup]:
    """Browse a backup, as a request does."""
    db.session.rollback()
    with browse.opened(apps.find(app.id), find_backup(backup_id)) as found:
        yield found
        db.session.rollback()


def sparse(app: App, *, indexed: bool = False) -> str:
    """Give a worksheet the records of `SEQS` and return the id of a backup; then take them away."""
    app = fill(app)
    with transaction():
        sheet = documents.get(app, f"worksheet/{SHEETS[0]}")
        body = {**sheet.body, "fields": [{**one, "indexed": indexed} for one in sheet.body["fields"]]}
        documents.put(app, replace(sheet, body=body), "system")
        store = service.store_of(app)
        store.purge(SHEETS[0])
        store.load(SHEETS[0], (Row(seq, f'{{"{FIELD}":"{seq % 7}"}}', None, seq, "system", seq, "system", None) for seq in SEQS))
    backup_id = direct.back_up(apps.find(app.id)).id
    with transaction():
        service.store_of(apps.find(app.id)).purge(SHEETS[0])
    return backup_id


def unpacked() -> int:
    """Return how many records are in the scratch."""
    return int(driver(content_connection()).execute("SELECT count(*) FROM record").fetchone()[0])


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(model.records, model.indexes, st.none() | model.filters, model.sorts, st.none() | model.words, st.integers(1, 12))
def test_questions_to_a_backup_give_what_the_model_gives(server: Flask, organization: str, records: list[Any], indexed: set[str],
                                                         filter: Any, sorts: list[Any], search: str | None, limit: int) -> None:
    """Filtered, sorted, searched, counted and grouped, on both engines, after every record is gone from the app."""
    known = make(records, indexed)
    backup_id = direct.back_up(apps.find(known.app.id)).id
    with transaction():
        service.store_of(apps.find(known.app.id)).purge(SHEET)
    readable = {TEXT, CHOICE, SECRET} if search else None
    ask = Query(SHEET, filter=filter, sorts=sorts, search=search or "", fields=readable)
    wanted = known.asked(filter, sorts, search or "", readable)
    with browsing(known.app, backup_id) as backup:
        assert wanted == whole(backup.app, ask, limit=limit)
        assert (len(wanted), True) == count(backup.app, ask)
        assert len(records) == sum(number for _, number in groups(backup.app, Query(SHEET), CHOICE).found)
    db.session.rollback()
    assert [] == page(apps.find(known.app.id), Query(SHEET)).rows


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
def test_every_page_is_whole_where_numbers_have_gaps(app: App, limit: int) -> None:
    """Forwards and backwards, each record comes once, in order."""
    backup_id = sparse(app)
    with browsing(app, backup_id) as backup:
        ask, found, last = Query(SHEETS[0]), list[int](), page(backup.app, Query(SHEETS[0]), limit=limit)
        found += [row.seq for row in last.rows]
        for _ in range(min(40, len(SEQS))):
            if last.next is None:
                break
            last = page(backup.app, ask, cursor=last.next, limit=limit)
            found += [row.seq for row in last.rows]
        assert SEQS[:len(found)] == found and (len(found) == len(SEQS) or limit < 50)
        if last.previous is not None:
            before = page(backup.app, ask, cursor=last.previous, limit=limit)
            assert SEQS[len(found) - len(last.rows) - len(before.rows):len(found) - len(last.rows)] == [row.seq for row in before.rows]
        assert (len(SEQS), True) == count(backup.app, ask)


def test_a_page_unpacks_what_it_shows(app: App) -> None:
    """The first page of records in their order, and one record, take their segments only; a sort takes all."""
    backup_id = sparse(app)
    with browsing(app, backup_id) as backup:
        assert 50 == len(page(backup.app, Query(SHEETS[0]), limit=50).rows)
        assert unpacked() <= SEGMENT_RECORDS
        row = content_store(backup.app.id).row(SHEETS[0], 2**39)
        assert row is not None and 2**39 == row.seq and unpacked() <= SEGMENT_RECORDS + 2
        assert content_store(backup.app.id).row(SHEETS[0], 2**39 + 2) is None
        assert (len(SEQS), True) == count(backup.app, Query(SHEETS[0])) and unpacked() <= SEGMENT_RECORDS + 2
        page(backup.app, Query(SHEETS[0], sorts=[(FIELD, False)]))
        assert len(SEQS) == unpacked()


def test_records_come_as_they_were(app: App) -> None:
    """Values, who made them and when: the row in the scratch is the row of then."""
    app = fill(app)
    before = {key: list(service.all_rows(app, key)) for key in SHEETS}
    backup_id = direct.back_up(app).id
    with transaction():
        for key in SHEETS:
            service.delete_record(apps.find(app.id), key, 1, "system")
    with browsing(app, backup_id) as backup:
        assert before == {key: list(service.all_rows(backup.app, key)) for key in SHEETS}


def test_two_that_unpack_at_once_unpack_everything_once(server: Flask, app: App, organization: str) -> None:
    """On both engines: each gets its answer, whoever was first; no record is there twice, none is missing."""
    backup_id, answers = sparse(app), list[list[int]]()

    def ask() -> None:
        for _ in range(200):
            try:
                with browsing(app, backup_id) as backup:
                    found = page(backup.app, Query(SHEETS[0], sorts=[(FIELD, True)]), limit=1000)
                    answers.append(sorted(row.seq for row in found.rows))
                    return
            except StillPreparing:
                db.session.rollback()

    assert [] == at_once(server, organization, ask, ask, ask, ask)
    assert [SEQS] * 4 == answers
    with browsing(app, backup_id):
        assert len(SEQS) == unpacked()


def test_a_question_builds_the_index_that_it_goes_by(app: App) -> None:
    """A search none, a sort by an indexed field that field's: nobody waits for what they did not ask for."""
    backup_id = sparse(app, indexed=True)
    with browsing(app, backup_id) as backup:
        page(backup.app, Query(SHEETS[0], search="3"))
        assert {} == content_store(backup.app.id).index.complete(SHEETS[0]) and len(SEQS) == unpacked()
        page(backup.app, Query(SHEETS[0], sorts=[(FIELD, False)]))
        assert {FIELD} == content_store(backup.app.id).index.complete(SHEETS[0]).keys()


@pytest.mark.parametrize(("indexed", "steps"), [(False, 3), (True, 4)])
def test_what_was_unpacked_when_the_time_was_over_stays(app: App, monkeypatch: pytest.MonkeyPatch, indexed: bool, steps: int) -> None:
    """Each request goes on where the last one stopped, and says how far it is: never back, never beyond the end."""
    backup_id, shares = sparse(app, indexed=indexed), [0.0]
    monkeypatch.setattr(browse, "STEP_S", 0.0)
    monkeypatch.setattr(browse, "AT_ONCE", 2)
    for _ in range(50):
        try:
            with browsing(app, backup_id) as backup:
                page(backup.app, Query(SHEETS[0], sorts=[(FIELD, False)]))
                break
        except StillPreparing as error:
            shares.append(error.share)
    assert len(shares) > steps and shares == sorted(shares) and shares[-1] <= 1
    with browsing(app, backup_id) as backup:
        assert len(SEQS) == unpacked() and backup.is_ready("worksheets", f"records/{SHEETS[0]}")


def test_readers_write_nothing_into_the_scratch(app: App) -> None:
    """Whatever else uses its connection cannot change it."""
    backup_id = sparse(app)
    with browsing(app, backup_id) as backup, pytest.raises(Exception, match="readonly"):
        content_store(backup.app.id).put_rows(SHEETS[0], [Row(1, "{}", None, 1, "system", 1, "system", None)])
    assert 1 == len(scratch.kept())
