"""The difference of two JSON values, made to be read by people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One place where two values differ: "/fields/f_…/name", with what stood there; absent is None on that side."""

    at: str
    before: Any
    after: Any


def difference(before: Any, after: Any) -> list[Change]:
    """Return where two JSON values differ, at most 50 places, in document order.

    Lists of objects that carry a "key" are compared by it, so that moving an item is not changing it.
    """
    found: list[Change] = []
    for change in _walk("", before, after):
        found.append(change)
        if len(found) == MAX_CHANGES:
            break
    return found


def _walk(at: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _walk(f"{at}/{name}", before.get(name), after.get(name))
    elif _keyed(before) and _keyed(after) and (before or after):
        yield from _walk_keyed(at, before, after)
    else:
        yield Change(at or "/", before, after)


def _walk_keyed(at: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    old, new = ({item["key"]: item for item in side} for side in (before, after))
    for key in dict.fromkeys([*old, *new]):
        yield from _walk(f"{at}/{key}", old.get(key), new.get(key))
    kept = [key for key in old if key in new], [key for key in new if key in old]
    if kept[0] != kept[1]:
        yield Change(f"{at} (order)", kept[0], kept[1])


def _keyed(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) and "key" in item for item in value)
