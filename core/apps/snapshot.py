"""Snapshot: one consistent moment of an app, as components read it to serialize themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from core.apps.models import DocumentRow
from core.archive.canonical import parse
from core.extension.component import Document

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An app's id and a connection whose transaction sees one moment of it."""

    app_id: str
    connection: Connection

    @property
    def dialect(self) -> str:
        """The engine's name: "sqlite" or "postgresql"."""
        return self.connection.dialect.name

    def documents(self, kinds: Iterable[str]) -> Iterator[Document]:
        """Yield the live documents of these kinds, by kind and key."""
        table = DocumentRow.__table__.c
        query = (
            select(table.kind, table.key, table.body, table.position)
            .where(table.app_id == self.app_id, table.kind.in_(list(kinds)), table.hidden_at.is_(None))
            # Python sorts: a database's collation may order keys in another way than their bytes.
        )
        rows = sorted(self.connection.execute(query).all())
        for kind, key, body, position in rows:
            yield Document(kind=kind, key=key, body=parse_body(body), position=position)


def parse_body(text: str) -> dict:  # type: ignore[type-arg]
    """Return a stored body as a value."""
    return parse(text.encode(), max_bytes=MAX_BODY_BYTES)  # type: ignore[no-any-return]
