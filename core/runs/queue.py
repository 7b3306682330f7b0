"""The queue, in two lanes: wakes a worker with the id of a run, as JSON. What takes it from there is in `core.processes.worker`."""

from __future__ import annotations

import logging
import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from core.base.config import Config
from core.runs.models import EXPRESS, GENERAL, RESEND_AFTER_S
from core.server import server

QUEUE = "appkeep"
QUEUES = {GENERAL: QUEUE, EXPRESS: f"{QUEUE}-express"}
FUNCTION = "core.runs.queue.perform"
"""What every job names. It is a word between this program's processes, of all its versions, and nobody looks it up."""
RESULT_TTL_S = 60
ANSWER_S = 5
"""How long the queue may take to answer whoever sends a run."""
HUNG_S = 10
_hung = {"until": 0.0}
"""Until when a queue that did not answer is not asked again, by this process."""
log = logging.getLogger(__name__)


def send(run_id: str, lane: str) -> None:
    """Wake a worker of a lane for a run. A queue that cannot be reached is logged: the clock sends again.

    A job that waits is forgotten after a while, so that jobs sent again do not pile up. One that takes what is said and
    never answers is not asked again for a while: somebody waits for the page, or the clock for its other work.
    """
    if time.monotonic() < _hung["until"]:
        log.warning("Run %s waits: the queue does not answer", run_id)
        return
    waiting = queue(server().config, lane, socket_timeout=ANSWER_S, retry=None)
    try:
        waiting.enqueue_call(
            FUNCTION, args=(run_id,), timeout=server().config.run_timeout_s, ttl=2 * RESEND_AFTER_S,
            result_ttl=RESULT_TTL_S, failure_ttl=RESULT_TTL_S, description=f"run {run_id}")
    except (RedisError, OSError) as error:
        if isinstance(error, RedisTimeout):
            _hung["until"] = time.monotonic() + HUNG_S
        log.warning("Run %s waits: the queue cannot be reached (%s)", run_id, error)
    finally:
        waiting.connection.close()


def queue(config: Config, lane: str = GENERAL, *, job_class: type[Job] = Job, **more: Any) -> Queue:
    """Return the queue of a lane, on the server that the settings name; *more* is for the connection."""
    return Queue(QUEUES[lane], connection=connection(config, **more), serializer=JSONSerializer, job_class=job_class)


def connection(config: Config, **more: Any) -> Redis:
    """Return a connection to the queue's server; *more* as `Redis` has it. Workers set how long they wait for an answer themselves."""
    return Redis.from_url(config.queue_url, socket_connect_timeout=ANSWER_S, **more)
