"""Sessions: a browser in which somebody has signed in. The browser holds a token, the database its digest.

The caller owns the transaction, but for `seen`, which notes now and then that a session is in use.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update

from core.api import db, now_us, transaction
from tenants.models import User, UserSession

LONGEST_US = int(timedelta(days=30).total_seconds()) * 1_000_000
"""A session that was not used for this long is over."""
KEPT_US = int(timedelta(days=365).total_seconds()) * 1_000_000
"""How long a session that is over still says from where somebody signs in."""
NOTED_AFTER_US = 60 * 1_000_000


def open_session(user: User, address: str, agent: str, *, second_factor: bool) -> str:
    """Make a session and return the token that stands for it."""
    token, now = secrets.token_urlsafe(32), now_us()
    db.session.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.seen_at < now - KEPT_US))
    db.session.add(UserSession(id=digest(token), user_id=user.id, created_at=now, seen_at=now, address=address[:60],
                               agent=agent[:200], second_factor_at=now if second_factor else None))
    db.session.flush()
    return token


def find_session(token: str) -> tuple[UserSession, User] | None:
    """Return the session that a token stands for and whose it is; None when it is over."""
    row = db.session.execute(select(UserSession, User).join(User, User.id == UserSession.user_id)
                             .where(UserSession.id == digest(token))).first()
    if row is None or row[0].seen_at < now_us() - LONGEST_US:
        return None
    return row[0], row[1]


def seen(session: UserSession) -> None:
    """Note that a session is in use, once a minute at most."""
    if session.seen_at < now_us() - NOTED_AFTER_US:
        session_id = session.id
        with transaction():
            found = db.session.get(UserSession, session_id)
            if found is not None:
                found.seen_at = now_us()


def sessions_of(user_id: str) -> list[UserSession]:
    """Return somebody's sessions, the one used last first."""
    query = select(UserSession).where(UserSession.user_id == user_id, UserSession.seen_at >= now_us() - LONGEST_US)
    return sorted(db.session.scalars(query), key=lambda s: -s.seen_at)


def close_session(user_id: str, session_id: str) -> None:
    """End one of somebody's sessions; it is no error where there is none."""
    db.session.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id))


def close_sessions(user_id: str, but: str | None = None) -> None:
    """End all of somebody's sessions, but one if it is named."""
    query = delete(UserSession).where(UserSession.user_id == user_id)
    db.session.execute(query if but is None else query.where(UserSession.id != but))


def digest(token: str) -> str:
    """Return the digest under which a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def prove_session(session_id: str) -> None:
    """Note that the session's person has shown a second factor."""
    db.session.execute(update(UserSession).where(UserSession.id == session_id).values(second_factor_at=now_us()))
