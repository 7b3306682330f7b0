"""Verbs on records: put, delete, bring back, purge, read. The caller owns the transaction.

Every way in checks the same: the app can be written to, each value fits its field, what it points to exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import Any, NoReturn

import msgspec
from flask import has_request_context

from core.api import (
    App,
    AppkeepError,
    Document,
    InvalidInput,
    InvalidValue,
    NotFound,
    canonical,
    documents,
    is_person,
    locks,
    now_us,
    scratch,
)
from plugins.worksheets import following, indexing
from plugins.worksheets import history_log as log
from plugins.worksheets.column_texts import texts_of
from plugins.worksheets.content import content_store
from plugins.worksheets.entering import ByColumn, by_column, entered_columns
from plugins.worksheets.fields import MAX_RECORD_BYTES, Field, entered_values, fields_of, indexed_kinds, missing
from plugins.worksheets.history_log import Pair
from plugins.worksheets.records import MAX_SEQ, RecordStore, Row
from plugins.worksheets.restore_journal import note_changes
from plugins.worksheets.targets import Targets

MAX_TIME_US = 253_402_300_799_999_999
_PENDING = "worksheets_pending"
_decode = msgspec.json.Decoder().decode
_NUMBERED = {"seq", "values"}
_STAMPS = [Row._fields.index(name) for name in ("created_at", "created_by", "updated_at", "updated_by")]


@dataclass
class _Sheet:
    """One worksheet as a script writes to it: what each record needs, asked for once."""

    app: App
    document: Document
    store: RecordStore
    fields: dict[str, Field] = field(init=False)
    autonumbers: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.fields = fields_of(self.document.body)
        self.autonumbers = [key for key, f in self.fields.items() if f.type.name == "autonumber"]

    @property
    def key(self) -> str:
        return self.document.key


def store_of(app: App) -> RecordStore:
    """Return the store of an app's records in the current session."""
    return content_store(app.id)


def put_record(app: App, worksheet: str, seq: int | None, values: Mapping[str, Any], person: str, *, held: Row | None = None) -> int:
    """Change the named values of a record, or make one where *seq* is None, and return its number.

    A value of None empties its field; fields that are not named stay as they are. *held* is the row, where it is held already.

    Raises:
        InvalidValue: a value does not fit, is required, is not unique, or points to nothing.
        NotFound: no such worksheet or live record.
    """
    puts = Puts(app, worksheet, person)
    puts.add(None if seq is None else held or _live_row(puts.sheet, seq), values)
    return puts.done()[0]


@dataclass(frozen=True, slots=True)
class _Put:
    """A record to be put: as it is, None for a new one; what changes; its values before and after. *told* goes with a refusal of it."""

    held: Row | None
    changes: dict[str, Any]
    before: dict[str, Any] | None
    vals: dict[str, Any]
    told: Mapping[str, Any]

    @property
    def where(self) -> str:
        return _where(self.held)


