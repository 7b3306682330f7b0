"""Counting: how many records a question asks for, and how many of each value of a field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Text, func, literal, select

from core.api import App
from plugins.worksheets.models import RecordKey
from plugins.worksheets.query.comparators import Comparator, comparator_of
from plugins.worksheets.query.paging import SCAN_ROWS, scanned
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.query.query import Query
from plugins.worksheets.query.scan import counted, is_large
from plugins.worksheets.records.keys import CHECK, CHOICE

k = RecordKey.__table__.c
MAX_GROUPED = 50_000
MOST_OF_ONE = 10_000
MAX_DISTINCT = 500_000
"""How many records are counted by the values that they have together."""
FEW_SEEN = 1_000
"""How many records are looked at in Python for a count that may be a lower bound."""


def count(app: App, ask: Query, *, most: int = 10_000, look: int | None = None) -> tuple[int, bool]:
    """Return how many records a question asks for, up to *most*, and whether that is exactly all of them.

    With *look*, only about so many rows are looked at where no index tells: of a large worksheet the number is then a least one.
    """
    plan = PreparedQuery(app, ask, in_order=True)
    if not ask.within:
        return 0, True
    if plan.plain and (known := plan.store.known_count(ask.worksheet)) is not None:
        return min(known, most), known <= most
    look = look if ask.within.everybody else None
    if plan.slow:
        found, whole = scanned(plan, SCAN_ROWS if look is None else FEW_SEEN, look)
        return min(len(found), most), whole and len(found) <= most
    number, whole = counted(plan, most + 1, look=look)
    return min(number, most), whole and number <= most


@dataclass(frozen=True, slots=True)
class Counts:
    """(value as it is stored, how many records), the most frequent first, None for no value; `exact` says that all were counted."""

    found: Sequence[tuple[Any, int]]
    exact: bool = True


def groups(app: App, ask: Query, field: str, *, most: int = 100) -> Counts:
    """Return how many records there are of each value of a field.

    Of a question that is looked at in Python, or grouped by a computed field, only so many records are counted as
    `paging.SCAN_ROWS` says; of others the first `MAX_GROUPED`, and of each value at most so many where it is indexed.
    """
    plan = PreparedQuery(app, ask, grouped=field)
    one = plan.fields.get(field)
    comparator = None if one is None else comparator_of(one)
    if comparator is None or not ask.within:
        return Counts(())
    if plan.slow or not comparator.field.stored:
        records, whole = scanned(plan)
        seen = Counter(json.dumps(record.value(field)) for record in records)
        return Counts([(json.loads(text), number) for text, number in _ordered(seen, most)], whole)
    all_large = ask.filter is None and ask.within.everybody and is_large(plan.store, ask.worksheet)
    indexed = _by_index(plan, comparator, most) if all_large else None
    if indexed is not None:
        return indexed
    inner = select(plan.values.json(field).label("value")).where(*plan.where()).limit(MAX_GROUPED).subquery()
    query = select(inner.c.value, func.count(literal(1)).label("number")).group_by(inner.c.value)
    counts: dict[Any, int] = {row.value: row.number for row in plan.store.connection.execute(query)}
    found = [(None if text is None else msgspec.json.decode(text), number) for text, number in _ordered(counts, most)]
    return Counts(found, sum(counts.values()) < MAX_GROUPED)


def distinct(app: App, ask: Query, fields: Sequence[str], *, most: int) -> tuple[list[tuple[dict[str, Any], int]], int, bool] | None:
    """Return the values that records have in some fields together, each with how many records have them.

    With how many records were counted, and whether those are all. None where the database cannot tell: a field is computed, the question
    is looked at in Python, or there are more than *most* such values.
    """
    plan = PreparedQuery(app, ask)
    if plan.slow or not ask.within or not all(key in plan.fields and plan.fields[key].stored for key in fields):
        return None
    if not fields:
        number, whole = counted(plan, MAX_DISTINCT + 1)
        return [({}, number)] if number else [], number, whole and number <= MAX_DISTINCT
    columns = [plan.values.json(key).label(f"value{n}") for n, key in enumerate(fields)]
    inner = select(*columns).where(*plan.where()).limit(MAX_DISTINCT).subquery()
    query = select(*inner.c, func.count(literal(1)).label("number")).group_by(*inner.c).limit(most + 1)
    rows = plan.store.connection.execute(query).all()
    if len(rows) > most:
        return None
    found = [({key: msgspec.json.decode(text) for key, text in zip(fields, row[:-1], strict=True) if text is not None}, int(row[-1]))
             for row in rows]
    seen = sum(number for _, number in found)
    return found, seen, seen < MAX_DISTINCT


def _by_index(plan: PreparedQuery, comparator: Comparator, most: int) -> Counts | None:
    """Return the counts of a field of few values by leaps from key to key; None where the index does not say them all."""
    if plan.kinds.get(comparator.name) not in (CHOICE, CHECK):
        return None
    here = k.app_id == plan.app.id, k.worksheet == plan.ask.worksheet, k.field == comparator.name
    counts: dict[str, int] = {}
    last: str | None = None
    while len(counts) <= most:
        beyond = () if last is None else (k.key > literal(last, Text),)
        last = plan.store.connection.execute(select(func.min(k.key)).where(*here, *beyond)).scalar()
        if last is None:
            found = [(value_of(comparator.kind, key), number) for key, number in _ordered(counts, most)]
            return Counts(found, max(counts.values(), default=0) < MOST_OF_ONE)
        one = select(k.seq).where(*here, k.key == literal(last, Text)).limit(MOST_OF_ONE).subquery()
        counts[last] = int(plan.store.connection.execute(select(func.count()).select_from(one)).scalar_one())
    return None


def value_of(kind: str, key: str) -> Any:
    """Return the stored value that has a key of a choice or a checkbox."""
    return (True if key == "1" else None) if kind == CHECK else key or None


def _ordered(counts: Mapping[Any, int], most: int) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))[:most]
