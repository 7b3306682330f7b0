"""Writing the history of records: an entry for what somebody did to a record, in the transaction in which it was done.

Whoever writes rows tells what they were before and what they are now. A bulk act has entries with ranges of numbers; one of few records
keeps their values, so that each can be brought back.

Source: docs/decisions/0037.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, text, update

from core.api import FILE_MARK, SYSTEM, App, canonical, db, files_in_text, now_us, restore_act, server
from plugins.worksheets.models import HistoryEntry
from plugins.worksheets.records import Row

CREATED, CHANGED, DELETED, BROUGHT_BACK, PURGED = "created", "changed", "deleted", "brought_back", "purged"
BY_HAND, IMPORT, RESTORE, UNDO, WORKFLOW, FORM, VERSION, RETYPED, UNLINKED = (
    "", "import", "restore", "undo", "workflow", "form", "version", "retyped", "unlinked")
MOST_KEPT = 500
"""A bulk act of more records keeps none of their values."""
MOST_KEPT_BYTES = 4 * 1024 * 1024
MOST_VALUE_BYTES = 16 * 1024
"""A value that is longer is not kept."""
BLOCK = 65_536
"""No range goes over a multiple of this number, so that what has a record is found among a few."""
BEFORE, AFTER = "b", "a"
NOTHING = "{}"
_decode = msgspec.json.Decoder().decode
_COLUMNS = 'app_id, id, worksheet, first_seq, last_seq, at, "by", act, how, source, seqs, changes'
_VALUES = ":worksheet, :first_seq, :last_seq, :at, :by, :act, :how, :source, :seqs, :changes"
_ADD = {
    "postgresql": text(f"INSERT INTO record_history ({_COLUMNS}) VALUES (:app, DEFAULT, {_VALUES})"),
    "sqlite": text(f"INSERT INTO record_history ({_COLUMNS}) SELECT :app, coalesce(max(id), 0) + 1, {_VALUES} FROM record_history "
                   "WHERE app_id = :app"),
}
_table = HistoryEntry.__table__
_c = _table.c
Values = Mapping[str, Any]
Pair = tuple[Row | None, Row]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, by what means, and more of that as JSON."""

    by: str
    how: str = BY_HAND
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry to be: records from *first* to *last*, or of them *seqs*."""

    first: int
    last: int
    act: str
    changes: str | None
    seqs: str | None = None


_means: ContextVar[tuple[str, str | None]] = ContextVar("appkeep_history_means", default=(BY_HAND, None))


@contextmanager
def by_means(how: str, source: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Note what is written in the block as done by other means than by hand."""
    token = _means.set((how, None if source is None else canonical(source).decode()))
    try:
        yield
    finally:
        _means.reset(token)


def author_of(app: App, person: str) -> Author:
    """Return who writes now: a restore, a workflow on somebody's behalf, or the person."""
    restoring = restore_act(app)
    if restoring is not None:
        told = canonical({"backup": restoring.backup, "name": restoring.name, "run": restoring.run_id}).decode()
        return Author(restoring.person, UNDO if restoring.undo else RESTORE, told)
    how, source = _means.get()
    acting = server().registry.hook.acting_now() if not how else None
    if acting is not None:
        return Author(acting.person or SYSTEM, WORKFLOW, canonical({"name": acting.name}).decode())
    return Author(person, how, source)


def note(app: App, worksheet: str, noted: Sequence[Noted], author: Author, at: int | None = None) -> None:
    """Add entries, in the order in which they happened."""
    if not noted:
        return
    connection = db.session.connection()
    same = {"app": app.id, "worksheet": worksheet, "at": at or now_us(), "by": author.by, "how": author.how,
            "source": author.source}
    rows = [{**same, "first_seq": one.first, "last_seq": one.last, "act": one.act, "seqs": one.seqs, "changes": one.changes}
            for one in noted]
    connection.execute(_ADD[connection.dialect.name], rows)


