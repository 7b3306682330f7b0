"""The two lanes of the queue: short runs have one of their own, so that none waits behind a long one; and what a run waits for."""

from __future__ import annotations

from sqlalchemy import func, select

from core.base.db import database_now, db
from core.base.errors import TooManyRuns
from core.runs.models import EXPRESS, GENERAL, Run
from core.server import server
from core.tenancy.wall import every_organization

_c = Run.__table__.c


def lane_of(kind: str, size_bytes: int | None) -> str:
    """Return the lane of a run that has so much to read or write; where nobody knows, it is the one of long runs."""
    most = server().registry.run_kind(kind).short_up_to_bytes
    short = size_bytes is not None and most is not None and size_bytes <= most
    return EXPRESS if short else GENERAL


def check_room(kind: str) -> None:
    """Refuse one more run of a kind where the current organization has as many as it may.

    Raises:
        TooManyRuns: with how many.
    """
    known = server().registry.run_kind(kind)
    most = known.most_open
    open_ = select(func.count()).select_from(Run).where(Run.kind == kind, Run.ended_at.is_(None), Run.sent_at.is_not(None))
    if most is not None and (db.session.scalar(open_) or 0) >= most:
        raise TooManyRuns(f"Your organization already has {most} {known.plural} waiting or running. Wait until one of them has ended, "
                          "or cancel one.")


def waits_since(run: Run) -> int | None:
    """Return when the run was started that a queued one waits for, None where it waits for none; nothing else of it is told.

    It may be another organization's. Short runs pass long ones; a long one may wait for a short one, too.
    """
    if run.state != "queued" or run.sent_at is None or run.not_before is not None:
        return None
    under_way = [_c.state == "running", _c.sent_at.is_not(None), _c.lease_until >= database_now(), _c.id != run.id]
    if run.lane == EXPRESS:
        under_way.append(_c.lane == EXPRESS)
    query = select(_c.started_at).where(*under_way).order_by(_c.lane != run.lane, _c.started_at).limit(1)
    with every_organization() as connection:
        return connection.execute(query).scalar()