class Puts:
    """Puts of records to one worksheet, done together: what they take is asked for once. The caller owns the transaction."""

    def __init__(self, app: App, worksheet: str, person: str) -> None:
        self.sheet, self.person = _sheet(app, worksheet), person
        self.targets = _targets(self.sheet)
        self.puts: list[_Put] = []

    def add(self, held: Row | None, values: Mapping[str, Any], **told: Any) -> None:
        """Have a record changed that is held, or one made where there is none; for the rest see `put_record`.

        What is *told* goes with a refusal of it, a later one too.

        Raises:
            InvalidValue: a value does not fit, is required, or points to nothing.
        """
        with telling(**told):
            changes = entered_values(self.sheet.fields, values, _where(held))
            for key in self.sheet.autonumbers:
                if key in changes:
                    raise InvalidValue(f"{_where(held)}, field “{self.sheet.fields[key].name}”: its numbers are given, not entered.")
            before = None if held is None else loads(held.vals)
            vals = {key: value for key, value in {**(before or {}), **changes}.items() if value is not None}
            put = _Put(held, changes, before, vals, told)
            _check_required(self.sheet, vals, changes, held is None, put.where)
            _check_targets(self.sheet, changes, put.where, self.targets)
        self.puts.append(put)

    def done(self) -> list[int]:
        """Do all that was added, and return the records' numbers.

        Raises:
            InvalidValue: a record is too large, or has a value that another one has and no two may have.
        """
        sheet = self.sheet
        sheet.store.hold_values(sheet.key, [pair for put in self.puts for pair in _unique(sheet, put.changes)])
        self._check_unique()
        rows = self._rows(now_us())
        sheet.store.write(sheet.key, rows)
        _attach(sheet, [row.seq for row in rows], [(row.seq, put.vals) for row, put in zip(rows, self.puts, strict=True)])
        self._note(rows)
        told = [(row.seq, put.before, put.vals) for row, put in zip(rows, self.puts, strict=True)]
        following.changed(sheet.app, sheet.key, told, self.person)
        return [row.seq for row in rows]

    def _rows(self, now: int) -> list[Row]:
        sheet, fresh = self.sheet, [put.vals for put in self.puts if put.held is None]
        free = count(sheet.store.next_number(sheet.key, len(fresh))) if fresh else iter(())
        for key in sheet.autonumbers if fresh else ():
            for vals, number in zip(fresh, count(sheet.store.next_number(f"{sheet.key}/{key}", len(fresh))), strict=False):
                vals[key] = number
        return [self._row(put, free, now) for put in self.puts]

    def _row(self, put: _Put, free: Iterator[int], now: int) -> Row:
        with telling(**put.told):
            text = _text(put.vals, put.where)
            if put.held is not None:
                return put.held._replace(vals=text, updated_at=now, updated_by=self.person)
            return Row(_seq(next(free)), text, None, now, self.person, now, self.person, None)

    def _check_unique(self) -> None:
        """Refuse a value that two of the records would have, or one of them and another record."""
        for key in [key for key, one in self.sheet.fields.items() if one.definition.get("unique")]:
            puts = [put for put in self.puts if put.changes.get(key) is not None]
            known: dict[str, _Put] = {}
            for put in puts:
                twin = known.setdefault(canonical(put.changes[key]).decode(), put)
                if twin is not put:
                    self._refuse(put, key, f"{twin.where} is given the same value.")
            numbers = [put.held.seq for put in self.puts if put.held is not None and key in put.changes]  # those that give it up, too
            found = self.sheet.store.holder(self.sheet.key, key, [put.changes[key] for put in puts], numbers) if puts else None
            if found is not None:
                self._refuse(known[canonical(found[0]).decode()], key, f"record {found[1]} already has this value.")

    def _refuse(self, put: _Put, key: str, why: str) -> NoReturn:
        with telling(**put.told):
            raise InvalidValue(f"{put.where}: “{self.sheet.fields[key].name}” must be unique; {why}")

    def _note(self, rows: Sequence[Row]) -> None:
        """Tell the history of the records that were made or changed; of one that is as it was there is nothing to tell."""
        sheet, pairs = self.sheet, list(zip(rows, self.puts, strict=True))
        changed = [log.Noted(row.seq, row.seq, log.CHANGED, changes) for row, put in pairs
                   if put.before is not None and (changes := log.difference(put.before, put.vals)) != log.NOTHING]
        at = rows[0].updated_at if rows else now_us()
        log.note(sheet.app, sheet.key, changed, log.author_of(sheet.app, self.person), at)
        log.note_made(sheet.app, sheet.key, [row.seq for row, put in pairs if put.before is None], self.person, at)


def _where(held: Row | None) -> str:
    return "new record" if held is None else f"record {held.seq}"


@contextmanager
def telling(**told: Any) -> Iterator[None]:
    """Have a refusal in the block tell more, for programs."""
    try:
        yield
    except AppkeepError as error:
        error.details.update(told)
        raise