def note_one(app: App, worksheet: str, seq: int, act: str, changes: str | None, person: str, at: int) -> None:
    """Add the entry of what somebody did to one record."""
    note(app, worksheet, [Noted(seq, seq, act, changes)], author_of(app, person), at)


def note_made(app: App, worksheet: str, seqs: Collection[int], person: str, at: int) -> None:
    """Add the entries of records that were made at once."""
    note(app, worksheet, list(ranges(seqs, CREATED, None)), author_of(app, person), at)


def difference(before: Values, after: Values) -> str:
    """Return {field: [before, after]} of what differs as JSON; a third item says which sides were too long to keep."""
    changed = {key: _sides(before.get(key), after.get(key))
               for key in {**before, **after} if before.get(key) != after.get(key)}
    return canonical(changed).decode() if changed else NOTHING


def _sides(before: Any, after: Any) -> list[Any]:
    cut = "".join(side for side, value in ((BEFORE, before), (AFTER, after)) if _is_long(value))
    kept = [None if BEFORE in cut else before, None if AFTER in cut else after]
    return [*kept, cut] if cut else kept


def _is_long(value: Any) -> bool:
    return isinstance(value, str | list | dict) and len(canonical(value)) > MOST_VALUE_BYTES


def values_of(row: Row, live: Collection[str]) -> dict[str, Any]:
    """Return a row's values: of live fields those that are shown, of others those that are hidden."""
    hidden = {key: value for key, value in _decode(row.hidden).items() if key not in live} if row.hidden else {}
    return {**hidden, **_decode(row.vals)}


