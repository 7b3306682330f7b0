"""Where an app's content is read from: from the database, or, while a backup is looked at, from a file that holds what was in it.

`elsewhere` says for the block that the tables of content are read through another engine. The session asks it for every statement
(`ContentSession`), and a connection to the database refuses a statement on one of these tables: so nothing of the live app can get
onto a page that shows a backup.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import ClauseElement, Connection, Engine, Executable, event
from sqlalchemy.sql.util import find_tables

from core.base.errors import AppkeepError

AUTOCOMMIT = "appkeep_autocommit"
"""The execution option of an engine whose statements stand for themselves: whoever writes says where a transaction begins."""


class StillPreparing(Exception):  # no refusal: whoever catches those must not take it for one
    """What a page shows of a backup is still being unpacked; asked again, it goes on. `share` is how much is done, from 0 to 1."""

    def __init__(self, share: float) -> None:
        super().__init__(f"{share:.0%} is unpacked")
        self.share = share


class BrowsingFailed(AppkeepError):
    """A backup cannot be shown here, or not now; the message says why and what to do instead."""

    code, status, title = "browsing_failed", 409, "This backup cannot be browsed"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The engine that an app's content is read through, and the names of the tables that count as content."""

    app_id: str
    engine: Engine
    tables: frozenset[str]

    def has(self, statement: object) -> bool:
        """Say whether a statement names a table of content, in whatever place."""
        if not isinstance(statement, ClauseElement):
            return False
        named = find_tables(statement, include_joins=True, include_aliases=True, include_selects=True, include_crud=True)
        return any(str(table.description) in self.tables for table in named)


_elsewhere: ContextVar[Elsewhere | None] = ContextVar("appkeep_elsewhere", default=None)


@contextmanager
def reading_elsewhere(place: Elsewhere) -> Iterator[None]:
    """Read an app's content through another engine while the block lasts; the session must hold nothing of it."""
    token = _elsewhere.set(place)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def elsewhere() -> Elsewhere | None:
    """Return where content is read instead of the database, None where it is read there."""
    return _elsewhere.get()


class ContentSession(Session):
    """The session, which asks for every statement whether it is one on content that is read elsewhere."""

    def get_bind(self, mapper: Any | None = None, clause: Any | None = None, bind: Any | None = None, **options: Any) -> Any:
        """Return the engine of a statement."""
        place = _elsewhere.get()
        if place is not None and bind is None:
            table = None if mapper is None else mapper.local_table.description
            if str(table) in place.tables or place.has(clause):
                return place.engine
        return super().get_bind(mapper=mapper, clause=clause, bind=bind, **options)


@event.listens_for(Engine, "before_execute")
def _refuse_live(connection: Connection, statement: Executable, *_given: object) -> None:
    """Refuse a statement on content that goes to the database while content is read elsewhere: it would show the live app."""
    place = _elsewhere.get()
    if place is not None and connection.engine.pool is not place.engine.pool and place.has(statement):
        raise RuntimeError("A page that shows a backup asked the database for the live app's content: ask content_connection().")
