"""The log of an app's backups: every act on them, only ever added to.

An act that changes something is written in its transaction; a refusal, and what changes nothing, in one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import has_request_context, request
from sqlalchemy import select

from core.app import server
from core.backups.models import BackupAct
from core.db import db, in_transaction, transaction
from core.errors import AppkeepError
from core.moment import now_us
from core.scope import tenant

ACTS = {
    "backup": "Backup made",
    "upload": "Backup file uploaded",
    "download": "Downloaded",
    "rename": "Renamed",
    "pin": "Pinned",
    "unpin": "No longer pinned",
    "delete": "Deleted",
    "expire": "Removed by retention",
    "check": "Checked",
    "identity": "Identity proven",
    "restore": "Restored",
    "restore_as_new": "Restored as a new app",
    "cancel": "Cancelling asked for",
    "schedule": "Schedule changed",
    "retention": "Retention changed",
}
"""Every act that the log knows, with what people read."""
PAGE_ACTS = 50


def note(act: str, app_id: str, person: str, *, result: str = "done", backup_id: str | None = None,
         run_id: str | None = None, **detail: Any) -> None:
    """Write an act into the log: in the transaction that is open, or in one of its own.

    Args:
        act: One of `ACTS`.
        result: "done", "asked", or the code of what refused it.
        detail: What a reader wants to know beside, as JSON values.
    """
    if act not in ACTS:
        raise ValueError(f"The log knows no act “{act}”.")
    if not in_transaction():
        with transaction():
            _write(act, app_id, person, result, backup_id, run_id, detail)
        return
    _write(act, app_id, person, result, backup_id, run_id, detail)


def _write(act: str, app_id: str, person: str, result: str, backup_id: str | None, run_id: str | None,
           detail: dict[str, Any]) -> None:
    db.session.add(BackupAct(
        organization_id=tenant(), app_id=app_id, backup_id=backup_id, run_id=run_id, act=act, result=result[:60],
        person=person, address=(request.remote_addr or "")[:60] if has_request_context() else "", at=now_us(),
        detail=json.dumps(detail, ensure_ascii=False, sort_keys=True)))
    db.session.flush()
    server().registry.hook.backup_acted(app_id=app_id, act=act, result=result, person=person, backup_id=backup_id, detail=detail)


@contextmanager
def noting(act: str, app_id: str, person: str, **more: Any) -> Iterator[None]:
    """Write an act that is refused inside the block into the log, and let the refusal go on."""
    try:
        yield
    except AppkeepError as error:
        note(act, app_id, person, result=error.code, reason=error.message[:500], **more)
        raise


def acts_of(app_id: str, *, act: str | None = None, person: str | None = None, since: int | None = None,
            until: int | None = None, before: int | None = None, most: int = PAGE_ACTS) -> list[BackupAct]:
    """Return lines of an app's log, newest first.

    Args:
        since, until: Only acts at or after, and before, these moments in microseconds UTC.
        before: Only lines older than the one with this id.
    """
    query = select(BackupAct).where(BackupAct.app_id == app_id).order_by(BackupAct.id.desc()).limit(most)
    for wanted, clause in ((act, BackupAct.act == act), (person, BackupAct.person == person), (since, BackupAct.at >= (since or 0)),
                           (until, BackupAct.at < (until or 0)), (before, BackupAct.id < (before or 0))):
        if wanted is not None:
            query = query.where(clause)
    return list(db.session.scalars(query))
