"""Undoing what a restore did to records, field by field, from the journal that the restore kept.

Three sides decide of each record: as it was before, as the restore left it, as it is now. All three are looked at under the fields
that the worksheet has once its configuration is back.

Source: docs/rules.md, “Undo”.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.api import Document, UndoContext, batched, now_us
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.history_log import BulkNote, Pair, author_of
from plugins.worksheets.records import RecordStore, Row, open_store
from plugins.worksheets.restore_journal import RECORDS, note_changes, read_pairs
from plugins.worksheets.service import dumps, moved_fields, settled, write_rows
from plugins.worksheets.targets import Targets

MAX_LISTED = 10_000
BATCH_ROWS = 1000
EDITED, GONE, DELETED, BROUGHT_BACK, LOST = (
    "it was changed since", "it was permanently deleted since", "it was deleted since", "it was restored from the recycle bin since",
    "its target was deleted")
_decode = msgspec.json.Decoder().decode


@dataclass
class Report:
    """What happened to records, or would, by worksheet; and what is left as it is now."""

    worksheets: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0

    def leave(self, worksheet: str, seq: int, key: str, reason: str) -> None:
        """Note something that is left alone: a field of a record, or the record."""
        self.count += 1
        if len(self.left) < MAX_LISTED:
            self.left.append({"worksheet": worksheet, "record": seq, "field": key, "reason": reason})

    def as_json(self) -> dict[str, Any]:
        """Return the report; empty parts are left out."""
        told = {"worksheets": self.worksheets, "left_alone": self.left, "left_alone_count": self.count}
        return {name: value for name, value in told.items() if value}


def undo_records(context: UndoContext) -> dict[str, Any]:
    """Undo what the restore did to records and return the report."""
    report = Report()
    for section in context.journal.sections():
        if section.startswith(RECORDS):
            worksheet = section.removeprefix(RECORDS)
            address = f"worksheet/{worksheet}"
            if address in context.undone:
                _Undo(context, worksheet, context.undone[address], report).run()
    return report.as_json()


class _Undo:
    """One worksheet's records going back."""

    def __init__(self, context: UndoContext, worksheet: str, document: Document, report: Report) -> None:
        self.context, self.worksheet, self.report, self.address = context, worksheet, report, document.address
        self.name = str(document.body.get("name", ""))
        self.store: RecordStore = open_store(context.connection, context.app.id)
        self.fields = fields_of(document.body)
        self.moved = {side: self._moved(documents) for side, documents in
                      (("before", context.before), ("after", context.after), ("now", context.now))}
        self.targets = Targets(self.store, context.app, lambda a: context.undone.get(a) if a in context.live else None)
        self.counts: Counter[str] = Counter()
        self.at = now_us()

    def _moved(self, documents: Mapping[str, Document]) -> set[str]:
        """The fields that mean something else on that side."""
        there = documents.get(self.address)
        return set() if there is None else moved_fields(fields_of(there.body), self.fields)

    def _as_undone(self, row: Row | None, side: str) -> Row | None:
        """Return a row as it stands under the fields that the worksheet has in the end."""
        return settled(row, self.fields, self.moved[side]) if row is not None and self.moved[side] else row

    def run(self) -> None:
        """Take the records back, some at a time."""
        for changes in self._noted() if self.context.writing else self._changes():
            if self.context.writing:
                write_rows(self.store, self.worksheet, self.fields, [after for _, after in changes])
        told = {outcome: self.counts[outcome] for outcome in ("brought_back", "overwritten", "unchanged", "new_since", "binned")}
        if any(told.values()):
            self.report.worksheets.append({"worksheet": self.worksheet, "name": self.name, **told})

    def _noted(self) -> Iterator[list[Pair]]:
        """Yield the changes once the journal and the history have them."""
        app, live = self.context.app, self.fields.keys()
        history = BulkNote(app, self.worksheet, live, live, author_of(app, self.context.person), self.at)
        return note_changes(app, self.worksheet, self._changes(), history)

    def _changes(self) -> Iterator[list[Pair]]:
        for pairs in batched(read_pairs(self.context.journal, self.worksheet), BATCH_ROWS):
            there = {row.seq: row for row in self.store.rows_of(self.worksheet, [after.seq for _, after in pairs])}
            found = ((there.get(after.seq), self._target(before, after, there.get(after.seq))) for before, after in pairs)
            yield [(now, target) for now, target in found if target is not None and target != now]

    def _target(self, before: Row | None, after: Row, now: Row | None) -> Row | None:
        """Return the row as it shall be, None where it stays."""
        old, made, stands = self._as_undone(before, "before"), self._as_undone(after, "after"), now
        if not self.context.writing:
            stands = self._as_undone(now, "now")
        assert made is not None
        target = self._decided(old, made, stands)
        if target is None:
            return None
        target = self._reachable(target, stands)
        if target != stands:
            self._count(stands, target)
        return target

    def _decided(self, old: Row | None, made: Row, now: Row | None) -> Row | None:
        absent = old is None or old.deleted_at is not None
        if now is None:
            if absent or old is None:
                return None
            return old if self.context.force else self._leave(old.seq, GONE)
        if self.context.force or now == made:
            return old if old is not None else now._replace(deleted_at=now.deleted_at or self.at)
        if (now.deleted_at is None) is not (made.deleted_at is None):
            return None if (now.deleted_at is not None) is absent else self._leave(
                now.seq, BROUGHT_BACK if now.deleted_at is None else DELETED)
        if old is None or absent:
            return self._leave(now.seq, EDITED)
        return self._in_part(old, made, now)

    def _leave(self, seq: int, reason: str) -> Row | None:
        """Note that a record stays as it is."""
        self.report.leave(self.worksheet, seq, "", reason)
        return None

    def _in_part(self, old: Row, made: Row, now: Row) -> Row:
        """Take back the fields of a record that nobody has changed since."""
        vals = self._values(now.seq, *(_decode(side.vals) for side in (old, made, now)))
        hidden = self._values(now.seq, *(_decode(side.hidden or "{}") for side in (old, made, now)))
        return now._replace(vals=dumps(vals), hidden=dumps(hidden) if hidden else None, deleted_at=old.deleted_at)

    def _values(self, seq: int, old: dict[str, Any], made: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
        taken = {}
        for key in {**now, **old, **made}:
            value = now.get(key)
            if value == made.get(key):
                value = old.get(key)
            elif old.get(key) not in (made.get(key), value):
                self.report.leave(self.worksheet, seq, key, EDITED)
            if value is not None:
                taken[key] = value
        return taken

    def _reachable(self, target: Row, now: Row | None) -> Row:
        """Return the row without pointers that it would get back and whose targets were removed for good since."""
        pointing: dict[str, Field] = {key: one for key, one in self.fields.items() if one.type.points}
        if not any(f'"{key}":' in target.vals for key in pointing):
            return target
        vals, stands = _decode(target.vals), {} if now is None else _decode(now.vals)
        for key in pointing.keys() & vals.keys():
            if vals[key] != stands.get(key):
                self._keep(target.seq, pointing[key], vals)
        return target._replace(vals=dumps(vals))

    def _keep(self, seq: int, one: Field, vals: dict[str, Any]) -> None:
        gone = frozenset(r for r in one.references(vals[one.key]) if r.kind != "choice" and not self.targets.exist(one, r))
        if gone:
            self.report.leave(self.worksheet, seq, one.key, LOST)
            left = one.type.keep(vals.pop(one.key), one.definition, gone)
            if left is not None:
                vals[one.key] = left

    def _count(self, now: Row | None, target: Row) -> None:
        there, stays = now is not None and now.deleted_at is None, target.deleted_at is None
        if there or stays:
            self.counts["overwritten" if there and stays else "binned" if there else "brought_back"] += 1
