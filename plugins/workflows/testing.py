"""Tests of workflows: steps are done on real records and taken back, to show what would happen. Nothing waits or goes outside."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from core.api import App, InvalidInput, NotFound, RecordsAsked, ask_records, db, documents, locks
from plugins.workflows import beginning, running
from plugins.workflows.models import WorkflowRun, WorkflowStep
from plugins.workflows.step_edits import sheet_of

_step = WorkflowStep.__table__
TOO_LONG = "The test was ended: it took too long."


def try_out(app: App, workflow: str, person: str, seq: int | None = None) -> int:
    """Test a workflow as it is now, with a record where its trigger has a worksheet; return the number of the run that tells of it.

    The caller owns the transaction.

    Raises:
        InvalidInput: it is tested with a record, and none is named.
        NotFound: there is no such workflow or record.
    """
    locks.share(app)
    document = documents.get(app, f"workflow/{workflow}")
    number = beginning.begin(app, document, _cause(app, document.body["trigger"], person, seq), person, test=True)
    row = db.session.connection().execute(select(WorkflowRun.__table__).where(
        WorkflowRun.app_id == app.id, WorkflowRun.number == number)).one()
    held = running.execution(app, row, dry=True)
    done = db.session.begin_nested()
    try:
        held.go_on()
        steps = [dict(one) for one in db.session.connection().execute(select(_step).where(
            _step.c.app_id == app.id, _step.c.run == number).order_by(_step.c.n)).mappings()]
    finally:
        done.rollback()
    for some in (steps[at:at + 100] for at in range(0, len(steps), 100)):
        db.session.connection().execute(insert(_step), [{**one, "record": None} for one in some])
    if held.state == "running":
        held.end("failed", TOO_LONG)
    held.save(1)
    return number


def _cause(app: App, trigger: Any, person: str, seq: int | None) -> dict[str, Any]:
    worksheet = sheet_of(trigger).partition("/")[2]
    if not worksheet:
        return {"type": trigger["type"]}
    if seq is None:
        raise InvalidInput("Enter the number of a record to test with.")
    given = ask_records(app, person, RecordsAsked(worksheet=f"worksheet/{worksheet}", seqs=(seq,), limit=1))
    if given is None or not given.records:
        raise NotFound("This record does not exist, or you do not have access to it.")
    return {"type": trigger["type"], "worksheet": worksheet, "seq": seq, "before": dict(given.records[0].values)}
