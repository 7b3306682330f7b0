"""Walking: the rows that SQL lets through, in a plan's order, from a spot on. Here the index of values is used.

Where a filter allows few keys of an indexed field, the rows that have them are sorted. Else the walk goes along the order's
ranges, a window at a time, and stops where it has looked at as many rows as it may. An order without ranges is sorted as a
whole by the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from sqlalchemy import func, select

from plugins.worksheets.models import Record, RecordKey
from plugins.worksheets.query.indexing import Keys, allowed, answers_all
from plugins.worksheets.query.orders import ByChoice, Spot
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.query.scan_ranges import (
    MAX_RANGES,
    Place,
    ScanRange,
    by_choice,
    is_indexed,
    key_at,
    ranges_of,
    rank_range,
    start_of,
)
from plugins.worksheets.records import RecordStore, Row
from plugins.worksheets.records.values import Expression

r, k = Record.__table__.c, RecordKey.__table__.c
LOOK_ROWS = 20_000
"""How many rows a page of a grid looks at in SQL before it says that it stopped."""
LARGE = 50_000
"""From so many records on, a sort without an index is worth a word."""
FEW = 5_000
DENSE = 10_000
"""After so many rows without a full page the filter's own index narrows the range."""
_GROWTH = 8


@dataclass(slots=True)
class Scanned:
    """Rows in the direction of the walk; `stopped` is where it ended although there may be more, `looked` how many it looked at."""

    rows: list[Row]
    stopped: Spot | None = None
    looked: int = 0


@dataclass(slots=True)
class _Look:
    """How far one walk has come."""

    limit: int
    most: int | None
    rows: list[Row]
    looked: int = 0

    @property
    def full(self) -> bool:
        return len(self.rows) >= self.limit

    @property
    def tired(self) -> bool:
        return self.most is not None and self.looked >= self.most


def walk(plan: PreparedQuery, spot: Spot | None, back: bool, limit: int, *, most: int | None = None) -> Scanned:
    """Return at most *limit* rows after a spot, or before it, nearest first, where *back*.

    Args:
        plan: What is asked.
        spot: Where to begin; None for the first, or the last where *back*.
        back: Whether to go backwards.
        limit: How many rows.
        most: How many rows to look at; None for all there are.
    """
    if plan.plain:
        plan.store.bring_from(plan.ask.worksheet, None if spot is None else spot[-1], limit, back=back)
    keys = allowed(plan.predicate, plan.kinds)
    few = _few(plan, keys)
    scan_ranges = ranges_of(plan, keys) if few is None else None
    if scan_ranges is None and few is None and plan.order.terms and is_indexed(plan, plan.order.terms[0]):
        return Scanned(_sorted_in_parts(plan, spot, back, limit, keys))
    if scan_ranges is None:
        return Scanned(_sorted(plan, spot, back, limit, *(() if few is None else (plan.values.among(r.seq, few),))))
    return _along(plan, scan_ranges, [one for one in keys if not _serves(one, scan_ranges)], spot, back, _Look(limit, most, []))


def counted(plan: PreparedQuery, most: int, *, look: int | None = None) -> tuple[int, bool]:
    """Return how many rows SQL lets through, no further than *most*, and whether these are all among what was looked at."""
    connection, whole = plan.store.connection, plan.ask.within.everybody and not plan.search.words
    exact = answers_all(plan.predicate, plan.kinds) if whole else None
    if exact is not None:
        return int(connection.execute(_number(_having(plan, exact).limit(most))).scalar_one()), True
    few = _few(plan, allowed(plan.predicate, plan.kinds))
    if few is not None:
        rows = plan.rows().with_only_columns(r.seq).where(plan.values.among(r.seq, few))
    elif look is None or (plan.ask.filter is None and whole):
        rows = plan.rows().with_only_columns(r.seq)
    else:
        return _counted_within(plan, most, look)
    return int(connection.execute(_number(rows.limit(most))).scalar_one()), True


def is_sorted_without_index(plan: PreparedQuery) -> bool:
    """Say whether a page takes sorting all records of its worksheet, which is slow where there are many (`is_large`)."""
    if not plan.order.terms or plan.order.slow or is_indexed(plan, plan.order.terms[0]):
        return False
    return _few(plan, allowed(plan.predicate, plan.kinds)) is None


def is_large(store: RecordStore, worksheet: str, count: int | None = None) -> bool:
    """Say whether a worksheet has many records; *count* is how many, where somebody has counted all of them."""
    if count is not None:
        return count > LARGE
    return store.has_more_than(worksheet, LARGE)


def _along(plan: PreparedQuery, scan_ranges: Sequence[ScanRange], spare: Sequence[Keys], spot: Spot | None, back: bool,
           look: _Look) -> Scanned:
    """Go along ranges from a spot; *spare* are keys of the filter that no range goes by."""
    first, place = (None, None) if spot is None else start_of(plan, scan_ranges, spot)
    order = range(len(scan_ranges) - 1, -1, -1) if back else range(len(scan_ranges))
    for number in order:
        if first is not None and (number > first if back else number < first):
            continue
        scan_range = scan_ranges[number].turned() if back else scan_ranges[number]
        stopped = _down(plan, scan_range, spare, place if number == first else None, look)
        if look.full:
            break
        if stopped is not None:
            return Scanned(look.rows, _spot_at(plan, stopped), look.looked)
    return Scanned(look.rows, looked=look.looked)


