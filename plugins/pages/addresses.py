"""Addresses that a page leads to or shows: what is safe of them, their origins, and the paths of pages. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

SCHEMES = ("http", "https", "mailto", "tel")
MAX_CHARS = 2000
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\Z")
_BARE = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?:[/?#:][^\s]*)?\Z")


def safe_url(text: str) -> str | None:
    """Return an address that a link may have, None for any other; one without a scheme is taken for https."""
    text = text.strip()
    if not text or len(text) > MAX_CHARS or any(ord(char) < 33 or char == "\\" for char in text):
        return None
    if _BARE.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme in ("mailto", "tel"):
        return text
    return text if parts.scheme in SCHEMES and origin(text) is not None else None


def origin(url: str) -> str | None:
    """Return scheme, host and port of an address as a content policy names them, None where it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.match(host):
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def matched(pattern: str, path: str) -> Mapping[str, str] | None:
    """Return the parameters of *path* by the *pattern* of a page ("/company/:id"), None where it is another page's."""
    names, steps = (text.strip("/").split("/") for text in (pattern, urlsplit(path).path))
    if len(names) != len(steps):
        return None
    found = {}
    for name, step in zip(names, steps, strict=True):
        if name.startswith(":") and step:
            found[name[1:]] = unquote(step)
        elif name != step:
            return None
    return found
