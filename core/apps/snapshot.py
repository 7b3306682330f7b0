"""Snapshot: one consistent moment of an app, as components read it to serialize themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from core.apps.lifting import UNKNOWN, lifted
from core.apps.models import DocumentRow
from core.archive.canonical import parse
from core.extension.component import Document
from core.server import server

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
        """Yield the live documents of these kinds, by kind and key, in the shape that today's components know."""
        table, known = DocumentRow.__table__.c, server().registry.kinds
        query = (
            select(table.kind, table.key, table.body, table.position, table.version)
            .where(table.app_id == self.app_id, table.kind.in_(list(kinds)), table.hidden_at.is_(None))
            # Python sorts: a database's collation may order keys in another way than their bytes.
        )
        rows = sorted(self.connection.execute(query).all())
        for kind, key, body, position, version in rows:
            stored = Document(kind=kind, key=key, body=parse_body(body), position=position)
            yield lifted(known[kind][0], stored, version)

    def unread(self) -> list[Unread]:
        """Return what the app has of components that are not here (any more), as it is stored, by component."""
        table, registry = DocumentRow.__table__.c, server().registry
        query = select(table.component, table.kind, table.key, table.body, table.position, table.version).where(
            table.app_id == self.app_id, table.kind.not_in(list(registry.kinds)), table.hidden_at.is_(None))
        found: dict[str, tuple[int, list[Document]]] = {}
        for row in sorted(self.connection.execute(query).all(), key=lambda row: (row.kind, row.key)):
            name = row.component or row.kind
            if name in registry.components:  # a kind that its component gave up
                continue
            version, documents = found.get(name, (UNKNOWN, []))
            documents.append(Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position))
            found[name] = max(version, row.version, 1), documents
        return [Unread(name, *found[name]) for name in sorted(found)]


class Unread(NamedTuple):
    """The live documents of a component that this server does not have, in the version in which they were written."""

    component: str
    version: int
    documents: list[Document]


def parse_body(text: str) -> dict:  # type: ignore[type-arg]
    """Return a stored body as a value."""
    return parse(text.encode(), max_bytes=MAX_BODY_BYTES)  # type: ignore[no-any-return]
