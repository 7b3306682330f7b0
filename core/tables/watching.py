"""Triggers that tell the log of touched segments of every write to components' tables, so that backups read what changed.

A plugin writes its tables by the verbs of `TableData`, or by statements of its own: the database tells of both. A table that has no
triggers yet, or lost them because it was made anew, gets them at the next start, and every backup after that reads everything once:
what was written before nobody was told of.

Source: docs/decisions/0041-tables-of-plugins-in-the-log.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from core.apps import change_log
from core.base.db import db, transaction
from core.tables.table_data import TableData
from core.tenancy.wall import as_server

LOCK_TIMEOUT_S = 5
"""So long a start waits for whoever writes a table; the next start tries again."""
_SPAN = change_log.SEGMENT_ROWS
# Rows that go with their app, which is gone already, are told to nobody: its log goes too.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION appkeep_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO change_log (app_id, section, first, last)
    SELECT DISTINCT r.app_id, TG_ARGV[0], r.number / {_SPAN}, r.number / {_SPAN} FROM new_rows r JOIN app ON app.id = r.app_id;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO change_log (app_id, section, first, last)
    SELECT DISTINCT r.app_id, TG_ARGV[0], r.number / {_SPAN}, r.number / {_SPAN} FROM old_rows r JOIN app ON app.id = r.app_id;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO change_log (app_id, section, first, last)
    SELECT DISTINCT r.app_id, TG_ARGV[0], r.number / {_SPAN}, r.number / {_SPAN}
    FROM (SELECT app_id, number FROM old_rows UNION SELECT app_id, number FROM new_rows) r JOIN app ON app.id = r.app_id;
  ELSE
    INSERT INTO change_log (app_id, section, first, last) SELECT id, TG_ARGV[0], 0, {change_log.EVERYTHING} FROM app;
  END IF;
  RETURN NULL;
END $$
"""
_REFERENCING = {"insert": "REFERENCING NEW TABLE AS new_rows", "delete": "REFERENCING OLD TABLE AS old_rows", "truncate": "",
                "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"}
_ENTRY = (f"INSERT INTO change_log (app_id, id, section, first, last) SELECT {{row}}.app_id, "
          f"(SELECT coalesce(max(id), 0) + 1 FROM change_log WHERE app_id = {{row}}.app_id), '{{section}}', "
          f"{{row}}.number / {_SPAN}, {{row}}.number / {_SPAN} FROM app WHERE app.id = {{row}}.app_id{{also}};")
_MOVED = f" AND (OLD.app_id, OLD.number / {_SPAN}) <> (NEW.app_id, NEW.number / {_SPAN})"
_SQLITE_ROWS = {"insert": (("NEW", ""),), "update": (("NEW", ""), ("OLD", _MOVED)), "delete": (("OLD", ""),)}
_THERE = {
    "postgresql": text("SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(quote_ident(:table)) AND tgname IN :names "
                       "AND tgenabled IN ('O', 'A')").bindparams(bindparam("names", expanding=True)),
    "sqlite": text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table AND name IN :names"
                   ).bindparams(bindparam("names", expanding=True))}
_LOCK = text("SELECT pg_advisory_xact_lock(7205409118)")
log = logging.getLogger(__name__)


def install(tables: Iterable[TableData]) -> None:
    """Give tables the triggers that they lack; one that cannot have them is read whole by each backup. As the server."""
    with as_server():
        lacking = [table for table in tables if not is_watched(db.session.connection(), table)]
        db.session.rollback()
        for table in lacking:
            try:
                with transaction():
                    _install(db.session.connection(), table)
            except SQLAlchemyError as error:
                log.warning("The table %s is read whole by every backup: its writes cannot be watched: %s", table.table.name, error)


def is_watched(connection: Connection, table: TableData) -> bool:
    """Say whether the database tells the log of every write to a table."""
    kind = connection.dialect.name
    names = list(_triggers(kind, table).values())
    there = connection.execute(_THERE[kind], {"table": str(table.table.name), "names": names}).scalar_one()
    return bool(there == len(names))


def _triggers(kind: str, table: TableData) -> dict[str, str]:
    """Return the names of a table's triggers by what they tell of; on SQLite they share one room with those of other tables."""
    head = f"touch_{table.section}" if kind == "postgresql" else f"touch_{table.section}_{table.table.name}"
    return {act: f"{head}_{act}" for act in (*_SQLITE_ROWS, *(("truncate",) if kind == "postgresql" else ()))}


def _install(connection: Connection, table: TableData) -> None:
    """Give one table its triggers, unless another process was first, and have everything read again."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    if is_watched(connection, table):
        return
    for statement in _statements(connection, table):
        connection.exec_driver_sql(statement)
    change_log.cut_all(connection)


def _statements(connection: Connection, table: TableData) -> Iterator[str]:
    kind, quote = connection.dialect.name, connection.dialect.identifier_preparer.quote
    if kind == "postgresql":
        yield _FUNCTION
    for act, name in _triggers(kind, table).items():
        if kind == "postgresql":
            yield f"DROP TRIGGER IF EXISTS {quote(name)} ON {quote(str(table.table.name))}"
            does = f"{_REFERENCING[act]} FOR EACH STATEMENT EXECUTE FUNCTION appkeep_touch('{table.name}')"
        else:
            yield f"DROP TRIGGER IF EXISTS {quote(name)}"
            does = f"BEGIN {' '.join(_ENTRY.format(row=row, also=also, section=table.name) for row, also in _SQLITE_ROWS[act])} END"
        yield f"CREATE TRIGGER {quote(name)} AFTER {act.upper()} ON {quote(str(table.table.name))} {does}"
