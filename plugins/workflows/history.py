"""What happened in runs: listed, looked into, run again, stopped. The caller owns the transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from core.api import App, Conflict, NotFound, db, documents, locks, now_us, wake
from plugins.workflows import approvals, beginning
from plugins.workflows.listening import NAME
from plugins.workflows.models import OPEN, WorkflowRun, WorkflowStep, WorkflowVersion

PAGE = 50
STATES = ("queued", "running", "waiting", "succeeded", "failed", "stopped")
MOST_COUNTED = 10_000
_run, _c = WorkflowRun.__table__, WorkflowRun.__table__.c
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """Runs of a page, newest first, and where the next page begins; None where there is none."""

    runs: Sequence[WorkflowRun]
    next: int | None


def listed(app: App, workflow: str | None = None, state: str | None = None, before: int | None = None) -> Listed:
    """Return runs of an app, newest first.

    Args:
        app: The app.
        workflow: Only those of this one.
        state: Only those in this state.
        before: Only those with a lower number.
    """
    query = select(WorkflowRun).where(WorkflowRun.app_id == app.id).order_by(WorkflowRun.number.desc()).limit(PAGE + 1)
    if workflow:
        query = query.where(WorkflowRun.workflow == workflow)
    if state in STATES:
        query = query.where(WorkflowRun.state == state)
    if before is not None:
        query = query.where(WorkflowRun.number < before)
    found = list(db.session.scalars(query))
    return Listed(found[:PAGE], found[PAGE - 1].number if len(found) > PAGE else None)


def find(app: App, number: int) -> WorkflowRun:
    """Return a run.

    Raises:
        NotFound: there is none, or it is no longer kept.
    """
    row = db.session.scalar(select(WorkflowRun).where(WorkflowRun.app_id == app.id, WorkflowRun.number == number)
                            .execution_options(populate_existing=True))
    if row is None:
        raise NotFound("This run does not exist, or is no longer kept.")
    return row


def steps_of(app: App, number: int, most: int = 500) -> list[WorkflowStep]:
    """Return the steps of a run in their order; of very many, the last ones."""
    found = db.session.scalars(select(WorkflowStep).where(WorkflowStep.app_id == app.id, WorkflowStep.run == number)
                               .order_by(WorkflowStep.n.desc()).limit(most))
    return list(found)[::-1]


def body_of(app: App, row: WorkflowRun) -> Body:
    """Return the workflow as a run began with it."""
    text = db.session.scalar(select(WorkflowVersion.body).where(
        WorkflowVersion.app_id == app.id, WorkflowVersion.workflow == row.workflow, WorkflowVersion.digest == row.version))
    found: Body = json.loads(text) if text else {"name": "", "trigger": {"type": "manual"}, "steps": []}
    return found


def counts(app: App) -> dict[str, dict[str, int]]:
    """Return how many of a workflow's last runs stand how, by workflow and state; tests left out."""
    last = select(_c.workflow, _c.state).where(_c.app_id == app.id, _c.test.is_(False)).order_by(
        _c.number.desc()).limit(MOST_COUNTED).subquery().c
    found: dict[str, dict[str, int]] = {}
    grouped = select(last.workflow, last.state, func.count()).group_by(last.workflow, last.state)
    for workflow, state, number in db.session.execute(grouped):
        found.setdefault(workflow, {})[state] = number
    return found


def of_record(app: App, worksheet: str, seq: int, most: int = 5) -> list[tuple[int, str, str, int]]:
    """Return (run, workflow, person, when) of the steps that last wrote a record, newest first."""
    step = WorkflowStep
    rows = db.session.execute(select(step.run, WorkflowRun.workflow, WorkflowRun.person, step.ended_at).join(
        WorkflowRun, (WorkflowRun.app_id == step.app_id) & (WorkflowRun.number == step.run)).where(
        step.app_id == app.id, step.record == f"{worksheet}/{seq}", step.state == "done").order_by(
        step.run.desc(), step.n.desc()).limit(most))
    return [(row[0], row[1], row[2], int(row[3] or 0)) for row in rows]


def has_open(app: App, workflow: str) -> bool:
    """Say whether any run of a workflow has not ended."""
    return db.session.scalar(select(WorkflowRun.number).where(
        WorkflowRun.app_id == app.id, WorkflowRun.workflow == workflow, WorkflowRun.state.in_(OPEN)).limit(1)) is not None


def run_again(app: App, number: int) -> None:
    """Go on with a run from the step that failed; what was done is not done again.

    Raises:
        Conflict: it did not fail, or was a test.
    """
    locks.share(app)
    row = _held(app, number)
    if row.state != "failed" or row.test:
        raise Conflict("Only a run that failed can be run again.")
    documents.get(app, f"workflow/{row.workflow}")  # of one that is gone nothing goes on
    _set(app, number, state="queued", due_at=now_us(), ended_at=None, note=None, tries=0)
    wake(app, NAME)


def stop(app: App, number: int) -> None:
    """End a run that is open; what it did stays.

    Raises:
        Conflict: it has ended.
    """
    locks.share(app)
    row = _held(app, number)
    if row.state not in OPEN:
        raise Conflict("This run has already ended.")
    _set(app, number, state="stopped", due_at=None, ended_at=now_us(), note="Stopped by an app admin.", attempt=row.attempt + 1)
    approvals.close(app, number)


def stop_all(app: App, workflow: str) -> int:
    """End all open runs of a workflow, and return how many."""
    locks.share(app)
    return beginning.stop_runs(app, [workflow], "Stopped by an app admin.")


def _held(app: App, number: int) -> WorkflowRun:
    row = db.session.scalar(select(WorkflowRun).where(WorkflowRun.app_id == app.id, WorkflowRun.number == number)
                            .with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("This run does not exist, or is no longer kept.")
    return row


def _set(app: App, number: int, **values: Any) -> None:
    db.session.connection().execute(update(_run).where(_c.app_id == app.id, _c.number == number).values(**values))
    db.session.expire_all()

