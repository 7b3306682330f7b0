"""Runs begin here, whatever triggers them: numbered in their order, within bounds, with the workflow as it is now. The caller owns the
transaction.

Bounds: a chain of workflows that trigger one another has at most `MOST_CHAIN` of them and none twice; a workflow begins at most
`A_MINUTE` runs a minute, the others wait; where more than `MOST_WAITING` wait, changes begin nothing any more. What begins nothing is
counted in one entry of the history an hour, which says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from core.api import App, Document, canonical, db, digest, insert_once, now_us, scratch
from plugins.workflows import approvals
from plugins.workflows.models import OPEN, WorkflowHealth, WorkflowRun, WorkflowState, WorkflowVersion

MOST_CHAIN = 10
A_MINUTE = 6000
MOST_WAITING = 30_000
MINUTE_US = 60_000_000
Body = Mapping[str, Any]
_HELD, _FARES, _VERSIONS = "workflows_held", "workflows_fare", "workflow_versions"
_START = json.dumps({"frames": [{"where": "", "at": 0}], "n": 0})


def hold(app: App, *, skip: bool = False) -> bool:
    """Be the only one who begins runs of an app until the transaction ends; with *skip*, False where somebody else is."""
    held: set[str] = scratch().setdefault(_HELD, set())
    if app.id in held:
        return True
    insert_once(WorkflowState.__table__, app_id=app.id, next_number=1)
    query = select(WorkflowState.app_id).where(WorkflowState.app_id == app.id).with_for_update(skip_locked=skip)
    if db.session.connection().execute(query).first() is None:
        return False
    if not db.session().in_nested_transaction():  # a savepoint that is taken back takes what it holds along
        held.add(app.id)
    return True


def begin(app: App, document: Document, cause: Body, person: str, chain: Sequence[str] = (), *, test: bool = False) -> int:
    """Begin a run and return its number; one beyond the bounds ends at once with a note. The app's state is held.

    Args:
        app: The app.
        document: The workflow.
        cause: What triggered it: "type", "worksheet", "seq", "before", "after", "title", "body", as far as there are such.
        person: On whose behalf.
        chain: The workflows that led here, the first one first.
        test: Whether it is a test, which counts for nothing; whoever makes it ends it in the same transaction.
    """
    hold(app)
    note = _loops(document, chain)
    if note is not None:
        return _refused(app, document, cause, person, chain, note)
    if test:
        return _entered(app, document, cause, person, chain, state="stopped", note=None, due_at=None, test=True)
    due = _slot(app, document.key)
    if due is None:
        note = f"Not started: more than {MOST_WAITING:,} runs of this workflow are waiting. Changes that come in meanwhile start nothing."
        return _refused(app, document, cause, person, chain, note)
    return _entered(app, document, cause, person, chain, state="queued", note=None, due_at=due)


def _loops(document: Document, chain: Sequence[str]) -> str | None:
    if document.key in chain:
        return "Not started: this workflow is among those that led to the change. A workflow does not trigger itself, directly or not."
    if len(chain) >= MOST_CHAIN:
        return f"Not started: {MOST_CHAIN} workflows have triggered one another already."
    return None


def _slot(app: App, workflow: str) -> int | None:
    """Return when one more run of a workflow may begin; None where too many wait."""
    now = now_us()
    row = _health(app, workflow)
    if now >= row.minute_at + MINUTE_US:
        row.minute_at, row.begun = now, 0
    if row.begun >= A_MINUTE:  # one that waits for a later minute counts in that one
        row.minute_at, row.begun = row.minute_at + MINUTE_US, 0
    if row.minute_at > now and _waiting(app, workflow) >= MOST_WAITING:
        return None
    row.begun += 1
    return max(now, row.minute_at)


def _health(app: App, workflow: str) -> WorkflowHealth:
    kept: dict[tuple[str, str], WorkflowHealth] = scratch().setdefault(_FARES, {})
    row = kept.get((app.id, workflow)) or db.session.scalar(select(WorkflowHealth).where(
        WorkflowHealth.app_id == app.id, WorkflowHealth.workflow == workflow).execution_options(populate_existing=True))
    if row is None:
        row = WorkflowHealth(app_id=app.id, workflow=workflow, failures=0, minute_at=0, begun=0)
        db.session.add(row)
    if not db.session().in_nested_transaction():
        kept[app.id, workflow] = row
    return row


def _waiting(app: App, workflow: str) -> int:
    return db.session.scalar(select(func.count()).select_from(WorkflowRun).where(
        WorkflowRun.app_id == app.id, WorkflowRun.workflow == workflow, WorkflowRun.state == "queued")) or 0


def _refused(app: App, document: Document, cause: Body, person: str, chain: Sequence[str], note: str) -> int:
    """Count what begins nothing in the entry of this hour that says why."""
    run, c = WorkflowRun.__table__, WorkflowRun.__table__.c
    last = db.session.execute(select(c.number).where(
        c.app_id == app.id, c.workflow == document.key, c.note == note, c.skipped > 0, c.ended_at > now_us() - 60 * MINUTE_US)
        .order_by(c.number.desc()).limit(1)).scalar()
    if last is not None:
        db.session.execute(update(run).where(c.app_id == app.id, c.number == last).values(skipped=c.skipped + 1))
        return int(last)
    return _entered(app, document, cause, person, chain, state="stopped", note=note, due_at=None, skipped=1)


def _entered(app: App, document: Document, cause: Body, person: str, chain: Sequence[str], *, state: str, note: str | None,
             due_at: int | None, test: bool = False, skipped: int = 0) -> int:
    number = _number(app)
    version, now = _version(app, document), now_us()
    subject = f"{cause['worksheet']}/{cause['seq']}" if cause.get("seq") else ""
    ended = now if state == "stopped" else None
    db.session.connection().execute(WorkflowRun.__table__.insert().values(
        app_id=app.id, number=number, workflow=document.key, version=version, state=state, test=test, subject=subject, person=person,
        chain=json.dumps(list(chain)), cause=json.dumps(cause, ensure_ascii=False), place=_START,
        memory=json.dumps({"steps": {}, "variables": {}}), note=note, attempt=0, tries=0, skipped=skipped, asked_at=now, started_at=None,
        ended_at=ended, due_at=due_at))
    return number


def _version(app: App, document: Document) -> str:
    """Keep the body of a workflow for its runs, and return its digest."""
    body = canonical(document.body).decode()
    kept: dict[tuple[str, str, str], str] = scratch().setdefault(_VERSIONS, {})
    place = (app.id, document.key, body)
    if place in kept:
        return kept[place]
    found = digest(document.body)
    insert_once(WorkflowVersion.__table__, app_id=app.id, workflow=document.key, digest=found, body=body)
    if not db.session().in_nested_transaction():
        kept[place] = found
    return found


def _number(app: App) -> int:
    """Return the number of an app's next run, whose state is held."""
    c = WorkflowState.__table__.c
    found = db.session.connection().execute(update(WorkflowState.__table__).where(c.app_id == app.id).values(
        next_number=c.next_number + 1).returning(c.next_number)).scalar_one()
    return int(found) - 1


