"""What an app looks like: its icon, picture, colour and description, as its document says."""

from __future__ import annotations

from flask import url_for

from core.api import SHOWN_TYPES, SINGLE, App, Look, NotFound, documents

MAX_PICTURE_BYTES = 1024 * 1024


def look(app: App) -> Look | None:
    """Return what an app looks like, None for an app without its document."""
    try:
        body = documents.get(app, f"app/{SINGLE}").body
    except NotFound:
        return None
    icon = body.get("icon", "")
    picture = icon["file"][:16] if not isinstance(icon, str) and icon["type"] in SHOWN_TYPES else None
    return Look(icon if isinstance(icon, str) else "", _picture_url(app, picture), body.get("colour"), body.get("description", ""))


def _picture_url(app: App, version: str | None) -> str | None:
    """Return the address of an app's picture; *version* makes it another one when the picture is."""
    if version is None:
        return None
    return url_for("settings.picture", organization_id=app.organization_id, app_id=app.id, v=version)
