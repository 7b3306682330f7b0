"""Who is behind a request: Flask-Login over the sessions of the database, and what the core asks about people."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, session, url_for
from flask_login import LoginManager, UserMixin, current_user

from core.api import Visitor
from tenants import second_factor
from tenants.models import User, UserSession
from tenants.sessions import find_session, seen


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login comes without types
    """Somebody who has signed in, with the session in which they have."""

    def __init__(self, token: str, row: UserSession, user: User) -> None:
        self.token, self.session_id, self.id, self.name, self.email = token, row.id, user.id, user.name, user.email
        self.enrolled = user.totp_secret is not None

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the browser's signed cookie: the session's token."""
        return self.token


def start(app: Flask) -> None:
    """Let Flask-Login ask the database who is behind a request."""
    manager = LoginManager()
    manager.session_protection = None  # sessions are ended by their rows, not by guessing at addresses
    manager.user_loader(_load)
    manager.init_app(app, add_context_processor=False)


def _load(token: str) -> SignedIn | None:
    found = find_session(token)
    if found is None or (second_factor.enrolled(found[1]) and found[0].second_factor_at is None):
        return None  # the session is over, or older than the second factor that it was not proven by
    person = SignedIn(token, *found)
    seen(found[0])
    return person


def signed_in() -> SignedIn | None:
    """Return who has signed in with the current request."""
    if "appkeep_signed_in" not in g:
        user: Any = current_user._get_current_object() if hasattr(current_app, "login_manager") else None
        g.appkeep_signed_in = user if isinstance(user, SignedIn) else None
    found: SignedIn | None = g.appkeep_signed_in
    return found


def visitor() -> Visitor | None:
    """Return who has signed in, for the gate; whoever still needs a second factor is led to where to set it up."""
    person = signed_in()
    if person is None:
        session.pop("_user_id", None)
        return None
    led = not person.enrolled and second_factor.required_by(person.id)
    return Visitor(person=person.id, name=person.name, email=person.email, detour=url_for("second_factor.show") if led else None)
