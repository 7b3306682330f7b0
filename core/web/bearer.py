"""Tokens of programs: what a request shows in its Authorization header, and who comes with it.

A token is 192 bits of chance and a seal. The seal proves nothing but that this server made the token: by it the web server knows, before
anybody asks the database, that whoever sends much may be somebody.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.base.errors import AppkeepError, Forbidden

if TYPE_CHECKING:
    from core.web.visit import Visitor

SCOPES: Mapping[str, str] = {
    "read": "See apps, worksheets, records, files and runs",
    "write": "Create, change and delete records; add files; send to workflows’ webhooks",
    "backup": "Make, list, download, upload, compare and check backups, and plan restores",
    "restore": "Start and undo restores, and create apps from backups",
    "organization": "See plan, usage and the organization’s log",
}
"""What a token may be for, and what people read of it. Whoever holds it may never do more than the person it belongs to."""
PREFIX = "akt_"
SECRET_BYTES, SEAL_CHARS = 24, 12
MAX_CHARS = 200
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{{2 * SECRET_BYTES}}})([0-9a-f]{{{SEAL_CHARS}}})\Z")


class TokenNeeded(AppkeepError):
    """The request shows no token that is good (any more)."""

    code, status, title = "token_needed", 401, "A token is needed"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class ScopeMissing(Forbidden):
    """The token is good, and not for this."""

    code, title = "scope_missing", "The token is not for this"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever comes with a token: the person it belongs to, in the one organization it is for, as far as its scopes reach.

    It is good until *expires_at*, in microseconds UTC.
    """

    token_id: str
    token_name: str
    visitor: Visitor
    organization_id: str
    scopes: frozenset[str]
    expires_at: int


def new_token(key: str) -> str:
    """Return a fresh token, sealed with the server's secret *key*."""
    secret = secrets.token_hex(SECRET_BYTES)
    return f"{PREFIX}{secret}{_seal(secret, key)}"


def is_sealed(token: str, key: str) -> bool:
    """Say whether this server made a token, as long as its secret is the same; whether it is still good is another question."""
    found = _TOKEN.match(token)
    return found is not None and hmac.compare_digest(found[2], _seal(found[1], key))


def token_of(authorization: str) -> str | None:
    """Return the token that an Authorization header shows, None where it shows none."""
    kind, _, token = authorization[:MAX_CHARS].partition(" ")
    return token.strip() if kind.lower() == "bearer" and _TOKEN.match(token.strip()) else None


def _seal(secret: str, key: str) -> str:
    return hmac.new(f"appkeep/token/{key}".encode(), secret.encode(), hashlib.sha256).hexdigest()[:SEAL_CHARS]
