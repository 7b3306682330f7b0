"""Pages: records in the order of a question, from a cursor on, no more rows read than are shown where SQL can tell.

Where it cannot (computed fields, search), rows are read in batches and looked at; after `SCAN_ROWS` of them the page says
that it is partial and where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.api import App
from plugins.worksheets.query.ask import Ask, Page
from plugins.worksheets.query.cursors import read_cursor, write_cursor
from plugins.worksheets.query.orders import Spot
from plugins.worksheets.query.plan import Plan
from plugins.worksheets.query.seen import Seen
from plugins.worksheets.query.walking import walk
from plugins.worksheets.records import Row

SCAN_ROWS = 20_000
"""So many rows one request looks at in Python."""
MAX_LIMIT = 1000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in the direction of reading, and whether there may be more beyond the last looked at."""

    rows: list[Seen]
    more: bool
    stopped: Seen | None = None


def page(app: App, ask: Ask, *, cursor: str | None = None, limit: int = 50) -> Page:
    """Return a page of the records that a question asks for.

    Args:
        app: The app; its tenant is open.
        ask: What for.
        cursor: From a page of the same question; None for the first page.
        limit: How many records at most, up to `MAX_LIMIT`.

    Raises:
        NotFound: there is no such worksheet.
        InvalidInput: the cursor is none of this question's.
    """
    plan = Plan(app, ask)
    spot, back = (None, False) if cursor is None else read_cursor(plan.mark, plan.order, cursor)
    limit = max(1, min(limit, MAX_LIMIT))
    if not ask.within:
        return Page(notes=tuple(plan.notes))
    found = _sorted_here(plan, spot, back, limit) if plan.order.slow else _looked_through(plan, spot, back, limit)
    return _shown(plan, found, spot, back)


def _shown(plan: Plan, found: Found, spot: Spot | None, back: bool) -> Page:
    """Return what was found as a page, with the cursors that go on from it."""
    rows = found.rows[::-1] if back else found.rows
    made = Page([seen.row for seen in rows], partial=found.stopped is not None, notes=tuple(plan.notes))
    beyond = found.more or found.stopped is not None
    first, last = (rows[0], rows[-1]) if rows else (found.stopped, found.stopped)
    if found.stopped is not None:
        first, last = (found.stopped, last) if back else (first, found.stopped)
    if last is not None and (beyond or back):
        made.next = write_cursor(plan.mark, plan.order.spot(last), back=False)
    elif rows == [] and back and spot is not None:
        made.next = None
    if first is not None and (beyond if back else spot is not None):
        made.previous = write_cursor(plan.mark, plan.order.spot(first), back=True)
    elif not rows and not back and spot is not None:
        made.previous = write_cursor(plan.mark, spot, back=True)
    return made


def _looked_through(plan: Plan, spot: Spot | None, back: bool, limit: int) -> Found:
    if not plan.slow:
        rows = walk(plan, spot, back, limit + 1)
        seen = plan.eye.see(rows[:limit], ())
        return Found(seen, len(rows) > limit)
    kept: list[Seen] = []
    for scanned, last in enumerate(_batches(plan, spot, back), start=1):
        if matches(plan, last):
            kept.append(last)
            if len(kept) > limit:
                return Found(kept[:limit], True)
        if scanned >= SCAN_ROWS:
            return Found(kept, True, last)
    return Found(kept, False)


def matches(plan: Plan, seen: Seen) -> bool:
    """Say whether a record that SQL let through is meant."""
    return plan.predicate.holds(seen) and (not plan.search.words or plan.search.holds(seen))


def _batches(plan: Plan, spot: Spot | None, back: bool) -> Iterator[Seen]:
    size = _BATCH // 5
    while rows := walk(plan, spot, back, size):
        batch = plan.eye.see(rows, plan.needs)
        yield from batch
        if len(rows) < size:
            return
        spot, size = plan.order.spot(batch[-1]), _BATCH


def scanned(plan: Plan, most: int = SCAN_ROWS) -> tuple[list[Seen], bool]:
    """Return the records that are meant among the first *most* that SQL lets through, and whether those were all."""
    rows: list[Row] = plan.door.fetch(plan.rows().order_by(_seq()).limit(most + 1))
    kept: list[Seen] = []
    for start in range(0, min(len(rows), most), _BATCH):
        kept += [seen for seen in plan.eye.see(rows[start:min(start + _BATCH, most)], plan.needs) if matches(plan, seen)]
    return kept, len(rows) <= most


def _seq() -> Any:
    from plugins.worksheets.models import Record

    return Record.__table__.c.seq


def _sorted_here(plan: Plan, spot: Spot | None, back: bool, limit: int) -> Found:
    """Sort in Python, as far as the bound reaches: the order hangs on computed values."""
    seen, whole = scanned(plan)
    spots = plan.order.sorted([(plan.order.spot(one), one) for one in seen])
    if not whole:
        plan.notes.append(f"Only the first {SCAN_ROWS:,} records are sorted: the field is computed.")
    if spot is not None:
        spots = [one for one in spots if (plan.order.compare(one[0], spot) < 0 if back else plan.order.compare(one[0], spot) > 0)]
    chosen = [one for _, one in (spots[::-1] if back else spots)]
    return Found(chosen[:limit], len(chosen) > limit)
