"""Retention of an app's backups: its policy, what it would remove and why, and removing it. The clock does so by itself.

A policy is applied after it was changed, after each scheduled backup, and once a day. What it removes is taken out of the catalog
like what people delete; each backup has its line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select, update

from core.apps import locks
from core.apps.service import find
from core.backups import catalog
from core.backups.catalog import backups_of
from core.backups.log import note
from core.backups.models import Backup, BackupRetention
from core.backups.retention.policy import EmptyPolicy, Judgement, Policy, expired, judged
from core.base.db import db, passed_over, transaction
from core.base.errors import AppkeepError, Conflict
from core.base.ids import SYSTEM
from core.base.time import now_us
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant
from core.tenancy.zones import zone_of

DAY_US = 24 * 3600 * 1_000_000
NO_POLICY = Policy()
log = logging.getLogger(__name__)
_table = BackupRetention.__table__
_backup = Backup.__table__


def policy_of(app_id: str) -> Policy:
    """Return an app's policy; one that is empty where it keeps everything."""
    row = db.session.get(BackupRetention, app_id)
    return NO_POLICY if row is None else Policy(last=row.last, daily=row.daily, weekly=row.weekly, monthly=row.monthly)


def set_policy(app: App, policy: Policy, person: str) -> None:
    """Give an app a policy, which is applied at the clock's next look. The caller owns the transaction.

    Raises:
        EmptyPolicy: it has no rule.
    """
    if policy.empty:
        raise EmptyPolicy("Set how many backups to keep: at least one of the four numbers must be 1 or more.")
    locks.take(app)
    row = db.session.get(BackupRetention, app.id) or BackupRetention(app_id=app.id)
    row.last, row.daily, row.weekly, row.monthly = policy.last, policy.daily, policy.weekly, policy.monthly
    row.changed_at, row.changed_by, row.applied_at = now_us(), person, None
    db.session.add(row)
    db.session.flush()
    note("retention", app.id, person, last=policy.last, daily=policy.daily, weekly=policy.weekly, monthly=policy.monthly)


def remove_policy(app: App, person: str) -> None:
    """Remove an app's policy, so that it keeps all backups. The caller owns the transaction."""
    locks.take(app)
    row = db.session.get(BackupRetention, app.id)
    if row is not None:
        db.session.delete(row)
        db.session.flush()
        note("retention", app.id, person, policy="none")


def judge(app: App, policy: Policy) -> list[Judgement]:
    """Return what would become of each backup of an app, newest first, and why; nothing is changed.

    Raises:
        EmptyPolicy: the policy has no rule.
    """
    return judged(backups_of(app.id), policy, *_now(app))


def apply(app: App, person: str) -> list[Backup]:
    """Remove what an app's policy no longer keeps and return it, oldest first; what is in use is left for the next time.

    Raises:
        EmptyPolicy: the app has no policy.
    """
    app_id = app.id
    with transaction():
        app = find(app_id)
        policy = policy_of(app_id)
        if policy.empty:
            raise EmptyPolicy(f"“{app.name}” has no retention: all of its backups are kept.")
        going = expired(backups_of(app_id), policy, *_now(app))
        return [backup for one in going if (backup := _remove(one, person)) is not None]


def tick() -> list[str]:
    """Apply the policies that are due and return the ids of the backups removed."""
    now = now_us()
    newer = exists().where(_backup.c.app_id == _table.c.app_id, _backup.c.type == "scheduled", _backup.c.created_at > _table.c.applied_at)
    with as_server():
        columns = (_table.c.app_id, _table.c.applied_at, App.organization_id)
        due = db.session.execute(select(*columns).join(App, App.id == _table.c.app_id).where(
            # What was applied at a moment that is yet to come was applied by a clock that was wrong.
            App.deleted_at.is_(None), or_(_table.c.applied_at.is_(None), _table.c.applied_at <= now - DAY_US,
                                          _table.c.applied_at > now + DAY_US, newer))).all()
    return [gone for row in due for gone in _look(row.app_id, row.applied_at, row.organization_id)]


def _look(app_id: str, applied_at: int | None, organization_id: str) -> Sequence[str]:
    with as_tenant(organization_id):
        try:
            with transaction():
                # Whoever changes the row first has it: a second clock finds another moment there.
                same = _table.c.applied_at == applied_at if applied_at is not None else _table.c.applied_at.is_(None)
                taken = db.session.connection().execute(
                    update(_table).where(_table.c.app_id == app_id, same).values(applied_at=now_us())).rowcount
                return [backup.id for backup in apply(find(app_id), SYSTEM)] if taken else ()
        except AppkeepError as error:
            log.warning("Retention of app %s was not applied: %s", app_id, error)
        except Exception as error:
            passed_over(error, "The retention of app %s was passed over", app_id)
        return ()


def _remove(one: Judgement, person: str) -> Backup | None:
    try:
        return catalog.delete(one.backup.id, person, act="expire", reason="; ".join(one.reasons))
    except Conflict as error:
        log.info("Retention leaves backup %s: %s", one.backup.id, error)
        return None


def _now(app: App) -> tuple[datetime, ZoneInfo]:
    return datetime.fromtimestamp(now_us() / 1_000_000, UTC), zone_of(app.organization_id)
