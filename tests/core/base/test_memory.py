"""Memory that is free goes back to the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

_FREED = """
from core.base.memory import give_back
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
if {told}:
    give_back()
large = bytearray(24_000_000)
del large
pieces = [bytearray(1_000_000) for _ in range(20)]
last = bytearray(1_000_000)
full = resident()
del pieces
print(full - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Another C library keeps what is free in another way.")
def test_pieces_that_are_free_are_given_back_even_after_a_large_one_was() -> None:
    """As the library does by itself, all of them stay with the process as long as one that came after them is there."""
    assert freed(told=True) > 18_000_000
    assert freed(told=False) < 5_000_000


def freed(*, told: bool) -> int:
    """Return how many bytes of twenty million a process gives back."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run([sys.executable, "-c", _FREED.format(told=told)], env=environment, check=True, capture_output=True, text=True)
    return int(done.stdout)
