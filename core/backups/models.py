"""Table of backups: the catalog. Content lies in the store; the row comes last and makes it real."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import Owned, OwnedByApp

TYPES = {
    "manual": "Manual Backup",
    "scheduled": "Scheduled Backup",
    "pre_restore": "Pre-restore Backup",
    "uploaded": "Uploaded Backup",
}
ORIGINS = {"here": "this app", "server": "another app of this server", "foreign": "another server"}


class Backup(Owned, Base):
    """A backup of an app. Sizes in bytes, times in microseconds UTC.

    `content` is the deterministic part of the manifest as canonical JSON; `content_id` its digest. `part` says what
    is in it, `run_id` which run made it, `added_bytes` what it brought into the store. `origin` says where an
    uploaded one was made, `signer` by which key, and `made_at` when, as far as its file says so; `created_at` is when it
    came in. `quick_at`, `read_at` and `deep_at` say when each level of proof last went well (see `core.backups.proof`), `checked_at`
    when the backup was last read whole, whatever came of it. `check_error` is what the last check that failed said, until one of at least
    its level (`failed_level`) goes well; `check_run_id` the run that found it, `lost_parts` how many of the contents that it names
    counted as lost when that was last looked at, None where it failed for another reason. `counters` is the manifest's as canonical
    JSON, None where nothing counts. `mark` says how far it saw the log of touched segments, as JSON (see `core.backups.base`); only an
    app's newest backup with data has one.
    """

    __tablename__ = "backup"
    __table_args__ = (
        Index("ix_backup_app_created", "app_id", "created_at"),
        Index("ix_backup_run_id", "run_id"),
        Index("ix_backup_looked_at", text("coalesce(checked_at, created_at)"), sqlite_where=text("deleted_at IS NULL"),
              postgresql_where=text("deleted_at IS NULL")),
        Index("ix_backup_check_run_id", "check_run_id", sqlite_where=text("check_run_id IS NOT NULL"),
              postgresql_where=text("check_run_id IS NOT NULL")),
        Index("ix_backup_mended", "organization_id", sqlite_where=text("lost_parts = 0"), postgresql_where=text("lost_parts = 0")),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    app_id: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[str | None] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(20))
    part: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(Text)
    content_id: Mapped[str] = mapped_column(String(64))
    plugins: Mapped[str] = mapped_column(Text)
    app_name: Mapped[str] = mapped_column(String(200))
    raw_bytes: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    added_bytes: Mapped[int] = mapped_column(BigInteger)
    segments: Mapped[int] = mapped_column(BigInteger)
    segments_added: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[int] = mapped_column(BigInteger)
    pinned: Mapped[bool] = mapped_column(Boolean, default=False)
    origin: Mapped[str] = mapped_column(String(10), default="here")
    signer: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[int | None] = mapped_column(BigInteger)
    checked_at: Mapped[int | None] = mapped_column(BigInteger)
    check_error: Mapped[str | None] = mapped_column(Text)
    quick_at: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)
    deep_at: Mapped[int | None] = mapped_column(BigInteger)
    failed_level: Mapped[str | None] = mapped_column(String(10))
    check_run_id: Mapped[str | None] = mapped_column(String(16))
    lost_parts: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    counters: Mapped[str | None] = mapped_column(Text)
    mark: Mapped[str | None] = mapped_column(Text)


class BackupSchedule(OwnedByApp, Base):
    """When an app is backed up by itself; see `core.backups.schedule.rule`. `next_at` is microseconds UTC.

    `paused` is set while the organization's plan does not allow schedules.
    """

    __tablename__ = "backup_schedule"
    __table_args__ = (Index("ix_backup_schedule_next_at", "next_at"),)

    every: Mapped[str] = mapped_column(String(10))
    minute: Mapped[int] = mapped_column(Integer)
    weekday: Mapped[int] = mapped_column(Integer)
    day: Mapped[int] = mapped_column(Integer)
    data: Mapped[bool] = mapped_column(Boolean)
    enabled: Mapped[bool] = mapped_column(Boolean)
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    next_at: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(16))


class BackupRetention(OwnedByApp, Base):
    """How many backups of an app are kept; see `core.backups.retention.policy`."""

    __tablename__ = "backup_retention"

    last: Mapped[int] = mapped_column(Integer)
    daily: Mapped[int] = mapped_column(Integer)
    weekly: Mapped[int] = mapped_column(Integer)
    monthly: Mapped[int] = mapped_column(Integer)
    applied_at: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(16))


class BackupAct(Owned, Base):
    """One line of an app's log of backups, only ever added to: who did what, when, from where, and what came of it.

    `result` is "done", "asked" or the code of a refusal; `detail` is a JSON object for readers.
    """

    __tablename__ = "backup_act"
    __table_args__ = (Index("ix_backup_act_app_id_id", "app_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    app_id: Mapped[str] = mapped_column(String(16))
    backup_id: Mapped[str | None] = mapped_column(String(16))
    run_id: Mapped[str | None] = mapped_column(String(16))
    act: Mapped[str] = mapped_column(String(30))
    result: Mapped[str] = mapped_column(String(60))
    person: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(60))
    at: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[str] = mapped_column(Text)


class RestoreProof(Owned, Base):
    """That somebody has proven who they are, for one restore of one plan. `id` is the SHA-256 of a token that they hold."""

    __tablename__ = "restore_proof"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(16))
    app_id: Mapped[str] = mapped_column(String(16))
    plan: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class BackupUpload(Owned, Base):
    """A backup file that comes in parts: its size, and how much of it is here. Sizes in bytes, times in microseconds UTC.

    `parts` is a JSON list of the names under which its parts lie in the store, in their order.
    """

    __tablename__ = "backup_upload"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    app_id: Mapped[str] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[str] = mapped_column(Text, default="[]")
    made_at: Mapped[int] = mapped_column(BigInteger)
    touched_at: Mapped[int] = mapped_column(BigInteger)
