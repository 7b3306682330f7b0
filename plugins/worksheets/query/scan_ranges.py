"""Ranges: stretches of an order along which rows come without being sorted: by their numbers, or by an indexed field's keys.

A walk goes down the ranges of an order one after the other and looks at windows of each, no further than it may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Select, Text, func, literal, select, tuple_

from plugins.worksheets.models import Record, RecordKey
from plugins.worksheets.query.comparators import Box, Comparator
from plugins.worksheets.query.indexing import Keys
from plugins.worksheets.query.orders import ByChoice, ByComparator, Spot, Term
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.records import COLUMNS, Row
from plugins.worksheets.records.keys import key_of
from plugins.worksheets.records.values import Expression

r, k = Record.__table__.c, RecordKey.__table__.c
Place = tuple[str, int]
"""Where one is in a range: key, number. The key is empty in a range that has none."""
MAX_RANGES = 40
"""A field of more choices is not walked choice by choice: most may have no record."""
MAX_GONE = 200
NO_CHOICE = "none"
"""A key that no choice has: those begin with “o_”."""


@dataclass(frozen=True, slots=True)
class ScanRange:
    """A stretch of an order. With `keys` it goes by the index, sorted by key where `by_key`; `also` narrows it by others."""

    keys: Keys | None = None
    by_key: bool = False
    down: bool = False
    also: tuple[Keys, ...] = ()
    within: tuple[Keys, ...] = ()

    def turned(self) -> ScanRange:
        """Return the range the other way round."""
        return replace(self, down=not self.down)

    def rows(self, plan: PreparedQuery, place: Place | None, size: int, limit: int) -> list[Row]:
        """Return at most *limit* of the next *size* rows of the range that are meant, in its order."""
        window = self._places(plan, place).limit(size).subquery()
        columns = [window.c.key, window.c.seq] if self.by_key else [window.c.seq]
        query = select(*COLUMNS).join_from(window, Record.__table__, (r.seq == window.c.seq)).where(*plan.where())
        return plan.store.fetch(query.order_by(*(self._turn(one) for one in columns)).limit(limit))

    def end(self, plan: PreparedQuery, place: Place | None, size: int) -> Place | None:
        """Return the place of the last of the next *size* rows, None where the range ends before."""
        found = plan.store.connection.execute(self._places(plan, place).limit(1).offset(size - 1)).first()
        return None if found is None else (found.key, found.seq)

    def _places(self, plan: PreparedQuery, place: Place | None) -> Select[Any]:
        """Return the query for the keys and numbers of the range beyond a place, in its order."""
        if self.keys is None:
            state = r.deleted_at.is_not(None) if plan.ask.deleted else r.deleted_at.is_(None)
            query = select(literal("", Text).label("key"), r.seq).where(r.app_id == plan.app.id, r.worksheet == plan.ask.worksheet, state)
            seq = r.seq
        else:
            query, seq = _of(plan, self.keys.field), k.seq
            query = query.where(*self.keys.where(), *(one for keys in self.within for one in keys.where()))
        for keys in self.also:
            query = query.where(seq.in_(select(k.seq).where(*_field(plan, keys.field), *keys.where())))
        if place is not None:
            query = query.where(*self._beyond(seq, place))
        return query.order_by(*(self._turn(one) for one in ([k.key, seq] if self.by_key else [seq])))

    def _beyond(self, seq: Any, place: Place) -> list[Expression]:
        key, number = literal(place[0], Text), literal(place[1], BigInteger)
        if not self.by_key:
            return [seq < number if self.down else seq > number]
        here, there = tuple_(k.key, seq), tuple_(key, number)
        return [here < there if self.down else here > there]

    def _turn(self, one: Any) -> Any:
        return one.desc() if self.down else one.asc()


def ranges_of(plan: PreparedQuery, allowed: Sequence[Keys]) -> list[ScanRange] | None:
    """Return the ranges of a plan's order; None where its rows must be sorted.

    Args:
        plan: The plan.
        allowed: The keys that its filter allows; those of the field that is sorted by narrow the ranges.
    """
    if not plan.order.terms:
        single = next((one for one in allowed if one.only is not None and len(one.only) == 1), None)
        return [ScanRange(single, down=plan.order.down)]
    term = plan.order.terms[0]
    if len(plan.order.terms) > 1 or plan.order.down is not term.descending or not is_indexed(plan, term):
        return None
    within = tuple(one for one in allowed if one.field == term.name)
    if isinstance(term, ByChoice):
        return [replace(scan_range, within=within) for scan_range in by_choice(plan, term)] if len(term.keys) <= MAX_RANGES else None
    if not isinstance(term, ByComparator):
        return None
    filled = ScanRange(Keys(term.name), by_key=True, down=term.descending, within=within)
    return [filled, ScanRange(Keys(term.name, only=("",)), down=term.descending, within=within)]


def is_indexed(plan: PreparedQuery, term: Term) -> bool:
    """Say whether the index knows the order of a term."""
    comparator = term.comparator if isinstance(term, ByComparator | ByChoice) else None
    return comparator is not None and type(comparator) in (Comparator, Box) and plan.kinds.get(comparator.name) == comparator.kind


def by_choice(plan: PreparedQuery, term: ByChoice) -> list[ScanRange]:
    """Return a range for each choice in the field's order, one for those that are gone, one for records without any."""
    gone = _gone(plan, term)
    ranked = [ScanRange(Keys(term.name, only=(key,)), down=term.descending) for key in term.keys]
    ranked.append(ScanRange(Keys(term.name, only=gone or (NO_CHOICE,)), down=term.descending))
    return [*(ranked[::-1] if term.descending else ranked), ScanRange(Keys(term.name, only=("",)), down=term.descending)]