def failed_in_a_row(app: App, workflow: str, *, failed: bool) -> int:
    """Count a run that failed, or forget the failures before one that did not; return how many have failed one after another."""
    c = WorkflowHealth.__table__.c
    if not failed:
        db.session.connection().execute(update(WorkflowHealth.__table__).where(
            c.app_id == app.id, c.workflow == workflow, c.failures > 0).values(failures=0))
        return 0
    insert_once(WorkflowHealth.__table__, app_id=app.id, workflow=workflow, failures=0, minute_at=0, begun=0)
    found = db.session.connection().execute(update(WorkflowHealth.__table__).where(c.app_id == app.id, c.workflow == workflow).values(
        failures=c.failures + 1).returning(c.failures)).scalar_one()
    return int(found)


def stop_runs(app: App, workflows: Iterable[str], note: str, *, states: Sequence[str] = OPEN) -> int:
    """End the open runs of workflows with a note, and return how many; whoever does one finds that it has ended."""
    c = WorkflowRun.__table__.c
    numbers = db.session.connection().execute(update(WorkflowRun.__table__).where(
        c.app_id == app.id, c.workflow.in_(sorted(workflows)), c.state.in_(states)).values(
        state="stopped", note=note, due_at=None, ended_at=now_us(), attempt=c.attempt + 1).returning(c.number)).scalars().all()
    for number in numbers:
        approvals.close(app, number)
    return len(numbers)
