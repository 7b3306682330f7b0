"""A person's inbox, over all their organizations: of those that they left, nothing is shown. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, update

from core.api import NotFound, db, every_organization, now_us
from tenants.models import Membership, Organization
from tenants.notifications.models import Notification

PAGE_NOTIFICATIONS = 30
TOLD_WITHIN_US = 2 * 24 * 3600 * 1_000_000
"""How far before or after the end of a run its notice may lie: the clock tells of ends a day later at most."""
_table, _membership, _organization = Notification.__table__, Membership.__table__, Organization.__table__


@dataclass(frozen=True, slots=True)
class Item:
    """A notification as its reader sees it."""

    id: int
    title: str
    text: str
    path: str
    kind: str
    organization: str
    at: int
    read: bool


def items(person: str, *, unread: bool = False, before: int | None = None) -> list[Item]:
    """Return a person's notifications, newest first, one more than a page has if there are more.

    Args:
        person: Whose.
        unread: Only those that are not read yet.
        before: Only those older than the one with this id.
    """
    query = _theirs(person).order_by(_table.c.id.desc()).limit(PAGE_NOTIFICATIONS + 1)
    if unread:
        query = query.where(_table.c.read_at.is_(None))
    if before is not None:
        query = query.where(_table.c.id < before)
    with every_organization() as connection:
        return [Item(row.id, row.title, row.text, row.path, row.kind, row.organization, row.at, row.read_at is not None)
                for row in connection.execute(query)]


def unread_count(person: str) -> int:
    """Return how many notifications a person has not read."""
    found = _theirs(person).where(_table.c.read_at.is_(None)).subquery()
    with every_organization() as connection:
        return connection.scalar(select(func.count()).select_from(found)) or 0


def read(person: str, notification_id: int) -> Item:
    """Mark one of a person's notifications as read and return it.

    Raises:
        NotFound: they have none of that id.
    """
    with every_organization() as connection:
        row = connection.execute(_theirs(person).where(_table.c.id == notification_id)).first()
    if row is None:
        raise NotFound("This notification no longer exists.")
    _mark(_table.c.id == notification_id)
    return Item(row.id, row.title, row.text, row.path, row.kind, row.organization, row.at, True)


def read_all(person: str) -> None:
    """Mark all of a person's notifications as read."""
    _mark(_table.c.user_id == person)


def _mark(which: object) -> None:
    db.session.connection().execute(update(_table).where(which, _table.c.read_at.is_(None)).values(read_at=now_us()))  # type: ignore[arg-type]


def _theirs(person: str) -> Select[tuple[object, ...]]:
    """Return a query of a person's notifications; read from the tables themselves, since they lie in many organizations."""
    return (select(_table, _organization.c.name.label("organization"))
            .join(_membership, (_membership.c.organization_id == _table.c.organization_id) & (_membership.c.user_id == _table.c.user_id))
            .join(_organization, _organization.c.id == _table.c.organization_id)
            .where(_table.c.user_id == person, _organization.c.closed_at.is_(None)))


def runs_told_of(run_ids: Sequence[str], ended: tuple[int, int]) -> list[str]:
    """Return those of these runs that anybody's inbox leads to; they ended between these two moments. For the clock."""
    runs = {f"run/{run_id}": run_id for run_id in run_ids}
    since, until = ended[0] - TOLD_WITHIN_US, ended[1] + TOLD_WITHIN_US
    found = db.session.execute(select(_table.c.event).where(_table.c.at.between(since, until), _table.c.event.in_(runs)).distinct())
    return [runs[event] for event in found.scalars()]
