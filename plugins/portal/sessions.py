"""Sessions of a portal: a browser in which somebody has signed in. The browser holds a token, the database its digest.

The caller owns the transaction, but for `seen`, which notes now and then that a session is in use.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, select, update

from core.api import App, db, now_us, transaction
from plugins.portal.models import ACTIVE, PortalAccount, PortalSession

HOUR_US = 3600 * 1_000_000
NOTED_AFTER_US = 60 * 1_000_000
MOST = 50
"""How many sessions somebody has at once; the ones made first end."""


def start(app: App, account: str, hours: int, address: str, agent: str) -> str:
    """Make a session and return the token that stands for it."""
    token, now = secrets.token_urlsafe(32), now_us()
    _remove(PortalSession.app_id == app.id, PortalSession.ends_at < now)
    older = list(db.session.scalars(select(PortalSession.id).where(
        PortalSession.app_id == app.id, PortalSession.account == account).order_by(PortalSession.made_at.desc()).offset(MOST - 1)))
    if older:
        _remove(PortalSession.app_id == app.id, PortalSession.id.in_(older))
    db.session.add(PortalSession(app_id=app.id, id=digest(token), account=account, made_at=now, seen_at=now,
                                 ends_at=now + hours * HOUR_US, address=address[:60], agent=agent[:200]))
    db.session.flush()
    return token


def find(app: App, token: str) -> tuple[PortalSession, PortalAccount] | None:
    """Return the session of an app that a token stands for and whose it is; None where it is over, or they may not enter."""
    row = db.session.execute(
        select(PortalSession, PortalAccount)
        .join(PortalAccount, (PortalAccount.app_id == PortalSession.app_id) & (PortalAccount.key == PortalSession.account))
        .where(PortalSession.app_id == app.id, PortalSession.id == digest(token), PortalSession.ends_at > now_us(),
               PortalAccount.state == ACTIVE)).first()
    return None if row is None else (row[0], row[1])


def seen(session: PortalSession) -> None:
    """Note that a session and its account are in use, once a minute at most."""
    now = now_us()
    if session.seen_at >= now - NOTED_AFTER_US:
        return
    app_id, session_id, account = session.app_id, session.id, session.account
    with transaction():
        db.session.execute(update(PortalSession).where(PortalSession.app_id == app_id, PortalSession.id == session_id)
                           .values(seen_at=now).execution_options(synchronize_session=False))
        note(app_id, account)


def note(app_id: str, account: str) -> None:
    """Note that an account was used now."""
    db.session.execute(update(PortalAccount).where(PortalAccount.app_id == app_id, PortalAccount.key == account)
                       .values(seen_at=now_us()).execution_options(synchronize_session=False))


def sessions_of(app: App, account: str) -> list[PortalSession]:
    """Return somebody's sessions that are not over, the one used last first."""
    return list(db.session.scalars(select(PortalSession).where(
        PortalSession.app_id == app.id, PortalSession.account == account, PortalSession.ends_at > now_us(),
    ).order_by(PortalSession.seen_at.desc())))


def end(app: App, account: str, *, session: str | None = None, but: str | None = None) -> None:
    """End one of somebody's sessions, or all but one; it is no error where there is none."""
    mine = [PortalSession.app_id == app.id, PortalSession.account == account]
    if session is not None:
        mine.append(PortalSession.id == session)
    if but is not None:
        mine.append(PortalSession.id != but)
    _remove(*mine)


def was_at(app: App, account: str) -> set[str]:
    """Return the addresses from which somebody has signed in, as long as those sessions are not over."""
    return set(db.session.scalars(select(PortalSession.address).where(
        PortalSession.app_id == app.id, PortalSession.account == account)))


def digest(token: str) -> str:
    """Return what a token is found by."""
    return hashlib.sha256(token.encode()).hexdigest()


def _remove(*which: object) -> None:
    db.session.execute(delete(PortalSession).where(*which).execution_options(synchronize_session=False))  # type: ignore[arg-type]