def _gone(plan: PreparedQuery, term: ByChoice) -> tuple[str, ...]:
    """Return the choices that records hold although the field has them no more: by leaps from key to key."""
    here = _field(plan, term.name)
    leap = select(func.min(k.key).label("key")).where(*here, k.key > literal("", Text)).cte("leap", recursive=True)
    beyond = select(func.min(k.key)).where(*here, k.key > leap.c.key).scalar_subquery()
    leap = leap.union_all(select(beyond).where(leap.c.key.is_not(None)))
    query = select(leap.c.key).where(leap.c.key.is_not(None)).limit(len(term.keys) + MAX_GONE)
    return tuple(key for key in plan.store.connection.execute(query).scalars() if key not in term.ranks)


def start_of(plan: PreparedQuery, scan_ranges: Sequence[ScanRange], spot: Spot) -> tuple[int, Place]:
    """Return which of the ranges a spot lies in, counted as the order goes forward, and where in it."""
    seq = int(spot[-1])
    if len(scan_ranges) == 1:
        return 0, ("", seq)
    term, value = plan.order.terms[0], spot[0]
    if value is None:
        return len(scan_ranges) - 1, ("", seq)
    if isinstance(term, ByChoice):
        return rank_range(term, value), ("", seq)
    return 0, (key_at(term, value), seq)


def rank_range(term: ByChoice, value: Any) -> int:
    """Return which of the ranges of a choice field a spot's value lies in."""
    rank = min(int(value), len(term.keys))
    return len(term.keys) - rank if term.descending else rank


def key_at(term: Term, value: Any) -> str:
    """Return the key of a spot's value."""
    return key_of(term.comparator.kind, value) if isinstance(term, ByComparator) and term.numeric else str(value)


def _of(plan: PreparedQuery, field: str) -> Select[Any]:
    return select(k.key, k.seq).where(*_field(plan, field))


def _field(plan: PreparedQuery, field: str) -> list[Expression]:
    return [k.app_id == plan.app.id, k.worksheet == plan.ask.worksheet, k.field == field]

