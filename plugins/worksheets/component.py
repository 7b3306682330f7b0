"""Worksheets: fields, views, forms, rules and buttons in documents; records and their files as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.api import (
    AbsentFieldType,
    App,
    BrowsedBackup,
    Component,
    DataReport,
    Document,
    FirstStep,
    InvalidDocument,
    InvalidInput,
    NameOf,
    Operation,
    RecordPair,
    RecordTold,
    RestoreContext,
    Section,
    Snapshot,
    UndoContext,
    canonical,
    field_type,
    parse,
)
from plugins.worksheets import content, service
from plugins.worksheets import history_log as log
from plugins.worksheets.definitions import check_types, check_worksheet
from plugins.worksheets.fields import fields_of, shaped
from plugins.worksheets.operations import OPERATIONS
from plugins.worksheets.records import open_store
from plugins.worksheets.report import data_report
from plugins.worksheets.restore import planned_records, restore_records
from plugins.worksheets.schema import WORKSHEET
from plugins.worksheets.sections import (
    FIELDS,
    RECORDS,
    Shapes,
    check_fields,
    check_records,
    given_numbers,
    in_todays_shape,
    read_shapes,
    sections,
    worksheet_of,
)
from plugins.worksheets.undo import undo_records

MOVED_AT_ONCE = 20_000
"""Of a worksheet with at most so many records, values are moved while a page waits: within a second or two."""


class Worksheets(Component):
    """Documents as usual; records go out as bytes that the database builds and come back by a merge."""

    name, title, version, kinds = "worksheets", "Worksheets", 1, (WORKSHEET,)
    about, rank = "Tables with the app's data.", 10
    key_words = {"f": "field", "v": "view", "o": "choice"}
    note_words = {"authors_not_proven": "records name a member here as their author, which only a file signed by this server can prove; "
                                        "whoever restores them stands there instead"}
    first_step = FirstStep(kind="worksheet", button="New worksheet",
                           sentence="Start with a worksheet: a table that holds the app's data. Then add pages, workflows and roles.")

    def check(self, document: Document) -> None:
        check_worksheet(document)

    def check_edit(self, before: Document | None, after: Document) -> None:
        check_types(before, after)

    def operations(self) -> Mapping[str, Operation]:
        return OPERATIONS

    def edits_done(self, app: App) -> Iterator[None]:
        return service.edits_done(app)

    def documents_changed(self, app: App, before: Mapping[str, Document],
                          after: Mapping[str, Document]) -> Mapping[str, int]:
        """Move values with their fields: into the bin, out of it, into another type."""
        for address in sorted(before.keys() & after.keys()):
            service.follow_fields(app, before[address], after[address])
        for address in sorted(after):
            service.follow_indexes(app, after[address])
        return {}

    def takes_long(self, app: App, op: str, address: str) -> bool:
        """A field's values move record by record, and a worksheet's records go with it for good."""
        _, worksheet, *part = address.split("/")
        moves = part[:1] == ["field"] or (op == "purge" and not part)
        return moves and service.store_of(app).has_more_than(worksheet, MOVED_AT_ONCE)

    def purged(self, app: App, address: str) -> None:
        _, worksheet, *part = address.split("/")
        if not part:
            service.purge_worksheet(app, worksheet)
        elif part[0] == "field":
            service.purge_field(app, worksheet, part[1])

    def browsed_records(self, browsed: BrowsedBackup) -> Mapping[str, int]:
        return content.record_counts(browsed)

    def record_count(self, app: App, snapshot: Snapshot) -> int:
        store = open_store(snapshot.connection, app.id)
        return sum(store.count(document.key) for document in snapshot.documents(["worksheet"]))

    def record_estimate(self, app: App, snapshot: Snapshot) -> int:
        store = open_store(snapshot.connection, app.id)
        return sum(store.estimate(document.key) for document in snapshot.documents(["worksheet"]))

    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        store = open_store(snapshot.connection, app.id)
        yield from sections(store, list(snapshot.documents(["worksheet"])))

    def counters(self, app: App, snapshot: Snapshot) -> Mapping[str, int]:
        return given_numbers(open_store(snapshot.connection, app.id), snapshot.documents(["worksheet"]))

    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        store = open_store(snapshot.connection, app.id)
        found: set[str] = set()
        for document in snapshot.documents(["worksheet"]):
            holding = [key for key, one in fields_of(document.body).items() if one.type.holds_files]
            found.update(store.attached(document.key, holding) if holding else ())
        yield from sorted(found)

    def kept_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        yield from open_store(snapshot.connection, app.id).files_named()
        yield from log.files_named(snapshot.connection, app.id)

    def check_data(self, section: str, n: int, values: Iterable[Any], context: dict[str, Any]) -> None:
        shapes: Shapes = context.setdefault("worksheets_shapes", {})
        if section == FIELDS:
            found = check_fields(values)
            if shapes and min(found) <= max(shapes):
                raise InvalidInput("The worksheets of the section “fields” are out of order.")
            shapes.update(found)
            _check_against_documents(found, context.get("documents"))
            return
        worksheet = worksheet_of(section)
        if not section.startswith(RECORDS) or worksheet not in shapes:
            raise InvalidInput(f"The section “{section}” belongs to no worksheet of the backup.")
        kept = context.setdefault("worksheets_fields", {})
        if worksheet not in kept:
            kept.clear()
            kept[worksheet] = {key: shaped(key, shape) for key, shape in shapes[worksheet].items()}
        unlisted = next((f for f in check_records(worksheet, n, values, kept[worksheet])
                         if f not in context["files"]), None)
        if unlisted is not None:
            raise InvalidInput(f"A record of worksheet {worksheet} names the file {unlisted}, which the backup lacks.")

    def plan_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        return self.restore_data(app, context)

    def collection(self, section: str) -> str | None:
        return f"worksheet/{worksheet_of(section)}" if section.startswith(RECORDS) else None

    def record_of(self, section: str, line: Mapping[str, Any]) -> RecordPair:
        return RecordPair(number=line["seq"], before=None, after=line["vals"])

    def planned_records(self, app: App, context: RestoreContext, collection: str, outcome: str, after: int) -> Iterator[RecordPair]:
        shapes = {worksheet: in_todays_shape(fields) for worksheet, fields in _written(context).items()}
        yield from planned_records(context, shapes, collection.partition("/")[2], outcome, after)

    def tell_records(self, app: App, person: str, collection: str, pairs: Sequence[RecordPair], before: Mapping[str, Document],
                     after: Mapping[str, Document]) -> list[RecordTold]:
        from plugins.worksheets.web.told_records import tell_records  # pages are loaded where there are any

        return tell_records(app, person, pairs, before.get(collection), after.get(collection))

    def restore_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        written = _written(context)
        shapes = {worksheet: in_todays_shape(fields) for worksheet, fields in written.items()}
        otherwise = [{"worksheet": worksheet, "field": key} for worksheet, fields in written.items() for key, shape in fields.items()
                     if shapes[worksheet].get(key) != shape]
        return restore_records(context, shapes) | ({"described_otherwise": otherwise} if otherwise else {})

    def plan_undo(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        return undo_records(context)

    def undo_data(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        return undo_records(context)

    def data_report(self, said: Mapping[str, Any], name_of: NameOf) -> DataReport:
        return data_report(said, name_of)


def _written(context: RestoreContext) -> Shapes:
    """Return the shapes of fields as the backup describes them."""
    written: Shapes = {}
    for _, raw in context.segments("worksheets", [line for line in context.lines("worksheets") if line.section == FIELDS]):
        written |= read_shapes(parse(line, max_bytes=2**20) for line in raw.split(b"\n") if line)
    return written


def _judged(shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes of fields whose type is here: of others nobody can say what belongs to one, and whether it holds values."""
    return {key: shape for key, shape in shapes.items() if not isinstance(field_type(shape["type"]), AbsentFieldType)}


def _check_against_documents(shapes: Shapes, by_address: Mapping[str, Document] | None) -> None:
    """Where the file has the configuration too, both must speak of the same fields."""
    if by_address is None:
        return
    for worksheet, fields in shapes.items():
        document = by_address.get(f"worksheet/{worksheet}")
        try:
            known = {} if document is None else {key: one.shape for key, one in fields_of(document.body).items()}
        except InvalidInput as error:
            raise InvalidDocument(f"worksheet/{worksheet}: {error.message}") from error
        if document is None or canonical(_judged(known)) != canonical(_judged(fields)):
            raise InvalidInput(f"The records of worksheet {worksheet} have other fields than its configuration.")
