"""The database's schema: Alembic versions of the core and of every plugin, brought up to date at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from core.base.db import db
from core.base.errors import AppkeepError
from core.server import server
from core.tenancy import row_security
from core.tenancy.wall import as_server

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parents[1] / "migrations"
_NAMED = re.compile(r"^(revision|down_revision)(?:: [^=]+)? = (?:\"([a-z0-9_]+)\"|None)$", re.MULTILINE)
_LOCK = 7_205_409_117
"""PostgreSQL's advisory lock of whoever migrates: two processes that start together take turns."""


def folders() -> list[str]:
    """Return the folders of versions: the core's, then the plugins'."""
    given = server().registry.hook.register_migrations()
    return [str(FOLDER / "versions"), *sorted(folder for folder in given if folder)]


def alembic_config(connection: Connection | None = None) -> AlembicConfig:
    """Return Alembic's configuration for this server's plugins."""
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(folders()))
    config.attributes["connection"] = connection
    return config


def newest() -> set[str]:
    """Return the newest revision of the core and of each plugin, as their files say.

    Read as text: Alembic takes longer to load than most commands take to run, and is needed only where something is to
    be upgraded.
    """
    revisions, older = set(), set()
    for path in (path for folder in folders() for path in Path(folder).glob("*.py")):
        found = dict(_NAMED.findall(path.read_text()))
        revisions.add(found.get("revision", ""))
        older.add(found.get("down_revision", ""))
    return revisions - older


def ensure_schema() -> None:
    """Bring the database to the newest schema; cheap when it is there already.

    Raises:
        AppkeepError: the database was made by a newer version.
    """
    with as_server():
        _ensure_schema()


def _ensure_schema() -> None:
    with db.engine.connect() as connection:
        if _standing(connection) == newest() and not (connection.dialect.name == "postgresql" and row_security.is_due(connection)):
            return
        connection.rollback()
    from alembic import command
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(alembic_config())
    # SQLite's foreign keys and its write lock are set on connecting, so the upgrade has a connection of its own.
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        _refuse_newer(connection, script)
        command.upgrade(alembic_config(connection), "heads")
        if connection.dialect.name == "postgresql":
            row_security.install(connection)
        connection.commit()


def _standing(connection: Connection) -> set[str]:
    """Return the revisions that the database is at."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = _standing(connection) - known
    if unknown:
        raise AppkeepError(f"The database was made by a newer version or another plugin (schema {sorted(unknown)[0]}): "
                           "update this server, or install the plugin again.")
