"""What is free goes back to the system: a process that read one large list must not hold on to that much for the rest of its life."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

ALONE_BYTES = 512 * 1024
"""From this size on a piece of memory is the system's again as soon as it is free."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_SETTINGS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


def give_back() -> None:
    """Have this process give free memory back, where its C library is one that can be told so; who has told it, is obeyed.

    The GNU C library raises both limits to twice the largest piece that was freed: a restore of ten million records had 10 MB more.
    Source: mallopt(3).
    """
    if any(name in os.environ for name in _SETTINGS):
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, ALONE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * ALONE_BYTES)
