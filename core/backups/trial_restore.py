"""The deep check: a backup is restored into an app that nobody sees, compared with itself, and the app undone.

All of it happens in the caller's transaction, within a savepoint that is rolled back: a worker that dies leaves nothing to clean
up, and at no moment is there an app that somebody could see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.apps import locks
from core.apps.snapshot import Snapshot
from core.archive.manifest import Content
from core.backups.merge import data_reports, meet, merge
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.backups.state import describe
from core.base.db import db
from core.base.errors import AppkeepError, InvalidInput
from core.base.ids import new_key
from core.base.time import now_us
from core.tenancy.models import App
from core.tenancy.wall import tenant


class RestoreDiffers(AppkeepError):
    """A backup, restored on trial, gives another state than the one that it holds."""

    code, status, title = "restore_differs", 500, "The restore on trial differs"


def check_possible(backup: Backup) -> None:
    """Refuse a backup that cannot be restored by itself.

    Raises:
        InvalidInput: it holds data only.
    """
    if backup.part == "data":
        raise InvalidInput(f"The backup “{backup.name}” holds data only, which cannot be restored without its configuration; "
                           "check it without the restore on trial.")


def rehearse(saved: BackupReader, person: str) -> dict[str, Any]:
    """Restore a backup on trial and return how it went: {"same", "content_id", "references_not_restored"}.

    Another state is no damage where references are the reason: what they point to lies outside the backup.

    Raises:
        RestoreDiffers: nothing explains that the state is another one.
        AppkeepError: it could not be restored at all.
    """
    nested = db.session.begin_nested()
    try:
        told, found = _restored(saved, person)
    finally:
        nested.rollback()
        db.session.expire_all()
    missing = sum(report.unlike for report in data_reports(told))
    other = sorted(name for name in {*found.components, *saved.content.components}
                   if found.components.get(name) != saved.content.components.get(name))
    if other and not missing:
        raise RestoreDiffers(f"Restored on trial, the backup “{saved.backup.name}” does not give the state that it holds: "
                             f"{', '.join(other)} {'differs' if len(other) == 1 else 'differ'}.", components=other)
    return {"same": not other, "content_id": found.content_id, "references_not_restored": missing}


def _restored(saved: BackupReader, person: str) -> tuple[Mapping[str, Any], Content]:
    data = saved.backup.part == "both"
    # Not by the service that makes apps: that tells plugins, and deleted_at keeps even this session's queries off it.
    app = App(id=new_key("a"), organization_id=tenant(), name=saved.backup.app_name, created_at=now_us(), created_by=person,
              revision=0, deleted_at=now_us())
    db.session.add(app)
    db.session.flush()
    locks.own(app)
    connection = db.session.connection()
    told = merge(meet(app, saved, connection, person, config=True, data=data, writing=True))
    db.session.flush()
    return told, describe(app, Snapshot(app.id, connection), data=data).content
