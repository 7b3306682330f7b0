"""Codes and links that are mailed: good once, for a while, and for what they were asked for.

A code is six digits, which guessing would find: so it is good only in the browser that asked for it, which holds a token, for fifteen
minutes and five tries. How many are sent to an address is bounded, and to all of a portal together.

Who asks is told the same whether there is an account or not: then there is a row that no code fits, and no mail.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select, update

from core.api import App, InvalidInput, db, in_transaction, now_us, transaction
from plugins.portal.models import PortalCode

SIGN_IN, REGISTER, RESET, EMAIL, INVITE, NONE = "sign_in", "register", "password", "email", "invite", "none"
_SECOND_US = 1_000_000
CODE_US = int(timedelta(minutes=15).total_seconds()) * _SECOND_US
INVITE_US = int(timedelta(days=7).total_seconds()) * _SECOND_US
HOUR_US = 3600 * _SECOND_US
MOST_TRIES = 5
MOST_AN_HOUR = 5
"""How many mails with codes go to one address in an hour."""
OFTEN = "500/hour"
"""How many codes are asked for in one portal."""
WRONG = "That code is wrong or has expired. Check it, or ask for a new one."


@dataclass(frozen=True, slots=True)
class Asked:
    """A code just made: the token is for the browser that asked, the code for the mail; None where no mail is to be sent."""

    token: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Proven:
    """What a code proved: that somebody reads the mail of `email`, for a purpose, with what was kept until then."""

    purpose: str
    email: str
    payload: Mapping[str, Any]


def ask(app: App, purpose: str, email: str, payload: Mapping[str, Any] | None = None, *, real: bool = True) -> Asked:
    """Make a code; where it is not *real*, or too many went to the address lately, one that nothing fits.

    The caller owns the transaction.

    Raises:
        TooMany: too many are asked for in the portal.
    """
    from core.api import spend  # with the limits of pages, which a command has no use for

    spend(OFTEN, f"portal-codes/{app.id}")
    now, token = now_us(), secrets.token_urlsafe(32)
    _remove(PortalCode.app_id == app.id, PortalCode.ends_at < now - HOUR_US)
    lately = db.session.scalar(select(func.count()).select_from(PortalCode).where(
        PortalCode.app_id == app.id, PortalCode.email == email, PortalCode.made_at > now - HOUR_US, PortalCode.purpose != INVITE)) or 0
    code = f"{secrets.randbelow(1_000_000):06d}" if real and lately < MOST_AN_HOUR else None
    db.session.add(PortalCode(
        app_id=app.id, id=_digest(token), purpose=purpose if code is not None else NONE, email=email,
        code=_keyed(token, code) if code is not None else None, payload=json.dumps(dict(payload or {})), tries=0, made_at=now,
        ends_at=now + CODE_US))
    db.session.flush()
    return Asked(token, code)


def tried(app: App, token: str, code: str) -> PortalCode | None:
    """Count a try and return what it is for, None for a wrong code; commits by itself: what follows must not take the count back."""
    if in_transaction():
        raise RuntimeError("A try is counted even if what follows fails: not inside transaction().")
    with transaction():
        counted = db.session.connection().execute(update(PortalCode).where(
            PortalCode.app_id == app.id, PortalCode.id == _digest(token), PortalCode.tries < MOST_TRIES, PortalCode.ends_at > now_us(),
            PortalCode.purpose != INVITE).values(tries=PortalCode.tries + 1)).rowcount
    if not counted:
        return None
    row = db.session.scalar(select(PortalCode).where(PortalCode.app_id == app.id, PortalCode.id == _digest(token)))
    given = "".join(char for char in code[:40] if char.isdigit())
    right = row is not None and row.code is not None and hmac.compare_digest(row.code, _keyed(token, given))
    return row if right else None


def use(app: App, token: str) -> Proven:
    """Use a code or link up that was looked at, and return what it proves. The caller owns the transaction.

    Raises:
        InvalidInput: it was used meanwhile, or has expired.
    """
    row = db.session.execute(delete(PortalCode).where(
        PortalCode.app_id == app.id, PortalCode.id == _digest(token), PortalCode.ends_at > now_us(), PortalCode.purpose != NONE,
    ).returning(PortalCode.purpose, PortalCode.email, PortalCode.payload).execution_options(synchronize_session=False)).first()
    if row is None:
        raise InvalidInput(WRONG)
    return Proven(row[0], row[1], json.loads(row[2] or "{}"))


def invite(app: App, email: str, by: str) -> str:
    """Make an invitation and return its token; one that was made before is no longer good. The caller owns the transaction."""
    now, token = now_us(), secrets.token_urlsafe(32)
    _remove(PortalCode.app_id == app.id, PortalCode.email == email, PortalCode.purpose == INVITE)
    db.session.add(PortalCode(app_id=app.id, id=_digest(token), purpose=INVITE, email=email, code=None,
                              payload=json.dumps({"by": by}), tries=0, made_at=now, ends_at=now + INVITE_US))
    db.session.flush()
    return token


def invitation(app: App, token: str) -> str | None:
    """Return whom an invitation is for, None where it is no longer good."""
    return db.session.scalar(select(PortalCode.email).where(
        PortalCode.app_id == app.id, PortalCode.id == _digest(token), PortalCode.purpose == INVITE, PortalCode.ends_at > now_us()))


def forget(app: App, email: str) -> None:
    """Remove all codes and links of an address. The caller owns the transaction."""
    _remove(PortalCode.app_id == app.id, PortalCode.email == email)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _keyed(token: str, code: str) -> str:
    """Return what is kept of a code: a million of them would be tried at once on a copy of the database, but for the server's key."""
    return hmac.new(str(current_app.secret_key).encode(), f"portal-code/{token}/{code}".encode(), hashlib.sha256).hexdigest()


def _remove(*which: object) -> None:
    db.session.execute(delete(PortalCode).where(*which).execution_options(synchronize_session=False))  # type: ignore[arg-type]
