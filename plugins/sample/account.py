"""The account of the sample's owner: its password is kept in the home folder, to be told again while it is good."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from core.api import NotFound, as_server, server
from tenants import service as tenants

OWNER = "owner@example.org"


def make_password() -> str:
    """Return a new password, kept where only the server's own user reads it."""
    password = secrets.token_urlsafe(12)
    _path().unlink(missing_ok=True)
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{password}\n")
    return password


def kept_password() -> str | None:
    """Return the password of the sample's owner as long as it is good; one that is not is no longer kept."""
    try:
        password = _path().read_text().strip()
    except FileNotFoundError:
        return None
    try:
        with as_server():
            good = tenants.password_matches(tenants.user_by_email(OWNER), password)
    except NotFound:
        good = False
    if not good:
        _path().unlink(missing_ok=True)
        return None
    return password


def greeting() -> list[str]:
    """Return how to get into the sample, if that is known."""
    password = kept_password()
    return [way_in(password)] if password else []


def way_in(password: str) -> str:
    """Return how to sign in, for people to read."""
    return f"sign in as {OWNER} with the password {password} (the sample's owner; change it under “Your account”)"


def _path() -> Path:
    home: Path = server().config.home_path
    return home / "sample-password"