def put_records(app: App, worksheet: str, records: Sequence[Any], person: str) -> int:
    """Make many records as another program had them and return how many; what they point to is checked at the end.

    Each is {"values", "seq"?, "created_at"?, "created_by"?, "updated_at"?, "updated_by"?}.

    Raises:
        InvalidValue: a value does not fit its field.
        InvalidInput: a record has another form, or its number is in use.
    """
    sheet, now = _sheet(app, worksheet), now_us()
    wanted = [r.get("seq") if isinstance(r, Mapping) else None for r in records]
    free = count(sheet.store.next_number(worksheet, n)) if (n := wanted.count(None)) else iter(())
    rows = [_foreign_row(record, person, free, now) for record in records]
    stamps = [[row[place] for row in rows] for place in _STAMPS]
    return _make(sheet, [row.seq for row in rows], by_column([record["values"] for record in records]), stamps, person, now)


def put_columns(app: App, worksheet: str, first: int, columns: Mapping[str, Sequence[Any]], number: int, person: str) -> int:
    """Make *number* records, numbered from *first* on, of values by field, and return how many; see `put_records`.

    Each of *columns* has a value for each record, None where there is none. The records are made now, by *person*.

    Raises:
        InvalidValue: a value does not fit its field.
        InvalidInput: a column has another length, or a number is in use.
    """
    sheet, now = _sheet(app, worksheet), now_us()
    if number:
        _seq(first)
        _seq(first + number - 1)
    odd = next((key for key, column in columns.items() if len(column) != number), None)
    if odd is not None:
        raise InvalidInput(f"The column “{str(odd)[:40]}” has {len(columns[odd])} values, and there are {number} records.")
    return _make(sheet, range(first, first + number), columns, [repeat(now), repeat(person)] * 2, person, now)


def _make(sheet: _Sheet, seqs: Sequence[int], columns: ByColumn, stamps: Sequence[Iterable[Any]], person: str, now: int) -> int:
    """Make records of values by field; *stamps* say when and by whom each was made and last changed."""
    def where(n: int) -> str:
        return f"{sheet.document.body['name']}, record {seqs[n]}"

    entered = entered_columns(sheet.fields, columns, where)
    if seqs:  # before the question which are free: whoever gives numbers waits here
        sheet.store.raise_counter(sheet.key, max(seqs))
    _check_free(sheet, seqs)
    _number(sheet, entered, len(seqs))
    texts = texts_of(entered, len(seqs))
    _check_sizes(texts, where)
    sheet.store.load(sheet.key, map(Row, seqs, texts, repeat(None), *stamps, repeat(None)))
    _attach(sheet, seqs, [(seq, {key: value}) for key, one in sheet.fields.items() if one.type.holds_files and key in entered
                          for seq, value in zip(seqs, entered[key], strict=True) if value is not None])
    for key in sheet.autonumbers if seqs else ():
        sheet.store.raise_counter(f"{sheet.key}/{key}", max(entered[key]))
    log.note_made(sheet.app, sheet.key, seqs, person, now)
    _remember(sheet.app, sheet, seqs)
    following.made(sheet.app, sheet.key, seqs, entered, person)
    return len(seqs)


def delete_record(app: App, worksheet: str, seq: int, person: str) -> None:
    """Move a record to the worksheet's recycle bin, with the subform rows that belong to it."""
    sheet = _sheet(app, worksheet)
    row = _live_row(sheet, seq)
    _move_with_rows(sheet, row, now_us(), person)


def bring_back_record(app: App, worksheet: str, seq: int, person: str) -> None:
    """Bring a record back from the recycle bin, with the subform rows that went with it."""
    sheet = _sheet(app, worksheet)
    row = _deleted_row(sheet, seq)
    _move_with_rows(sheet, row, None, person)


