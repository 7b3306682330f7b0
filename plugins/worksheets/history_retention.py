"""Forgetting old entries of the history of records, as the organization's plan says; some at a time, by the clock."""

from __future__ import annotations

import logging
import time

from sqlalchemy import delete, exists, select

from core.api import App, as_tenant, db, every_organization, is_passing, now_us, transaction
from plugins.worksheets.models import HistoryEntry
from tenants.models import Organization
from tenants.plans import PLANS

EVERY_S = 600
"""Old entries are looked for so often by each process that has a clock."""
AT_ONCE = 1000
FIRST = 20
"""Of so many first entries one is old where any is, unless a clock was wrong for all of them."""
MOST_BATCHES = 20
"""Of one app at a time; the rest goes the next time."""
DAY_US = 86_400_000_000
_looked = {"next": 0.0}
_c = HistoryEntry.__table__.c
log = logging.getLogger(__name__)


def tick() -> None:
    """Forget what is old, if it is time to look."""
    if time.monotonic() < _looked["next"]:
        return
    _looked["next"] = time.monotonic() + EVERY_S
    forget_old(now_us())


def forget_old(now: int) -> int:
    """Remove entries that are older than the plan of their organization keeps them, and return how many; what fails stops no other."""
    with every_organization() as connection:
        organizations = connection.execute(select(Organization.id, Organization.plan).order_by(Organization.id)).all()
    gone = 0
    for organization_id, plan in organizations:
        try:
            gone += _forget_of(organization_id, now - PLANS[plan].record_history_days * DAY_US)
        except Exception as error:
            # One organization's trouble is not that of others.
            if is_passing(error):
                raise
            db.session.rollback()
            log.exception("Old history of records of organization %s could not be removed", organization_id)
    return gone


def _forget_of(organization_id: str, before: int) -> int:
    gone = 0
    with as_tenant(organization_id):
        for app_id in _with_old(organization_id, before):
            for _ in range(MOST_BATCHES):
                found = _forget_some(app_id, before)
                gone += found
                if found < AT_ONCE:
                    break
    return gone


def _with_old(organization_id: str, before: int) -> list[str]:
    """Return the apps of which some of the first entries are old; thousands of apps, of which none has any, are one question."""
    first = select(_c.at).where(_c.app_id == App.id).order_by(_c.id).limit(FIRST).correlate(App.__table__).subquery()
    return list(db.session.scalars(select(App.id).where(
        App.organization_id == organization_id, exists().where(first.c.at < before)).order_by(App.id)))


def _forget_some(app_id: str, before: int) -> int:
    """Remove the oldest entries of an app as far as they are older than *before*; return how many."""
    oldest = db.session.execute(select(_c.id, _c.at).where(_c.app_id == app_id).order_by(_c.id).limit(AT_ONCE)).all()
    old = [row.id for row in oldest if row.at < before]
    db.session.rollback()
    if old:
        with transaction():
            db.session.connection().execute(delete(HistoryEntry.__table__).where(
                _c.app_id == app_id, _c.id.between(old[0], old[-1]), _c.at < before))
    return len(old)
