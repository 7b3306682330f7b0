"""The index of a large worksheet is built a stretch at a time, while others write: nothing is missing in it, and nobody reads it before."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings

from core.api import App, apps, db, documents, locks, transaction
from core.runs.models import Run
from core.runs.service import request, runs_of, work
from plugins.worksheets import indexing, service
from plugins.worksheets.fields import KEY_KINDS
from plugins.worksheets.models import IndexedField
from plugins.worksheets.query import Query, page
from plugins.worksheets.records import index
from tests.plugins.worksheets.query.model import (
    NUMBER,
    PEOPLE,
    SHEET,
    TEXT,
    TYPES,
    Model,
    indexes,
    kept_keys,
    make,
    records,
    right_keys,
    sheet,
)
from tests.plugins.worksheets.query.test_index import Now, step, steps
from tests.writing import at_once, each

pytestmark = pytest.mark.usefixtures("organization")


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worksheet with a record is a large one, and people ask, at a page."""
    monkeypatch.setattr(index, "BATCH_ROWS", 3)
    monkeypatch.setattr(indexing, "BUILT_AT_ONCE", 0)
    monkeypatch.setattr(service, "has_request_context", lambda: True)


def built(app: App) -> int | None:
    """Build one stretch, and return how many records it had."""
    with transaction():
        locks.share(apps.find(app.id))
        locks.hold_document(app.id, "worksheet", SHEET)
        return service.store_of(app).index.build_some(SHEET)


def build_all(known: Model) -> None:
    """Build stretch after stretch, until the indexes are complete."""
    while built(known.app) is not None:
        pass


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(records.map(lambda some: some[:10]), indexes, steps)
def test_an_index_is_right_however_it_is_built_and_whatever_is_written_meanwhile(
        given_records: list[Any], indexed: set[str], history: list[Any]) -> None:
    """A stretch follows each act; what readers go by is whole, what writers keep is never wrong, and in the end all is there."""
    known, now = make(given_records, ()), Now(set())
    for act, what, more in [("index", None, indexed), *history]:
        step(known, now, act, what, more)
        assert_right(known, now)
        built(known.app)
        assert_right(known, now)
    build_all(known)
    kinds = wanted(now)
    assert kinds == dict(service.store_of(known.app).index.complete(SHEET))
    assert right_keys(known.app, kinds) == kept_keys(known.app)


def wanted(now: Now) -> dict[str, str]:
    """Return the kind of key by field that is to be indexed."""
    return {name: KEY_KINDS[now.types[name]] for name in now.indexed - now.hidden}


def assert_right(known: Model, now: Now) -> None:
    """Compare what is in the index with the records that there are."""
    held = service.store_of(known.app).index
    assert wanted(now) == dict(held.kinds(SHEET))
    right, kept = right_keys(known.app, held.kinds(SHEET)), kept_keys(known.app)
    assert kept <= right
    assert {key for key in right if key[0] in held.complete(SHEET)} == {key for key in kept if key[0] in held.complete(SHEET)}


def asked(number: int = 10) -> Model:
    """Make records, and ask for an index of two fields."""
    known = make([({TEXT: f"text {n}", NUMBER: n}, PEOPLE[0]) for n in range(number)], ())
    with transaction():
        documents.put(known.app, sheet([TEXT, NUMBER]), "system")
    return known


def waiting(app: App) -> list[Run]:
    """Return the runs that build indexes."""
    return [run for run in runs_of(app.id) if run.kind == indexing.KIND]


