"""The second factor: one-time codes by time (TOTP, RFC 6238) out of a device, and recovery codes for when it is lost.

A code is good once: the step of time that it belongs to is compared and set in one statement, so that of two who show
the same code at the same moment one is refused. The caller owns the transaction. Rows are changed in
the database itself: a `User` that was loaded before does not know of it.
"""

from __future__ import annotations

import hashlib
import json
import secrets

import pyotp
from sqlalchemy import func, or_, select, update
from sqlalchemy.sql import Update

from core.api import Conflict, SecretLost, db, now_us, seal, tenant, unseal
from tenants.audit import audit_person
from tenants.belonging import belongings_of
from tenants.errors import ProofRefused
from tenants.models import AppAdmin, Membership, User
from tenants.secrets_at_rest import of_second_factor

ISSUER = "Appkeep"
STEP_S = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def enrolled(user: User) -> bool:
    """Say whether a person has a second factor."""
    return user.totp_secret is not None


def required_by(user_id: str) -> list[str]:
    """Return the names of the organizations that ask a person for a second factor: their member, or an admin of their app."""
    return sorted(one.name for one in belongings_of(user_id).values() if one.second_factor_required)


def begin(user: User) -> str:
    """Return a new secret for somebody's device; nothing changes until `confirm` has seen a code made of it."""
    secret = pyotp.random_base32()
    user.totp_pending = seal(secret, of_second_factor(user.id))
    db.session.flush()
    return secret


def pending(user: User) -> str | None:
    """Return the secret that was begun with, None where there is none, or none that can be read any more."""
    try:
        return None if user.totp_pending is None else unseal(user.totp_pending, of_second_factor(user.id))
    except SecretLost:
        return None


def uri(user: User, secret: str) -> str:
    """Return what a device reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)


def confirm(user: User, code: str) -> list[str]:
    """Switch a begun second factor on and return its recovery codes, which are shown this once.

    Raises:
        Conflict: none was begun.
        ProofRefused: the code is not made of the secret.
    """
    begun, secret = user.totp_pending, pending(user)
    if begun is None or secret is None:
        raise Conflict("The setup of the second factor has expired. Start again.")
    step = _step(secret, code)
    if step is None:
        raise ProofRefused("Wrong code. Check that your device’s clock is right, and enter a new code.")
    statement = update(User).where(User.id == user.id, User.totp_pending == begun).values(
        totp_secret=begun, totp_pending=None, totp_last_step=step)
    if not _changed(statement):
        raise Conflict("The second factor was already set up in another window.")
    return make_recovery_codes(user)


def take(user: User, code: str) -> str | None:
    """Use a one-time or recovery code up and say which it was, "totp" or "recovery"; None when it is no good (any more)."""
    try:
        if take_totp(user, code):
            return "totp"
    except SecretLost:
        if _take_recovery(user, code):
            return "recovery"
        raise
    return "recovery" if _take_recovery(user, code) else None


def take_totp(user: User, code: str) -> bool:
    """Use a one-time code up and say whether it was good.

    Raises:
        SecretLost: the key that the second factor is sealed with is gone.
    """
    if user.totp_secret is None:
        return False
    step = _step(unseal(user.totp_secret, of_second_factor(user.id)), code)
    # Compared and set at once: a code that somebody else uses at this moment is refused here.
    return step is not None and _changed(update(User).where(
        User.id == user.id, User.totp_secret == user.totp_secret,
        or_(User.totp_last_step.is_(None), User.totp_last_step < step)).values(totp_last_step=step))


def make_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes; those from before are no longer good."""
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)]
    db.session.execute(update(User).where(User.id == user.id).values(recovery_codes=json.dumps([_digest(c) for c in codes])))
    return codes


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes somebody has."""
    return len(json.loads(user.recovery_codes or "[]"))


def turn_off(user: User) -> None:
    """Remove the second factor.

    Raises:
        Conflict: an organization of the person asks for one.
    """
    user_id = user.id
    if names := required_by(user_id):
        raise Conflict(f"“{names[0]}” requires a second factor. You can move it to another device instead.")
    take_away(user_id)


def take_away(user_id: str) -> None:
    """Remove somebody's second factor, whatever their organizations ask for: the operator knows that it is them."""
    db.session.execute(update(User).where(User.id == user_id).values(
        totp_secret=None, totp_pending=None, totp_last_step=None, recovery_codes=None))
    audit_person("second_factor_off", user_id)


def without_one() -> int:
    """Return how many members of the current organization, and admins of its apps, have no second factor."""
    asked = or_(User.id.in_(select(Membership.user_id).where(Membership.organization_id == tenant())),
                User.id.in_(select(AppAdmin.user_id).where(AppAdmin.organization_id == tenant())))
    return db.session.scalar(select(func.count()).select_from(User).where(asked, User.totp_secret.is_(None))) or 0


def _step(secret: str, code: str) -> int | None:
    """Return the step of time that a code belongs to: this one, the one before or the one after; None for no such."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 6):
        return None
    totp, now = pyotp.TOTP(secret), now_us() // 1_000_000 // STEP_S
    good = [step for step in (now - 1, now, now + 1) if secrets.compare_digest(totp.generate_otp(step), digits)]
    return good[-1] if good else None


def _take_recovery(user: User, code: str) -> bool:
    kept = user.recovery_codes
    left = json.loads(kept or "[]")
    mine = _digest(code)
    if mine not in left:
        return False
    left.remove(mine)
    return _changed(update(User).where(User.id == user.id, User.recovery_codes == kept).values(recovery_codes=json.dumps(left)))


def _digest(code: str) -> str:
    # 79 bits of chance need no slow hash.
    return hashlib.sha256("".join(c for c in code.lower() if c.isalnum()).encode()).hexdigest()


def _changed(statement: Update) -> bool:
    statement = statement.returning(User.id).execution_options(synchronize_session=False)
    return db.session.execute(statement).first() is not None