def purge_record(app: App, worksheet: str, seq: int, person: str) -> int:
    """Remove a record in the recycle bin for good, and what pointed to it in this app; return how many pointers."""
    locks.alone(app)  # or somebody who has just been told that the record exists would point to it afterwards
    sheet = _sheet(app, worksheet)
    row = _deleted_row(sheet, seq)
    sheet.store.purge(worksheet, [row.seq])
    following.purged(app, worksheet, [row.seq])
    log.forget(app, worksheet, [row.seq])
    log.note_one(app, worksheet, row.seq, log.PURGED, log.NOTHING, person, now_us())
    return _forget_pointers(app, sheet.store, f"worksheet/{worksheet}", row.seq, person)


def edits_done(app: App) -> Iterator[None]:
    """Check the references of records that `put_records` made, now that all are there; yields where the transaction may end.

    Raises:
        InvalidValue: one points to nothing.
    """
    written: dict[str, list[range]] = scratch().get(_PENDING, {}).pop(app.id, {})
    for worksheet, spans in sorted(written.items()):
        sheet = _sheet(app, worksheet)
        targets = _targets(sheet)
        for span in spans:
            after: int | None = span.start - 1
            while after is not None:
                after = _check_some(sheet, targets, after, span.stop)
                yield
                sheet = _sheet(app, worksheet)
                targets.store = sheet.store


def _check_some(sheet: _Sheet, targets: Targets, after: int, stop: int) -> int | None:
    """Check the references of some live records from a number on; return the last, None where there are no more before *stop*."""
    rows = [row for row in sheet.store.some_after(sheet.key, after) if row.seq < stop]
    pointing = {key for key, f in sheet.fields.items() if f.type.points}
    for row in rows:
        changes = {key: value for key, value in loads(row.vals).items() if key in pointing}
        _check_targets(sheet, changes, f"{sheet.document.body['name']}, record {row.seq}", targets)
    return rows[-1].seq if rows else None


def all_rows(app: App, worksheet: str, *, deleted: bool = False) -> Iterator[Row]:
    """Yield the live records of a worksheet in order, or those in the recycle bin.

    Raises:
        NotFound: there is no such worksheet.
    """
    documents.get(app, f"worksheet/{worksheet}")
    store, after = store_of(app), 0
    while batch := store.some_after(worksheet, after, deleted=deleted):
        yield from batch
        after = batch[-1].seq


def purge_worksheet(app: App, worksheet: str) -> None:
    """Remove a worksheet's records and attachments for good; its counters stay, so that no number comes again."""
    store_of(app).purge(worksheet)
    log.forget(app, worksheet, None)
    following.purged(app, worksheet, None)


def purge_field(app: App, worksheet: str, key: str) -> None:
    """Remove the values of a field in the recycle bin for good."""
    store = store_of(app)
    for batch in store.hold_all(worksheet, [key]):
        rows = []
        for row in batch:
            hidden = {k: v for k, v in loads(row.hidden or "{}").items() if k != key}
            rows.append(row._replace(hidden=dumps(hidden) if hidden else None))
        store.write(worksheet, rows)
    store.detach(worksheet, key)
    log.forget_field(app, worksheet, key)


def follow_fields(app: App, before: Document, after: Document) -> None:
    """Move the values of fields that were hidden, brought back or got another type; none is lost."""
    was, fields = fields_of(before.body), fields_of(after.body)
    moved = moved_fields(was, fields)
    if not moved:
        return
    store = store_of(app)
    store.index.settle(after.key, indexed_kinds(fields))
    def settling() -> Iterator[list[Pair]]:
        for batch in store.hold_all(after.key, moved):
            yield [(row, new) for row in batch if (new := settled(row, fields, moved)) != row]

    with log.by_means(log.RETYPED):
        author = log.author_of(app, documents.last_author(app, after.address))
    history = log.BulkNote(app, after.key, was.keys(), fields.keys(), author, changing=True)
    for changes in note_changes(app, after.key, settling(), history):
        store.write(after.key, [new for _, new in changes])


