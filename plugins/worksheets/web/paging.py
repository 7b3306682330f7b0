"""A page of records: the question that an address asks, and where the page lies among all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.api import InvalidInput
from plugins.worksheets.fields import KEY_KINDS, Field
from plugins.worksheets.query import LOOK_ROWS, Page, Query, count, is_large, page
from plugins.worksheets.records import Row
from plugins.worksheets.service import store_of
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.sheet_context import SheetContext

PAGE = 50


def query_of(sheet: SheetContext, asked: GridQuery, **more: Any) -> Query:
    """Return the question for the records that an address asks for, no further than the visitor may read."""
    return sheet.access.ask(filter=more.pop("filter", asked.filter()), sorts=more.pop("sorts", asked.sorting()),
                            search=asked.search, **more)


def page_of(sheet: SheetContext, asked: GridQuery, ask: Query, limit: int = PAGE) -> tuple[GridQuery, Page]:
    """Return a page of records; the first one where the address has a place that is none, as after the sorting changed."""
    try:
        return asked, page(sheet.app, ask, cursor=asked.cursor, limit=limit, look=LOOK_ROWS)
    except InvalidInput:
        return replace(asked, cursor=None, at=0), page(sheet.app, ask, limit=limit, look=LOOK_ROWS)


@dataclass(frozen=True)
class Place:
    """Where a page of records lies among all of them. `unindexed` is a field that an index would make faster to sort by."""

    first: int
    last: int
    total: int
    exact: bool
    next: str | None
    previous: str | None
    partial: bool
    notes: Sequence[str] = ()
    unindexed: Field | None = None

    @property
    def indexable(self) -> bool:
        """Whether the field can be indexed."""
        return self.unindexed is not None and self.unindexed.type.name in KEY_KINDS

    @classmethod
    def of(cls, sheet: SheetContext, asked: GridQuery, ask: Query, found: Page, page: str = "grid", size: int = PAGE) -> Place:
        """Return the place of a page of records, whose neighbours are at the worksheet's *page*."""
        rows: Sequence[Row] = found.rows
        start = asked.at if asked.cursor else 0
        total, exact = start + len(rows), not (found.next or found.partial)
        if (found.next and not found.partial) or (asked.cursor and exact):
            total, exact = count(sheet.app, ask, look=LOOK_ROWS)
        everything = total if exact and ask.filter is None and not ask.search and ask.within.everybody else None
        slow = bool(found.unindexed) and is_large(store_of(sheet.app), sheet.key, everything)
        if start + len(rows) > total:
            total, exact = start + len(rows), not found.next
        return cls(first=start + 1 if rows else 0, last=start + len(rows), total=total, exact=exact,
                   partial=found.partial, notes=found.notes, unindexed=sheet.fields.get(found.unindexed or "") if slow else None,
                   next=asked.url(sheet, page, cursor=found.next, at=start + len(rows)) if found.next else None,
                   previous=(asked.url(sheet, page, cursor=found.previous, at=start - size) if start > size else asked.url(sheet, page))
                   if found.previous else None)
