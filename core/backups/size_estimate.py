"""About how much a run has to read and write, so that short ones need not wait behind long ones; nothing is counted exactly for it."""

from __future__ import annotations

from sqlalchemy import select

from core.apps.snapshot import Snapshot
from core.backups.models import Backup
from core.backups.plan import Options
from core.base.db import db
from core.server import server
from core.tenancy.models import App

RECORD_BYTES = 300
"""About how much content a record has, in an app that was not backed up yet."""


def size_of_app(app: App) -> int:
    """Return about how much a backup with data of an app reads: as much as its last one, else by the number of its records."""
    last = db.session.scalar(
        select(Backup.raw_bytes).where(Backup.app_id == app.id, Backup.part != "config", Backup.origin == "here")
        .order_by(Backup.created_at.desc()).limit(1))
    if last is not None:
        return last
    snapshot = Snapshot(app.id, db.session.connection())
    return RECORD_BYTES * sum(component.record_estimate(app, snapshot) for component in server().registry.with_data.values())


def size_of_restore(app: App, backup: Backup, options: Options) -> int:
    """Return about how much a restore in place reads or writes, its backup of the version before included."""
    return max(size_of_app(app), backup.raw_bytes) if options.data else 0
