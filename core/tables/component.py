"""A component whose data lies in tables of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from core.apps.snapshot import Snapshot
from core.backups.restore_context import RestoreContext
from core.backups.undo import UndoContext
from core.base.errors import InvalidInput
from core.extension.component import Component, Section
from core.extension.data_report import DataReport, NameOf, RecordPair
from core.tables.merge import collection_of, merge, planned
from core.tables.table_data import TableData, report
from core.tables.undo import undo
from core.tables.watching import is_watched
from core.tenancy.models import App


class TableComponent(Component):
    """A component that names its `tables` and has everything that backups, restores and undo ask of data."""

    tables: ClassVar[Sequence[TableData]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        sections = [table.section for table in cls.tables]
        if twice := next((one for one in sections if sections.count(one) > 1), ""):
            raise ValueError(f"{cls.__name__} has two tables with the section “{twice}”, which backups know each by.")

    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for table in sorted(self.tables, key=lambda one: one.name):
            some = partial(table.some_segments, snapshot) if is_watched(snapshot.connection, table) else None
            yield Section(table.name, table.segments(snapshot), some)

    def record_count(self, app: App, snapshot: Snapshot) -> int:
        return sum(table.count(snapshot) for table in self.tables)

    def counters(self, app: App, snapshot: Snapshot) -> Mapping[str, int]:
        return {key: last for table in self.tables for key, last in table.given(snapshot).items()}

    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        yield from sorted({digest for table in self.tables for digest in table.files_named(snapshot, everything=False)})

    def kept_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        yield from sorted({digest for table in self.tables for digest in table.files_named(snapshot, everything=True)})

    def check_data(self, section: str, n: int, values: Iterable[Any], context: dict[str, Any]) -> None:
        table = next((one for one in self.tables if one.name == section), None)
        if table is None:
            raise InvalidInput(f"The section “{section}” belongs to no table of {self.name}.")
        table.check_lines(n, values, context["files"])

    def collection(self, section: str) -> str | None:
        return next((collection_of(self.name, table) for table in self.tables if table.name == section), None)

    def planned_records(self, app: App, context: RestoreContext, collection: str, outcome: str, after: int) -> Iterator[RecordPair]:
        for table in self.tables:
            if collection_of(self.name, table) == collection:
                yield from planned(table, self.name, context, outcome, after)

    def plan_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        return merge(self.tables, self.name, context)

    def restore_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        return merge(self.tables, self.name, context)

    def plan_undo(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        return undo(self.tables, self.name, context)

    def undo_data(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        return undo(self.tables, self.name, context)

    def data_report(self, said: Mapping[str, Any], name_of: NameOf) -> DataReport:
        return report(self.tables, said)
