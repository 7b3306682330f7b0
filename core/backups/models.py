"""Table of backups: the catalogue. Content lies in the store; the row comes last and makes it real."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.scope import Owned

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
    uploaded one was made, and `signer` by which key. `checked_at` and `check_error` tell the last check.
    """

    __tablename__ = "backup"
    __table_args__ = (Index("ix_backup_app_created", "app_id", "created_at"),)

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
    checked_at: Mapped[int | None] = mapped_column(BigInteger)
    check_error: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
