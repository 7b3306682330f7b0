"""The monthly overview of backups: told to owners and admins on the first day of a month in the organization's time zone, once.

Which month was told stands in the organization's row and moves on in the transaction that tells, so that of two clocks one does. Who was
down on the first day tells as soon as it is up, of the month that is, not of all that were missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update

from core.api import (
    AppHealth,
    as_server,
    as_tenant,
    backup_health,
    backup_health_counts,
    db,
    now_us,
    share_of_apps,
    tenant,
    transaction,
    zone_named,
)
from tenants.models import Organization
from tenants.notifications.notify import Notice, managers, path_to, tell

NAMED_AT_MOST = 20
FIRST_ZONE = timedelta(hours=14)
"""How far the earliest time zone is ahead of UTC: where no month has begun yet, it has begun nowhere."""
_table = Organization.__table__
_c = _table.c


def tell_of_health() -> list[str]:
    """Tell those organizations for which a month has begun; return their ids. New ones are told from their next month on."""
    now = datetime.fromtimestamp(now_us() / 1_000_000, UTC)
    newest = _month(now + FIRST_ZONE)
    with as_server():
        due = db.session.execute(select(_c.id, _c.time_zone, _c.health_told).where(
            _c.closed_at.is_(None), or_(_c.health_told.is_(None), _c.health_told < newest))).all()
        db.session.rollback()
    begun = [(row.id, row.health_told, month) for row in due
             if (row.health_told or "") < (month := _month(now.astimezone(zone_named(row.time_zone))))]
    return [organization_id for organization_id, before, month in begun if _told(organization_id, before, month)]


def _told(organization_id: str, before: str | None, month: str) -> bool:
    """Tell one organization, unless another clock does; say whether this one did."""
    with as_tenant(organization_id), transaction():
        mine = (_c.id == organization_id) & (_c.health_told.is_(None) if before is None else _c.health_told == before)
        if not db.session.connection().execute(update(_table).where(mine).values(health_told=month)).rowcount or before is None:
            return False
        apps = backup_health()
        if not apps:
            return False
        tell(_notice(apps, month), managers())
        return True


def _notice(apps: Sequence[AppHealth], month: str) -> Notice:
    bad = [app for app in apps if app.problems]
    title = (f"Backups: {share_of_apps(len(bad), len(apps), 'needs', 'need')} attention" if bad
             else "Backups: all apps are backed up and proven")
    lines = [f"{one.sentence}." for one in backup_health_counts(apps)]
    lines += [f"– {app.app_name}: {' '.join(problem.sentence for problem in app.problems)}" for app in bad[:NAMED_AT_MOST]]
    more = [f"… and {len(bad) - NAMED_AT_MOST:,} more, on the page “Backup health”."] if len(bad) > NAMED_AT_MOST else []
    good = len(apps) - len(bad)
    fine = [f"{share_of_apps(good, len(apps), 'is', 'are')} backed up by schedule, and proven."] if good else []
    return Notice("backup_health", f"backup_health/{tenant()}/{month}", title, "\n".join([*lines, *more, *fine]),
                  path_to("backup_health.show", organization_id=tenant()),
                  detail={"month": month, "apps": len(apps), "need_attention": len(bad)})


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"
