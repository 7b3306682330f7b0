"""The pictures of a portal: its logo and its cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from core.api import SHOWN_TYPES, NotFound, read_file

PICTURES = ("logo", "cover")


def picture_of(look: Mapping[str, Any], which: str) -> Response:
    """Return the answer that gives one of the pictures, of which nothing runs.

    Raises:
        NotFound: there is none.
    """
    found = look.get(which) if which in PICTURES else None
    if found is None or found["type"] not in SHOWN_TYPES:
        raise NotFound("This picture no longer exists.")
    response = Response(b"".join(read_file(found["file"])), mimetype=found["type"])
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response
