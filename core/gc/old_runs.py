"""Old runs leave: what ended long ago and nothing refers to is removed, some at each look of the clock.

Who did what and when stays in the logs of apps and organizations, which are lines of their own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import and_, delete, or_, select

from core.base.db import db, transaction
from core.base.time import now_us
from core.runs.context import SECOND_US
from core.runs.models import Run
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server

DAY_US = 24 * 3600 * SECOND_US
AT_ONCE = 500
"""How many runs one look takes."""
AGAIN_AFTER_US = DAY_US
"""How long a walk over all old runs is the last one: what is referred to is not looked at all the time."""
_WALK = "appkeep.leaving_runs"
_table = Run.__table__
_c = _table.c
log = logging.getLogger(__name__)


@dataclass
class Walk:
    """How far the walk over old runs is: the last run that was looked at, and before when none begins again."""

    ended_at: int = 0
    run_id: str = ""
    rests_until: int = 0


def tick() -> int:
    """Remove some of the runs that are old and not referred to, and return how many went."""
    days: int = server().config.keep_runs_days
    walk: Walk = current_app.extensions.setdefault(_WALK, Walk())
    now = now_us()
    # A rest that ends too far ahead was begun by a clock that was wrong.
    if not days or now < walk.rests_until <= now + AGAIN_AFTER_US:
        return 0
    with as_server():
        rows = _next(walk, now - _kept_us(days))
        gone = _remove([row.id for row in rows], _referred(rows)) if rows else 0
    if len(rows) < AT_ONCE:
        walk.ended_at, walk.run_id, walk.rests_until = 0, "", now + AGAIN_AFTER_US
    else:
        walk.ended_at, walk.run_id = rows[-1].ended_at, rows[-1].id
    return gone


def _kept_us(days: int) -> int:
    """Return how long runs are kept: the last collecting of an organization says when the next is due, so it is still there then."""
    hours: int = server().config.collect_every_hours
    return max(days * DAY_US, 2 * hours * 3600 * SECOND_US)


def _next(walk: Walk, before: int) -> list[Any]:
    """Return the rows that come next, those that ended first before others."""
    beyond = or_(_c.ended_at > walk.ended_at, and_(_c.ended_at == walk.ended_at, _c.id > walk.run_id))
    return list(db.session.execute(select(_c.id, _c.app_id, _c.ended_at).where(
        _c.ended_at >= walk.ended_at, _c.ended_at < before, beyond).order_by(_c.ended_at, _c.id).limit(AT_ONCE)).all())


def _referred(rows: list[Any]) -> set[str]:
    """Return the ids of those runs that something still leads to: a backup, what a restore changed, a closed app, a plugin's row."""
    from core.backups.journal import RestoreChange  # backups are made by runs
    from core.backups.models import Backup

    ids, apps = [row.id for row in rows], sorted({row.app_id for row in rows if row.app_id})
    asked = [select(App.restoring_run_id).where(App.id.in_(apps), App.restoring_run_id.in_(ids))]
    asked += [select(one.run_id).where(one.app_id.in_(apps), one.run_id.in_(ids)) for one in (Backup, RestoreChange)]
    found = {run_id for query in asked for run_id in db.session.scalars(query) if run_id}
    told = server().registry.hook.runs_referred(run_ids=ids, ended=(rows[0].ended_at, rows[-1].ended_at))
    return found.union(*told)


def _remove(ids: list[str], referred: set[str]) -> int:
    gone = [one for one in ids if one not in referred]
    if not gone:
        return 0
    with transaction():
        count: int = db.session.connection().execute(delete(_table).where(_c.id.in_(gone), _c.ended_at.is_not(None))).rowcount
    log.info("%s old runs were removed", count)
    return count