def test_a_worker_builds_it(server: Flask) -> None:
    """The page only asks; until the worker is done nobody reads by the index; another stretch never starts from the beginning."""
    known = asked()
    assert (set(), {}) == (kept_keys(known.app), service.store_of(known.app).index.complete(SHEET))
    assert [10, 9, 8] == [row.seq for row in page(known.app, Query(SHEET, sorts=[(NUMBER, True)]), limit=3).rows]
    [run] = waiting(known.app)
    ended = work(run.id)
    assert ended is not None
    assert ("succeeded", '{"records":10}') == (ended.state, ended.report)
    kinds = {TEXT: KEY_KINDS[TYPES[TEXT]], NUMBER: KEY_KINDS[TYPES[NUMBER]]}
    assert kinds == dict(service.store_of(known.app).index.complete(SHEET))
    assert right_keys(known.app, kinds) == kept_keys(known.app)
    assert [10, 9, 8] == [row.seq for row in page(known.app, Query(SHEET, sorts=[(NUMBER, True)]), limit=3).rows]


def test_a_run_that_stopped_is_gone_on_with(server: Flask) -> None:
    """What a cancelled run has built stays; asked again, a worker does the rest, and only one is asked for."""
    known = asked()
    [run] = waiting(known.app)
    built(known.app)
    with transaction():
        db.session.get(Run, run.id).state = "cancelled"  # type: ignore[union-attr]
        db.session.get(Run, run.id).ended_at = 1  # type: ignore[union-attr]
    with transaction():
        indexing.go_on(apps.find(known.app.id))
        indexing.go_on(apps.find(known.app.id))
    [other] = [one for one in waiting(known.app) if one.id != run.id]
    ended = work(other.id)
    assert ended is not None
    assert '{"records":7}' == ended.report
    assert 20 == len(kept_keys(known.app))


def test_while_a_restore_has_the_app_closed_it_waits(server: Flask) -> None:
    """It fails for nobody: the run is put off, and does its work once the app is open."""
    known = asked()
    [run] = waiting(known.app)
    with transaction():
        restore = request("restore", apps.find(known.app.id), {}, "system", send=True)
        locks.mark(known.app_id, restore.id)
    put_off = work(run.id)
    assert put_off is not None
    assert ("queued", True) == (put_off.state, put_off.not_before is not None)
    with transaction():
        locks.mark(known.app_id, None)
        db.session.get(Run, run.id).not_before = None  # type: ignore[union-attr]
    ended = work(run.id)
    assert ended is not None
    assert ("succeeded", 20) == (ended.state, len(kept_keys(known.app)))


def test_nobody_waits_for_the_building_for_ever(server: Flask, organization: str) -> None:
    """A writer goes on to a record that the next stretch would hold, from one that it would wait for."""
    known = asked(6)

    build = partial(build_all, known)

    def change(n: int) -> None:
        with transaction():
            for seq in (3, 2, 1):
                service.put_record(apps.find(known.app_id), SHEET, seq, {TEXT: f"changed {n}"}, PEOPLE[0])

    for _ in range(3):
        assert [] == at_once(server, organization, build, build, each(15, change))
        with transaction():
            db.session.execute(IndexedField.__table__.update().values(built_to=0))
    build()
    kinds = dict(service.store_of(known.app).index.complete(SHEET))
    assert right_keys(known.app, kinds) == kept_keys(known.app)


def test_writers_beside_the_building_leave_no_key_behind(server: Flask, organization: str) -> None:
    """Records are changed, deleted and made through other connections while stretch after stretch is built."""
    known = asked(60)

    build = partial(build_all, known)

    def change(n: int) -> None:
        with transaction():
            service.put_record(apps.find(known.app_id), SHEET, 1 + n, {TEXT: f"changed {n}", NUMBER: 1000 + n}, PEOPLE[0])

    def make_one(n: int) -> None:
        with transaction():
            service.put_record(apps.find(known.app_id), SHEET, None, {TEXT: f"new {n}"}, PEOPLE[0])

    def delete(n: int) -> None:
        with transaction():
            service.delete_record(apps.find(known.app_id), SHEET, 60 - n, "system")

    assert [] == at_once(server, organization, build, build, each(40, change), each(20, make_one), each(8, delete))
    kinds = dict(service.store_of(known.app).index.complete(SHEET))
    assert {TEXT, NUMBER} == kinds.keys()
    assert right_keys(known.app, kinds) == kept_keys(known.app)
