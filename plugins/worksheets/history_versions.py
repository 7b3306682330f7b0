"""Reading the history of a record: what happened to it, newest first, and what it was then.

The record as it is now is taken back, entry by entry. Where an entry lacks a value, older versions lack it too, until an older entry
knows it again.

The one danger: somebody who may read only records that are theirs would learn what a record was before it became theirs. So they see an
entry only where the record was theirs before and after it, and nothing that is older than one they do not see.

Source: docs/decisions/0037.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby, islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select

from core.api import App, NotFound, RecordView, db
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.fields import fields_of
from plugins.worksheets.history_log import AFTER, BEFORE, BLOCK, CHANGED, DELETED, is_among, values_of
from plugins.worksheets.models import HistoryEntry
from plugins.worksheets.records import Row

READ_AT_ONCE = 50
MOST_LOOKED_AT = 5000
"""So many entries of a record are looked at; older ones are not shown."""
MOST_BULK = 1000
_decode = msgspec.json.Decoder().decode
_c = HistoryEntry.__table__.c
_COLUMNS = (_c.id, _c.at, _c.by, _c.act, _c.how, _c.source, _c.changes, _c.seqs)


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did to a record. `changes` is {field: [before, after]}, None where the values were not kept."""

    id: int
    at: int
    by: str
    act: str
    how: str
    source: Mapping[str, Any]
    changes: Mapping[str, Any] | None

    def sides(self, key: str) -> tuple[Any, Any, str]:
        """Return what a field held before and after, and which of these were too long to keep."""
        before, after, *cut = (self.changes or {})[key]
        return before, after, cut[0] if cut else ""


@dataclass(frozen=True, slots=True)
class State:
    """A record's values at some time; of the fields in `lost` nobody knows, nor of any at all before `barrier`."""

    values: Mapping[str, Any]
    lost: frozenset[str] = frozenset()
    barrier: Entry | None = None

    def before(self, entry: Entry) -> State:
        """Return the state before an entry, after which it is this one."""
        if entry.changes is None:
            return State({}, barrier=self.barrier or entry)
        values, lost = dict(self.values), set(self.lost)
        for key in entry.changes:
            before, _, cut = entry.sides(key)
            values.pop(key, None)
            lost.discard(key)
            if BEFORE in cut:
                lost.add(key)
            elif before is not None:
                values[key] = before
        return State(values, frozenset(lost), self.barrier)


@dataclass(frozen=True, slots=True)
class Version:
    """An entry, and the record as it was after and before it."""

    entry: Entry
    after: State
    before: State


@dataclass
class History:
    """The history of a record as somebody may see it. Once it was walked through, `cut` says why it ends before its beginning."""

    access: SheetAccess
    row: Row
    cut: str = field(default="", init=False)

    def versions(self) -> Iterator[Version]:
        """Yield what happened, newest first; of fields that they may not read as well: whoever shows it leaves those out."""
        here = State(values_of(self.row, fields_of(self.access.document.body).keys()))
        everybody = self.access.scope("read").everybody
        for entry in islice(entries(self.access.app, self.access.document.key, self.row.seq), MOST_LOOKED_AT):
            before = here.before(entry)
            end = "" if everybody else self._end(entry, before)
            if end == "unseen":
                self.cut = end
                return
            yield Version(entry, here, before)
            if end:
                return
            here = before

    def _end(self, entry: Entry, before: State) -> str:
        """Say whether an entry is the last that somebody sees who may not read every record: "last", or "unseen" where not even that."""
        if before.barrier is not None:
            return "last"
        if not self._deciding.isdisjoint(before.lost) or not self._was_theirs(before):
            return "unseen"
        return ""

    @property
    def _deciding(self) -> frozenset[str]:
        """The fields that say whose a record is."""
        members = {key for key, one in self.access.fields.items() if one.type.name == "member"}
        return frozenset(members | {key for key, _ in self.access.scope("read").holding})

    def _was_theirs(self, state: State) -> bool:
        row = self.row
        return self.access.may("read", RecordView(seq=row.seq, vals=state.values, created_at=row.created_at, created_by=row.created_by,
                                                  updated_at=row.updated_at, updated_by=row.updated_by))

    def find(self, entry: int) -> Version:
        """Return a version by its entry.

        Raises:
            NotFound: there is none (any more), or none that they may see.
        """
        found = next((one for one in self.versions() if one.entry.id == entry), None)
        if found is None:
            raise NotFound("This version no longer exists, or you do not have access to it.")
        return found


