"""Files of style and script: their addresses carry a digest of what is in them, so that browsers keep them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

FOR_EVER = "public, max-age=31536000, immutable"
LOOK_AGAIN = "no-cache"


def register(app: Flask) -> None:
    """Put a digest into the addresses of such files, and into answers how long they may be kept."""
    app.url_defaults(_add_digest)
    app.after_request(_keep)


def path_of(endpoint: str | None, values: dict[str, Any]) -> Path | None:
    """Return the file that an address of this endpoint gives, None where it gives none.

    The endpoint is Flask's own, or a view with the attribute `assets`, the folder that it serves by "name".
    """
    view = current_app.view_functions.get(endpoint or "")
    folder = current_app.static_folder if endpoint == "static" else getattr(view, "assets", None)
    if folder is None:
        return None
    found = safe_join(str(folder), str(values.get("filename") or values.get("name") or ""))
    return Path(found) if found and Path(found).is_file() else None


def digest_of(path: Path) -> str:
    """Return a short digest of a file's content, looked at again once the file has changed."""
    stat = path.stat()
    return _digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _add_digest(endpoint: str, values: dict[str, Any]) -> None:
    path = path_of(endpoint, values)
    if path is not None:
        values["v"] = digest_of(path)


def _keep(response: Response) -> Response:
    path = path_of(request.endpoint, request.view_args or {})
    if path is not None and response.status_code in (200, 304):
        named = request.args.get("v") == digest_of(path)
        response.headers["Cache-Control"] = FOR_EVER if named else LOOK_AGAIN
    return response