def _down(plan: PreparedQuery, scan_range: ScanRange, spare: Sequence[Keys], place: Place | None, look: _Look) -> Place | None:
    """Look at windows of one range until there are enough rows; return where it stopped, None at the range's end."""
    size = look.limit
    while True:
        if look.looked >= DENSE and spare:
            scan_range, spare = _narrowed(scan_range, spare), ()
        look.rows += scan_range.rows(plan, place, size, look.limit - len(look.rows))
        look.looked += size
        if look.full:
            return None
        place = scan_range.end(plan, place, size)
        if place is None or look.tired:
            return place
        size = min(size * _GROWTH, LOOK_ROWS, LOOK_ROWS if look.most is None else look.most - look.looked)


def _narrowed(scan_range: ScanRange, spare: Sequence[Keys]) -> ScanRange:
    """Return a range that leaves out what keys of the filter do not allow; one by numbers goes by those keys itself."""
    if scan_range.keys is None:
        return replace(scan_range, keys=spare[0], also=tuple(spare[1:]))
    return replace(scan_range, also=tuple(spare))


def _serves(keys: Keys, scan_ranges: Sequence[ScanRange]) -> bool:
    """Say whether ranges go by these keys already."""
    return any(scan_range.keys is keys or keys in scan_range.within for scan_range in scan_ranges)


def _few(plan: PreparedQuery, keys: Sequence[Keys]) -> list[int] | None:
    """Return the numbers of the records that have keys which only a few have; None where there are no such keys."""
    for one in keys:
        found = plan.store.connection.execute(_having(plan, one).limit(FEW + 1)).scalars().all()
        if len(found) <= FEW:
            return list(found)
    return None


def _sorted(plan: PreparedQuery, spot: Spot | None, back: bool, limit: int, *among: Expression) -> list[Row]:
    """Have the database sort all rows, or only those *among* some."""
    query = plan.rows().where(*among).order_by(*plan.order.by(plan.values, back=back)).limit(limit)
    if spot is not None:
        query = query.where(plan.order.beyond(plan.values, spot, back=back))
    return plan.store.fetch(query)


def _sorted_in_parts(plan: PreparedQuery, spot: Spot | None, back: bool, limit: int, allowed: Sequence[Keys]) -> list[Row]:
    """Sort by several fields of which the first is indexed: no more records than have the first keys that a page takes."""
    found: list[Row] = []
    for part in _parts(plan, None if spot is None else spot[0], spot is None, back, limit, allowed):
        found += _sorted(plan, spot, back, limit - len(found), r.seq.in_(_having(plan, part)))
        if len(found) >= limit:
            break
    return found


def _parts(plan: PreparedQuery, value: Any, whole: bool, back: bool, size: int, allowed: Sequence[Keys]) -> Iterator[Keys]:
    """Yield the keys of the first field in the order of the walk, from a value on; those without a value at their end of it."""
    term = plan.order.terms[0]
    if isinstance(term, ByChoice):
        scan_ranges = by_choice(plan, term)
        first = 0 if whole and not back else len(scan_ranges) - 1 if whole or value is None else rank_range(term, value)
        ahead = scan_ranges[first::-1] if back else scan_ranges[first:]
        some = [scan_range.keys.only or () for scan_range in ahead if scan_range.keys is not None]
        together = 1 if len(scan_ranges) <= MAX_RANGES else MAX_RANGES
        yield from (Keys(term.name, only=tuple(chain(*some[n:n + together]))) for n in range(0, len(some), together))
        return
    empty = Keys(term.name, only=("",))
    if back and value is None:
        yield empty
    if back or whole or value is not None:
        narrow = next((one for one in allowed if one.field == term.name and one.only is None), Keys(term.name))
        yield from _ranges(plan, narrow, None if value is None else key_at(term, value), term.descending is not back, size)
    if not back:
        yield empty


def _ranges(plan: PreparedQuery, narrow: Keys, start: str | None, down: bool, size: int) -> Iterator[Keys]:
    """Yield ranges of keys from a key on, that key included, each with about so many records, or with those of one key."""
    begun = False
    while True:
        rest = Keys(narrow.field)
        if start is not None:
            rest = replace(rest, high=start, high_open=begun) if down else replace(rest, low=start, low_open=begun)
        rest = rest.within(narrow)
        turn = k.key.desc() if down else k.key.asc()
        bound = plan.store.connection.execute(_having(plan, rest).with_only_columns(k.key).order_by(turn).limit(1).offset(size)).scalar()
        if bound is None:
            yield rest
            return
        yield replace(rest, low=bound, low_open=False) if down else replace(rest, high=bound, high_open=False)
        start, begun, size = bound, True, size * _GROWTH


def _spot_at(plan: PreparedQuery, place: Place) -> Spot | None:
    """Return the spot of the record at a place of a range."""
    row = plan.store.row(plan.ask.worksheet, place[1])
    return None if row is None else plan.order.spot(plan.evaluator.evaluate([row], ())[0])


def _counted_within(plan: PreparedQuery, most: int, look: int) -> tuple[int, bool]:
    """Count among the first rows only."""
    state = r.deleted_at.is_not(None) if plan.ask.deleted else r.deleted_at.is_(None)
    mine = r.app_id == plan.app.id, r.worksheet == plan.ask.worksheet, state
    last = plan.store.connection.execute(select(r.seq).where(*mine).order_by(r.seq).limit(1).offset(look)).scalar()
    rows = plan.rows().with_only_columns(r.seq)
    rows = rows if last is None else rows.where(r.seq < last)
    number = int(plan.store.connection.execute(_number(rows.limit(most))).scalar_one())
    return number, last is None or number >= most


def _having(plan: PreparedQuery, keys: Keys) -> Any:
    return select(k.seq).where(k.app_id == plan.app.id, k.worksheet == plan.ask.worksheet, k.field == keys.field, *keys.where())


def _number(query: Any) -> Any:
    return select(func.count()).select_from(query.subquery())


__all__ = ["LOOK_ROWS", "Scanned", "counted", "is_large", "is_sorted_without_index", "walk"]
