"""Keys: which row of a table has which key, kept on disk so that memory does not follow the number of rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any

from plugins.tabular.cells import text_of
from plugins.tabular.table import is_empty

BUFFER = 2000
CACHED = 50_000


class Keys:
    """Indexes over columns of tables; equal keys count as one whatever type a cell has ('1' is 1, as SQLite has it)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self.added: dict[int, int] = {}
        self.waiting: list[tuple[int, str, int]] = []
        self.find = lru_cache(CACHED)(self._find)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE keys (number INTEGER, key TEXT, seq INTEGER, PRIMARY KEY (number, key)) WITHOUT ROWID")

    def index(self, table: int, columns: tuple[int, ...]) -> int:
        """Return the number of the index over such columns of a table, which is made where there is none."""
        return self.numbers.setdefault((table, columns), len(self.numbers))

    def of(self, table: int) -> list[tuple[int, tuple[int, ...]]]:
        """Return number and columns of the indexes of a table."""
        return [(number, columns) for (place, columns), number in self.numbers.items() if place == table]

    def add(self, number: int, key: str | None, seq: int) -> None:
        """Remember the row that has a key; the first row counts where several have it."""
        if key is not None:
            self.added[number] = self.added.get(number, 0) + 1
            self.waiting.append((number, key, seq))
            if len(self.waiting) >= BUFFER:
                self._store()

    def is_unique(self, number: int) -> bool:
        """Say whether no two rows had the same key."""
        self._store()
        held = self.connection.execute("SELECT count(*) FROM keys WHERE number = ?", (number,)).fetchone()[0]
        return bool(held == self.added.get(number, 0))

    def _store(self) -> None:
        self.connection.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", self.waiting)
        self.waiting.clear()

    def _find(self, number: int, key: str) -> int | None:
        found = self.connection.execute("SELECT seq FROM keys WHERE number = ? AND key = ?", (number, key)).fetchone()
        return None if found is None else int(found[0])


@contextmanager
def opened_keys() -> Iterator[Keys]:
    """Give keys in a file without a name, which the system removes however this process ends."""
    with closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)) as connection:
        yield Keys(connection)


def key_of(row: Sequence[Any], columns: tuple[int, ...]) -> str | None:
    """Return the key that a row has in some columns, None where one of them holds nothing."""
    texts = []
    for place in columns:
        cell = row[place]
        if is_empty(cell):
            return None
        texts.append(cell.hex() if isinstance(cell, bytes) else text_of(cell))
    return texts[0] if len(texts) == 1 else json.dumps(texts)
