"""The index of a field of a large worksheet, built by a worker beside those who write; see `records.index`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import SYSTEM, App, Run, RunContext, apps, db, locks, request_run, runs_under_way, transaction
from plugins.worksheets.records import RecordStore, open_store

KIND = "index"
"""The kind of run."""
BUILT_AT_ONCE = 20_000
"""Of a worksheet with at most so many records the index is built while its page waits: in a fraction of a second."""


def begin(app: App, store: RecordStore, worksheet: str, wanted: Mapping[str, str]) -> None:
    """Index the wanted fields that are not yet: a small worksheet's now, a large one's by a worker once the transaction has ended."""
    if not store.has_more_than(worksheet, BUILT_AT_ONCE):
        store.index.build(worksheet, wanted)
    elif store.index.begin(worksheet, wanted):
        request_run(KIND, app, {}, SYSTEM, send=True)
    elif store.index.kinds(worksheet) != store.index.complete(worksheet):
        go_on(app)


def go_on(app: App) -> None:
    """Have a worker build what is not complete, unless one is about to; for a run that was cancelled or has failed."""
    if run_of(app) is None:
        request_run(KIND, app, {}, SYSTEM, send=True)


def run_of(app: App) -> Run | None:
    """Return the run that builds indexes of an app, None where there is none."""
    return next((run for run in runs_under_way(app.id) if run.kind == KIND), None)


def build(run: RunContext) -> Mapping[str, Any]:
    """Do a run of kind "index": complete every index of the app that is being built.

    Raises:
        AppRestoring: the app is closed; the run is done later.
        NotFound: the app was deleted.
    """
    run.step("index.begun")
    with transaction():
        worksheets = open_store(db.session.connection(), apps.find(str(run.app_id)).id).index.unfinished()
    return {"records": sum(_built(run, worksheet) for worksheet in worksheets)}


def _built(run: RunContext, worksheet: str) -> int:
    """Complete the indexes of one worksheet, a stretch in each transaction, and return how many records were looked at."""
    total, done = 0, 0
    while True:
        with transaction():
            app = apps.find(str(run.app_id))
            locks.share(app)
            locks.hold_document(app.id, "worksheet", worksheet)
            store = open_store(db.session.connection(), app.id)
            some = store.index.build_some(worksheet)
            if some is None:
                return done
            total = total or store.count(worksheet)
        done += some
        run.progress("index.building", done, max(total, done), 0)
