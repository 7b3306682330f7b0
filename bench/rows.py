"""The rows of the benchmark: worksheets, and records that differ from one to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

WORKSHEET, TARGET = "w_BenchBench", "w_BenchLinks"
TARGETS, FILES = 10_000, 100
"""How many records are linked to, and how many different files there are; one record in fifty has one."""
TYPES = [("text", {}), ("text", {}), ("long_text", {}), ("number", {"decimals": 0}), ("currency", {"decimals": 2, "currency": "EUR"}),
         ("date", {}), ("datetime", {}), ("checkbox", {}), ("email", {}), ("phone", {}), ("url", {}), ("rating", {"max": 5})]
CHOICES = [f"o_BenchChoi{n}" for n in range(1, 6)]
_CHOICES = {"choices": [{"key": key, "name": f"Choice {n}"} for n, key in enumerate(CHOICES, start=1)]}
MORE = [("single_select", _CHOICES), ("multiple_select", _CHOICES),
        ("relationship", {"target": {"ref": f"worksheet/{TARGET}"}}), ("file", {}),
        ("percent", {"decimals": 1}), ("duration", {}), ("time", {}), ("rich_text", {})]
WORDS = ("account", "bridge", "candle", "delta", "engine", "forest", "garden", "harbor", "island", "jungle", "kettle",
         "lantern", "meadow", "needle", "orchard", "pepper", "quarry", "river", "summer", "timber")


def fields(*, every: bool) -> list[dict[str, Any]]:
    """Return the twelve fields of the worksheet; or twenty, of *every* kind that holds values."""
    named = [f"f_Bench1111{n:x}".replace("0", "z") for n in range(1, 13)] + [f"f_Bench2222{n}" for n in range(1, 9)]
    types = [*TYPES, *(MORE if every else ())]
    return [{"key": key, "type": kind, "name": f"Field {n}", "options": options}
            for n, (key, (kind, options)) in enumerate(zip(named, types, strict=False), start=1)]


def rows(first: int, end: int, files: list[tuple[str, int]]) -> Iterator[tuple[int, str]]:
    """Yield (number, values as canonical JSON): about 320 bytes each, 570 with all kinds of fields, which *files* are for."""
    keys = [one["key"] for one in fields(every=bool(files))]
    for n in range(first, end):
        held = dict(zip(keys, [*plain(n), *(more(n, files) if files else ())], strict=True))
        yield n, json.dumps({key: held[key] for key in sorted(held) if held[key] is not None}, separators=(",", ":"))


def plain(n: int) -> list[Any]:
    """Return the values of the twelve fields."""
    def word(k: int) -> str:
        return WORDS[(n * 7919 + k * 104729) % len(WORDS)]

    return [f"{word(1)} {word(2)} {n}", f"{word(3)} {word(4)}", " ".join(word(k) for k in range(5, 17)), n * 37 % 100003,
            f"{n % 99991}.{n % 100:02d}", f"20{n % 30:02d}-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
            f"20{n % 30:02d}-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:{n % 60:02d}:00Z", True, f"{word(18)}.{n}@example.org",
            f"+49 30 {n:08d}", f"https://example.org/{word(19)}/{n}", n % 5 + 1]


def more(n: int, files: list[tuple[str, int]]) -> list[Any]:
    """Return the values of the other eight."""
    content, size = files[n % len(files)]
    file = [{"file": content, "name": f"file-{n}.txt", "size": size, "type": "text/plain"}] if n % 50 == 0 else None
    return [CHOICES[n % 5], sorted({CHOICES[n % 5], CHOICES[n * 7 % 5]}), [n % TARGETS + 1, n * 31 % TARGETS + 1], file,
            f"{n % 100}.{n % 10}", n % 86_400, f"{n % 24:02d}:{n % 60:02d}:00", f"**{WORDS[n % 20]}** {n}"]


def target_rows() -> Iterator[tuple[int, str]]:
    """Yield the records that are linked to."""
    for n in range(1, TARGETS + 1):
        yield n, f'{{"f_Bench11111":"Target {n}"}}'
