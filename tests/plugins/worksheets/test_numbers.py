"""Sets of record numbers: as small as what is in them, however far apart the numbers lie."""

from __future__ import annotations

import random
import tracemalloc

from plugins.worksheets.targets import Numbers


def test_numbers_far_apart_take_little_memory() -> None:
    """A file may name any number; a set of a few takes kilobytes, not a bit for each number up to the highest."""
    tracemalloc.start()
    found = Numbers([2**33, 2**52, 1])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    assert (True, True, True) == (2**33 in found, 2**52 in found, 1 in found)


def test_they_are_a_set() -> None:
    """What was added is in it, and nothing else."""
    source = random.Random(1)
    numbers = {source.randrange(1, 5000) for _ in range(900)} | {2**40 + n for n in range(0, 700, 3)}
    found = Numbers(numbers)
    asked = [*range(6000), *range(2**40 - 10, 2**40 + 1000)]
    assert [n in numbers for n in asked] == [n in found for n in asked]
