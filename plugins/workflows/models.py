"""Tables of workflows that run: what they listen to, what happened, their runs and steps, approvals, secrets. Never part of a backup.

Times are integer microseconds UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, OwnedByApp

OPEN = ("queued", "running", "waiting")
"""States of runs that have not ended. A run that is waiting holds up no other of the same record."""
ENDED = ("succeeded", "failed", "stopped")
BEFORE_OTHERS = text("state IN ('queued', 'running')")
"""Runs that others of the same record wait for; as an index says it, which no database would find by parameters."""
_DUE = text("due_at IS NOT NULL")


class WorkflowState(OwnedByApp, Base):
    """One row an app, which whoever matches events to workflows holds: `next_number` is that of its next run."""

    __tablename__ = "workflow_state"

    next_number: Mapped[int] = mapped_column(BigInteger)


class WorkflowListener(OwnedByApp, Base):
    """What a workflow that is on waits for. Follows from the documents.

    `kind` is its trigger's type, `worksheet` ("w_…") is "" for what no worksheet triggers. `due_at` is when the clock looks next, of
    those that a time triggers; `seen_at` is up to when dates have been looked at.
    """

    __tablename__ = "workflow_listener"
    __table_args__ = (Index("ix_workflow_listener_worksheet", "app_id", "worksheet"),
                      Index("ix_workflow_listener_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE))

    workflow: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    worksheet: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[int | None] = mapped_column(BigInteger)


class WorkflowEvent(OwnedByApp, Base):
    """A change of a record that some workflow listens to, until it has been matched: values before and after as JSON, None for none.

    `chain` are the workflows that led to it, JSON; `form` is the view by which it came.
    """

    __tablename__ = "workflow_event"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    worksheet: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    form: Mapped[str | None] = mapped_column(String(40))
    person: Mapped[str] = mapped_column(String(40))
    chain: Mapped[str] = mapped_column(Text)


class WorkflowVersion(OwnedByApp, Base):
    """A body of a workflow as some run began with it, by its digest."""

    __tablename__ = "workflow_version"

    workflow: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class WorkflowRun(OwnedByApp, Base):
    """A run of a workflow. `number` counts an app's runs in the order in which they were triggered.

    `subject` ("w_…/12") is the record that it is about: those of one record go in their order. `due_at` is when it is looked at next,
    None once it has ended; `state` is one of `OPEN` or `ENDED`. `place` is where it stands, `memory` what its steps have found, `cause`
    what triggered it, all JSON. `attempt` grows with each time it is taken up, `tries` with each call that failed; `skipped` counts
    what began nothing, see `beginning`.
    """

    __tablename__ = "workflow_run"
    __table_args__ = (
        Index("ix_workflow_run_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_workflow_run_open", "app_id", "number", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_workflow_run_subject", "app_id", "subject", "number", sqlite_where=BEFORE_OTHERS, postgresql_where=BEFORE_OTHERS),
        Index("ix_workflow_run_workflow", "app_id", "workflow", "number"),
        Index("ix_workflow_run_ended", "ended_at"),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    workflow: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    test: Mapped[bool] = mapped_column(default=False)
    subject: Mapped[str] = mapped_column(String(60))
    person: Mapped[str] = mapped_column(String(40))
    chain: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    memory: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    skipped: Mapped[int] = mapped_column(Integer, default=0)
    asked_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    due_at: Mapped[int | None] = mapped_column(BigInteger)


class WorkflowStep(OwnedByApp, Base):
    """A step that a run has done, or is doing: `n` counts them in a run. `step` is its key ("t_…"), `given` and `found` are JSON."""

    __tablename__ = "workflow_step"

    run: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    given: Mapped[str] = mapped_column(Text)
    found: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    record: Mapped[str | None] = mapped_column(String(60))
    tries: Mapped[int] = mapped_column(Integer, default=1)
    began_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_workflow_step_record", "app_id", "record", sqlite_where=text("record IS NOT NULL"),
              postgresql_where=text("record IS NOT NULL")),
    )


class WorkflowApproval(OwnedByApp, Base):
    """A question to one person: whether they approve. `answer` is None until they say "yes" or "no"; an open one ends with its step."""

    __tablename__ = "workflow_approval"
    __table_args__ = (Index("ix_workflow_approval_person", "person", sqlite_where=text("closed_at IS NULL"),
                            postgresql_where=text("closed_at IS NULL")),)

    run: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    person: Mapped[str] = mapped_column(String(16), primary_key=True)
    message: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(String(3))
    comment: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)


class WorkflowHealth(OwnedByApp, Base):
    """How a workflow fares: `failures` in a row, `begun` runs since `minute_at`."""

    __tablename__ = "workflow_health"

    workflow: Mapped[str] = mapped_column(String(40), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    minute_at: Mapped[int] = mapped_column(BigInteger, default=0)
    begun: Mapped[int] = mapped_column(Integer, default=0)


class WorkflowAddress(OwnedByApp, Base):
    """The secret address at which a workflow is called from outside: its token, sealed, and by its digest to be found."""

    __tablename__ = "workflow_address"
    workflow: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)


class WorkflowCaller(OwnedByApp, Base):
    """Another app of the organization whose workflows may start a workflow of this one, as an admin of this app said. In no backup."""

    __tablename__ = "workflow_caller"

    workflow: Mapped[str] = mapped_column(String(40), primary_key=True)
    caller: Mapped[str] = mapped_column(String(16), primary_key=True)


class WorkflowSecret(OwnedByApp, Base):
    """A secret that steps name, sealed. It is in no backup, log or history."""

    __tablename__ = "workflow_secret"

    name: Mapped[str] = mapped_column(String(250), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(16))
