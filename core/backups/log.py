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

from core.backups.models import BackupAct
from core.base.db import db, in_transaction, transaction
from core.base.errors import AppkeepError
from core.base.time import now_us
from core.runs.models import Run
from core.server import server
from core.tenancy.wall import tenant

ACTS = {
    "backup": "Backup",
    "upload": "Upload",
    "download": "Download",
    "rename": "Rename",
    "pin": "Pin",
    "unpin": "Unpin",
    "delete": "Delete",
    "expire": "Removal by retention",
    "check": "Check",
    "identity": "Identity check",
    "restore": "Restore",
    "restore_as_new": "Restore as new app",
    "cancel": "Cancel",
    "schedule": "Schedule change",
    "retention": "Retention change",
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


def note_end(run: Run) -> None:
    """Write how a run ended into the log of its app, inside the caller's transaction. Other kinds of runs are not logged."""
    if run.kind not in ACTS or run.app_id is None:
        return
    report, options = json.loads(run.report or "{}"), json.loads(run.options)
    failed = run.state == "failed"
    told = {"reason": (run.error_message or "")[:500]} if failed else {}
    result = (run.error_code or "failed") if failed else {"succeeded": "done"}.get(run.state, run.state)
    note(run.kind, run.app_id, run.person, result=result,
         backup_id=report.get("backup") or options.get("backup"), run_id=run.id, **told)


@contextmanager
def noting(act: str, app_id: str, person: str, **more: Any) -> Iterator[None]:
    """Write an act that is refused inside the block into the log, and let the refusal go on."""
    try:
        yield
    except AppkeepError as error:
        note(act, app_id, person, result=error.code, reason=error.message[:500], **more)
        raise


def people_of(app_id: str) -> list[str]:
    """Return the ids of all who are in an app's log."""
    return sorted(db.session.scalars(select(BackupAct.person).where(BackupAct.app_id == app_id).distinct()))


def acts_of(app_id: str, *, act: str | None = None, person: str | None = None, backup: str | None = None, since: int | None = None,
            until: int | None = None, before: int | None = None, most: int = PAGE_ACTS) -> list[BackupAct]:
    """Return lines of an app's log, newest first.

    Args:
        backup: Only acts on the backup of this id.
        since, until: Only acts at or after, and before, these moments in microseconds UTC.
        before: Only lines older than the one with this id.
    """
    query = select(BackupAct).where(BackupAct.app_id == app_id).order_by(BackupAct.id.desc()).limit(most)
    for wanted, clause in ((act, BackupAct.act == act), (person, BackupAct.person == person),
                           (backup, BackupAct.backup_id == backup), (since, BackupAct.at >= (since or 0)),
                           (until, BackupAct.at < (until or 0)), (before, BackupAct.id < (before or 0))):
        if wanted is not None:
            query = query.where(clause)
    return list(db.session.scalars(query))
