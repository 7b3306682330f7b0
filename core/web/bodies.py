"""Bodies of requests: how much the embedded web server takes before it knows what page is meant.

It stores a body whole before a page is asked, so that whoever may send much must be known by the headers alone: anybody may send what
a form to sign in needs, a browser with a session a large form. A file needs the mark that pages which take files give those who see them.
Nothing here asks the database.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from copy import copy
from typing import Any
from weakref import WeakSet

from flask import Flask, Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge
from werkzeug.http import parse_cookie

from core.web.bearer import is_sealed, token_of

ANYBODY_BYTES = 1024 * 1024
FORM_BYTES = 16 * 1024 * 1024
KEEP_FREE_BYTES = 512 * 1024 * 1024
"""A file is not taken that would leave the disk with less."""
MOST_AT_ONCE = 2
"""How many files one person may send to one process at the same time."""
MARK = "appkeep_upload"
MARK_S = 12 * 3600
TOO_LARGE = ("This is more than is taken here. Sign in, open the page that takes the file again, and send it from there; "
             "send one file after the other.")


def mark_uploader(response: Response, person: str) -> None:
    """Mark the browser as one that may send files: it shows a page that takes them to somebody who may."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(MARK, str(_signer(current_app).dumps(person)), max_age=MARK_S, httponly=True, samesite="Lax", secure=secure)


def _signer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(app.secret_key), salt="appkeep/upload")


class Doorkeeper:
    """Says by the headers of a request how large its body may be.

    Args:
        app: Whose cookies are known.
        file_bytes: How large a file may be.
    """

    def __init__(self, app: Flask, file_bytes: int) -> None:
        self.app, self.file_bytes = app, file_bytes + FORM_BYTES
        self._sending: dict[str, WeakSet[Any]] = {}

    def most_bytes(self, headers: Mapping[str, str], size: int, sender: Any) -> int:
        """Return how many bytes are taken.

        Args:
            headers: As the server has read them: COOKIE and others.
            size: How many are said to come; 0 where that is not said.
            sender: Stands for the request as long as its body is kept.
        """
        if headers.get("AUTHORIZATION"):
            return self._most_of_token(token_of(headers["AUTHORIZATION"]), size, sender)
        if size < ANYBODY_BYTES and not headers.get("COOKIE"):
            return ANYBODY_BYTES
        cookies = parse_cookie(headers.get("COOKIE", "")[:16_384])
        if not self._has_session(cookies):
            return ANYBODY_BYTES
        return self._most_of(self._marked(cookies) if size >= FORM_BYTES else None, size, sender)

    def _most_of_token(self, token: str | None, size: int, sender: Any) -> int:
        """Return how many bytes are taken of a program that shows a token; one that was not made here is nobody's."""
        if token is None or not is_sealed(token, str(self.app.secret_key)):
            return ANYBODY_BYTES
        return self._most_of(token if size >= FORM_BYTES else None, size, sender)

    def _most_of(self, person: str | None, size: int, sender: Any) -> int:
        if person is None or size >= self.file_bytes or not self._has_room(person, size):
            return FORM_BYTES
        self._sending.setdefault(person, WeakSet()).add(sender)
        return self.file_bytes

    def _has_session(self, cookies: Mapping[str, str]) -> bool:
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        try:
            session = serializer.loads(cookies.get(str(self.app.config["SESSION_COOKIE_NAME"]), ""))
        except BadSignature:
            return False
        return isinstance(session, dict) and "_user_id" in session

    def _marked(self, cookies: Mapping[str, str]) -> str | None:
        try:
            return str(_signer(self.app).loads(cookies.get(MARK, ""), max_age=MARK_S))
        except BadSignature:
            return None

    def _has_room(self, person: str, size: int) -> bool:
        for one in [one for one, senders in self._sending.items() if not senders]:
            del self._sending[one]
        # A form's files are taken out of the body into files of their own, so that they lie there twice for a moment.
        enough = shutil.disk_usage(tempfile.gettempdir()).free - 2 * size >= KEEP_FREE_BYTES
        return enough and len(self._sending.get(person, ())) < MOST_AT_ONCE


def guarded(doorkeeper: Doorkeeper) -> type[HTTPChannel]:
    """Return waitress' connection, which asks *doorkeeper* when it has read the headers of a request."""

    class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress comes without types
        adj: Any
        error: Any

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            if self.body_rcv is not None:
                self.adj = copy(self.adj)
                self.adj.max_request_body_size = doorkeeper.most_bytes(self.headers, self.content_length, self)

        def received(self, data: bytes) -> int:
            taken: int = super().received(data)
            if isinstance(self.error, RequestEntityTooLarge):
                self.error = RequestEntityTooLarge(TOO_LARGE)
            return taken

    class Channel(HTTPChannel):  # type: ignore[misc]  # waitress comes without types
        parser_class = Parser

    return Channel


def mark_pages_with_files(app: Flask) -> None:
    """Give the mark with every page that takes files and was shown."""
    @app.after_request
    def _mark(response: Response) -> Response:
        view = app.view_functions.get(request.endpoint or "")
        if getattr(view, "takes_files", False) and request.method == "GET" and response.status_code == 200:
            from core.web.visit import visit

            if (visitor := visit().visitor) is not None:
                mark_uploader(response, visitor.person)
        return response
