"""Links that are good once and for a while. The link holds a token, the database its digest.

The caller owns the transaction. Which of two who follow a link at once comes in is decided by one statement.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from core.api import db, now_us, server
from tenants.errors import LinkSpent
from tenants.models import MailedLink
from tenants.sessions import digest

KEPT_US = 30 * 86400 * 1_000_000
GOOD_FOR = {"invite": timedelta(days=7), "reset": timedelta(hours=1), "email": timedelta(hours=1)}
PATHS = {"invite": "invitation", "reset": "reset", "email": "confirm-email"}
SPENT = "This link was already used, was withdrawn, or has expired. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Made:
    """A link just made: `id` is its row's, `url` what to send."""

    id: str
    url: str


def make(kind: str, email: str, made_by: str, *, organization_id: str | None = None, role: str | None = None,
         app_id: str | None = None, mailed: bool = True) -> Made:
    """Make a link of a kind for whoever reads the mail of *email*; *mailed* is that nobody else is shown it."""
    token, now = secrets.token_urlsafe(32), now_us()
    db.session.execute(delete(MailedLink).where(MailedLink.expires_at < now - KEPT_US))
    db.session.add(MailedLink(
        id=digest(token), kind=kind, email=email, organization_id=organization_id, role=role, app_id=app_id, made_at=now,
        made_by=made_by, mailed=mailed, expires_at=now + int(GOOD_FOR[kind].total_seconds()) * 1_000_000))
    db.session.flush()
    return Made(digest(token), f"{server().config.address}/{PATHS[kind]}/{token}")


def find(kind: str, token: str) -> MailedLink:
    """Return the link of a token as long as it is good.

    Raises:
        LinkSpent: it is not.
    """
    found = db.session.scalar(select(MailedLink).where(
        MailedLink.id == digest(token), MailedLink.kind == kind, MailedLink.used_at.is_(None), MailedLink.expires_at > now_us()))
    if found is None:
        raise LinkSpent(SPENT)
    return found


def use(kind: str, token: str) -> MailedLink:
    """Use a link up and return it.

    Raises:
        LinkSpent: it is no longer good, or somebody else is using it at this moment.
    """
    now = now_us()
    used = db.session.execute(update(MailedLink).where(
        MailedLink.id == digest(token), MailedLink.kind == kind, MailedLink.used_at.is_(None), MailedLink.expires_at > now,
    ).values(used_at=now).returning(MailedLink.id).execution_options(synchronize_session=False)).first()
    if used is None:
        raise LinkSpent(SPENT)
    return db.session.scalars(select(MailedLink).where(MailedLink.id == used[0])).one()


def spend(kind: str, email: str) -> None:
    """End all links of a kind to an email."""
    db.session.execute(update(MailedLink).where(MailedLink.kind == kind, MailedLink.email == email, MailedLink.used_at.is_(None))
                       .values(used_at=now_us()))


def spend_made_by(kind: str, user_id: str) -> None:
    """End all links of a kind that a person asked for."""
    db.session.execute(update(MailedLink).where(MailedLink.kind == kind, MailedLink.made_by == user_id, MailedLink.used_at.is_(None))
                       .values(used_at=now_us()))


def recent(kind: str, email: str, since_us: int) -> int:
    """Return how many links of a kind were made for an email since a time."""
    return len(db.session.scalars(select(MailedLink.id).where(
        MailedLink.kind == kind, MailedLink.email == email, MailedLink.made_at > since_us)).all())
