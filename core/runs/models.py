"""Table of runs: what was asked for, who works on it, how far it is, how it ended."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import Owned

STATES = ("queued", "running", "succeeded", "failed", "cancelled")
RESEND_AFTER_S = 20
GENERAL, EXPRESS = "general", "express"
"""The lanes of the queue; see `core.runs.lanes`."""


class Run(Owned, Base):
    """One execution of a backup, restore, check or copy. Times are microseconds UTC.

    `exclusive_app_id` is the app's id while an exclusive run is queued or running, so that the database itself refuses
    a second one. `attempt` counts the workers that took it up; only the latest may write. `announced_at` is set once plugins
    have heard of its end. `worker` names the process that has it (see `core.runs.workers`), or that asked for it to do it itself.
    `lane` says whether short runs only are before it (see `core.runs.lanes`).
    A run that met an outage waits until `not_before`; `outages` counts those. Leases, `sent_at` and `not_before` are of the
    database's clock. `options` and `report` are
    canonical JSON; `steps` is a JSON list of [name, time], one for each step that was entered, in all attempts.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("uq_run_exclusive_app_id", "exclusive_app_id", unique=True),
        Index("ix_run_state_lease", "state", "lease_until"),
        Index("ix_run_app_requested", "app_id", "requested_at"),
        Index("ix_run_open", "organization_id", "requested_at", sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
        Index("ix_run_unannounced", "ended_at", sqlite_where=text("announced_at IS NULL AND ended_at IS NOT NULL"),
              postgresql_where=text("announced_at IS NULL AND ended_at IS NOT NULL")),
        Index("ix_run_kind_requested", "kind", "requested_at"),
        Index("ix_run_kind_organization", "kind", "organization_id", "requested_at"),
        Index("ix_run_ended", "ended_at"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    app_id: Mapped[str | None] = mapped_column(String(16))
    exclusive_app_id: Mapped[str | None] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String(16))
    options: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    lane: Mapped[str] = mapped_column(String(10), default=GENERAL)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    phase: Mapped[str] = mapped_column(String(60), default="")
    steps: Mapped[str] = mapped_column(Text, default="[]")
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    report: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_message: Mapped[str | None] = mapped_column(Text)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    requested_at: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    not_before: Mapped[int | None] = mapped_column(BigInteger)
    outages: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str | None] = mapped_column(String(100))
    announced_at: Mapped[int | None] = mapped_column(BigInteger)
