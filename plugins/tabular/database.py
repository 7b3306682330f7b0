"""SqliteImporter: SQLite files, one worksheet a table, opened so that nothing in the file runs or is changed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from core.api import Corrections, ImportFailed
from plugins.tabular.decoding import ODD_BYTES
from plugins.tabular.encodings import FALLBACK
from plugins.tabular.importer import TabularImporter
from plugins.tabular.schema import Relation, links_of, quoted, relations
from plugins.tabular.table import Row, Table, Tell

MAGIC = b"SQLite format 3\0"
STEP_TIME_S = 60
MAX_VALUE_BYTES = 256 * 1024**2
SPARE_BYTES = 100_000
FREE_BYTES = 64 * 1024**2
MAX_GROWTH = 20
FETCH = 100
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
PRAGMAS = {"table_xinfo", "foreign_key_list", "index_list", "index_info"}


class SqliteImporter(TabularImporter):
    """Tables with their keys; foreign keys become relationships."""

    name, title = "sqlite", "SQLite database"
    suffixes, makes = (".sqlite", ".sqlite3", ".db"), "A worksheet for each table; foreign keys become relationships"

    def recognizes(self, path: Path) -> bool:
        return _head(path).startswith(MAGIC)

    def missing(self, path: Path) -> str:
        return "A SQLite database begins with “SQLite format 3”, and this file does not."

    @contextmanager
    def opened(self, path: Path, stem: str, tell: Tell, wanted: Corrections) -> Iterator[list[Table]]:
        if not _head(path).startswith(MAGIC):
            raise ImportFailed(f"{path.name} is not a SQLite database.")
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size:
            tell("file", wal.name, "what is in it only is not imported; let a program that uses the database close it first")
        with _translated(path), closing(_connected(path)) as connection:
            reader = Reader(path, connection)
            found = relations(connection, tell)
            if not found:
                raise ImportFailed(f"{path.name} holds no table.")
            tables = [Table(one.name, one.columns, partial(reader.rows, one)) for one in found]
            for table, one in zip(tables, found, strict=True):
                table.links = links_of(connection, one, found, tell)
            yield tables
            if reader.repaired:
                tell("value", path.name, f"{reader.repaired} texts were not UTF-8, or held U+0000; they were read as Windows-1252, "
                                         "and without that character")


@dataclass
class Reader:
    """Reads tables from an open database, each step within a bounded time."""

    path: Path
    connection: sqlite3.Connection
    repaired: int = 0
    deadline: float = 0.0

    def __post_init__(self) -> None:
        self.connection.text_factory = self._text
        self.connection.set_progress_handler(lambda: time.monotonic() > self.deadline, 100_000)
        self._wind()

    def rows(self, relation: Relation) -> Iterator[Row]:
        """Yield a table's rows in the order of their rowid, or of their primary key.

        Raises:
            ImportFailed: the file is damaged.
        """
        columns = ", ".join(quoted(name) for name in relation.names)
        with _translated(self.path, relation.name):
            self._wind()
            # NOT INDEXED: an index that has all columns would be read instead, in its own order.
            cursor = self.connection.execute(f"SELECT {columns} FROM main.{quoted(relation.name)} NOT INDEXED")
            size = self.path.stat().st_size
            left, room = size, FREE_BYTES + MAX_GROWTH * size
            while rows := cursor.fetchmany(FETCH):
                left -= len(rows)
                room -= sum(len(cell) for row in rows for cell in row if type(cell) is str or type(cell) is bytes)
                if room < 0:
                    raise ImportFailed(f"{self.path.name}: “{relation.name}” calculates far more than the file holds. "
                                       "Delete its generated columns.")
                if left < 0:
                    raise ImportFailed(f"{self.path.name} is damaged: “{relation.name}” gives more rows than the file has bytes.")
                yield from rows
                self._wind()

    def _wind(self) -> None:
        self.deadline = time.monotonic() + STEP_TIME_S

    def _text(self, content: bytes) -> str:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            self.repaired += 1
            text = content.decode(FALLBACK, ODD_BYTES)
        if "\0" in text:
            self.repaired += 1
            text = text.replace("\0", "")
        return text


def _connected(path: Path) -> sqlite3.Connection:
    """Return a connection that reads only, takes the file as it is, and runs nothing that it brings."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    # What is stored cannot be longer than the file: longer values are calculated by generated columns.
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(MAX_VALUE_BYTES, path.stat().st_size + SPARE_BYTES))
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_authorized)
    return connection


def _authorized(action: int, first: str | None, second: str | None, database: str | None, by: str | None) -> int:
    """Allow reading tables, and nothing on behalf of a view or trigger."""
    if by is not None:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in PRAGMAS else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY


@contextmanager
def _translated(path: Path, table: str = "") -> Iterator[None]:
    where = f", table “{table[:100]}”" if table else ""
    try:
        yield
    except sqlite3.Error as error:
        raise ImportFailed(f"{path.name}{where} cannot be read: {error}.") from error


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(100)
    except OSError:
        return b""
