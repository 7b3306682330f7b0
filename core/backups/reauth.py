"""Proofs of identity for restores: bound to the person, the app and the plan; good once, for five minutes.

Source: docs/rules.md, “Restoring”.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, update

from core.backups.log import note, noting
from core.backups.models import RestoreProof
from core.base.db import db, transaction
from core.base.errors import AppkeepError
from core.base.time import now_us
from core.server import server
from core.tenancy.wall import tenant

GOOD_FOR_US = 5 * 60 * 1_000_000
KEPT_US = 24 * 3600 * 1_000_000
_table = RestoreProof.__table__


class ProofNeeded(AppkeepError):
    """Nobody has proven who they are for this restore, or it was too long ago, or it served already."""

    code, status, title = "proof_needed", 403, "Confirm your identity"


def prove(app_id: str, plan: str, person: str, answer: str) -> str:
    """Return a token that lets *person* start the restore of *plan* once, after they answered with their code or password.

    Not inside a transaction: what is refused stays counted.

    Raises:
        AppkeepError: the answer is wrong, or was tried too often; with a code of whoever keeps the people.
    """
    with noting("identity", app_id, person):
        server().registry.hook.prove_identity(person=person, answer=answer)
    token = secrets.token_urlsafe(32)
    with transaction():
        _forget_old()
        db.session.add(RestoreProof(id=_digest(token), person=person, app_id=app_id, plan=plan, made_at=now_us()))
        note("identity", app_id, person)
    return token


def use(token: str, app_id: str, plan: str, person: str) -> None:
    """Use a proof up, inside the transaction of what it is for.

    Raises:
        ProofNeeded: it is not good for this (any more).
    """
    now = now_us()
    taken = db.session.connection().execute(update(_table).where(
        _table.c.id == _digest(token), _table.c.person == person, _table.c.app_id == app_id, _table.c.plan == plan,
        _table.c.used_at.is_(None), _table.c.made_at > now - GOOD_FOR_US,
        # What was made at a moment that is yet to come was made by a clock that was wrong.
        _table.c.made_at <= now + GOOD_FOR_US).values(used_at=now)).rowcount
    if not taken:
        raise ProofNeeded("Confirm your identity again. A confirmation serves one restore of one plan, within five minutes.")


def _forget_old() -> None:
    db.session.connection().execute(delete(_table).where(
        _table.c.organization_id == tenant(), _table.c.made_at < now_us() - KEPT_US))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
