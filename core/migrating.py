"""The database's schema: Alembic versions of the core and of every plugin, brought up to date at the start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from core.app import server
from core.db import db
from core.errors import AppkeepError

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_205_409_117
"""PostgreSQL's advisory lock of whoever migrates: two processes that start together take turns."""


def folders() -> list[str]:
    """Return the folders of versions: the core's, then the plugins'."""
    given = server().registry.hook.register_migrations()
    return [str(FOLDER / "versions"), *sorted(folder for folder in given if folder)]


def alembic_config(connection: Connection | None = None) -> AlembicConfig:
    """Return Alembic's configuration for this server's plugins."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(folders()))
    config.attributes["connection"] = connection
    return config


def ensure_schema() -> None:
    """Bring the database to the newest schema; cheap when it is there already.

    Raises:
        AppkeepError: the database was made by a newer version.
    """
    with db.engine.connect() as connection:
        config = alembic_config(connection)
        script = ScriptDirectory.from_config(config)
        heads = set(script.get_heads())
        if set(MigrationContext.configure(connection).get_current_heads()) == heads:
            return
        connection.rollback()
    # SQLite's foreign keys and its write lock are set on connecting, so the upgrade has a connection of its own.
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        _refuse_newer(connection, script)
        command.upgrade(alembic_config(connection), "heads")
        connection.commit()


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise AppkeepError(f"The database was made by a newer version or another plugin (schema {sorted(unknown)[0]}): "
                           "update this server, or install the plugin again.")
