"""Which store a database's records have."""

from __future__ import annotations

from sqlalchemy import Connection

from plugins.worksheets.records.postgresql import PostgreSQLRecordStore
from plugins.worksheets.records.sqlite import SQLiteRecordStore
from plugins.worksheets.records.store import RecordStore

STORES: dict[str, type[RecordStore]] = {"sqlite": SQLiteRecordStore, "postgresql": PostgreSQLRecordStore}


def open_store(connection: Connection, app_id: str) -> RecordStore:
    """Return the store of an app's records, on the connection's engine."""
    return STORES[connection.dialect.name](connection, app_id)
