"""Who works on a run: the name of a process, and whether the process of a name is gone for certain.

A name tells the machine's boot and the space in which process numbers count, so that nobody is taken for somebody else; of
processes elsewhere nothing is known, and their lease says whether they live.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def this_process() -> str:
    """Return the name of this process; "" where the system does not tell."""
    started = _started(os.getpid())
    return f"{_place()}/{os.getpid()}/{started}" if started and _place() else ""


def is_gone(name: str | None) -> bool:
    """Say whether the process of a name is known to have ended."""
    place, _, rest = (name or "").rpartition("/")[0].rpartition("/")
    if not place or place != _place():
        return False
    return _started(int(rest)) != (name or "").rpartition("/")[2]


@cache
def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot[:8]}.{os.readlink('/proc/self/ns/pid')[5:-1]}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the boot; "" where there is none, or where it is a zombie."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else words[19]
