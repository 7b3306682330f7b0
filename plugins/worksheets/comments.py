"""Comments on records: beside the records, in no backup, and there again when a record comes back. The caller owns the transaction.

People outside the organization see the comments that were shared with them, and their own. What they write is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, func, select

from core.api import App, Forbidden, InvalidInput, NotFound, ask_record, db, insert_once, locks, new_key, now_us, org_choices
from plugins.worksheets.access import SheetAccess, found_row
from plugins.worksheets.models import Comment
from tenants.notifications.notify import Notice, tell

MAX_CHARS = 5000
MOST = 2000
"""How many comments a record can have."""
SHOWN = 200
_c = Comment.__table__.c


def listed(access: SheetAccess, seq: int, person: str, *, outside: bool) -> list[Comment]:
    """Return the last comments on a record that somebody may read, the oldest first; for those *outside*, what is shared or theirs."""
    query = select(Comment).where(*_of(access, seq))
    if outside:
        query = query.where(_c.shared | (_c.by == person))
    return list(reversed(db.session.scalars(query.order_by(_c.at.desc(), _c.key.desc()).limit(SHOWN)).all()))


def add(access: SheetAccess, seq: int, text: str, person: str, *, shared: bool) -> str:
    """Write a comment on a record, tell those it names and those who take part, and return its key.

    Raises:
        Forbidden: somebody may not comment there.
        NotFound: there is no such record that they may read.
        InvalidInput: there is no text, or too much of it.
    """
    app, sheet = access.app, access.document.key
    locks.share(app)
    check(access)
    found_row(app, access, seq, "read")
    text = text.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= MAX_CHARS or "\0" in text:
        raise InvalidInput(f"Enter a comment of 1 to {MAX_CHARS:,} characters.")
    if (db.session.scalar(select(func.count()).select_from(Comment).where(*_of(access, seq))) or 0) >= MOST:
        raise InvalidInput(f"A record can have {MOST:,} comments at most.")
    key = new_key("c")
    insert_once(Comment.__table__, app_id=app.id, worksheet=sheet, seq=seq, key=key, by=person, at=now_us(), text=text, shared=shared)
    _tell(access, seq, key, text, person)
    return key


def remove(access: SheetAccess, seq: int, key: str, person: str) -> None:
    """Remove a comment: one's own, or anybody's for an app admin.

    Raises:
        NotFound: there is no such comment that they wrote.
    """
    locks.share(access.app)
    found_row(access.app, access, seq, "read")
    mine = () if access.standing.admin else (_c.by == person,)
    gone = db.session.connection().execute(delete(Comment.__table__).where(*_of(access, seq), _c.key == key, *mine)).rowcount
    if not gone:
        raise NotFound("This comment was deleted.")


def check(access: SheetAccess) -> None:
    """Refuse whoever may not comment on the records of a worksheet.

    Raises:
        Forbidden: they may not.
    """
    if not access.rights.may("comment"):
        raise Forbidden("You cannot comment on records of this worksheet.")


def forget(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    """Remove the comments on records that go for good; None is all records of the worksheet. See the hook `record_purged`."""
    where = [_c.app_id == app.id, _c.worksheet == worksheet]
    if seqs is not None:
        where.append(_c.seq.in_(list(seqs)))
    db.session.connection().execute(delete(Comment.__table__).where(*where))


def named_in(text: str, people: Iterable[tuple[str, str]]) -> list[str]:
    """Return those of the people, (id, name), whom a text names: "@Mia Moss"; the longest name that fits counts."""
    found, known = dict[str, None](), sorted(people, key=lambda one: -len(one[1]))
    for place in (one.end() for one in re.finditer(r"(?<!\S)@", text)):
        rest = text[place:].casefold()
        fits = next((person for person, name in known if name and rest.startswith(name.casefold())
                     and not rest[len(name):len(name) + 1].isalnum()), None)
        if fits is not None:
            found[fits] = None
    return list(found)


def _tell(access: SheetAccess, seq: int, key: str, text: str, person: str) -> None:
    """Tell the members whom a comment names, and those who commented before, as far as they may read the record."""
    app, sheet = access.app, access.document.key
    known = org_choices(app.organization_id, "user") if "@" in text else ()
    named = named_in(text, [(address.partition("/")[2], name.partition(" (")[0]) for address, name in known])
    before = db.session.scalars(select(_c.by).where(*_of(access, seq)).distinct())
    people = [one for one in dict.fromkeys([*named, *before]) if one != person and ask_record(app, one, sheet, seq) is not None]
    if people:
        path = f"/o/{app.organization_id}/apps/{app.id}/worksheet/{sheet}/record/{seq}"
        title = f"New comment on record {seq} of “{access.document.body['name']}”"
        tell(Notice("comment", f"comment/{app.id}/{key}", title, text[:500], path, (app.id, app.name)), people)


def _of(access: SheetAccess, seq: int) -> tuple[ColumnElement[bool], ...]:
    return _c.app_id == access.app.id, _c.worksheet == access.document.key, _c.seq == seq
