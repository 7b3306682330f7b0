"""What somebody typed into a form that was sent in vain: it stays on the page that refuses it, and can be sent again.

Where the session had ended, it goes along as one signed text, through the page to sign in at and the second step. Nothing of it is
stored on the server. Files cannot go along, and what is secret (passwords, codes) does not.

The one danger: a page elsewhere could have a browser send a form here, and so put words into the mouth of whoever signs in next. Only
what one of our own pages has sent is kept, by the browser's word, and nothing is sent again without a click of whoever has signed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException

MAX_BYTES = 512 * 1024
MAX_AGE_S = 24 * 3600
MAX_SHOWN, MAX_SHOWN_CHARS = 20, 200
SECRET = re.compile(r"csrf_token|kept|(.*[._-])?(password|passphrase|secret|code|answer|proof|token)", re.IGNORECASE)
OWN_NAME = re.compile(r"was-.*|.*~.*|seen|digest|plan|back|do")
OWN_VALUE = re.compile(r"([a-z_]+/)?[a-z]_[A-Za-z0-9]{8,10}(/.*)?|[0-9a-f]{20,64}")
"""What forms say for themselves: what a field held before, keys, digests. People did not type it."""
UNKEPT = "unkept"
"""A field of this name names another that is not kept, such as one for a password that an app's own page asks for."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was sent in vain: where to, its fields in order, the names of the files that could not be kept."""

    path: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    whole: bool = True
    """Whether nothing secret was left out, so that it can be sent again as it is."""

    @property
    def words(self) -> list[str]:
        """What of it people know again: what they typed, not ticks, keys and digests of the form's own."""
        typed = (value.strip() for name, value in self.fields if not OWN_NAME.fullmatch(name))
        return list(dict.fromkeys(text for text in typed if len(text) > 1 and not OWN_VALUE.fullmatch(text)))

    @property
    def typed(self) -> list[str]:
        """The first of its words, shortened."""
        return [one if len(one) <= MAX_SHOWN_CHARS else f"{one[:MAX_SHOWN_CHARS]}…" for one in self.words[:MAX_SHOWN]]


def sent() -> Kept | None:
    """Return the form that the current request brings, None where there is nothing to be kept."""
    if request.method != "POST" or not is_our_own() or (request.content_length or MAX_BYTES + 1) > MAX_BYTES:
        return None
    request.max_content_length = MAX_BYTES
    secret = set(request.form.getlist(UNKEPT))
    fields = tuple((name, value) for name, value in request.form.items(multi=True)
                   if not SECRET.fullmatch(name) and name not in secret)
    files = tuple(file.filename for file in request.files.values() if file.filename)
    if not fields and not files:
        return None
    return Kept(request.full_path.rstrip("?"), fields, files, whole=not secret)


def refused() -> Kept | None:
    """Return the form of the current request for the page that refuses it.

    None where nothing was typed, and where a secret goes with it: then the rest is soon typed again.
    """
    try:
        found = sent()
    except HTTPException:  # the form itself cannot be read
        return None
    if found is None or not (found.words or found.files):
        return None
    return None if any(SECRET.fullmatch(name) and name not in ("csrf_token", "kept") for name in request.form) else found


def keep() -> str | None:
    """Return the form that the current request brings as one signed text, None where there is nothing to be kept."""
    found = sent()
    if found is None:
        return None
    text: str = _signer().dumps([found.path, found.fields, found.files])
    return text


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
