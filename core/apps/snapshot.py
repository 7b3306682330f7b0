"""Snapshot: one consistent moment of an app, as components read it to serialize themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from core.apps.lifting import UNKNOWN, lifted
from core.apps.models import DocumentRow
from core.archive.canonical import parse
from core.extension.component import Document
from core.server import server

MAX_BODY_BYTES = 1024 * 1024
KEPT_CHARS = 1024 * 1024
_c = DocumentRow.__table__.c
_COLUMNS = (_c.component, _c.kind, _c.key, _c.body, _c.position, _c.version)
_place = attrgetter("kind", "key")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An app's id and a connection whose transaction sees one moment of it."""

    app_id: str
    connection: Connection
    _kept: dict[str, list[Any]] | None = field(default=None, repr=False, compare=False)
    """The rows of all live documents by their kind, as `still` has read them; None where each question reads its own."""

    @property
    def dialect(self) -> str:
        """The engine's name: "sqlite" or "postgresql"."""
        return self.connection.dialect.name

    def still(self) -> Snapshot:
        """Return a snapshot that has read all documents, where they are short, and keeps them: for who asks often, and writes none."""
        if self._kept is not None:
            return self
        size = self.connection.execute(select(func.sum(func.length(_c.body))).where(*self._live())).scalar()
        if (size or 0) > KEPT_CHARS:
            return self
        kept: dict[str, list[Any]] = {}
        for row in self.connection.execute(select(*_COLUMNS).where(*self._live())):
            kept.setdefault(row.kind, []).append(row)
        return Snapshot(self.app_id, self.connection, kept)

    def documents(self, kinds: Iterable[str]) -> Iterator[Document]:
        """Yield the live documents of these kinds, by kind and key, in the shape that today's components know."""
        known, wanted = server().registry.kinds, list(kinds)
        # Python sorts: a database's collation may order keys in another way than their bytes.
        for row in sorted(self._rows(_c.kind.in_(wanted), wanted.__contains__), key=_place):
            stored = Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position)
            yield lifted(known[row.kind][0], stored, row.version)

    def unread(self) -> list[Unread]:
        """Return what the app has of components that are not here (any more), as it is stored, by component."""
        registry = server().registry
        found: dict[str, tuple[int, list[Document]]] = {}
        for row in sorted(self._rows(_c.kind.not_in(list(registry.kinds)), lambda kind: kind not in registry.kinds), key=_place):
            name = row.component or row.kind
            if name in registry.components:  # a kind that its component gave up
                continue
            version, documents = found.get(name, (UNKNOWN, []))
            documents.append(Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position))
            found[name] = max(version, row.version, 1), documents
        return [Unread(name, *found[name]) for name in sorted(found)]

    def _rows(self, which: ColumnElement[bool], is_wanted: Callable[[str], bool]) -> Iterable[Any]:
        if self._kept is not None:
            return [row for kind, rows in self._kept.items() if is_wanted(kind) for row in rows]
        return self.connection.execute(select(*_COLUMNS).where(*self._live(), which)).all()

    def _live(self) -> tuple[ColumnElement[bool], ...]:
        return _c.app_id == self.app_id, _c.hidden_at.is_(None)


class Unread(NamedTuple):
    """The live documents of a component that this server does not have, in the version in which they were written."""

    component: str
    version: int
    documents: list[Document]


def parse_body(text: str) -> dict:  # type: ignore[type-arg]
    """Return a stored body as a value."""
    return parse(text.encode(), max_bytes=MAX_BODY_BYTES)  # type: ignore[no-any-return]