def ranges(seqs: Iterable[int], act: str, changes: str | None) -> Iterator[Noted]:
    """Yield entries of records by their numbers, in runs, none of which goes over a multiple of `BLOCK`."""
    numbers = sorted(set(seqs))
    while numbers:
        end = bisect_left(numbers, (numbers[0] // BLOCK + 1) * BLOCK)
        yield _noted_runs(runs_of(numbers[:end]), act, changes)
        numbers = numbers[end:]


def runs_of(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs, (first, last); mostly they are one."""
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    return joined((number, number) for number in numbers)


def joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return runs, in order and apart, with those that follow on each other as one."""
    found: list[tuple[int, int]] = []
    for first, last in runs:
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


def _noted_runs(runs: Sequence[tuple[int, int]], act: str, changes: str | None) -> Noted:
    """Return the entry of records whose numbers are runs within one block."""
    several = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs) if len(runs) > 1 else None
    return Noted(runs[0][0], runs[-1][1], act, changes, several)


def is_among(seq: int, runs: str) -> bool:
    """Say whether a number is in runs such as "3-7,12"."""
    for run in runs.split(","):
        first, _, last = run.partition("-")
        if int(first) <= seq <= int(last or first):
            return True
    return False


@dataclass
class BulkNote:
    """What one bulk act does to a worksheet's records, some at a time; `end` once all is told.

    *before* and *after* are the fields that are live before and after the act.
    """

    app: App
    worksheet: str
    before: Collection[str]
    after: Collection[str]
    author: Author
    at: int = field(default_factory=now_us)
    changing: bool = False
    """Whether only records are told of whose values change; else all that the act touches."""
    kept: list[Noted] = field(default_factory=list)
    size: int = 0
    spilled: bool = False

    def add(self, pairs: Sequence[Pair]) -> None:
        """Take in rows before and after."""
        if not self.spilled:
            self._keep(pairs)
        else:
            self._note_ranges((new[0], *self._what(old, new)) for old, new in pairs)

    def _keep(self, pairs: Sequence[Pair]) -> None:
        if len(self.kept) + len(pairs) > MOST_KEPT:
            self._spill()
            self.add(pairs)
            return
        for n, (old, new) in enumerate(pairs):
            changes = None if old is None else difference(values_of(old, self.before), values_of(new, self.after))
            if changes != NOTHING or not self.changing:
                self.kept.append(Noted(new.seq, new.seq, self._what(old, new)[0], changes))
                self.size += len(changes or "")
            if self.size > MOST_KEPT_BYTES:
                self._spill()
                self.add(pairs[n + 1:])
                return

    def add_made(self, runs: Iterable[tuple[int, int]]) -> None:
        """Take in records that were made, as ascending runs of numbers."""
        parts = ((max(first, block * BLOCK), min(last, (block + 1) * BLOCK - 1))
                 for first, last in joined(runs) for block in range(first // BLOCK, last // BLOCK + 1))
        made = (list(some) for _, some in groupby(parts, key=lambda part: part[0] // BLOCK))
        note(self.app, self.worksheet, [_noted_runs(some, CREATED, None) for some in made], self.author, self.at)

    def end(self) -> None:
        """Write what was kept."""
        note(self.app, self.worksheet, self.kept, self.author, self.at)
        self.kept = []

    def _spill(self) -> None:
        """Give up the values of what was kept: there are too many."""
        kept, self.kept, self.spilled = self.kept, [], True
        self._note_ranges((one.first, one.act, one.changes == NOTHING) for one in kept)

    def _note_ranges(self, told: Iterable[tuple[int, str, bool]]) -> None:
        groups: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
        for seq, act, same in told:
            groups[act, same].append(seq)
        if self.changing:
            groups.pop((CHANGED, True), None)
        note(self.app, self.worksheet, [one for (act, same), seqs in groups.items()
                                        for one in ranges(seqs, act, NOTHING if same else None)], self.author, self.at)

    def _what(self, old: Row | None, new: Row) -> tuple[str, bool]:
        """Return what happened to a record, and whether its values are as they were; they are looked into only where that is asked."""
        if old is None:
            return CREATED, False
        same = old.vals == new.vals and old.hidden == new.hidden and self.before == self.after
        if not same and (self.changing or old.vals == new.vals):
            same = values_of(old, self.before) == values_of(new, self.after)
        if (old.deleted_at is None) is (new.deleted_at is None):
            return CHANGED, same
        return (BROUGHT_BACK if new.deleted_at is None else DELETED), same


def forget(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    """Remove what is known of records that go for good; None is all records of the worksheet. Bulk acts have no values."""
    where = [_c.app_id == app.id, _c.worksheet == worksheet]
    if seqs is not None:
        where += [_c.first_seq.in_(list(seqs)), _c.last_seq == _c.first_seq]
    db.session.connection().execute(delete(_table).where(*where))


def forget_field(app: App, worksheet: str, key: str) -> None:
    """Remove the values of a field that goes for good."""
    connection, after = db.session.connection(), 0
    while rows := _mentioning(connection, app.id, worksheet, key, after):
        after = rows[-1][0]
        for entry, changes in rows:
            left = {one: sides for one, sides in _decode(changes).items() if one != key}
            connection.execute(update(_table).where(_c.app_id == app.id, _c.id == entry).values(changes=canonical(left).decode()))


def files_named(connection: Connection, app_id: str) -> Iterator[str]:
    """Yield the digests of files that versions of records name: they stay as long as the history does."""
    query = select(_c.changes).where(_c.app_id == app_id, _c.changes.contains(FILE_MARK, autoescape=True))
    for row in connection.execute(query.execution_options(yield_per=500)):
        yield from files_in_text(row[0])


def _mentioning(connection: Connection, app_id: str, worksheet: str, key: str, after: int) -> list[tuple[int, str]]:
    query = select(_c.id, _c.changes).where(_c.app_id == app_id, _c.worksheet == worksheet, _c.id > after,
                                            _c.changes.contains(f'"{key}":', autoescape=True)).order_by(_c.id).limit(500)
    return [(row[0], row[1]) for row in connection.execute(query)]
