"""Approvals: questions of runs to people, and what they say. The caller owns the transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from core.api import App, Conflict, InvalidInput, NotFound, db, now_us, server, wake
from plugins.workflows.models import WorkflowApproval, WorkflowRun
from tenants.notifications.notify import Notice, tell

MOST_COMMENT = 2000
_c = WorkflowApproval.__table__.c


@dataclass(frozen=True, slots=True)
class Stands:
    """How an approval stands: decided (None while open) by whom and with which comment; who has not answered."""

    decided: bool | None
    by: str
    comment: str
    waiting: Sequence[str]


def ask(app: App, run: int, n: int, people: Sequence[str], message: str, about: str | None) -> dict[str, Any]:
    """Ask people, tell them so, and return what the step keeps of it."""
    now = now_us()
    for person in people:
        db.session.add(WorkflowApproval(app_id=app.id, run=run, n=n, person=person, message=message[:5000], answer=None, comment="",
                                        asked_at=now, closed_at=None))
    db.session.flush()
    _tell(app, run, n, people, message or (f"It is about {about}." if about else "A workflow waits for your decision."), "approval", now)
    return {"asked_at": now, "people": list(people)}


def remind(app: App, run: int, n: int, people: Sequence[str], now: int) -> None:
    """Tell those who have not answered once more."""
    _tell(app, run, n, people, "A workflow still waits for your decision.", f"reminder/{now}", now)


def standing(app: App, run: int, n: int, *, every: bool) -> Stands:
    """Return how an approval stands: one answer decides, or where *every* one must approve, the first no and the last yes."""
    rows = list(db.session.scalars(select(WorkflowApproval).where(
        WorkflowApproval.app_id == app.id, WorkflowApproval.run == run, WorkflowApproval.n == n).order_by(WorkflowApproval.closed_at)))
    answers = [row for row in rows if row.answer is not None]
    no = next((row for row in answers if row.answer == "no"), None)
    deciding = no if every else answers[0] if answers else None
    if deciding is None and every and answers and len(answers) == len(rows):
        deciding = answers[-1]
    if deciding is None:
        return Stands(None, "", "", [row.person for row in rows if row.answer is None])
    name = server().registry.hook.person_name(organization_id=app.organization_id, person=deciding.person) or "a former user"
    return Stands(deciding.answer == "yes", name, deciding.comment, [])


def close(app: App, run: int, n: int | None = None) -> None:
    """End the questions of a step, or of a whole run, that nobody has answered."""
    mine = (_c.app_id == app.id) & (_c.run == run) & _c.closed_at.is_(None)
    db.session.execute(update(WorkflowApproval).where(mine if n is None else mine & (_c.n == n)).values(closed_at=now_us())
                       .execution_options(synchronize_session=False))


def answer(app: App, run: int, n: int, person: str, said: str, comment: str) -> None:
    """Say yes or no as one of those who were asked, and have the run go on where that decides.

    Raises:
        NotFound: they were not asked.
        Conflict: it is decided already.
        InvalidInput: it is neither, or the comment is too long.
    """
    if said not in ("yes", "no"):
        raise InvalidInput("Choose “Approve” or “Reject”.")
    if len(comment) > MOST_COMMENT or "\0" in comment:
        raise InvalidInput(f"A comment can have up to {MOST_COMMENT:,} characters.")
    # The run first, as who works on it does: it closes the questions while it holds the run.
    db.session.execute(select(WorkflowRun.number).where(WorkflowRun.app_id == app.id, WorkflowRun.number == run).with_for_update())
    row = db.session.scalar(select(WorkflowApproval).where(
        WorkflowApproval.app_id == app.id, WorkflowApproval.run == run, WorkflowApproval.n == n,
        WorkflowApproval.person == person).with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("This approval does not exist, or you were not asked.")
    if row.closed_at is not None:
        raise Conflict("This was decided already, or is no longer asked.")
    row.answer, row.comment, row.closed_at = said, comment.strip(), now_us()
    db.session.flush()
    db.session.execute(update(WorkflowRun).where(
        WorkflowRun.app_id == app.id, WorkflowRun.number == run, WorkflowRun.state == "waiting").values(due_at=now_us())
        .execution_options(synchronize_session=False))
    wake(app, "workflows")


def find(app: App, run: int, n: int, person: str) -> WorkflowApproval:
    """Return the question to a person.

    Raises:
        NotFound: they were not asked.
    """
    row = db.session.scalar(select(WorkflowApproval).where(
        WorkflowApproval.app_id == app.id, WorkflowApproval.run == run, WorkflowApproval.n == n, WorkflowApproval.person == person))
    if row is None:
        raise NotFound("This approval does not exist, or you were not asked.")
    return row


def open_of(person: str) -> list[WorkflowApproval]:
    """Return what a person is asked in the current organization, longest waiting first."""
    return list(db.session.scalars(select(WorkflowApproval).where(
        WorkflowApproval.person == person, WorkflowApproval.closed_at.is_(None)).order_by(WorkflowApproval.asked_at).limit(200)))


def _tell(app: App, run: int, n: int, people: Sequence[str], text: str, what: str, now: int) -> None:
    row = db.session.scalar(select(WorkflowRun.cause).where(WorkflowRun.app_id == app.id, WorkflowRun.number == run))
    about = json.loads(row or "{}").get("title")
    path = f"/o/{app.organization_id}/approvals/{app.id}/{run}/{n}"
    title = f"Approval requested in “{app.name}”" + (f": {about}" if about else "")
    tell(Notice("approval", f"workflow/{app.id}/{run}/{n}/{what}"[:100], title, text, path, (app.id, app.name)), people)
