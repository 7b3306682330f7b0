"""The one place that asks what time it is, so that tests can say it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_us() -> int:
    """Return the time as integer microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def iso(time_us: int) -> str:
    """Return a time in microseconds as "2026-11-23T09:30:00Z", cut to the second."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
