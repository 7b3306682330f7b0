"""One record found for a visitor, its neighbours, and where to go back to."""

from __future__ import annotations

from flask import request
from sqlalchemy import select

from plugins.worksheets.access import found_row
from plugins.worksheets.content import content_store
from plugins.worksheets.models import Record
from plugins.worksheets.records import Row
from plugins.worksheets.web.sheet_context import SheetContext

NEAR = 50
"""How many records are looked at on each side for one that the visitor may read."""


def find(sheet: SheetContext, seq: int, action: str) -> Row:
    """Return a live record with which the visitor may do *action*.

    Raises:
        NotFound: there is none that they may read.
        Forbidden: they may read it and not do this.
    """
    return found_row(sheet.app, sheet.access, seq, action)


def neighbours(sheet: SheetContext, seq: int) -> tuple[int | None, int | None]:
    """Return the numbers of the records before and after one, as far as the visitor may read them."""
    c = Record.__table__.c
    live = (c.app_id == sheet.app.id, c.worksheet == sheet.key, c.deleted_at.is_(None))
    columns = [c[name] for name in Row._fields]
    everybody, sides = sheet.access.scope("read").everybody, []
    query = select(*columns).where(*live)
    store = content_store(sheet.app.id)
    for back in (True, False):
        store.bring_from(sheet.key, seq, NEAR, back=back)
    for side in (query.where(c.seq < seq).order_by(c.seq.desc()), query.where(c.seq > seq).order_by(c.seq)):
        rows = (Row(*row) for row in store.connection.execute(side.limit(1 if everybody else NEAR)))
        sides.append(next((row.seq for row in rows if sheet.access.may("read", row)), None))
    return sides[0], sides[1]


def back_url(sheet: SheetContext, otherwise: str) -> str:
    """Return the page of this app that the request asks to go back to, if it does."""
    back = request.values.get("back", "")
    home = sheet.url().partition("/worksheet/")[0] + "/"
    return back if back.startswith(home) and len(back) < 4000 and "\\" not in back and not any(ord(c) < 33 for c in back) else otherwise
