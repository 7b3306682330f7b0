"""The worker: takes ids of runs from the queue's lanes and does the runs, and accepts no other job.

The one danger: whoever can write to Redis can name any function of any module. `RunJob` runs one, never looks the name
up, and knows no callbacks and no addresses to call.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from sqlalchemy.orm import configure_mappers

from core.app import create_app
from core.base.config import Config
from core.processes.crew import Hand, keep
from core.processes.work_horse import LastingWorker
from core.runs import wakes
from core.runs.models import EXPRESS, GENERAL
from core.runs.queue import FUNCTION, RESULT_TTL_S, connection, queue
from core.runs.service import named, work
from core.server import server
from core.tenancy.plugin_states import note_failures

_loaded: dict[str, Flask] = {}
"""The application as the process has it that forks one for each job: made once, and never connected to a database there."""
MAX_WAIT_S = 15
"""The longest wait between two looks for a queue that is away."""
log = logging.getLogger(__name__)


class RunJob(Job):
    """A job that can only be "do the run of this id"."""

    def restore(self, raw_data: Any) -> None:
        """Read what Redis holds of a job; one that cannot be read counts as gone, so that the worker goes on.

        Raises:
            NoSuchJobError: it cannot be read.
        """
        try:
            super().restore(raw_data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoSuchJobError(f"The queue holds a job that cannot be read: {error}") from error
        self.webhooks = []

    @property
    def func(self) -> Any:
        """The one function there is.

        Raises:
            PermissionError: the job names another.
        """
        if self.func_name != FUNCTION or self.instance is not None:
            raise PermissionError(f"The queue holds a job that is none of Appkeep's: {str(self.func_name)[:100]!r}")
        return perform

    @property
    def success_callback(self) -> None:
        """None: a job from outside cannot bring one."""

    @property
    def failure_callback(self) -> None:
        """None: a job from outside cannot bring one."""

    @property
    def stopped_callback(self) -> None:
        """None: a job from outside cannot bring one."""


class PatientWorker(LastingWorker):
    """A worker whose job goes on while the queue is away; the run's own lease tells that it lives.

    One that was told to stop before it heard of signals itself takes no job. Neither does one whose end was lost: what a signal raises
    is thrown away where it comes while Python tidies up.
    """

    told_to_stop: Callable[[], bool] = staticmethod(lambda: False)
    max_connection_wait_time = MAX_WAIT_S

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if self.told_to_stop():
            self._shutdown_requested_date = now()
            raise StopRequested

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Say whether the queue is to be tidied, as the library asks before each look for a job.

        Raises:
            StopRequested: the worker was told to stop.
        """
        if self._shutdown_requested_date is not None:
            raise StopRequested
        return bool(super().should_run_maintenance_tasks)

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """Tell the queue that the job goes on, where there is a queue."""
        try:
            super().maintain_heartbeats(job, execution)
        except (RedisError, OSError) as error:
            log.warning("The queue cannot be reached, the job goes on: %s", error)


def perform(run_id: str) -> None:
    """Do a run in a worker's process, or what a wake asks for."""
    if not isinstance(run_id, str):
        raise TypeError("A run's id is text, and so is a wake.")
    with (_loaded.get("app") or create_app()).app_context():
        wakes.work(run_id) if wakes.is_wake(run_id) else work(run_id)
        note_failures()


def run_worker(config: Config, *, burst: bool = False) -> None:
    """Take jobs until told to stop, or in a *burst* until there are none; a signal lets the current ones end first.

    Two processes share the memory of this one: the first takes jobs of both lanes, short ones first, the second takes short ones only.
    In a burst this process takes the jobs of both.
    """
    app = _loaded["app"] = create_app(config)  # so that a worker that cannot start says so before it takes a job
    configure_mappers()
    if burst:
        _take_jobs(config, (EXPRESS, GENERAL), burst=True)
        return
    with app.app_context():
        share_work()
    keep([Hand("both lanes", partial(_serve, config, (EXPRESS, GENERAL))), Hand("the express lane", partial(_serve, config, (EXPRESS,)))])


def share_work() -> None:
    """Import what does each kind of runs, so that the processes share it; a stranger's that cannot be is logged, and its runs fail."""
    registry = server().registry
    for kind in registry.run_kinds.values():
        registry.call("register_run_kind", kind.name, partial(named, kind.work))


def _serve(config: Config, lanes: Sequence[str]) -> None:
    """Take jobs of the lanes until told to stop, and wait for a queue that is away."""
    stop, failures = threading.Event(), 0
    while not stop.is_set():
        for number in (signal.SIGINT, signal.SIGTERM):  # while jobs are taken, the library's own are in their place
            signal.signal(number, lambda *_: stop.set())
        try:
            if _take_jobs(config, lanes, told_to_stop=stop.is_set):
                return
            failures = 0
        except (RedisError, OSError) as error:
            log.warning("The worker waits for the queue: %s", error)
        failures += 1
        stop.wait(min(2 ** (failures - 1), MAX_WAIT_S))


def _take_jobs(config: Config, lanes: Sequence[str], *, burst: bool = False, told_to_stop: Callable[[], bool] = lambda: False) -> bool:
    """Take jobs, those of the lane that is named first before others; say whether that ended because somebody told the worker to stop.

    Raises:
        RedisError: the queue is away.
    """
    queues = [queue(config, lane, job_class=RunJob) for lane in lanes]
    worker = PatientWorker(queues, connection=connection(config), serializer=JSONSerializer, job_class=RunJob,
                           default_result_ttl=RESULT_TTL_S)
    worker.told_to_stop = told_to_stop
    try:
        worker.work(burst=burst, logging_level="WARNING", with_scheduler=False)
    except (StopRequested, RedisError, OSError):
        # Whoever was told to stop need not say good-bye to a queue that is away.
        if worker._shutdown_requested_date is None:
            raise
    finally:
        worker.let_go()
    return worker._shutdown_requested_date is not None
