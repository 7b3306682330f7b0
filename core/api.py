"""The front door: all that a plugin may import. What is not here may change without notice."""

from core.app import create_app
from core.apps import documents, locks
from core.apps import parts as placing
from core.apps import service as apps
from core.apps.models import DocumentRow
from core.apps.permissions import EVERYTHING, NOTHING, Rights, Standing, rights, standing
from core.apps.service import find_app, opened, org_choices, org_exists
from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical, parse
from core.archive.manifest import IndexLine
from core.backups import inline as direct
from core.backups.journal import Journal, journal_of
from core.backups.log_sentences import act_sentence as backup_act_sentence
from core.backups.restore_context import RestoreContext
from core.backups.undo import UndoContext
from core.base import budget, schemas
from core.base.config import read_config
from core.base.db import Base, after_commit, batched, db, driver, in_transaction, reading, scratch, transaction
from core.base.errors import (
    AppkeepError,
    AppRestoring,
    Conflict,
    Forbidden,
    ImportFailed,
    InvalidDocument,
    InvalidInput,
    InvalidValue,
    NotFound,
)
from core.base.ids import KEY, SINGLE, SYSTEM, is_key, is_person, new_key
from core.base.refs import FILE_MARK, files, files_in_text, pointers
from core.base.text import size_text
from core.base.time import now_us
from core.base.zips import check_ratio, open_zip
from core.cli.verbs import verb
from core.extension.component import Component, Document, Kind, Operation, Section, Segment
from core.extension.field_type import Definition, FieldType, RecordView, Reference, Source
from core.extension.hookspecs import hookimpl
from core.extension.importer import Corrections, ImportContext, Importer, packed_kind
from core.extension.record_contract import MOST_RECORDS, FieldGiven, FileGiven, RecordGiven, RecordsAsked, RecordsGiven
from core.imports.apply import import_file
from core.objects.images import PICTURES, SHOWN_TYPES, put_picture
from core.objects.index import files_missing, stored_bytes
from core.objects.reader import read_file
from core.objects.writer import ObjectWriter, put_file, writing_objects
from core.runs.models import Run
from core.server import field_type, server
from core.tenancy.migrate import ensure_schema
from core.tenancy.models import App
from core.tenancy.owned import Owned, OwnedByApp
from core.tenancy.request_cache import keeping, remembered
from core.tenancy.row_security import loading
from core.tenancy.sealing import SecretLost, reseal, seal, unseal
from core.tenancy.wall import as_server, as_tenant, every_organization, tenant
from core.tenancy.zones import zone_named
from core.web import matrix
from core.web.answers import again, send_kept
from core.web.bin import binned
from core.web.csvfile import csv_response, harmless
from core.web.days import day_asked, midnight
from core.web.editor import Editing, Input, Target, Targets, digest, seen_another, walk
from core.web.gate import APP, MANAGE, ORGANIZATION, Needs, Pages
from core.web.icons import ICONS, Look, is_sign
from core.web.menu import MenuItem
from core.web.protection import csrf, limiter
from core.web.shell import document_url, edit_url
from core.web.visit import Visitor, current_app_row, current_standing, require, rights_here, visit

__all__ = [
    "APP",
    "EVERYTHING",
    "FILE_MARK",
    "ICONS",
    "KEY",
    "MANAGE",
    "MOST_RECORDS",
    "NOTHING",
    "ORGANIZATION",
    "PICTURES",
    "SHOWN_TYPES",
    "SINGLE",
    "SYSTEM",
    "App",
    "AppRestoring",
    "AppkeepError",
    "Base",
    "Component",
    "Conflict",
    "Corrections",
    "Definition",
    "Document",
    "DocumentRow",
    "Editing",
    "FieldGiven",
    "FieldType",
    "FileGiven",
    "Forbidden",
    "ImportContext",
    "ImportFailed",
    "Importer",
    "IndexLine",
    "Input",
    "InvalidDocument",
    "InvalidInput",
    "InvalidValue",
    "Journal",
    "Kind",
    "Look",
    "MenuItem",
    "Needs",
    "NotFound",
    "ObjectWriter",
    "Operation",
    "Owned",
    "OwnedByApp",
    "Pages",
    "RecordGiven",
    "RecordView",
    "RecordsAsked",
    "RecordsGiven",
    "Reference",
    "RestoreContext",
    "Rights",
    "Run",
    "SecretLost",
    "Section",
    "Segment",
    "Snapshot",
    "Source",
    "Standing",
    "Target",
    "Targets",
    "UndoContext",
    "Visitor",
    "after_commit",
    "again",
    "apps",
    "as_server",
    "as_tenant",
    "backup_act_sentence",
    "batched",
    "binned",
    "budget",
    "canonical",
    "check_ratio",
    "create_app",
    "csrf",
    "csv_response",
    "current_app_row",
    "current_standing",
    "day_asked",
    "db",
    "digest",
    "direct",
    "document_url",
    "documents",
    "driver",
    "edit_url",
    "ensure_schema",
    "every_organization",
    "field_type",
    "files",
    "files_in_text",
    "files_missing",
    "find_app",
    "harmless",
    "hookimpl",
    "import_file",
    "in_transaction",
    "is_key",
    "is_person",
    "is_sign",
    "journal_of",
    "keeping",
    "limiter",
    "loading",
    "locks",
    "matrix",
    "midnight",
    "new_key",
    "now_us",
    "open_zip",
    "opened",
    "org_choices",
    "org_exists",
    "packed_kind",
    "parse",
    "placing",
    "pointers",
    "put_file",
    "put_picture",
    "read_config",
    "read_file",
    "reading",
    "remembered",
    "require",
    "reseal",
    "rights",
    "rights_here",
    "schemas",
    "scratch",
    "seal",
    "seen_another",
    "send_kept",
    "server",
    "size_text",
    "standing",
    "stored_bytes",
    "tenant",
    "transaction",
    "unseal",
    "verb",
    "visit",
    "walk",
    "writing_objects",
    "zone_named",
]
