"""Comparing two states: each a backup (an uploaded file is one) or the app as it is. Nothing is merged, nothing is written.

What differs is found by digests: it costs what differs, not what the sides hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from core.apps import documents
from core.apps.change_log import SEGMENT_ROWS
from core.apps.snapshot import Snapshot
from core.archive.canonical import parse
from core.archive.manifest import IndexLine
from core.backups.merge import compare_documents
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.backups.state import Description, describe
from core.extension.component import Component, Document
from core.extension.data_report import RecordPair
from core.server import server
from core.tenancy.models import App

MAX_LINE_BYTES = 2**24
CHANGES = ("added", "changed", "removed")
"""What can have happened to a record from the earlier side to the later one."""
Records = Mapping[int, Mapping[str, Any]]


class SavedSide:
    """A backup as one side of a comparison."""

    def __init__(self, backup: Backup) -> None:
        self.saved = BackupReader(backup)
        self.holds_config, self.holds_data = backup.part != "data", backup.part != "config"

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents by address."""
        return self.saved.documents if self.holds_config else {}

    def lines(self, component: str) -> list[IndexLine]:
        """Return the lines of a component's data."""
        return self.saved.data_lines(component)

    def records(self, component: Component, line: IndexLine) -> Records:
        """Return the records of a segment by their number."""
        return records_in(component, line.section, self.saved.lifted(component.name, line.section, self.saved.read(line.content)))


class LiveSide:
    """The app as it is at the moment that a connection sees, as one side of a comparison."""

    holds_config = holds_data = True

    def __init__(self, app: App, connection: Connection) -> None:
        self.app, self.snapshot = app, Snapshot(app.id, connection)

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The live documents by address."""
        return {document.address: document for document in documents.live(self.app)}

    @cached_property
    def _described(self) -> Description:
        return describe(self.app, self.snapshot, config=False)

    def lines(self, component: str) -> list[IndexLine]:
        """Return the lines that a backup would have of a component's data."""
        return self._described.lines_of(component, "data")

    def records(self, component: Component, line: IndexLine) -> Records:
        """Return the records of a segment by their number."""
        return self._segment(component, lambda section: section == line.section, line.n)

    def record(self, component: Component, collection: str, number: int) -> Mapping[str, Any] | None:
        """Return the values of one record; None where there is none."""
        return self._segment(component, lambda section: component.collection(section) == collection, number // SEGMENT_ROWS).get(number)

    def _segment(self, component: Component, is_meant: Callable[[str], bool], n: int) -> Records:
        """Return the records of segment *n* of the section whose name is meant; none where there is no such."""
        for section in component.data_sections(self.app, self.snapshot):
            if is_meant(section.name):
                segments = section.segments if section.some is None else section.some([(n, n)])
                return next((records_in(component, section.name, one.raw) for one in segments if one.n == n), {})
        return {}


Side = SavedSide | LiveSide


def records_in(component: Component, section: str, raw: bytes) -> Records:
    """Return the records of a segment's bytes, in today's shape, by their number."""
    pairs = (component.record_of(section, parse(one, max_bytes=MAX_LINE_BYTES)) for one in raw.split(b"\n") if one)
    return {pair.number: pair.after or {} for pair in pairs}


@dataclass(frozen=True, slots=True)
class CollectionCompared:
    """How many records of a collection were added, changed and removed from the earlier side to the later one."""

    component: str
    address: str
    added: int = 0
    changed: int = 0
    removed: int = 0


def documents_compared(before: Side, after: Side) -> dict[str, Any]:
    """Return what differs in the documents from one side to the other, by component; in the form of a plan.

    Nothing where one of the sides holds no configuration.
    """
    if not (before.holds_config and after.holds_config):
        return {}
    told = {name: compare_documents(component, before.documents, after.documents, ())
            for name, component in server().registry.components.items()}
    return {name: {"documents": said} for name, said in told.items() if said}


def data_compared(before: Side, after: Side) -> list[CollectionCompared]:
    """Return how many records differ from one side to the other, by collection; only those in which any do."""
    found = []
    for component, section in _sections(before, after):
        counts = dict.fromkeys(CHANGES, 0)
        for pair in record_pairs(before, after, component, section):
            counts[what_happened(pair)] += 1
        if any(counts.values()):
            found.append(CollectionCompared(component.name, component.collection(section) or section, **counts))
    return found


def record_pairs(before: Side, after: Side, component: Component, section: str, first: int = 0) -> Iterator[RecordPair]:
    """Yield the records above number *first* that differ, ascending."""
    sides = [{line.n: line for line in side.lines(component.name) if line.section == section} for side in (before, after)]
    for n in sorted({*sides[0], *sides[1]}):
        old, new = (side.get(n) for side in sides)
        if (n + 1) * SEGMENT_ROWS <= first or (old is not None and new is not None and old.content == new.content):
            continue
        was = {} if old is None else before.records(component, old)
        now = {} if new is None else after.records(component, new)
        for number in sorted({*was, *now}):
            if number > first and was.get(number) != now.get(number):
                yield RecordPair(number=number, before=was.get(number), after=now.get(number))


def what_happened(pair: RecordPair) -> str:
    """Return which of `CHANGES` happened to a record."""
    return "added" if pair.before is None else "removed" if pair.after is None else "changed"


def _sections(*sides: Side) -> Iterable[tuple[Component, str]]:
    """Return the sections that hold records on any side, each with its component; none where a side holds no data."""
    if not all(side.holds_data for side in sides):
        return []
    return [(component, section) for name, component in server().registry.components.items()
            for section in sorted({line.section for side in sides for line in side.lines(name)})
            if component.collection(section) is not None]
