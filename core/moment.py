"""The one place that asks what time it is, so that tests can say it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_ahead_us = 0


def now_us() -> int:
    """Return the time as integer microseconds since 1970, UTC."""
    return time.time_ns() // 1000 + _ahead_us


@contextmanager
def moved(seconds: float) -> Iterator[None]:
    """Let the clock of this whole process be so many seconds ahead of what it was: for tests."""
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
