"""What somebody typed into a form whose session had ended: it stays on the page that asks them to sign in, and is sent again afterwards.

Nothing of it is stored on the server: it goes along as one signed text, through the page to sign in at and the second step. Files cannot
go along, and what is secret (passwords, codes) does not.

The one danger: a page elsewhere could have a browser send a form here, and so put words into the mouth of whoever signs in next. Only
what one of our own pages has sent is kept, by the browser's word, and nothing is sent again without a click of whoever has signed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

MAX_BYTES = 512 * 1024
MAX_AGE_S = 24 * 3600
MAX_SHOWN, MAX_SHOWN_CHARS = 20, 200
SECRET = re.compile(r"csrf_token|kept|(.*[._-])?(password|passphrase|secret|code|answer|proof|token)", re.IGNORECASE)
UNKEPT = "unkept"
"""A field of this name names another that is not kept, such as one for a password that an app's own page asks for."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was sent in vain: where to, its fields in order, the names of the files that could not be kept."""

    path: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...]

    @property
    def typed(self) -> list[str]:
        """What of it people know again: what they typed, shortened; not ticks and numbers of the form's own."""
        words = list(dict.fromkeys(value.strip() for _, value in self.fields if len(value.strip()) > 1))
        return [one if len(one) <= MAX_SHOWN_CHARS else f"{one[:MAX_SHOWN_CHARS]}…" for one in words[:MAX_SHOWN]]


def keep() -> str | None:
    """Return the form that the current request brings as one signed text, None where there is nothing to be kept."""
    if request.method != "POST" or not is_our_own() or (request.content_length or MAX_BYTES + 1) > MAX_BYTES:
        return None
    request.max_content_length = MAX_BYTES
    secret = set(request.form.getlist(UNKEPT))
    fields = [(name, value) for name, value in request.form.items(multi=True) if not SECRET.fullmatch(name) and name not in secret]
    files = [file.filename for file in request.files.values() if file.filename]
    if not fields and not files:
        return None
    found: str = _signer().dumps([request.full_path.rstrip("?"), fields, files])
    return found


def read(text: str) -> Kept | None:
    """Return the form that was kept as a text; None for any text that this server has not signed in the last day."""
    try:
        path, fields, files = _signer().loads(text, max_age=MAX_AGE_S)
    except BadData:
        return None
    if not path.startswith("/") or path.startswith("//"):
        return None
    return Kept(path, tuple((name, value) for name, value in fields), tuple(files))


def is_our_own() -> bool:
    """Say whether the browser says that a page of this server has sent the request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def came_from() -> str:
    """Return the address on this server of the page that the request was sent from, "/" where that is not known."""
    page = urlsplit(request.referrer or "")
    if page.netloc != request.host:
        return "/"
    return page.path + (f"?{page.query}" if page.query else "")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="kept-form")