def entries(app: App, worksheet: str, seq: int) -> Iterator[Entry]:
    """Yield what happened to a record, newest first; what one restore did, by its configuration and by its data, is one entry."""
    found = heapq.merge(_singles(app, worksheet, seq), _bulk(app, worksheet, seq), key=lambda entry: -entry.id)
    for _, acts in groupby(found, key=lambda entry: entry.source.get("run") or entry.id):
        yield reduce(_as_one, acts)


def _as_one(later: Entry, earlier: Entry) -> Entry:
    """Return two entries of one restore as one."""
    act = earlier.act if later.act == CHANGED else later.act
    if later.changes is None or earlier.changes is None:
        return replace(later, act=act, changes=None)
    changes = dict(earlier.changes)
    for key in later.changes:
        before, after, cut = later.sides(key)
        if key in changes:
            before, _, first = earlier.sides(key)
            cut = first.replace(AFTER, "") + cut.replace(BEFORE, "")
        changes[key] = [before, after, cut] if cut else [before, after]
    same = {key for key, sides in changes.items() if sides[0] == sides[1] and len(sides) == 2}
    return replace(later, act=act, changes={key: sides for key, sides in changes.items() if key not in same})


def newest(app: App, worksheet: str, seq: int) -> int:
    """Return the number of the newest entry of a record, 0 where there is none."""
    return next((entry.id for entry in entries(app, worksheet, seq)), 0)


def _singles(app: App, worksheet: str, seq: int) -> Iterator[Entry]:
    """Yield the entries that are about this record alone."""
    mine, last = (*_of(app, worksheet), _c.first_seq == seq, _c.last_seq == seq), 2**62
    while True:
        rows = db.session.execute(select(*_COLUMNS).where(*mine, _c.id < last).order_by(_c.id.desc()).limit(READ_AT_ONCE)).all()
        yield from map(_entry, rows)
        if len(rows) < READ_AT_ONCE:
            return
        last = rows[-1].id


def _bulk(app: App, worksheet: str, seq: int) -> Iterator[Entry]:
    """Yield the entries of acts on several records that are about this one too."""
    query = select(*_COLUMNS).where(*_of(app, worksheet), *_around([seq])).order_by(_c.id.desc()).limit(MOST_BULK)
    for row in db.session.execute(query).all():
        if row.seqs is None or is_among(seq, row.seqs):
            yield _entry(row)


def _around(seqs: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for ranges that may have one of these numbers, all of which lie in one block."""
    low, high = min(seqs), max(seqs)
    return _c.first_seq.between(low // BLOCK * BLOCK, high), _c.last_seq >= low, _c.last_seq > _c.first_seq


def _of(app: App, worksheet: str) -> tuple[ColumnElement[bool], ...]:
    return _c.app_id == app.id, _c.worksheet == worksheet


def _entry(row: Any) -> Entry:
    return Entry(row.id, row.at, row.by, row.act, row.how, _decode(row.source) if row.source else {},
                 None if row.changes is None else _decode(row.changes))


def deletions(app: App, worksheet: str, rows: Collection[Row]) -> dict[int, Entry]:
    """Return by whose act records came into the recycle bin, by number; of those that were deleted before there was a history, none.

    It is the act at the very moment that the record names.
    """
    wanted = {row.seq: row.deleted_at for row in rows}
    if not wanted:
        return {}
    acts = (*_of(app, worksheet), _c.act == DELETED)
    single = select(_c.first_seq, *_COLUMNS).where(*acts, _c.first_seq.in_(wanted), _c.last_seq == _c.first_seq).order_by(_c.id)
    found = {row.first_seq: _entry(row) for row in db.session.execute(single) if row.at == wanted[row.first_seq]}
    for block in {seq // BLOCK for seq in wanted.keys() - found.keys()}:
        seqs = [seq for seq in wanted.keys() - found.keys() if seq // BLOCK == block]
        times = {wanted[seq] for seq in seqs}
        query = select(_c.first_seq, _c.last_seq, *_COLUMNS).where(*acts, *_around(seqs), _c.at.in_(times))
        for row in db.session.execute(query):
            found.update({seq: _entry(row) for seq in seqs if wanted[seq] == row.at and row.first_seq <= seq <= row.last_seq
                          and (row.seqs is None or is_among(seq, row.seqs))})
    return found
