"""The front door: all that a plugin may import. What is not here may change without notice."""

from core.apps.models import App, DocumentRow
from core.apps.state import Snapshot
from core.archive.canonical import canonical, parse
from core.component import Component, Document, Kind, Operation, Section, Segment
from core.db import Base, after_commit, db, driver, in_transaction, reading, transaction
from core.errors import (
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
from core.fieldtype import Definition, FieldType, RecordView, Reference, Source
from core.hookspecs import hookimpl
from core.importer import ImportContext, Importer
from core.keys import KEY, SINGLE, SYSTEM, is_key, is_person, new_key
from core.refs import files, pointers
from core.scope import Owned, OwnedByApp, as_server, as_tenant, tenant

__all__ = [
    "KEY",
    "SINGLE",
    "SYSTEM",
    "App",
    "AppRestoring",
    "AppkeepError",
    "Base",
    "Component",
    "Conflict",
    "Definition",
    "Document",
    "DocumentRow",
    "FieldType",
    "Forbidden",
    "ImportContext",
    "ImportFailed",
    "Importer",
    "InvalidDocument",
    "InvalidInput",
    "InvalidValue",
    "Kind",
    "NotFound",
    "Operation",
    "Owned",
    "OwnedByApp",
    "RecordView",
    "Reference",
    "Section",
    "Segment",
    "Snapshot",
    "Source",
    "after_commit",
    "as_server",
    "as_tenant",
    "canonical",
    "db",
    "driver",
    "files",
    "hookimpl",
    "in_transaction",
    "is_key",
    "is_person",
    "new_key",
    "parse",
    "pointers",
    "reading",
    "tenant",
    "transaction",
]
