"""Verbs on one's own account: password, email, name. What changes who can sign in ends sessions and is told by mail.

The caller owns the transaction.
"""

from __future__ import annotations

from sqlalchemy import select, update

from core.api import InvalidInput, as_server, db, now_us, server
from tenants import email_tokens, mail, second_factor, service, sessions
from tenants.audit import audit_person
from tenants.errors import LinkSpent
from tenants.models import AppAdmin, Membership, User
from tenants.typed_names import checked_email, checked_name, folded

RESETS_AN_HOUR = 5
HOUR_US = 3600 * 1_000_000


def ask_for_reset(email: str) -> None:
    """Send a link to set a new password by, to whoever has that email; for nobody's, do as much and send nothing."""
    address = folded(email)[:254]
    user = db.session.scalar(select(User).where(User.email == address))
    asked = email_tokens.recent("reset", address, now_us() - HOUR_US)
    made = email_tokens.make("reset", address, user.id if user else "nobody")
    if user is not None and asked < RESETS_AN_HOUR:
        mail.send(user.email, "reset", email=user.email, link=made.url)


def reset(token: str, password: str) -> None:
    """Set a new password by a link; every session of the person ends.

    Whoever follows the link reads the mail of the address. Where nobody had proven that before, all that whoever made the
    account could come in by goes: its second factor too.

    Raises:
        LinkSpent: the link is not good.
        InvalidInput: the password cannot be taken; the link stays good, since the transaction is lost.
    """
    link = email_tokens.use("reset", token)
    user = service.user_by_email(link.email)
    if user.email_proven_at is None:
        second_factor.take_away(user.id)
        email_tokens.spend_made_by("email", user.id)
        user = service.user_by_email(link.email)
    prove_email(user.id)
    service.set_password(user, password)
    email_tokens.spend("reset", user.email)
    sessions.close_sessions(user.id)
    _tell(user, "Your password was reset", "the password of your account was reset with a link sent to this address.")
    audit_person("password_reset", user.id)


def change_password(user_id: str, password: str, session_id: str) -> None:
    """Give somebody a new password; their other sessions end.

    Raises:
        InvalidInput: it cannot be taken.
    """
    user = found(user_id)
    service.set_password(user, password)
    sessions.close_sessions(user.id, but=session_id)
    email_tokens.spend("reset", user.email)
    _tell(user, "Your password was changed", "the password of your account was changed.")
    audit_person("password_changed", user_id)


def rename(user_id: str, name: str) -> None:
    """Call somebody something else.

    Raises:
        InvalidInput: the name cannot be taken.
    """
    found(user_id).name = checked_name(name, "a person")
    db.session.flush()


def ask_for_email(user_id: str, email: str) -> None:
    """Send a link to a new email, which proves that it is the person's; to one that somebody has, nothing is sent.

    Raises:
        InvalidInput: it is no email address, or the one that they have.
    """
    address = checked_email(email)
    if address == found(user_id).email:
        raise InvalidInput("This is already your email address.")
    asked = email_tokens.recent("email", address, now_us() - HOUR_US)
    made = email_tokens.make("email", address, user_id)
    taken = db.session.scalar(select(User.id).where(User.email == address)) is not None
    if not taken and asked < RESETS_AN_HOUR:
        mail.send(address, "email", email=address, link=made.url)


def change_email(token: str, user_id: str) -> str:
    """Make the link's address the one with which somebody signs in, and return it.

    Raises:
        LinkSpent: the link is not good, or is somebody else's.
        Conflict: somebody took the address meanwhile.
    """
    if email_tokens.find("email", token).made_by != user_id:
        raise LinkSpent(email_tokens.SPENT)
    address, user = email_tokens.use("email", token).email, found(user_id)
    _tell(user, "Your email was changed", f"from now on you sign in with {address}, no longer with this address.")
    email_tokens.spend("reset", user.email)
    with service.unique("This email address is already in use."):
        user.email, user.email_proven_at = address, now_us()
        db.session.flush()
    audit_person("email_changed", user_id)
    return address


def prove_email(user_id: str) -> None:
    """Write down that a person has shown that they read the mail of their address."""
    db.session.execute(update(User).where(User.id == user_id, User.email_proven_at.is_(None)).values(email_proven_at=now_us()))


def find(user_id: str) -> User | None:
    """Return the person of that id, or None."""
    return db.session.scalar(select(User).where(User.id == user_id))


def found(user_id: str) -> User:
    """Return the person of that id, who is there."""
    return db.session.scalars(select(User).where(User.id == user_id)).one()


def all_people() -> list[User]:
    """Return everybody who has an account on this server, by email."""
    return list(db.session.scalars(select(User).order_by(User.email)))


def is_blank(user: User) -> bool:
    """Say whether nobody can have used an account: it has no password and belongs nowhere."""
    with as_server():
        belongs = db.session.scalar(select(Membership.user_id).where(Membership.user_id == user.id)) or db.session.scalar(
            select(AppAdmin.user_id).where(AppAdmin.user_id == user.id))
    return user.password_hash is None and belongs is None


def _tell(user: User, what: str, text: str) -> None:
    mail.send(user.email, "told", what=what, name=user.name, text=text, link=f"{server().config.address}/forgotten")
