"""Proving who one is: at signing in, and again before something that matters. Every guess is counted (`throttle`).

Nothing here runs inside `transaction()`: a refused guess stays counted although what it was for does not happen.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, select

from core.api import db, now_us, transaction
from tenants import passwords, second_factor
from tenants.audit import audit_person
from tenants.errors import Locked, ProofRefused
from tenants.models import Attempt, User
from tenants.second_factor import enrolled
from tenants.signing_in import origin_of, origin_of_session
from tenants.throttle import Origin, guess
from tenants.typed_names import folded

__all__ = ["enrolled", "method_of", "prove", "prove_code", "prove_password", "prove_person", "with_password"]
WRONG = "Wrong email or password."


def with_password(email: str, password: str) -> User:
    """Return the person whose email and password these are; takes as long, and counts as much, where there is none.

    Raises:
        ProofRefused: they do not belong together.
        Locked: it was tried too often.
    """
    address = folded(email)[:254]
    user = db.session.scalar(select(User).where(User.email == address))
    user_id = user.id if user else None
    origin = origin_of(user_id)
    if not _told(user_id, lambda: guess("password", address, lambda: _right(address, password), origin)):
        raise ProofRefused(WRONG)
    found = db.session.scalar(select(User).where(User.email == address))
    if found is None:
        raise ProofRefused(WRONG)
    return found


def prove(user: User, code_or_password: str) -> None:
    """See that it is really this person who asks: by a one-time code where they are enrolled, by password otherwise.

    Raises:
        ProofRefused: it is not the right one, or a code that was used already.
        Locked: it was tried too often.
    """
    if enrolled(user):
        prove_code(user.id, code_or_password, recovery=False, signed_in=True)
    else:
        prove_password(user, code_or_password)


def method_of(person: str) -> str:
    """Return how a person proves who they are: "code" where they are enrolled, "password" otherwise."""
    user = db.session.get(User, person)
    return "code" if user is not None and enrolled(user) else "password"


def prove_person(person: str, answer: str) -> None:
    """See that it is really this person who asks; see `prove`.

    Raises:
        ProofRefused, Locked: see `prove`.
    """
    user = db.session.get(User, person)
    if user is None:
        raise ProofRefused("Sign in first.")
    prove(user, answer)


def prove_password(user: User, password: str) -> None:
    """See that a password is that of the person who is signed in; counted for their session, so that nobody else uses it up.

    Raises:
        ProofRefused, Locked: see `prove`.
    """
    address, user_id = user.email, user.id
    if not _told(user_id, lambda: guess("proof", user_id, lambda: _right(address, password), origin_of_session())):
        raise ProofRefused("Wrong password.")


def prove_code(user_id: str, code: str, *, recovery: bool = True, signed_in: bool = False) -> None:
    """See that a code is the person's, and use it up.

    Args:
        user_id: Whose.
        code: Out of their device or, with *recovery*, one of their recovery codes.
        recovery: Whether a recovery code is taken too.
        signed_in: Whether the person is signed in already: then it is counted for their session alone.

    Raises:
        ProofRefused, Locked: see `prove`.
    """
    what, origin = _counted_as(user_id, signed_in=signed_in)
    if not _told(user_id, lambda: guess(what, user_id, lambda: _take(user_id, code, recovery=recovery), origin)):
        raise ProofRefused("Wrong code, or it was already used. Wait for the next one.")


def _counted_as(user_id: str, *, signed_in: bool) -> tuple[str, Origin]:
    return ("proof", origin_of_session()) if signed_in else ("code", origin_of(user_id))


def _right(address: str, password: str) -> bool:
    user = db.session.scalar(select(User).where(User.email == address))
    kept = user.password_hash if user else None
    if not passwords.matches(kept, password):
        return False
    if kept is not None and passwords.outdated(kept):
        with transaction():
            again = db.session.scalar(select(User).where(User.email == address, User.password_hash == kept))
            if again is not None:
                again.password_hash = passwords.hashed(password)
    return True


def _take(user_id: str, code: str, *, recovery: bool) -> bool:
    with transaction():
        user = db.session.get(User, user_id)
        if user is None:
            return False
        how = second_factor.take(user, code) if recovery else ("totp" if second_factor.take_totp(user, code) else None)
        if how == "recovery":
            audit_person("recovery_code_used", user_id)
        return how is not None


def _told(user_id: str | None, tried: Callable[[], bool]) -> bool:
    """Return whether a guess was right; write one that was not into the log."""
    try:
        right = tried()
    except Locked:
        _log_refusal(user_id, locked=True)
        raise
    if not right:
        _log_refusal(user_id, locked=False)
    return right


def _log_refusal(user_id: str | None, *, locked: bool) -> None:
    with transaction():
        if user_id is not None:
            audit_person("sign_in_failed", user_id, **({"locked": True} if locked else {}))
        else:
            # An email that nobody has costs as much writing: time must not tell.
            db.session.execute(insert(Attempt).values(subject="nobody", at=now_us()))
