"""How long a stranger's code may run: what does not return in time is interrupted.

A watching thread raises `OutOfTime` in the thread that is late, again and again until it comes out. Python takes it between two
instructions of its own, so that what waits within the C library (a long sleep, a socket without a timeout) comes out only once that
returns. Where nobody else uses the alarm of a process's main thread, that is used instead, and interrupts such waits too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN_S = 1.0
"""So often it is tried again to interrupt what caught the first attempt."""
LOOK_S = 0.25
_set_in = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)(("PyThreadState_SetAsyncExc", ctypes.pythonapi))
"""Sets what is raised in a thread next, by the address of its class; None for nothing."""


class OutOfTime(BaseException):
    """Comes out of code that runs for too long. No `except Exception` of that code takes it."""


class TookTooLong(RuntimeError):
    """Code was interrupted, as it ran for too long."""


class RaisedOtherwise(RuntimeError):
    """Code raised what is no error but ends what is around it, as GeneratorExit or asyncio's CancelledError."""


class _Call:
    """A call that is under way: of which thread, until when, and how often it was interrupted."""

    def __init__(self, ends: float) -> None:
        self.thread, self.ends, self.times = threading.get_ident(), ends, 0


class _Watch:
    """The thread that watches calls, one a process; it is started with the first call."""

    def __init__(self) -> None:
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._calls: set[_Call] = set()
        self._thread: threading.Thread | None = None

    def enter(self, seconds: float) -> _Call:
        """Watch a call of this thread from now on."""
        call = _Call(time.monotonic() + seconds)
        with self._lock:
            self._calls.add(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="time-bound", daemon=True)
                self._thread.start()
        self._wake.set()
        return call

    def leave(self, call: _Call) -> None:
        """Watch a call no more; an interruption that is still to come does not come."""
        with self._lock:
            self._calls.discard(call)
            if call.times:
                _set_in(call.thread, None)

    def _look(self) -> None:
        while True:
            with self._lock:
                now, any_left = time.monotonic(), bool(self._calls)
                for call in self._calls:
                    if call.ends <= now:
                        call.ends, call.times = now + AGAIN_S, call.times + 1
                        _set_in(call.thread, id(OutOfTime))
            if any_left:
                time.sleep(LOOK_S)
            else:
                self._wake.wait()
                self._wake.clear()


_watch = _Watch()


def _begin_anew() -> None:
    global _watch  # a child has none of its parent's threads
    _watch = _Watch()


os.register_at_fork(after_in_child=_begin_anew)


def bounded(seconds: float, function: Callable[..., Any], arguments: Sequence[object] = ()) -> Any:
    """Return what a function returns.

    Raises:
        TookTooLong: it did not return within so many *seconds*, and was interrupted.
        RaisedOtherwise: see `as_error`.
    """
    try:
        with as_error(), _alarm(seconds) if _alarm_is_free() else _watched(seconds):
            return function(*arguments)
    except OutOfTime:
        raise TookTooLong(f"it did not return within {seconds:g} s") from None


@contextmanager
def as_error() -> Iterator[None]:
    """Make an error of what the block raises and is none; SystemExit, and what a person or a bound ends it by, stay what they are.

    Raises:
        RaisedOtherwise: with what was raised.
    """
    try:
        yield
    except (Exception, SystemExit, KeyboardInterrupt, OutOfTime):
        raise
    except BaseException as error:
        raise RaisedOtherwise(f"it raised {type(error).__name__} {error}".strip()) from error


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    watch = _watch
    call = watch.enter(seconds)
    try:
        yield
    finally:
        try:
            watch.leave(call)
        finally:  # it may have been interrupted itself
            watch.leave(call)


def _alarm_is_free() -> bool:
    """Say whether this is the main thread and nobody set an alarm, as a run of a worker does."""
    return (threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
            and signal.getitimer(signal.ITIMER_REAL)[0] == 0)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # it may have been interrupted itself
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _ring(number: int, frame: FrameType | None) -> None:
    raise OutOfTime
