"""Agreement: what somebody agrees to when they have seen a plan, and when that is no longer what would be done.

Agreed to are the backup, the options and the kind of effect: which documents change and how, which collections of records are
touched, how many pointers are lost, about how many records are written. An app in use changes all the time; that a few records
more or fewer are written is told afterwards and stops nobody.

Source: docs/decisions/0015.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from core.archive.canonical import canonical
from core.base.errors import PlanChanged
from core.extension.data_report import DataReport

MORE_PART, MORE_RECORDS = 0.5, 100
"""How many records more than shown still count as the same effect: a part of those shown, plus a number."""


def token(asked: Mapping[str, Any], components: Mapping[str, Any], data: Iterable[DataReport]) -> str:
    """Return a plan's name: the digest of what must not change, then the numbers that may, each after a full stop.

    Args:
        asked: The options of the plan.
        components: What it says of each component's documents.
        data: What it says of their data.
    """
    data = list(data)
    touched = sorted((one.key, one.written) for report in data for one in report.collections)
    shape = {"asked": asked, "collections": [key for key, _ in touched],
             "documents": {name: found for name, said in components.items() if (found := _touched(said))}}
    numbers = [sum(report.references_count for report in data), *(written for _, written in touched)]
    return ".".join([hashlib.sha256(canonical(shape)).hexdigest(), *map(str, numbers)])


def subject(plan: str) -> str:
    """Return the part of a plan's name that must not change: what a proof of identity is given for."""
    return plan.partition(".")[0]


def check(shown: str, now: str) -> None:
    """Refuse where what would be done is no longer what was shown, in a way that matters to a person.

    Raises:
        PlanChanged: with what is different, and the plan as it is now.
    """
    why = _difference(shown, now)
    if why:
        raise PlanChanged(f"The app has changed since the plan was made: {why}. Nothing was restored. Check the new plan.", plan=now)


def more_written(shown: str, now: str) -> int:
    """Return how many records more are written than were shown; less than nothing where there are fewer."""
    return sum(_numbers(now)[1:]) - sum(_numbers(shown)[1:])


def _difference(shown: str, now: str) -> str:
    (lost, *before), (lost_now, *after) = _numbers(shown), _numbers(now)
    if subject(shown) != subject(now) or len(before) != len(after):
        return "other documents or records would be changed, or in another way"
    if lost_now > lost:
        return f"{lost_now} references could not be restored where {lost} were shown"
    many = next(((a, b) for b, a in zip(before, after, strict=True) if a > b * (1 + MORE_PART) + MORE_RECORDS), None)
    return f"{many[0]} records would be written where {many[1]} were shown" if many else ""


def _numbers(plan: str) -> list[int]:
    return [int(one) if one.isascii() and one.isdigit() and len(one) < 16 else 0 for one in plan.split(".")[1:]] or [0]


def _touched(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a component says of the documents that change."""
    return {verb: found for verb, found in said.get("documents", {}).items() if verb != "unchanged" and found}
