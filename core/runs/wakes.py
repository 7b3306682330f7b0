"""Wakes: a worker looks after work that a plugin keeps in rows of its own. The rows are the truth; a wake that is lost is sent again.

A job of the queue carries the wake's name and ids only. As long as one for an app waits, no other is sent: a mark in the queue's
server says so, which the worker removes before it looks.
"""

from __future__ import annotations

import logging
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import select

from core.base.db import after_commit, db, in_transaction
from core.base.ids import is_key
from core.runs.models import EXPRESS
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant

if TYPE_CHECKING:
    from redis import Redis

WAITS_S = 30
"""A mark is believed for so long: what it stands for may have been lost with the queue."""
ANSWER_S = 2
WORK_S = 600
"""A job that takes longer is ended; what does the work ends long before that and sends for the next."""
WORD = "wake"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_hung = {"until": 0.0}
log = logging.getLogger(__name__)


def wake(app: App, name: str) -> None:
    """Have a worker call the hook `work_off` for an app, in the tenant of its organization; inside a transaction, after its commit."""
    organization_id, app_id = app.organization_id, app.id
    if in_transaction():
        after_commit(lambda: send(organization_id, app_id, name))
    else:
        send(organization_id, app_id, name)


def send(organization_id: str, app_id: str, name: str) -> None:
    """Send a wake, unless one waits; a queue that cannot be reached is logged, and for a while not asked again."""
    if time.monotonic() < _hung["until"]:
        return
    from redis.exceptions import RedisError

    from core.runs.queue import FUNCTION, HUNG_S, RESULT_TTL_S, queue

    try:
        if _client(server().config.queue_url).set(_mark(app_id, name), "1", nx=True, ex=WAITS_S):
            waiting = queue(server().config, EXPRESS, socket_timeout=ANSWER_S, retry=None)
            try:
                waiting.enqueue_call(FUNCTION, args=(f"{WORD}/{name}/{organization_id}/{app_id}",), timeout=WORK_S, ttl=2 * WAITS_S,
                                     result_ttl=RESULT_TTL_S, failure_ttl=RESULT_TTL_S, description=f"{name} of {app_id}")
            finally:
                waiting.connection.close()
    except (RedisError, OSError) as error:
        _hung["until"] = time.monotonic() + HUNG_S
        log.info("Work of %s waits for the clock: the queue cannot be reached (%s)", name, error)


def is_wake(text: str) -> bool:
    """Say whether what a job carries is a wake, and no run's id."""
    return text.startswith(f"{WORD}/")


def work(text: str) -> None:
    """Do what a wake asks for; one that names nothing there is here is let go.

    Raises:
        ValueError: it is no wake.
    """
    word, _, rest = text.partition("/")
    name, organization_id, app_id = (*rest.split("/"), "", "", "")[:3]
    if word != WORD or not _NAME.match(name) or not is_key(organization_id) or not is_key(app_id):
        raise ValueError(f"The queue holds a wake that cannot be read: {text[:100]!r}")
    from redis.exceptions import RedisError

    try:
        _client(server().config.queue_url).delete(_mark(app_id, name))
    except (RedisError, OSError) as error:
        log.warning("The queue cannot be reached, the work goes on: %s", error)
    with as_server():
        app = _find(app_id)
        if app is None or app.organization_id != organization_id:
            return
    with as_tenant(organization_id):
        found = _find(app_id)
        if found is not None:
            server().registry.hook.work_off(app=found, name=name)


def _find(app_id: str) -> App | None:
    return db.session.scalar(select(App).where(App.id == app_id, App.deleted_at.is_(None)))


def _mark(app_id: str, name: str) -> str:
    return f"appkeep:{WORD}:{name}:{app_id}"


@lru_cache(maxsize=8)
def _client(_url: str) -> Redis:
    """Return a client that keeps its connections: a wake is sent with nearly every write."""
    from core.runs.queue import connection

    return connection(server().config, socket_timeout=ANSWER_S)
