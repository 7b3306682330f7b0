"""The one place that asks what time it is, so that tests can say it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_ahead_us = 0
_wrong_us = 0
_corrected_us = 0
NOTICED_US = 5_000_000
"""A clock that is wrong by more than this is corrected; less is the time that asking takes."""
log = logging.getLogger(__name__)


def now_us() -> int:
    """Return the time as integer microseconds since 1970, UTC; by the database's clock where that could be asked."""
    return own_us() + _corrected_us + _ahead_us


def own_us() -> int:
    """Return what this machine's own clock says."""
    return time.time_ns() // 1000 + _wrong_us


def ahead_us() -> int:
    """Return how far tests have moved the time."""
    return _ahead_us


def correct(true_us: int) -> None:
    """Follow a clock that all processes share: what `now_us` says is true from now on, however wrong this machine's clock is."""
    global _corrected_us
    off = true_us - own_us()
    corrected = off if abs(off) > NOTICED_US else 0
    if abs(corrected - _corrected_us) > NOTICED_US:
        log.error("This machine's clock is %s seconds %s the database's, which is followed: set it right",
                  abs(off) // 1_000_000, "behind" if off > 0 else "ahead of")
        _corrected_us = corrected


@contextmanager
def skewed(seconds: float) -> Iterator[None]:
    """Set this machine's clock wrong, but not the database's: for tests."""
    global _wrong_us, _corrected_us
    before = _wrong_us, _corrected_us
    _wrong_us += round(seconds * 1_000_000)
    try:
        yield
    finally:
        _wrong_us, _corrected_us = before


@contextmanager
def moved(seconds: float) -> Iterator[None]:
    """Set the clock of this whole process ahead by some seconds: for tests."""
    global _ahead_us
    before = _ahead_us
    _ahead_us = before + round(seconds * 1_000_000)
    try:
        yield
    finally:
        _ahead_us = before


def iso(time_us: int) -> str:
    """Return a time in microseconds as "2026-11-23T09:30:00Z", cut to the second."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
