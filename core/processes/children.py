"""Children: processes that end when their parent dies, and how soon one that ended is started again."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence

LOOK_S = 0.5
"""Time between two looks whether all children are there."""
WELL_AFTER_S = 10
"""A child that has lived so long had started well."""
_PR_SET_PDEATHSIG = 1


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child that is told to end when this process dies, however it dies."""
    return subprocess.Popen(command, preexec_fn=_end_with_parent, stdin=subprocess.DEVNULL)


def end_with_parent() -> None:
    """Have this process told to end when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_with_parent() -> None:
    end_with_parent()
    # A Ctrl-C in the terminal reaches the supervisor only, which stops its children in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def backoff_s(failures: int) -> int:
    """Return how long to wait before a child is started again that ended so many times in a row."""
    return min(int(2 ** failures), 30)
