"""What an app looks like: its icon, picture, colour and description, as its document says."""

from __future__ import annotations

from typing import Any, BinaryIO

from flask import url_for

from core.api import SINGLE, App, InvalidInput, Look, NotFound, documents, put_file

MAX_PICTURE_BYTES = 1024 * 1024
PICTURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}
"""The types of pictures that may be uploaded, and how their contents begin."""
SHOWN_TYPES = (*PICTURES, "image/svg+xml")


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


def put_picture(app: App, stream: BinaryIO, name: str) -> dict[str, Any]:
    """Store a picture and return what a body says of it. Not inside a transaction: the content comes first.

    Raises:
        InvalidInput: it is too large, or not a PNG, JPEG, GIF or WebP picture by its content.
    """
    start = stream.read(16)
    kind = next((kind for kind, begin in PICTURES.items() if start.startswith(begin)), None)
    size = stream.seek(0, 2)
    stream.seek(0)
    if kind is None or (kind == "image/webp" and start[8:12] != b"WEBP"):
        raise InvalidInput("The picture must be a PNG, JPEG, GIF or WebP file.")
    if size > MAX_PICTURE_BYTES:
        raise InvalidInput(f"The picture may have {MAX_PICTURE_BYTES // 1024**2} MiB at most.")
    content, size = put_file(stream, app.id)
    safe = "".join("_" if ord(char) < 32 or char in "/\\\x7f" else char for char in name)[-255:]
    return {"file": content, "name": safe or "picture", "size": size, "type": kind}
