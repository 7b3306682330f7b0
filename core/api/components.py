"""What a plugin brings: components, field types, importers, kinds of runs; and what backups, restores and imports hand to them."""

from core.apps.snapshot import Snapshot
from core.archive.manifest import IndexLine
from core.backups.journal import Journal, journal_of
from core.backups.restore_context import RestoreContext
from core.backups.undo import UndoContext
from core.extension.component import Component, Document, FirstStep, Kind, Operation, Section, Segment
from core.extension.data_report import CollectionReport, DataReport, LostReference, NameOf
from core.extension.field_input import FieldInput
from core.extension.field_type import AbsentFieldType, Definition, FieldType, RecordView, Reference, Source
from core.extension.formula_function import FormulaFunction
from core.extension.hook_calls import is_passing
from core.extension.hookspecs import hookimpl
from core.extension.importer import Corrections, ImportContext, Importer, packed_kind
from core.extension.run_kind import RunKind
from core.extension.store_kind import StoreKind
from core.runs.models import Run
from core.server import field_type
from core.storage.store import Batch, Store

__all__ = [
    "AbsentFieldType",
    "Batch",
    "CollectionReport",
    "Component",
    "Corrections",
    "DataReport",
    "Definition",
    "Document",
    "FieldInput",
    "FieldType",
    "FirstStep",
    "FormulaFunction",
    "ImportContext",
    "Importer",
    "IndexLine",
    "Journal",
    "Kind",
    "LostReference",
    "NameOf",
    "Operation",
    "RecordView",
    "Reference",
    "RestoreContext",
    "Run",
    "RunKind",
    "Section",
    "Segment",
    "Snapshot",
    "Source",
    "Store",
    "StoreKind",
    "UndoContext",
    "field_type",
    "hookimpl",
    "is_passing",
    "journal_of",
    "packed_kind",
]
