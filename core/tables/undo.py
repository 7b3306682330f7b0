"""Undoing what a restore did to a table's rows, column by column, from the journal that it kept.

Source: docs/rules.md, “Undo”.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.archive.canonical import parse
from core.backups.journal import Journal, journal_of
from core.backups.undo import BROUGHT_BACK, DELETED, EDITED, GONE, UndoContext
from core.base.db import batched
from core.base.time import now_us
from core.tables.merge import MAX_LISTED, Change, entry, journal_section, json_columns
from core.tables.rows import MAX_JSON_BYTES
from core.tables.table_data import TableData, Values

AT_ONCE = 256


def undo(tables: Sequence[TableData], component: str, context: UndoContext) -> dict[str, Any]:
    """Take rows back to what they were before a restore, or tell what that would do where the context is not for writing."""
    told: dict[str, Any] = {"tables": {}, "left_alone": [], "left_alone_count": 0}
    for table in tables:
        counts = _Undo(table, component, context, told).run()
        if any(counts.values()):
            told["tables"][table.name] = dict(counts)
    return {name: value for name, value in told.items() if value}


class _Undo:
    """One table's rows going back."""

    def __init__(self, table: TableData, component: str, context: UndoContext, told: dict[str, Any]) -> None:
        self.table, self.context, self.told, self.counts = table, context, told, Counter[str]()
        self.section, self.at = journal_section(component, table), now_us()

    def run(self) -> Counter[str]:
        """Take them back, some at a time."""
        journal = journal_of(self.context.app) if self.context.writing else None
        stage = journal.stage(self.section) if journal is not None else None
        for some in batched(sorted(self._kept(self.context.journal).items()), AT_ONCE):
            there = self.table.numbered(self.context.app.id, self.context.connection, [number for number, _ in some])
            decided = ((there.get(number), self._decide(number, before, after, there.get(number))) for number, (before, after) in some)
            changes: list[Change] = [(now, to) for now, to in decided if to is not None and to != now]
            for now, to in changes:
                self._count(now, to)
            if self.context.writing:
                if stage is not None:
                    stage.add([entry(self.table, now, to) for now, to in changes])
                self.table.put(self.context.app.id, self.context.connection, changes)
        return self.counts

    def _kept(self, journal: Journal) -> dict[int, tuple[Values | None, Values]]:
        """Return (before, after) of each row that the restore changed; of several changes the first and the last."""
        found: dict[int, tuple[Values | None, Values]] = {}
        for stage in journal.stages(self.section):
            for before, after in stage:
                made = self._row(after)
                first = found[made["number"]][0] if made["number"] in found else (None if before is None else self._row(before))
                found[made["number"]] = first, made
        return found

    def _row(self, kept: dict[str, Any]) -> Values:
        json, names = json_columns(self.table), ["number", "deleted_at", *(c.name for c in self.table.columns)]
        row = {name: kept.get(name) for name in names}
        return {name: parse(value.encode(), max_bytes=MAX_JSON_BYTES) if name in json and value is not None else value
                for name, value in row.items()}

    def _decide(self, number: int, before: Values | None, after: Values, now: Values | None) -> Values | None:
        """Return the row as it shall be, None where it stays."""
        absent = before is None or before["deleted_at"] is not None
        if now is None:
            if before is not None and self.context.force:
                return before
            if not absent:
                self._leave(number, "", GONE)
            return None
        back: Values = {**now, "deleted_at": self.at} if before is None else before
        if self.context.force or now == after:
            return back
        if (now["deleted_at"] is None) is not (after["deleted_at"] is None):
            self._leave(number, "", BROUGHT_BACK if now["deleted_at"] is None else DELETED)
            return None
        if before is None or absent:
            self._leave(number, "", EDITED)
            return None
        return self._by_column(number, before, after, now)

    def _by_column(self, number: int, before: Values, after: Values, now: Values) -> Values:
        to = dict(now)
        for name in before:
            if now[name] == after[name]:
                to[name] = before[name]
            elif before[name] not in (after[name], now[name]):
                self._leave(number, name, EDITED)
        return to

    def _leave(self, number: int, column: str, reason: str) -> None:
        self.told["left_alone_count"] += 1
        if len(self.told["left_alone"]) < MAX_LISTED:
            self.told["left_alone"].append({"table": self.table.name, "number": number, "column": column, "reason": reason})

    def _count(self, now: Values | None, to: Values) -> None:
        if to["deleted_at"] is not None:
            self.counts["binned"] += now is None or now["deleted_at"] is None
        else:
            self.counts["brought_back" if now is None or now["deleted_at"] is not None else "overwritten"] += 1
