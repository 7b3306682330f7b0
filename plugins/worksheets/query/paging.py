"""Pages: records in the order of a question, from a cursor on, no more rows read than are shown where SQL can tell.

Where it cannot (computed fields, search), rows are read in batches and looked at; after `SCAN_ROWS` of them, or after as
many rows as the page may look at, it says that it is partial and where to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from core.api import App, budget
from plugins.worksheets.query.cursors import read_cursor, write_cursor
from plugins.worksheets.query.evaluated_record import EvaluatedRecord
from plugins.worksheets.query.orders import Order, Spot
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.query.query import Page, Query
from plugins.worksheets.query.scan import is_sorted_without_index, walk

SCAN_ROWS = 20_000
"""How many rows one request looks at in Python."""
MAX_LIMIT = 1000
_BATCH = 500
ROW_WORK = 20
"""What looking at one row takes of a request's budget, beside what its fields take."""
CUT = f"Not all records were looked at: it takes more work than one page may do. {budget.HELP}"


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in the direction of reading, and whether there may be more beyond the last looked at."""

    rows: list[EvaluatedRecord]
    more: bool
    stopped: Spot | None = None


def page(app: App, ask: Query, *, cursor: str | None = None, limit: int = 50, look: int | None = None) -> Page:
    """Return a page of the records that a question asks for.

    Args:
        app: The app; its tenant is open.
        ask: What for.
        cursor: From a page of the same question; None for the first page.
        limit: How many records at most, up to `MAX_LIMIT`.
        look: How many rows to look at; None for all there are. It holds where one may read everybody's records.

    Raises:
        NotFound: there is no such worksheet.
        InvalidInput: the cursor is none of this question's.
    """
    plan = PreparedQuery(app, ask, in_order=True)
    spot, back = (None, False) if cursor is None else read_cursor(plan.mark, plan.order, cursor)
    limit = max(1, min(limit, MAX_LIMIT))
    if not ask.within:
        return Page(notes=tuple(plan.notes))
    look = look if ask.within.everybody else None
    try:
        found = _sorted_here(plan, spot, back, limit) if plan.order.slow else _looked_through(plan, spot, back, limit, look)
    except budget.BudgetSpent:
        if not plan.looks:
            raise  # the database was cut off, and answers no more
        budget.tell(CUT)
        return Page(partial=True, notes=tuple(plan.notes))
    made = _shown(plan, found, spot, back)
    if is_sorted_without_index(plan):
        made.unindexed = plan.order.terms[0].name
    return made


def _shown(plan: PreparedQuery, found: Found, spot: Spot | None, back: bool) -> Page:
    """Return what was found as a page, with the cursors that go on from it."""
    rows = found.rows[::-1] if back else found.rows
    made = Page([seen.row for seen in rows], partial=found.stopped is not None, notes=tuple(plan.notes))
    beyond = found.more or found.stopped is not None
    first, last = (plan.order.spot(rows[0]), plan.order.spot(rows[-1])) if rows else (found.stopped, found.stopped)
    if found.stopped is not None:
        first, last = (found.stopped, last) if back else (first, found.stopped)
    if last is not None and (beyond or back):
        made.next = write_cursor(plan.mark, last, back=False)
    if first is not None and (beyond if back else spot is not None):
        made.previous = write_cursor(plan.mark, first, back=True)
    elif not rows and not back and spot is not None:
        made.previous = write_cursor(plan.mark, spot, back=True)
    return made


def _looked_through(plan: PreparedQuery, spot: Spot | None, back: bool, limit: int, look: int | None) -> Found:
    if not plan.slow:
        scanned = walk(plan, spot, back, limit + 1, most=look)
        seen = plan.evaluator.evaluate(scanned.rows[:limit], ())
        return Found(seen, len(scanned.rows) > limit, scanned.stopped if len(scanned.rows) <= limit else None)
    kept: list[EvaluatedRecord] = []
    batches = Batches(plan, spot, back, look, plan.needs)
    last: EvaluatedRecord | None = None
    try:
        for count, one in enumerate(batches, start=1):
            if matches(plan, one):
                kept.append(one)
                if len(kept) > limit:
                    return Found(kept[:limit], True)
            last = one
            if count >= SCAN_ROWS:
                return Found(kept, True, plan.order.spot(last))
    except budget.BudgetSpent:
        if last is None:
            raise
        budget.tell(CUT)
        return Found(kept, True, plan.order.spot(last))
    return Found(kept, False, batches.stopped)


def matches(plan: PreparedQuery, seen: EvaluatedRecord) -> bool:
    """Say whether a record that SQL let through is meant."""
    budget.spend(ROW_WORK)
    return plan.predicate.holds(seen) and (not plan.search.words or plan.search.holds(seen))


@dataclass
class Batches:
    """The rows that SQL lets through, seen batch by batch; `stopped` says where the last one ended before its time."""

    plan: PreparedQuery
    spot: Spot | None
    back: bool
    look: int | None
    needs: Collection[str]
    stopped: Spot | None = None

    def __iter__(self) -> Iterator[EvaluatedRecord]:
        """Yield them in order."""
        spot, size, left = self.spot, _BATCH // 5, self.look
        while True:
            scanned = walk(self.plan, spot, self.back, size, most=left)
            left = None if left is None else left - scanned.looked
            batch = self.plan.evaluator.evaluate(scanned.rows, self.needs)
            yield from batch
            if scanned.stopped is not None or len(batch) < size:
                self.stopped = scanned.stopped
                return
            spot, size = self.plan.order.spot(batch[-1]), _BATCH


def scanned(plan: PreparedQuery, most: int = SCAN_ROWS, look: int | None = None) -> tuple[list[EvaluatedRecord], bool]:
    """Return the records that are meant among the first *most* that SQL lets through, by number, and whether those were all."""
    by_number = copy(plan)
    by_number.order = Order()
    batches = Batches(by_number, None, False, look, plan.needs)
    kept: list[EvaluatedRecord] = []
    try:
        for number, seen in enumerate(batches, start=1):
            if number > most:
                return kept, False
            if matches(plan, seen):
                kept.append(seen)
    except budget.BudgetSpent:
        budget.tell(CUT)
        return kept, False
    return kept, batches.stopped is None


def _sorted_here(plan: PreparedQuery, spot: Spot | None, back: bool, limit: int) -> Found:
    """Sort in Python, as far as the bound reaches: the order hangs on computed values."""
    seen, whole = scanned(plan)
    placed = _placed(plan, seen)
    spots = plan.order.sorted(placed)
    if not whole or len(placed) < len(seen):
        plan.notes.append(f"Only the first {len(placed):,} records are sorted: the field is computed.")
    if spot is not None:
        spots = [one for one in spots if (plan.order.compare(one[0], spot) < 0 if back else plan.order.compare(one[0], spot) > 0)]
    chosen = [one for _, one in (spots[::-1] if back else spots)]
    return Found(chosen[:limit], len(chosen) > limit)


def _placed(plan: PreparedQuery, seen: Sequence[EvaluatedRecord]) -> list[tuple[Spot, EvaluatedRecord]]:
    """Return records with their places in the order, as far as the request's budget reaches."""
    placed: list[tuple[Spot, EvaluatedRecord]] = []
    try:
        for one in seen:
            budget.spend(ROW_WORK)
            placed.append((plan.order.spot(one), one))
    except budget.BudgetSpent:
        budget.tell(CUT)
    return placed
