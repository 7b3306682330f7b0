"""Bounds of time on strangers' code: it comes out, in any thread, and nothing comes afterwards."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from core.extension import time_bound
from core.extension.time_bound import TookTooLong, bounded


def looping() -> None:
    """Never return; take each error that can be taken."""
    while True:
        with suppress(Exception):
            sum(range(100))


def in_thread(act: Callable[[], Any]) -> Any:
    """Return what an act gives in a thread of its own, or what it raises."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        except BaseException as error:  # the test looks at it
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_what_returns_in_time_is_returned() -> None:
    """Here and in a thread; what it raises comes out too."""
    assert 3 == bounded(60, sum, [[1, 2]])
    assert 3 == in_thread(lambda: bounded(60, sum, [[1, 2]]))
    with pytest.raises(ZeroDivisionError):
        bounded(60, lambda: 1 // 0)


@pytest.mark.parametrize("does", [looping, lambda: time.sleep(1000)], ids=["looping", "sleeping"])
def test_the_main_thread_comes_out_of_everything(does: Callable[[], None]) -> None:
    """Of a long sleep too; the alarm is nobody's again."""
    with pytest.raises(TookTooLong, match="did not return within"):
        bounded(0.05, does)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL and 0 == signal.getitimer(signal.ITIMER_REAL)[0]


def test_a_thread_comes_out_of_a_loop() -> None:
    """One within another too: the inner bound is the inner's."""
    def outer() -> str:
        try:
            bounded(0.05, looping)
        except TookTooLong:
            return "went on"
        return "lost"

    assert isinstance(in_thread(lambda: bounded(0.05, looping)), TookTooLong)
    assert "went on" == in_thread(lambda: bounded(60, outer))


def test_an_alarm_of_somebody_else_stays_theirs() -> None:
    """As that of a run in a worker, which ends the run."""
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with pytest.raises(TookTooLong):
            bounded(0.05, looping)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 900
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_nothing_comes_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that end at the very moment at which they would be interrupted: each is one or the other, and what follows is left alone."""
    monkeypatch.setattr(time_bound, "LOOK_S", 0.0001)

    def many() -> int:
        late = 0
        for _ in range(300):
            ends = time.monotonic() + 0.001
            try:
                bounded(0.001, lambda until=ends: [None for _ in iter(lambda: time.monotonic() < until, False)])
            except TookTooLong:
                late += 1
            sum(range(2000))
        return late

    assert isinstance(in_thread(many), int)
