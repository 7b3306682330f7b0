"""What a plugin brings: components, field types, importers, kinds of runs; and what backups, restores and imports hand to them."""

from core.apps.snapshot import Snapshot
from core.archive.manifest import IndexLine
from core.backups.browse import BrowsedBackup, browsing
from core.backups.journal import Journal, RestoreAct, journal_of, restore_act
from core.backups.restore_context import RestoreContext
from core.backups.undo import UndoContext
from core.base.difference import Change
from core.base.errors import ObjectMissing
from core.extension.channel import Channel, DeliveryFailed, Message
from core.extension.component import Component, Document, FirstStep, Kind, Operation, Section, Segment
from core.extension.data_report import CollectionReport, DataReport, LostReference, NameOf, RecordPair, RecordTold, ValueTold
from core.extension.field_input import FieldInput
from core.extension.field_type import LIKE_TYPES, AbsentFieldType, Definition, FieldType, RecordView, Reference, Source
from core.extension.formula_function import FormulaFunction
from core.extension.hook_calls import is_passing
from core.extension.hookspecs import hookimpl
from core.extension.importer import Corrections, ImportContext, Importer, packed_kind
from core.extension.run_kind import RunKind
from core.extension.settable import MOST_SHOWN_CHARS, BlockShown, BlockType, Settable, StepType, check_settings
from core.extension.store_kind import StoreKind
from core.extension.time_bound import TookTooLong, bounded
from core.runs.context import RunContext
from core.runs.models import Run
from core.server import field_type
from core.storage.store import Batch, Store

__all__ = [
    "LIKE_TYPES",
    "MOST_SHOWN_CHARS",
    "AbsentFieldType",
    "Batch",
    "BlockShown",
    "BlockType",
    "BrowsedBackup",
    "Change",
    "Channel",
    "CollectionReport",
    "Component",
    "Corrections",
    "DataReport",
    "Definition",
    "DeliveryFailed",
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
    "Message",
    "NameOf",
    "ObjectMissing",
    "Operation",
    "RecordPair",
    "RecordTold",
    "RecordView",
    "Reference",
    "RestoreAct",
    "RestoreContext",
    "Run",
    "RunContext",
    "RunKind",
    "Section",
    "Segment",
    "Settable",
    "Snapshot",
    "Source",
    "StepType",
    "Store",
    "StoreKind",
    "TookTooLong",
    "UndoContext",
    "ValueTold",
    "bounded",
    "browsing",
    "check_settings",
    "field_type",
    "hookimpl",
    "is_passing",
    "journal_of",
    "packed_kind",
    "restore_act",
]
