"""Checks by schedule: the clock has backups read that nobody has read for a while, and the newest of each app restored on trial.

One at a time, and no more in a day than `share_bytes`. What is known to be damaged and has been stored again comes first, then what
waited longest, then the newest of an app none of whose backups has been read. Nothing is restored on trial while anything else goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import aliased

from core.backups.catalog import find_backup
from core.backups.check import Turn
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
LEAST_SHARE_BYTES = 1_000_000_000
SHARES = 3
"""How many times as much as would do on the average is read in a day at most: backups that were made together are due together."""
OWN = (Run.kind == "check") & (Run.person == SYSTEM)
LOOKED_AT = func.coalesce(Backup.checked_at, Backup.created_at)
MENDED = text("backup.lost_parts = 0")
"""As the index has it, which a parameter would not be."""
Waiting = Sequence[tuple[str, str]]
"""(id of a backup, its organization)"""
log = logging.getLogger(__name__)


def tick() -> str | None:
    """Ask for a check of the backup that has waited longest, where one is due, and return the id of the run.

    A backup that could not be looked at (its store was away) waits a day before it is tried again, and so does one of which a share
    was read.
    """
    days: int = server().config.check_every_days
    if not days:
        return None
    now = now_us()
    with as_server():
        if db.session.scalar(select(Run.id).where(OWN, OPEN).limit(1)):
            return None
        tried, spent = _of_today(now)
        most = MAX_LOOKED_AT + len(tried)
        # What was looked at at a moment that is yet to come was looked at by a clock that was wrong.
        found = (_waiting(MENDED, most, Backup.organization_id) or _waiting(LOOKED_AT <= now - days * DAY_US, most)
                 or _waiting(LOOKED_AT > now + DAY_US, most) or _unread(now, most))
        waiting = [one for one in found if one[0] not in tried]
        left = share_bytes(days) - spent if waiting else 0
    turn = Turn(since_us=now - days * DAY_US // 2, most_bytes=left)
    return _first(waiting, turn=turn) if left > 0 else None


def tick_deep() -> str | None:
    """Ask for a restore on trial of the newest good backup of an app, where one is due and nothing else goes on; return the run's id."""
    days: int = server().config.deep_check_every_days
    if not days:
        return None
    now = now_us()
    with as_server():
        if db.session.scalar(select(Run.id).where(OPEN).limit(1)):
            return None
        tried, _ = _of_today(now)
        since = now - days * DAY_US
        small = Backup.records <= server().config.deep_check_limit_count
        tried_lately = _any_of(lambda one: one.deep_at.between(since + 1, now + DAY_US))
        found = _newest(~tried_lately, App.created_at <= since, small, most=MAX_LOOKED_AT + len(tried))
    return _first([one for one in found if one[0] not in tried], deep=True)


def share_bytes(days: int) -> int:
    """Return how many stored bytes of all backups are read in a day at most, so that each is read whole in so many days."""
    stored = db.session.scalar(select(func.sum(Backup.size_bytes)).where(Backup.deleted_at.is_(None))) or 0
    return max(LEAST_SHARE_BYTES, SHARES * int(stored) // days)


def _of_today(now: int) -> tuple[set[str], int]:
    """Return which backups the clock had checked within a day, and how many stored bytes were read of them."""
    rows = db.session.execute(select(Run.options, Run.report).where(OWN, Run.requested_at.between(now - DAY_US, now + DAY_US))).all()
    reports = [json.loads(report) for _, report in rows if report]
    return {json.loads(options)["backup"] for options, _ in rows}, sum(report.get("read_bytes", 0) for report in reports)


def _waiting(which: Any, most: int, order: Any = LOOKED_AT) -> Waiting:
    """Return those of the backups, the one first that nobody has looked at for longest."""
    rows = db.session.execute(select(Backup.id, App.organization_id).join(App, App.id == Backup.app_id).where(
        App.deleted_at.is_(None), Backup.deleted_at.is_(None), which).order_by(order).limit(most))
    return [(row[0], row[1]) for row in rows]


def _unread(now: int, most: int) -> Waiting:
    """Return the newest good backups of apps of which no backup has been read, nor any been in the last day: retention may be quick."""
    day_ago = now - DAY_US
    read = _any_of(lambda one: one.read_at.is_not(None) & (one.deleted_at.is_(None) | (one.read_at > day_ago)))
    return _newest(~read, App.created_at <= day_ago, most=most)


def _newest(*which: ColumnElement[bool], most: int) -> Waiting:
    """Return the newest good backups with configuration of apps, of those apps and backups that are meant."""
    other = aliased(Backup)
    newest = select(other.id).where(
        other.app_id == App.id, other.deleted_at.is_(None), other.check_error.is_(None), other.part != "data").order_by(
        other.created_at.desc(), other.id).limit(1).correlate(App).scalar_subquery()
    rows = db.session.execute(select(Backup.id, App.organization_id).select_from(App).join(Backup, Backup.id == newest).where(
        App.deleted_at.is_(None), *which).order_by(Backup.created_at).limit(most))
    return [(row[0], row[1]) for row in rows]


def _any_of(which: Callable[[type[Backup]], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition that an app has, or had, a backup of this kind."""
    other = aliased(Backup)
    return select(other.id).where(other.app_id == App.id, which(other)).correlate(App).exists()


def _first(waiting: Iterable[tuple[str, str]], *, deep: bool = False, turn: Turn | None = None) -> str | None:
    return next((run for one in waiting if (run := _ask(*one, deep=deep, turn=turn))), None)


def _ask(backup_id: str, organization_id: str, *, deep: bool, turn: Turn | None) -> str | None:
    with as_tenant(organization_id):
        try:
            with transaction():
                return request_check(find_backup(backup_id), SYSTEM, deep=deep, turn=turn, send=True).id
        except AppkeepError as error:
            log.warning("The check of backup %s waits: %s", backup_id, error)
            return None
