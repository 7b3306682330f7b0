"""Checks by schedule: the clock has backups checked that nobody has looked at for a while, one at a time."""

from __future__ import annotations

import json
import logging

from sqlalchemy import ColumnElement, func, select

from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.backups.requests import request_check
from core.base.db import db, transaction
from core.base.errors import AppkeepError
from core.base.ids import SYSTEM
from core.base.time import now_us
from core.runs.models import Run
from core.runs.service import OPEN
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant

DAY_US = 24 * 3600 * 1_000_000
MAX_LOOKED_AT = 50
OWN = (Run.kind == "check") & (Run.person == SYSTEM)
LOOKED_AT = func.coalesce(Backup.checked_at, Backup.created_at)
log = logging.getLogger(__name__)


def tick() -> str | None:
    """Ask for a check of the backup that has waited longest, where one is due, and return the id of the run.

    A backup that could not be looked at (its store was away) waits a day before it is tried again.
    """
    days: int = server().config.check_every_days
    if not days:
        return None
    now = now_us()
    with as_server():
        if db.session.scalar(select(Run.id).where(OWN, OPEN).limit(1)):
            return None
        tried = {json.loads(options)["backup"] for options in db.session.scalars(
            select(Run.options).where(OWN, Run.requested_at.between(now - DAY_US, now + DAY_US)))}
        most = MAX_LOOKED_AT + len(tried)
        # What was looked at at a moment that is yet to come was looked at by a clock that was wrong.
        waiting = _waiting(LOOKED_AT <= now - days * DAY_US, most) or _waiting(LOOKED_AT > now + DAY_US, most)
    due = [(backup, organization) for backup, organization in waiting if backup not in tried]
    return next((run for one in due if (run := _ask(*one))), None)


def _waiting(which: ColumnElement[bool], most: int) -> list[tuple[str, str]]:
    """Return (id, organization) of those backups, the one first that nobody has looked at for longest."""
    rows = db.session.execute(select(Backup.id, App.organization_id).join(App, App.id == Backup.app_id).where(
        App.deleted_at.is_(None), Backup.deleted_at.is_(None), which).order_by(LOOKED_AT).limit(most))
    return [(row[0], row[1]) for row in rows]


def _ask(backup_id: str, organization_id: str) -> str | None:
    with as_tenant(organization_id):
        try:
            with transaction():
                return request_check(find_backup(backup_id), SYSTEM, send=True).id
        except AppkeepError as error:
            log.warning("The check of backup %s waits: %s", backup_id, error)
            return None
