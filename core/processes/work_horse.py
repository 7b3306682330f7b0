"""The process that does a worker's jobs: a short one after another, so that what one has made ready serves the next.

SQLAlchemy makes each statement once, a connection is opened once, a plugin looks things up once: a backup of a small app took
130 ms of a process of its own, and takes 30 ms in one that has done another. What follows soon is done there; a job that failed, took
long or took much memory is the last of its process, and so is one after which nothing comes for some seconds.

The worker hands a job over a pair of sockets and is told when it has been taken, and when it is done. Whatever else is heard there,
or nothing, means that the process has ended or shall: then there is a new one.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import time
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job

LINGER_S = 5
"""So long a process waits for another job."""
LONG_S = 10
"""A job that took longer is the last of its process: what it left behind may be much, and making things anew is little beside it."""
MOST_JOBS = 200
GROWN_BYTES = 64 * 1024 * 1024
ANSWER_S = 5
"""How long a process that waits for a job may take to say that it has it."""
MESSAGE_BYTES = 4096
TAKEN, DONE = b"+", b"."


class LastingWorker(Worker):
    """A worker whose process for jobs may do several of them, one after another."""

    _near: socket.socket | None = None
    """The worker's end of the line to the process that does, or did, a job."""
    _far: socket.socket
    """That process's own end."""
    _resting: int | None = None
    """The process that waits for another job."""

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Have the process that waits do the job, or a new one."""
        if not self._handed_over(job, queue):
            self.let_go()
            self._near, self._far = socket.socketpair()
            super().fork_work_horse(job, queue)
            self._far.close()

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Return once the job is done, or its process has ended: its number, how it ended (0 if it waits now), and what it used."""
        ended = os.wait4(self.horse_pid, os.WNOHANG)  # a program that it has started may hold the line open
        if ended[0]:
            return ended
        if self._near is not None and _heard(self._near) == DONE:
            self._resting = self.horse_pid
            return self.horse_pid, 0, None
        found: tuple[int | None, int | None, Any] = super().wait_for_horse()
        return found

    def let_go(self) -> None:
        """End the process that waits for a job, if there is one."""
        if self._near is not None:
            self._near.close()
            self._near = None
        if self._resting is not None:
            with suppress(ProcessLookupError):
                os.kill(self._resting, signal.SIGKILL)  # it does nothing: it waits, or was about to begin with what it is told here
            with suppress(ChildProcessError):
                os.waitpid(self._resting, 0)
            self._resting = None

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Do a job and those that follow it soon, then end; this is the process that was forked for it."""
        status = 1
        try:
            random.seed()
            self.setup_work_horse_signals()  # type: ignore[no-untyped-call]
            self._is_horse = True
            if self._near is not None:
                self._near.close()
            self._do_jobs(job, queue)
            status = 0
        finally:
            os._exit(status)

    def _do_jobs(self, job: Job, queue: Queue) -> None:
        execution, at_first = self.execution, _peak_bytes()
        for left in reversed(range(MOST_JOBS)):
            begun = time.monotonic()
            fine = copy_context().run(self.perform_job, job, queue, execution)  # type: ignore[arg-type]
            if not (fine and left) or time.monotonic() - begun > LONG_S or _peak_bytes() - at_first > GROWN_BYTES:
                return
            self._far.sendall(DONE)
            told = self._told()
            if told is None:
                return
            job, queue, execution = told
            self.execution = execution
            self._far.sendall(TAKEN)

    def _told(self) -> tuple[Job, Queue, Execution] | None:
        """Return the next job, None if none comes in time or the worker has ended."""
        self._far.settimeout(LINGER_S)
        message = _heard(self._far)
        if not message:
            return None
        name, execution = json.loads(message)
        queue = next(one for one in self.queues if one.name == name)
        found = Execution.from_composite_key(execution, self.connection)
        return self.job_class.fetch(found.job_id, self.connection, self.serializer), queue, found

    def _handed_over(self, job: Job, queue: Queue) -> bool:
        """Say whether the process that waits has taken a job."""
        if self._resting is None or self._near is None or self.execution is None:
            return False
        try:
            self._near.settimeout(ANSWER_S)
            self._near.sendall(json.dumps([queue.name, self.execution.composite_key]).encode())
            if _heard(self._near) != TAKEN:
                return False
            self._near.settimeout(None)
        except OSError:
            return False
        self._horse_pid, self._resting = self._resting, None
        return True


def _heard(line: socket.socket) -> bytes:
    """Return what comes over the line next; nothing where it ends, or does not come in time."""
    try:
        return line.recv(MESSAGE_BYTES)
    except (TimeoutError, ConnectionResetError):
        return b""


def _peak_bytes() -> int:
    """Return the most memory that this process ever had; a fork begins with what it shares."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
