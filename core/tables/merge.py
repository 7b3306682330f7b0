"""Merging the rows of a backup into a table, by number and column; or telling what that would do.

Source: docs/rules.md, “What happens to a record”.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.apps import service
from core.apps.change_log import SEGMENT_ROWS
from core.archive.canonical import canonical, parse
from core.backups.journal import journal_of
from core.backups.restore_context import RestoreContext
from core.base.errors import InvalidInput
from core.base.time import now_us
from core.extension.data_report import RecordPair
from core.server import server
from core.tables.rows import MAX_JSON_BYTES, Json
from core.tables.table_data import OWN, Pointer, TableData, Values

MAX_LISTED = 10_000
MAX_LINE_BYTES = 64 * MAX_JSON_BYTES
Change = tuple[Values | None, Values]


@dataclass
class Told:
    """What happened to rows, or would."""

    tables: dict[str, Counter[str]] = field(default_factory=dict)
    lost: list[dict[str, Any]] = field(default_factory=list)
    lost_count: int = 0
    authors: int = 0

    def lose(self, table: TableData, number: int, pointer: Pointer, target: str, reason: str) -> None:
        """Note a pointer that is left as it is now."""
        self.lost_count += 1
        if len(self.lost) < MAX_LISTED:
            self.lost.append({"table": table.name, "number": number, "column": pointer.columns[0], "target": target, "reason": reason})

    def as_json(self) -> dict[str, Any]:
        """Return the report; empty parts are left out."""
        told = {"tables": {name: dict(counts) for name, counts in sorted(self.tables.items()) if any(counts.values())},
                "references_not_restored": self.lost, "references_not_restored_count": self.lost_count,
                "notes": {"authors_not_proven": self.authors} if self.authors else {}}
        return {name: value for name, value in told.items() if value}


def merge(tables: Sequence[TableData], component: str, context: RestoreContext) -> dict[str, Any]:
    """Merge the backup's rows of a component's tables, or tell what that would do where the context is not for writing."""
    told, live = Told(), context.live_segments(component)
    for table in tables:
        _Merge(table, component, context, told, live).run()
    return told.as_json()


class _Merge:
    """One table's rows meeting those of the backup."""

    def __init__(self, table: TableData, component: str, context: RestoreContext, told: Told,
                 live: Mapping[tuple[str, int], str]) -> None:
        self.table, self.component, self.context, self.told = table, component, context, told
        self.counts = told.tables.setdefault(table.name, Counter())
        self.live = {n: digest for (section, n), digest in live.items() if section == table.name}
        self.numbers = _numbers(context, component, table)
        wanted = None if self.numbers is None else {number // SEGMENT_ROWS for number in self.numbers}
        self.lines = [line for line in context.lines(component) if line.section == table.name and (wanted is None or line.n in wanted)]
        self.met: set[int] = set()
        self.there: dict[tuple[str, str], bool] = {}
        self.highest = context.counters(component).get(f"{table.section}_1", 0)

    def run(self) -> None:
        """Merge the segments that differ and count the others.

        Raises:
            InvalidInput: the backup has not one of the rows that are named.
        """
        differing = self.differing
        self.counts["unchanged"] += sum(line.count for line in self.lines) - sum(line.count for line in differing)
        journal = journal_of(self.context.app) if self.context.writing else None
        stage = journal.stage(journal_section(self.component, self.table)) if journal is not None else None
        for changes in self.changes(differing):
            if self.context.writing:
                if stage is not None:
                    stage.add([entry(self.table, before, after) for before, after in changes])
                self.table.put(self.context.app.id, self.context.connection, changes)
        if absent := sorted((self.numbers or frozenset()) - self.met):
            raise InvalidInput(f"The backup holds no record {absent[0]} of {self.table.noun}.")
        if self.context.writing and self.highest:
            self.table.raise_number(self.context.app.id, self.context.connection, self.highest)

    @property
    def differing(self) -> list[Any]:
        """The segments that are not as they are now; where rows are named, all in which one may lie."""
        return [line for line in self.lines if self.numbers is not None or self.live.get(line.n) != line.content]

    def changes(self, differing: list[Any]) -> Iterator[list[Change]]:
        """Yield what changes, a segment at a time, ascending."""
        only_here = deque(sorted(self.live.keys() - {line.n for line in self.lines}) if self.numbers is None else ())
        for line, raw in self.context.segments(self.component, differing):
            while only_here and only_here[0] < line.n:
                yield self._segment(only_here.popleft(), [])
            saved = [parse(one, max_bytes=MAX_LINE_BYTES) for one in raw.split(b"\n") if one]
            yield self._segment(line.n, saved)
        for n in only_here:
            yield self._segment(n, [])

    def _segment(self, n: int, saved: list[Any]) -> list[Change]:
        first = n * SEGMENT_ROWS
        now = self.table.between(self.context.app.id, self.context.connection, first, first + SEGMENT_ROWS - 1)
        if self.numbers is not None:
            saved = [value for value in saved if value["number"] in self.numbers]
            self.met.update(value["number"] for value in saved)
        self._ask_records(saved)
        changes: list[Change] = []
        for value in saved:
            self.highest = max(self.highest, value["number"])
            old = now.get(value["number"])
            new = self._row(value, old)
            if new is None:
                continue
            gone = old is None or old["deleted_at"] is not None
            self.counts["brought_back" if gone else "unchanged" if new == old else "overwritten"] += 1
            if new != old:
                changes.append((old, new))
        if self.numbers is not None:
            return changes
        known = {value["number"] for value in saved}
        newer = [row for number, row in sorted(now.items()) if number not in known and row["deleted_at"] is None]
        self.counts["binned" if self.context.bin_newer else "new_since"] += len(newer)
        if self.context.bin_newer:
            at = now_us()
            changes += [(row, {**row, "deleted_at": at}) for row in newer]
        return changes

    def _ask_records(self, saved: list[Any]) -> None:
        """Find out at once which of the records are there that rows point to."""
        if self.table.record is None:
            return
        wanted: dict[str, set[int]] = {}
        for value in saved:
            worksheet, seq = (value.get(name) for name in self.table.record)
            if worksheet is not None and seq is not None and ("record", f"{worksheet}/{seq}") not in self.there:
                wanted.setdefault(worksheet, set()).add(seq)
        for worksheet, seqs in wanted.items():
            found = server().registry.hook.records_there(
                app=self.context.app, worksheet=worksheet, seqs=sorted(seqs), restoring=self.context) or ()
            self.there |= {("record", f"{worksheet}/{seq}"): seq in found for seq in seqs}

    def _row(self, value: Mapping[str, Any], old: Values | None) -> Values | None:
        """Return a row as it shall be; None for one that cannot be without something that is gone."""
        new = self.table.row_of(value)
        for pointer in self.table.pointers:
            target = [new[name] for name in pointer.columns]
            if None in target or self._reaches(pointer, target):
                continue
            self.told.lose(self.table, value["number"], pointer, "/".join(map(str, target)), "it is permanently deleted")
            if old is None and not all(self.table.table.c[name].nullable for name in pointer.columns):
                return None
            new |= {name: None if old is None else old[name] for name in pointer.columns}
        if not self.context.authors_proven:
            for name in self.table.people:
                if new[name] is not None:
                    said = new[name]
                    new[name] = self.context.author(said, None if old is None else old[name])
                    self.told.authors += new[name] != said
        return new

    def _reaches(self, pointer: Pointer, target: list[Any]) -> bool:
        key = pointer.kind, "/".join(map(str, target))
        if key not in self.there:
            self.there[key] = self._look(pointer.kind, target)
        return self.there[key]

    def _look(self, kind: str, target: list[Any]) -> bool:
        context = self.context
        if kind == "document":
            return target[0] in context.documents or target[0] in context.hidden or target[0] in context.documents_before
        return service.org_exists(context.app.organization_id, target[0])


def collection_of(component: str, table: TableData) -> str:
    """Return the address of a table's rows as a collection of records: "comments/c_1"."""
    return f"{component}/{table.name.rpartition('/')[2]}"


def _numbers(context: RestoreContext, component: str, table: TableData) -> frozenset[int] | None:
    """Return the numbers of the rows that are to be restored; None is all, also where a document of the component is chosen."""
    found = context.only.numbers(component, collection_of(component, table))
    kinds = server().registry.kinds
    whole = not found and any(kinds[name.partition("/")[0]][0].name == component for name in context.only.documents)
    return None if whole else found


def planned(table: TableData, component: str, context: RestoreContext, outcome: str, after: int) -> Iterator[RecordPair]:
    """Yield the rows of a table to which a restore would do something; see `Component.planned_records`."""
    left = outcome == "new_since" and not context.bin_newer
    if outcome == "new_since" and not left:
        return
    merging = _Merge(table, component, replace(context, bin_newer=True) if left else context, Told(), context.live_segments(component))
    ascending = (pair for changes in merging.changes(merging.differing) for pair in sorted(changes, key=_number))
    for old, new in (pair for pair in ascending if _number(pair) > after):
        there, then = (None if row is None or row["deleted_at"] is not None else _shown(row) for row in (old, new))
        happens = ("new_since" if left else "binned") if then is None else "brought_back" if there is None else "overwritten"
        if happens == outcome:
            yield RecordPair(number=new["number"], before=there, after=there if left else then)


def _number(change: Change) -> int:
    return int(change[1]["number"])


def _shown(row: Values) -> Values:
    return {name: value for name, value in row.items() if name not in OWN}


def journal_section(component: str, table: TableData) -> str:
    """Return the section of a restore's journal that has a table's rows."""
    return f"rows/{component}/{table.section}"


def entry(table: TableData, before: Values | None, after: Values) -> list[Any]:
    """Return a change of a row as the journal keeps it: JSON as text, so that the files that it names are found there."""
    return [None if before is None else _kept(table, before), _kept(table, after)]


def _kept(table: TableData, row: Values) -> dict[str, Any]:
    json = json_columns(table)
    return {name: canonical(value).decode() if name in json and value is not None else value for name, value in row.items()}


def json_columns(table: TableData) -> set[str]:
    """Return the names of a table's columns of JSON."""
    return {column.name for column in table.columns if isinstance(column.type, Json)}
