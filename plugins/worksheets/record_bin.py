"""Pages of the recycle bin of a worksheet's records: those that were deleted last come first."""

from __future__ import annotations

import re

from sqlalchemy import select, tuple_

from core.api import App, db
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.models import Record
from plugins.worksheets.query import LOOK_ROWS, Page
from plugins.worksheets.records import Row

PAGE = 50
AT_ONCE = 500
_CURSOR = re.compile(r"(older|newer)\.([0-9]{1,17})\.([0-9]{1,14})\Z", re.ASCII)
_c = Record.__table__.c
_COLUMNS = [_c[name] for name in Row._fields]
Place = tuple[int, int]


def is_cursor(text: str | None) -> bool:
    """Say whether a text is a cursor that a page has given."""
    return text is not None and _CURSOR.match(text) is not None


def bin_page(app: App, access: SheetAccess, cursor: str | None, limit: int = PAGE) -> Page:
    """Return a page of the deleted records that somebody may read; the first one where there is no cursor, or one that is none.

    For whoever may not read all of them so many are looked at; then the page is `partial`.
    """
    asked = _CURSOR.match(cursor or "")
    newer = asked is not None and asked[1] == "newer"
    place = (int(asked[2]), int(asked[3])) if asked is not None else None
    rows, last, partial = _found(app, access, place, newer=newer, limit=limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    if newer:
        rows.reverse()
    if not rows:
        return Page([], next=f"older.{last[0]}.{last[1]}" if partial and last else None, partial=partial)
    ends = [f"{word}.{row.deleted_at}.{row.seq}" for word, row in (("newer", rows[0]), ("older", rows[-1]))]
    is_first = asked is None or (newer and not more)
    on = f"older.{last[0]}.{last[1]}" if partial and last else ends[1]
    return Page(rows, next=on if more or newer or partial else None, previous=None if is_first else ends[0], partial=partial)


def _found(app: App, access: SheetAccess, place: Place | None, *, newer: bool, limit: int) -> tuple[list[Row], Place | None, bool]:
    """Return rows beyond a place, where the look ended, and whether it ended before there were enough."""
    rows: list[Row] = []
    everybody, looked = access.scope("read").everybody, 0
    while len(rows) < limit:
        some = _some(app, access.document.key, place, newer=newer, limit=limit if everybody else AT_ONCE)
        looked += len(some)
        rows += [row for row in some if everybody or access.may("read", row)]
        if not some or everybody or len(some) < AT_ONCE:
            break
        place = (some[-1].deleted_at or 0, some[-1].seq)
        if looked >= LOOK_ROWS and len(rows) < limit:
            return rows, place, True
    return rows[:limit], place, False


def _some(app: App, worksheet: str, place: Place | None, *, newer: bool, limit: int) -> list[Row]:
    by = (_c.deleted_at, _c.seq) if newer else (_c.deleted_at.desc(), _c.seq.desc())
    query = select(*_COLUMNS).where(_c.app_id == app.id, _c.worksheet == worksheet, _c.deleted_at.is_not(None)).order_by(*by).limit(limit)
    if place is not None:
        here = tuple_(_c.deleted_at, _c.seq)
        query = query.where(here > place if newer else here < place)
    return [Row(*row) for row in db.session.execute(query)]
