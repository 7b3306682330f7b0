"""Handles of files that were sent: signed, so that only who sent a content puts it into a record, in that app, within a day."""

from __future__ import annotations

from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.api import App, visit

GOOD_S = 24 * 3600
MAX_CHARS = 4000


def handle_of(app: App, item: dict[str, Any]) -> str:
    """Return the handle of a file that the token's person has sent: {"file", "name", "size", "type"}."""
    return _signer(app).dumps(item)


def opened_upload(app: App, handle: Any) -> dict[str, Any] | None:
    """Return the file that a handle stands for; None where it is none, too old, or somebody else's."""
    if not isinstance(handle, str) or len(handle) > MAX_CHARS:
        return None
    try:
        found: dict[str, Any] = _signer(app).loads(handle, max_age=GOOD_S)
    except BadSignature:
        return None
    return found


def _signer(app: App) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"api-upload/{app.id}/{visit().person}")