def follow_indexes(app: App, after: Document) -> None:
    """Make the index of values cover the fields that a worksheet says are indexed, and no others."""
    store, wanted = store_of(app), indexed_kinds(fields_of(after.body))
    store.index.settle(after.key, wanted)
    if has_request_context():
        indexing.begin(app, store, after.key, wanted)
    else:  # a worker's, or a command's
        store.index.build(after.key, wanted)


def moved_fields(before: Mapping[str, Field], after: Mapping[str, Field]) -> set[str]:
    """Return the keys of fields that are not on both sides, or mean something else."""
    same = {key for key in before.keys() & after.keys() if before[key].shape == after[key].shape}
    return (before.keys() | after.keys()) - same


def settled(row: Row, fields: Mapping[str, Field], moved: Iterable[str]) -> Row:
    """Return the row with the values of *moved* fields shown where one fits its field, and set aside where not."""
    vals, hidden = loads(row.vals), loads(row.hidden or "{}")
    for key in moved:
        held = [side.pop(key) for side in (vals, hidden) if key in side]
        fitting = next(((value, fit) for value in held if (fit := _fit(fields.get(key), value)) is not None), None)
        if fitting is not None:
            held.remove(fitting[0])
            vals[key] = fitting[1]
        if held:
            hidden[key] = held[0]
    return row._replace(vals=dumps(vals), hidden=dumps(hidden) if hidden else None)


def _fit(one: Field | None, value: Any) -> Any:
    """Return the value as the field has it, None where it does not fit or there is no such field."""
    if one is None:
        return None
    try:
        return one.canonical(value)
    except InvalidValue:
        return None


def loads(text: str) -> dict[str, Any]:
    """Return stored values as a dict; what was written here is not read as strictly as a stranger's, and in a tenth of the time."""
    return _decode(text)  # type: ignore[no-any-return]


def dumps(values: Mapping[str, Any]) -> str:
    """Return values as canonical JSON text."""
    return canonical(values).decode()


def file_uses(fields: Mapping[str, Field], valued: Iterable[tuple[int, Mapping[str, Any]]]) -> list[tuple[int, str, str]]:
    """Return (seq, field, content) of every file that the values name."""
    return [(seq, key, reference.target)
            for seq, vals in valued for key, value in vals.items() if key in fields
            for reference in fields[key].references(value) if reference.kind == "file"]


def write_rows(store: RecordStore, worksheet: str, fields: Mapping[str, Field], rows: Sequence[Row], *, bare: bool = False) -> None:
    """Make or replace whole rows, and say which files they use; *bare* where none of them exists."""
    (store.load if bare else store.write)(worksheet, rows)
    files = {key: f for key, f in fields.items() if f.type.holds_files}
    if files:
        attach_files(store, worksheet, files, [(row.seq, row.vals) for row in rows], bare=bare)


def attach_files(store: RecordStore, worksheet: str, files: Mapping[str, Field], rows: Sequence[tuple[int, str]], *, bare: bool) -> None:
    """Say which files the records (number, values as text) use in the fields *files*; *bare* where none had any."""
    marks = tuple(f'"{key}":' for key in files)
    valued = [(seq, msgspec.json.decode(vals)) for seq, vals in rows if any(mark in vals for mark in marks)]
    store.attach(worksheet, [] if bare else [seq for seq, _ in rows], list(files), file_uses(files, valued))


def _sheet(app: App, worksheet: str) -> _Sheet:
    locks.share(app)
    return _Sheet(app, documents.held(app, f"worksheet/{worksheet}"), store_of(app))


def _seq(seq: Any) -> int:
    if type(seq) is not int or not 1 <= seq <= MAX_SEQ:
        raise InvalidInput(f"“{str(seq)[:40]}” is not a record's number: they go from 1 to {MAX_SEQ}.")
    return seq


def _live_row(sheet: _Sheet, seq: int) -> Row:
    row = held_row(sheet.store, sheet.key, _seq(seq))
    if row is None or row.deleted_at is not None:
        raise NotFound(f"There is no record {seq} in worksheet {sheet.key}.")
    return row


