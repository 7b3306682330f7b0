"""A crew: one process that has loaded everything, and its forks, which share that memory. It starts again whoever of them ends."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core.processes.children import LOOK_S, WELL_AFTER_S, backoff_s, end_with_parent

WAIT_S = 0.05
STOPPING = (signal.SIGINT, signal.SIGTERM)
log = logging.getLogger(__name__)


@dataclass
class Hand:
    """One of a crew: what it does, and the process that does it."""

    name: str
    work: Callable[[], None]
    pid: int | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0


def keep(hands: Sequence[Hand]) -> None:
    """Keep a process at each hand's work until a signal tells this one to stop; they are told too, and waited for.

    Told again, they are told again. They end when this process dies, however it dies.
    """
    stop = threading.Event()

    def pass_on(*_: object) -> None:
        stop.set()
        for hand in hands:
            if hand.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(hand.pid, signal.SIGTERM)

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, pass_on)
    gc.collect()
    gc.freeze()  # what is not touched is not copied
    while not stop.is_set():
        for hand in hands:
            _look_after(hand, stop)
        stop.wait(LOOK_S)
    for hand in hands:
        if hand.pid is not None:
            os.waitpid(hand.pid, 0)


def _look_after(hand: Hand, stop: threading.Event) -> None:
    """Start a hand that is not there, or not any more, waiting longer each time that it ends soon."""
    with undisturbed():
        now = time.monotonic()
        if hand.pid is not None and (ended := os.waitpid(hand.pid, os.WNOHANG))[0]:
            hand.failures = 1 if now - hand.started > WELL_AFTER_S else hand.failures + 1
            hand.pid, hand.next_start = None, now + backoff_s(hand.failures)
            log.warning("The worker of %s ended with status %s; it is started again", hand.name, os.waitstatus_to_exitcode(ended[1]))
        if hand.pid is None and now >= hand.next_start and not stop.is_set():
            hand.pid, hand.started = forked(hand.work), now


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back: between a fork and the note of its number, nobody could pass them on to it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Fork:
    """A process that does a piece of work, as `forked` makes it; to be looked after like one of `subprocess.Popen`."""

    def __init__(self, work: Callable[[], None]) -> None:
        gc.collect()
        gc.freeze()  # what is not touched is not copied
        with undisturbed():
            self.pid = forked(work)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how the process ended, None as long as it did not."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how the process ended, once it did.

        Raises:
            subprocess.TimeoutExpired: it did not within so many seconds.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() > ends:
                raise subprocess.TimeoutExpired(["fork"], timeout or 0)
            time.sleep(WAIT_S)
        return code

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def forked(work: Callable[[], None]) -> int:
    """Return the number of a new process that does the work and nothing after it."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        # A Ctrl-C in the terminal reaches the crew's first process only, which passes it on.
        os.setpgid(0, 0)
        end_with_parent()
        for number in STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        if os.getppid() == parent:  # else it died before it could be followed
            work()
        status = 0
    except BaseException:
        # Whatever it is, this process must not go on as if it were its parent.
        traceback.print_exc()
    finally:
        os._exit(status)
