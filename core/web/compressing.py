"""Answers are sent compressed to whoever takes them so: pages, styles and scripts, not what is downloaded or comes in pieces.

The one danger: how long a compressed page is tells a little of what is in it. A page that repeats what its address says and
holds a secret gives the secret away, letter by letter, to who can make a browser ask for it thousands of times and see the
lengths (BREACH). The only lasting secret of a page is its forgery token, which `core.web.protection` masks anew in each answer.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

from core.web.assets import path_of

MIN_BYTES = 1024
LEVEL, ASSET_LEVEL = 5, 9
TYPES = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "text/plain", "application/json",
                   "application/problem+json", "image/svg+xml"})


def register(app: Flask) -> None:
    """Compress the answers of an application. To be called before whatever else looks at them, so that it has the last word."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Return an answer compressed where that is worth it and the other side says that it takes it so."""
    path = path_of(request.endpoint, request.view_args or {})
    if response.mimetype not in TYPES or response.status_code not in range(200, 600) or _stays(response, path):
        return response
    response.vary.add("Accept-Encoding")
    size = path.stat().st_size if path else len(response.get_data())
    if size < MIN_BYTES or not request.accept_encodings.quality("gzip"):
        return response
    if path is not None:
        response.direct_passthrough = False
        response.set_data(_asset(path, path.stat().st_mtime_ns))
    else:
        response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    if etag := response.get_etag()[0]:
        response.set_etag(etag, weak=True)  # the same to whoever reads it, not byte by byte
    return response


def _stays(response: Response, path: Path | None) -> bool:
    """Say whether an answer is sent as it is: a download, a piece, one without a body, one that is made while it is sent."""
    bare = response.status_code in (204, 206, 304)
    streamed = path is None and (response.is_streamed or response.direct_passthrough)
    asked = any(name in response.headers for name in ("Content-Encoding", "Content-Disposition", "Content-Range"))
    return bare or streamed or (asked and path is None) or "Content-Encoding" in response.headers or "Content-Range" in response.headers


@lru_cache(maxsize=64)
def _asset(path: Path, _changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), ASSET_LEVEL, mtime=0)