def held_row(store: RecordStore, worksheet: str, seq: int) -> Row | None:
    """Return a row, in the bin or not, that nobody else changes until the caller's transaction ends."""
    return store.held(worksheet, seq)


def _deleted_row(sheet: _Sheet, seq: int) -> Row:
    row = held_row(sheet.store, sheet.key, _seq(seq))
    if row is None or row.deleted_at is None:
        raise NotFound(f"Record {seq} of {sheet.key} is not in the recycle bin.")
    return row


def _text(vals: Mapping[str, Any], where: str) -> str:
    text = canonical(vals)
    _check_size(len(text), where)
    return text.decode()


def _check_sizes(texts: Sequence[str], where: Callable[[int], str]) -> None:
    if texts and 4 * max(map(len, texts)) > MAX_RECORD_BYTES:  # four bytes a character at worst
        for n, text in enumerate(texts):
            _check_size(len(text.encode()), where(n))


def _check_size(size: int, where: str) -> None:
    if size > MAX_RECORD_BYTES:
        raise InvalidValue(f"{where} is larger than {MAX_RECORD_BYTES} bytes; put long texts into files.")


def _number(sheet: _Sheet, columns: dict[str, Sequence[Any]], records: int) -> None:
    """Give auto-numbers to those of so many records that have none."""
    for key in sheet.autonumbers if records else ():
        column = columns.get(key) or [None] * records
        bare = column.count(None)
        numbers = count(sheet.store.next_number(f"{sheet.key}/{key}", bare)) if bare else iter(())
        columns[key] = [next(numbers) if value is None else value for value in column]


def _foreign_row(record: Any, person: str, free: Any, now: int) -> Row:
    """Return a record's row, without its values; it was made *now* by *person*, unless it says otherwise."""
    if not isinstance(record, Mapping) or not isinstance(record.get("values"), Mapping):
        raise InvalidInput("A record to put is an object with “values”.")
    seq = _seq(record["seq"] if record.get("seq") is not None else next(free))
    if record.keys() <= _NUMBERED and is_person(person):
        return Row(seq, "", None, now, person, now, person, None)
    made = _time(record.get("created_at", now))
    edited = _time(record.get("updated_at", made))
    people = record.get("created_by", person), record.get("updated_by", record.get("created_by", person))
    if not all(is_person(one) for one in people):
        raise InvalidInput(f"Record {seq}: who made it is said as u_… or system.")
    return Row(seq, "", None, made, people[0], edited, people[1], None)


def _check_free(sheet: _Sheet, seqs: Sequence[int]) -> None:
    taken = {row.seq for row in sheet.store.rows(sheet.key, min(seqs), max(seqs))} & set(seqs) if seqs else set()
    twice = taken or {seq for seq, count in Counter(seqs).items() if count > 1}
    if twice:
        raise InvalidInput(f"Worksheet {sheet.key}: the record number {min(twice)} is used twice.")


def _time(value: Any) -> int:
    if type(value) is not int or not -MAX_TIME_US <= value <= MAX_TIME_US:
        raise InvalidInput(f"“{str(value)[:40]}” is not a time in microseconds since 1970.")
    return value


def _check_required(sheet: _Sheet, vals: Mapping[str, Any], changes: Mapping[str, Any], new: bool, where: str) -> None:
    for key, one in sheet.fields.items():
        if one.definition.get("required") and key not in vals and (new or key in changes):
            raise InvalidValue(f"{where}: the field “{one.name}” is required.")


