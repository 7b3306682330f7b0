"""Schedules of backups: one an app, looked at by the clock. The database says what is due; two clocks do no harm."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, or_, select, update

from core.apps import locks
from core.apps.service import find
from core.backups import requests
from core.backups.log import note
from core.backups.models import BackupSchedule
from core.backups.schedule.rule import Schedule, next_due
from core.base.db import db, passed_over, transaction
from core.base.errors import Forbidden, RunInProgress, TooSoon
from core.base.ids import SYSTEM
from core.base.time import now_us
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant
from core.tenancy.zones import zone_of

log = logging.getLogger(__name__)
_table = BackupSchedule.__table__
HOUR_US = 3600 * 1_000_000
AHEAD_HOURS = {"daily": 26, "weekly": 7 * 24 + 2, "monthly": 31 * 24 + 2}
"""A schedule is due again so soon; a later moment was written by a clock that was wrong, and is worked out anew."""


def schedule_of(app: App) -> BackupSchedule | None:
    """Return an app's schedule, None where it has none."""
    return db.session.get(BackupSchedule, app.id)


def set_schedule(app: App, schedule: Schedule, person: str, *, data: bool, enabled: bool = True) -> BackupSchedule:
    """Give an app a schedule in place of the one it had, and return it. The caller owns the transaction.

    Raises:
        Forbidden: the organization's plan has no schedules.
    """
    if enabled and not allowed(app.organization_id):
        raise Forbidden(f"Scheduled backups are part of {lacking(app.organization_id)}. Back up by hand, or change the plan.")
    locks.take(app)
    row = schedule_of(app) or BackupSchedule(app_id=app.id)
    row.every, row.minute, row.weekday, row.day = schedule.every, schedule.minute, schedule.weekday, schedule.day
    row.data, row.enabled, row.paused = data, enabled, False
    row.next_at = next_at(schedule, app.organization_id) if enabled else None
    row.changed_at, row.changed_by = now_us(), person
    db.session.add(row)
    db.session.flush()
    note("schedule", app.id, person, schedule=schedule.text() if enabled else "off", data=data)
    return row


def value_of(row: BackupSchedule) -> Schedule:
    """Return when a row says that backups are due."""
    return Schedule(every=row.every, minute=row.minute, weekday=row.weekday, day=row.day)


def next_at(schedule: Schedule, organization_id: str) -> int:
    """Return when a schedule is due next, in microseconds UTC."""
    zone = zone_of(organization_id)
    due = next_due(schedule, datetime.fromtimestamp(now_us() / 1_000_000, UTC), zone)
    return int(due.timestamp()) * 1_000_000


def allowed(organization_id: str) -> bool:
    """Say whether an organization's plan has schedules."""
    return all(server().registry.hook.may_schedule(organization_id=organization_id))


def lacking(organization_id: str) -> str:
    """Return what an organization would need for schedules, as people say it."""
    return server().registry.hook.schedules_need(organization_id=organization_id) or "another plan"


def tick() -> list[str]:
    """Ask for the backups that are due, pause and resume what the plans say; return the ids of the runs asked for.

    What was missed while nobody looked is caught up once, however often it was due.
    """
    now = now_us()
    too_far = [and_(_table.c.every == every, _table.c.next_at > now + hours * HOUR_US) for every, hours in AHEAD_HOURS.items()]
    with as_server():
        due = db.session.execute(select(_table.c.app_id, App.organization_id, _table.c.paused).join(App, App.id == _table.c.app_id).where(
            App.deleted_at.is_(None), _table.c.enabled, or_(_table.c.next_at <= now, _table.c.paused, *too_far))).all()
    resumed = {one for one in {row.organization_id for row in due if row.paused} if _may(one)}
    return [run for row in due if (not row.paused or row.organization_id in resumed) and (run := _look(row.app_id, row.organization_id))]


def _may(organization_id: str) -> bool:
    """Say whether an organization's plan has schedules (again), without a transaction for each schedule that waits for that."""
    with as_tenant(organization_id):
        try:
            return allowed(organization_id)
        except Exception as error:
            passed_over(error, "The schedules of organization %s were passed over", organization_id)
            return False


def _look(app_id: str, organization_id: str) -> str | None:
    with as_tenant(organization_id):
        try:
            with transaction():
                return _do(app_id, organization_id)
        except (RunInProgress, TooSoon) as error:
            log.info("The scheduled backup of app %s waits: %s", app_id, error)  # it stays due
        except Exception as error:
            passed_over(error, "The schedule of app %s was passed over", app_id)
        return None


def _do(app_id: str, organization_id: str) -> str | None:
    app = find(app_id)
    row = schedule_of(app)
    if row is None:
        return None
    if not allowed(organization_id):
        _pause(app, row)
        return None
    due = row.next_at
    following = next_at(value_of(row), organization_id)
    # Whoever changes the row first has it: a second clock finds another moment there.
    taken = db.session.connection().execute(update(_table).where(
        _table.c.app_id == app_id, _table.c.next_at == due if due is not None else _table.c.next_at.is_(None)).values(
            next_at=following, paused=False)).rowcount
    db.session.expire(row)
    if not taken or due is None or due > now_us():
        return None
    return requests.request_backup(app, SYSTEM, data=row.data, name=None, send=True, type_="scheduled").id


def _pause(app: App, row: BackupSchedule) -> None:
    if not row.paused:
        row.paused, row.next_at = True, None
        note("schedule", app.id, SYSTEM, result="paused", reason="The organization's plan has no scheduled backups.")
        server().registry.hook.schedule_paused(app=app)


def described(row: BackupSchedule) -> dict[str, Any]:
    """Return a schedule as JSON."""
    return {"app": row.app_id, "every": row.every, "minute": row.minute, "weekday": row.weekday, "day": row.day,
            "data": row.data, "enabled": row.enabled, "paused": row.paused, "next_at": row.next_at}
