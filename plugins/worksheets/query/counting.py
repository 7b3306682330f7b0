"""Counting: how many records a question asks for, and how many of each value of a field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, literal, select

from core.api import App
from plugins.worksheets.query.ask import Ask
from plugins.worksheets.query.facets import facet_of
from plugins.worksheets.query.paging import scanned
from plugins.worksheets.query.plan import Plan
from plugins.worksheets.query.walking import counted

MAX_GROUPED = 200_000


def count(app: App, ask: Ask, *, most: int = 10_000) -> tuple[int, bool]:
    """Return how many records a question asks for, up to *most*, and whether that is exactly all of them."""
    plan = Plan(app, ask)
    if not ask.within:
        return 0, True
    if plan.slow:
        found, whole = scanned(plan)
        return min(len(found), most), whole and len(found) <= most
    number = counted(plan, most + 1)
    return min(number, most), number <= most


def groups(app: App, ask: Ask, field: str, *, most: int = 100) -> list[tuple[Any, int]]:
    """Return (value as it is stored, how many records), the most frequent first; None stands for no value.

    Of a question that is looked at in Python, or grouped by a computed field, only so many records are counted as
    `paging.SCAN_ROWS` says; of others the first `MAX_GROUPED`.
    """
    plan = Plan(app, ask)
    one = plan.fields.get(field)
    facet = None if one is None else facet_of(one)
    if facet is None or not ask.within:
        return []
    if plan.slow or not facet.field.stored:
        seen = Counter(json.dumps(one.value(field)) for one in scanned(plan)[0])
        return [(json.loads(text), number) for text, number in _ordered(seen, most)]
    inner = select(plan.values.json(field).label("value")).where(*plan.where()).limit(MAX_GROUPED).subquery()
    query = select(inner.c.value, func.count(literal(1))).group_by(inner.c.value)
    counts: dict[Any, int] = dict(plan.door.connection.execute(query).tuples().all())
    return [(None if text is None else msgspec.json.decode(text), number) for text, number in _ordered(counts, most)]


def _ordered(counts: Mapping[Any, int], most: int) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))[:most]