def _unique(sheet: _Sheet, changes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return those of the values that no two records may have."""
    return [(key, value) for key, value in changes.items() if value is not None and sheet.fields[key].definition.get("unique")]


def _check_targets(sheet: _Sheet, changes: Mapping[str, Any], where: str, targets: Targets | None = None) -> None:
    targets = targets or _targets(sheet)
    for key, value in changes.items():
        if value is not None:
            gone = missing(sheet.fields[key], value, targets.exist)
            if gone:
                raise InvalidValue(f"{where}, field “{sheet.fields[key].name}”: it points to {gone[0].kind} "
                                   f"{gone[0].target}, which does not exist.")


def _targets(sheet: _Sheet) -> Targets:
    def find(address: str) -> Document | None:
        try:
            return documents.get(sheet.app, address)
        except NotFound:
            return None

    return Targets(sheet.store, sheet.app, find)


def _attach(sheet: _Sheet, seqs: Sequence[int], valued: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    files = {key: f for key, f in sheet.fields.items() if f.type.holds_files}
    if files:
        sheet.store.attach(sheet.key, seqs, list(files), file_uses(files, valued))


def _remember(app: App, sheet: _Sheet, seqs: Sequence[int]) -> None:
    """Note which records must be looked at again once all are in; their numbers only, as there may be millions."""
    if not seqs or not any(f.type.points for f in sheet.fields.values()):
        return
    spans: list[range] = scratch().setdefault(_PENDING, {}).setdefault(app.id, {}).setdefault(sheet.key, [])
    span = range(min(seqs), max(seqs) + 1)
    if spans and spans[-1].stop == span.start:
        spans[-1] = range(spans[-1].start, span.stop)
    else:
        spans.append(span)


def _move_with_rows(sheet: _Sheet, row: Row, deleted_at: int | None, person: str) -> None:
    """Move a record to the bin or back, and with it what is its own; iterative: subforms may be nested."""
    waiting = [(sheet, row)]
    while waiting:
        here, one = waiting.pop()
        here.store.set_deleted(here.key, [one.seq], deleted_at)
        vals = loads(one.vals)
        log.note_one(here.app, here.key, one.seq, log.DELETED if deleted_at else log.BROUGHT_BACK, log.NOTHING, person,
                     deleted_at or now_us())
        following.changed(here.app, here.key, [(one.seq, vals, None) if deleted_at else (one.seq, None, vals)], person)
        waiting += _own_rows(here, one)


def _own_rows(sheet: _Sheet, row: Row) -> list[tuple[_Sheet, Row]]:
    """Return the subform rows of a record that are where it is; those deleted by themselves before are not."""
    vals, found = loads(row.vals), []
    for key, one in sheet.fields.items():
        if one.type.name == "subform" and key in vals:
            try:
                child = _sheet(sheet.app, one.definition["options"]["target"]["ref"].rpartition("/")[2])
            except NotFound:  # the worksheet was deleted: its rows are out of sight with it
                continue
            found += [(child, r) for r in child.store.hold(child.key, vals[key]) if r.deleted_at == row.deleted_at]
    return found


def _forget_pointers(app: App, store: RecordStore, address: str, seq: int, person: str) -> int:
    """Take a purged record out of every value of the app that names it."""
    count = 0
    for document in documents.live(app, "worksheet"):
        fields = {k: f for k, f in fields_of(document.body).items() if f.type.points}
        for batch in store.hold_all(document.key, fields) if fields else ():
            for row in batch:
                new, taken = _without(row, fields, address, seq)
                count += taken
                if taken:
                    store.write(document.key, [new])
                    changes = log.difference(loads(row.vals), loads(new.vals))
                    log.note(app, document.key, [log.Noted(row.seq, row.seq, log.CHANGED, changes)], log.Author(person, log.UNLINKED))
    return count


def _without(row: Row, fields: Mapping[str, Field], address: str, seq: int) -> tuple[Row, int]:
    vals, taken = loads(row.vals), 0
    for key, f in fields.items():
        gone = frozenset(r for r in f.references(vals[key]) if r.kind == "record" and r.target == (address, seq)
                         ) if key in vals else frozenset()
        if gone:
            left = f.type.keep(vals.pop(key), f.definition, gone)
            taken += len(gone)
            if left is not None:
                vals[key] = left
    return (row._replace(vals=dumps(vals)), taken) if taken else (row, 0)
