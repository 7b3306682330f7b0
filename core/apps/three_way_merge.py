"""Three-way merge: two changes of one body, made at once from the same start. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.base.errors import Conflict

_ABSENT = object()
STALE = "Somebody else changed the same thing, so nothing was saved. Reload the page to see the current version, then make your change."


def merged(start: Any, mine: Any, theirs: Any) -> Any:
    """Return *theirs* with what *mine* changed since *start*: property by property, and in lists of parts part by part.

    Raises:
        Conflict: both changed the same.
    """
    if mine in (start, theirs):
        return theirs
    if theirs == start:
        return mine
    if all(isinstance(one, Mapping) for one in (start, mine, theirs)):
        return _properties(start, mine, theirs)
    if all(_is_keyed(one) for one in (start, mine, theirs)):
        return _parts(*(({one["key"]: one for one in side}) for side in (start, mine, theirs)))
    raise Conflict(STALE)


def _properties(start: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: merged(*(side.get(name, _ABSENT) for side in (start, mine, theirs))) for name in {**theirs, **mine}}
    return {name: value for name, value in found.items() if value is not _ABSENT}


def _parts(start: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Any]:
    found = _properties(start, mine, theirs)
    return [found[key] for key in _order(list(start), list(mine), list(theirs)) if key in found]


def _order(start: list[str], mine: list[str], theirs: list[str]) -> list[str]:
    """Return all keys in the order of whoever changed it, those that only the other has behind what they stand behind there."""
    if _keeps(start, mine):
        return _woven(theirs, mine)
    if _keeps(start, theirs):
        return _woven(mine, theirs)
    raise Conflict(STALE)


def _keeps(before: list[str], after: list[str]) -> bool:
    there, was = set(after), set(before)
    return [key for key in before if key in there] == [key for key in after if key in was]


def _woven(order: list[str], other: list[str]) -> list[str]:
    found, known = list(order), set(order)
    for place, key in enumerate(other):
        if key not in known:
            found.insert(found.index(other[place - 1]) + 1 if place else 0, key)
            known.add(key)
    return found


def _is_keyed(value: Any) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    keys = [one.get("key") if isinstance(one, Mapping) else None for one in value]
    return None not in keys and len(set(keys)) == len(keys)
