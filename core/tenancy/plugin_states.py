"""What the server keeps of strangers' plugins beside their own tables: what they made, how often they failed, which were taken out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, Integer, String, Text, inspect, select, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base, db, transaction
from core.base.errors import InvalidInput, NotFound
from core.base.time import now_us
from core.server import server
from core.tenancy.wall import as_server

MAX_ERROR_CHARS = 500
REMOVED = "an operator took it out; “appkeep plugins restore {name}” brings it back"
log = logging.getLogger(__name__)


class PluginState(Base):
    """One stranger's plugin. `tables` and `revisions` are JSON lists of names; times are microseconds UTC."""

    __tablename__ = "plugin_state"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    removed_at: Mapped[int | None] = mapped_column(BigInteger)
    tables: Mapped[str] = mapped_column(Text, default="[]")
    revisions: Mapped[str] = mapped_column(Text, default="[]")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    switched_off_at: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(String(MAX_ERROR_CHARS), default="")


_table = PluginState.__table__
_c = _table.c


def states() -> dict[str, PluginState]:
    """Return what is kept of each plugin, by name; detached rows."""
    found = {row.name: row for row in db.session.scalars(select(PluginState))}
    for row in found.values():
        db.session.expunge(row)
    return found


def leave_out_removed(connection: Connection) -> None:
    """Leave out the plugins that an operator took out, as far as the database knows of such."""
    if not inspect(connection).has_table(PluginState.__tablename__):
        return
    for name in connection.execute(select(_c.name).where(_c.removed_at.is_not(None))).scalars():
        if server().registry.is_stranger(name):
            server().registry.leave_out(name, REMOVED.format(name=name))


def note_made(connection: Connection, name: str, tables: Iterable[str], revisions: Iterable[str]) -> None:
    """Keep which tables and versions a plugin's migration has made, within its transaction."""
    _ensure(connection, name)
    row = connection.execute(select(_c.tables, _c.revisions).where(_c.name == name)).one()
    made = {"tables": {*json.loads(row.tables), *tables}, "revisions": {*json.loads(row.revisions), *revisions}}
    connection.execute(_table.update().where(_c.name == name).values({what: json.dumps(sorted(names)) for what, names in made.items()}))


def note_failures() -> None:
    """Keep what hooks failed in this process since it was last asked; in no transaction."""
    manager = server().registry.manager
    failed, manager.failed = manager.failed, []
    if not failed:
        return
    try:
        with as_server(), transaction():
            for name, what in failed:
                connection, off = db.session.connection(), name in manager.off
                _ensure(connection, name)
                connection.execute(_table.update().where(_c.name == name).values(
                    failures=_c.failures + 1, failed_at=now_us(), error=what[:MAX_ERROR_CHARS],
                    **({"switched_off_at": now_us()} if off else {})))
    except Exception:
        # Who cannot note that a plugin failed has logged it: nobody's request or run fails for that.
        log.exception("The failures of plugins cannot be noted")
        db.session.rollback()


def set_removed(name: str, *, removed: bool) -> None:
    """Take a stranger's plugin out from the next start of each process, or bring it back; inside a transaction.

    Raises:
        InvalidInput: it is one of Appkeep's own.
        NotFound: nobody here knows it.
    """
    registry, connection = server().registry, db.session.connection()
    if registry.manager.has_plugin(name) and not registry.is_stranger(name):
        raise InvalidInput(f"“{name}” is a part of Appkeep and cannot be taken out.")
    known = {*registry.manager.strangers, *registry.broken, *(one.plugin for one in registry.absent.values()), *states()}
    if name not in known:
        raise NotFound(f"There is no plugin “{name[:60]}”. “appkeep plugins” lists those there are.")
    _ensure(connection, name)
    connection.execute(_table.update().where(_c.name == name).values(
        removed_at=now_us() if removed else None, failures=0, failed_at=None, switched_off_at=None, error=""))


def drop_tables(name: str) -> list[str]:
    """Drop the tables that a plugin's migrations have made, in the caller's transaction as the server; return their names."""
    connection = db.session.connection()
    row = connection.execute(select(_c.tables, _c.revisions).where(_c.name == name)).first()
    if row is None:
        return []
    there = set(inspect(connection).get_table_names())
    dropped = [table for table in json.loads(row.tables) if table in there]
    quote = connection.dialect.identifier_preparer.quote
    cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
    for table in dropped:
        connection.execute(text(f"DROP TABLE {quote(table)}{cascade}"))
    for revision in json.loads(row.revisions):
        connection.execute(text("DELETE FROM alembic_version WHERE version_num = :revision"), {"revision": revision})
    connection.execute(_table.update().where(_c.name == name).values(tables="[]", revisions="[]"))
    return dropped


def _ensure(connection: Connection, name: str) -> None:
    if connection.execute(select(_c.name).where(_c.name == name)).first() is None:
        connection.execute(_table.insert().values(name=name, tables="[]", revisions="[]", failures=0, error=""))
