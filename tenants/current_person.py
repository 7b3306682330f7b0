"""Who has signed in with the current request."""

from __future__ import annotations

from typing import Any

from flask import current_app, g
from flask_login import UserMixin, current_user

from tenants.models import User, UserSession


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login comes without types
    """Somebody who has signed in, with the session in which they have."""

    def __init__(self, token: str, row: UserSession, user: User) -> None:
        self.token, self.session_id, self.id, self.name, self.email = token, row.id, user.id, user.name, user.email
        self.enrolled = user.totp_secret is not None

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the browser's signed cookie: the session's token."""
        return self.token


def signed_in() -> SignedIn | None:
    """Return who has signed in with the current request."""
    if "appkeep_signed_in" not in g:
        user: Any = current_user._get_current_object() if hasattr(current_app, "login_manager") else None
        g.appkeep_signed_in = user if isinstance(user, SignedIn) else None
    found: SignedIn | None = g.appkeep_signed_in
    return found
