"""Doing once what is asked for twice: whoever got no answer asks again with the same Idempotency-Key, and is told what was done.

What is done and that it was done are one commit; two who ask at the same moment wait for each other. What was refused was not done, so
that asking again tries again. Source: the IETF's draft on the Idempotency-Key header.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from flask import current_app, request
from sqlalchemy import delete, select, update

from core.archive.canonical import canonical
from core.base.db import db, insert_once, transaction
from core.base.errors import InvalidInput
from core.base.time import now_us
from core.tenancy.answered_requests import KEPT_US, AnsweredRequest
from core.tenancy.wall import tenant
from core.web.http_api.operations import Answer
from core.web.visit import visit

HEADER = "Idempotency-Key"
SCHEMA = {"type": "string", "minLength": 1, "maxLength": 200, "description": (
    "Any text of yours. Who sends the same request with the same key again within a day gets the first one’s answer: nothing is done "
    "twice.")}
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
_table = AnsweredRequest.__table__
_c = _table.c


class KeyUsed(InvalidInput):
    """The key stands for another request."""

    code, title = "key_used", "The key was used for something else"


def once(act: Callable[[], Any]) -> Any:
    """Do something in a transaction and return its answer; with a key that was used already, return what was answered then.

    Raises:
        KeyUsed: the key was used for another request.
        InvalidInput: it is no key.
    """
    asked = _asked()
    with transaction():
        return act() if asked is None else _once(asked, act)


def answered_before() -> Answer | None:
    """Return what was answered to the same request before, None where it was not done: what looks long before it acts asks this first.

    Raises:
        KeyUsed, InvalidInput: see `once`.
    """
    asked = _asked()
    return None if asked is None else _answer(asked)


def _asked() -> tuple[str, str] | None:
    """Return the digests of the key and of what is asked for; None where no key is given."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.match(key):
        raise InvalidInput(f"{HEADER} takes 1 to 200 visible ASCII characters.")
    what = _digest(request.method, request.full_path, request.get_data(cache=True))
    return _digest(visit().person, key), what


def _answer(asked: tuple[str, str]) -> Answer | None:
    row = db.session.connection().execute(select(_c.asked, _c.status, _c.headers, _c.answer).where(
        _c.id == asked[0], _c.organization_id == tenant(), _c.made_at >= now_us() - KEPT_US)).first()
    if row is None or row.status is None:
        return None
    if row.asked != asked[1]:
        raise KeyUsed(f"This {HEADER} was used for another request within a day. Take a new one.")
    return Answer(json.loads(row.answer), row.status, {**json.loads(row.headers), "Idempotency-Replayed": "true"})


def _once(asked: tuple[str, str], act: Callable[[], Any]) -> Answer:
    now = now_us()
    connection = db.session.connection()
    connection.execute(delete(_table).where(_c.organization_id == tenant(), _c.id == asked[0], _c.made_at < now - KEPT_US))
    # Two statements, so that the second sees what whoever the first had to wait for has committed.
    insert_once(_table, id=asked[0], organization_id=tenant(), asked=asked[1], status=None, headers="{}", answer="null", made_at=now)
    if (done := _answer(asked)) is not None:
        return done
    given = act()
    answer = given if isinstance(given, Answer) else Answer(given)
    made = Answer(answer.value, answer.status or _status(), dict(answer.headers), answer.etag)
    kept = {**made.headers, **({"ETag": f'"{made.etag}"'} if made.etag else {})}
    connection.execute(update(_table).where(_c.organization_id == tenant(), _c.id == asked[0]).values(
        status=made.status, headers=json.dumps(kept), answer=canonical(made.value).decode()))
    return made


def _status() -> int:
    view: Any = current_app.view_functions[request.endpoint or ""]
    return int(view.operation.status)


def _digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        found.update(f"{len(raw)}:".encode() + raw)
    return found.hexdigest()
