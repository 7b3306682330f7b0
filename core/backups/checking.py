"""Checks by schedule: the clock has backups checked that nobody has looked at for a while, one at a time."""

from __future__ import annotations

import json
import logging

from sqlalchemy import func, select

from core.app import server
from core.apps.models import App
from core.backups.jobs import request_check
from core.backups.models import Backup
from core.backups.saved import find_backup
from core.db import db, transaction
from core.errors import AppkeepError
from core.keys import SYSTEM
from core.moment import now_us
from core.runs.models import Run
from core.runs.service import OPEN
from core.scope import as_server, as_tenant

DAY_US = 24 * 3600 * 1_000_000
MAX_LOOKED_AT = 50
OWN = (Run.kind == "check") & (Run.person == SYSTEM)
log = logging.getLogger(__name__)


def tick() -> str | None:
    """Ask for a check of the backup that has waited longest, where one is due, and return the id of the run.

    A backup that could not be looked at (its store was away) waits a day before it is tried again.
    """
    days: int = server().config.check_every_days
    if not days:
        return None
    with as_server():
        if db.session.scalar(select(Run.id).where(OWN, OPEN).limit(1)):
            return None
        tried = {json.loads(options)["backup"] for options in db.session.scalars(
            select(Run.options).where(OWN, Run.requested_at > now_us() - DAY_US))}
        looked_at = func.coalesce(Backup.checked_at, Backup.created_at)
        waiting = db.session.execute(
            select(Backup.id, App.organization_id).join(App, App.id == Backup.app_id).where(
                App.deleted_at.is_(None), Backup.deleted_at.is_(None), looked_at <= now_us() - days * DAY_US)
            .order_by(looked_at).limit(MAX_LOOKED_AT + len(tried))).all()
    due = [(backup, organization) for backup, organization in waiting if backup not in tried]
    return _ask(*due[0]) if due else None


def _ask(backup_id: str, organization_id: str) -> str | None:
    with as_tenant(organization_id):
        try:
            with transaction():
                return request_check(find_backup(backup_id), SYSTEM, send=True).id
        except AppkeepError as error:
            log.warning("The check of backup %s waits: %s", backup_id, error)
            return None
