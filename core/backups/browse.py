"""Browsing a backup: an app's pages show what a backup holds, and nothing is restored.

While `opened` lasts, the app's content is read from the backup's scratch (`core.backups.scratch`) instead of the database: the same
tables with the same rows, so that whatever reads them goes on as it does. Documents are there from the start. A component's data comes
when somebody asks for it, by segments: those that a page shows at once, all of a section in steps of bounded time (`StillPreparing`).

The one danger: what is kept of the live app in the session, or for the length of the request, would be shown as the backup's. Both are
emptied when a backup is opened.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import g
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import SQLAlchemyError

from core.apps.models import DocumentRow
from core.archive.canonical import canonical
from core.backups import scratch
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.backups.scratch import in_words
from core.base.content import BrowsingFailed, Elsewhere, StillPreparing, reading_elsewhere
from core.base.db import Base, batched, content_connection, db, driver
from core.base.errors import ObjectLost
from core.base.ids import SYSTEM
from core.extension.component import Document
from core.objects.index import known_descriptors, picked
from core.objects.reader import ObjectReader, object_reader
from core.server import VERSION, server
from core.tenancy.models import App
from core.tenancy.owned import OwnedByApp

STEP_S = 1.2
"""How long one request unpacks; what is left then waits for the next."""
AT_ONCE = 32
"""How many segments are looked up together."""
NAMED = 500
TOO_LARGE = ("This backup takes more room unpacked than this server gives to browsing. Restore it as a new app to look at it, "
             "or ask the server’s operator to raise APPKEEP_BROWSE_LIMIT_BYTES.")
_TABLES = """
CREATE TABLE browse_line (component TEXT, section TEXT, n INTEGER, content TEXT, count INTEGER, loaded INTEGER DEFAULT 0,
  PRIMARY KEY (component, section, n)) WITHOUT ROWID;
CREATE TABLE browse_ready (component TEXT, section TEXT, followed INTEGER DEFAULT 0, ready INTEGER DEFAULT 0,
  PRIMARY KEY (component, section)) WITHOUT ROWID;
"""
_ADD_LINE = "INSERT INTO browse_line (component, section, n, content, count) VALUES (?, ?, ?, ?, ?)"
_NEXT = "SELECT n, content FROM browse_line WHERE component = ? AND section = ? AND NOT loaded ORDER BY n LIMIT ?"
_NAMED = "SELECT n, content FROM browse_line WHERE component = ? AND section = ? AND NOT loaded AND n IN ({marks}) ORDER BY n"
_LOADED = "UPDATE browse_line SET loaded = 1 WHERE component = ? AND section = ? AND n = ?"
_SUMS = "SELECT coalesce(sum(count), 0), coalesce(sum(count * loaded), 0) FROM browse_line WHERE component = ? AND section = ?"
_READY = "SELECT followed, ready FROM browse_ready WHERE component = ? AND section = ?"
_FOLLOWED = ("INSERT INTO browse_ready (component, section, followed) VALUES (?, ?, ?) "
             "ON CONFLICT (component, section) DO UPDATE SET followed = followed + excluded.followed")
_SET_READY = ("INSERT INTO browse_ready (component, section, ready) VALUES (?, ?, 1) "
              "ON CONFLICT (component, section) DO UPDATE SET ready = 1")
_AFTER = "SELECT n, count FROM browse_line WHERE component = ? AND section = ? AND n >= ? ORDER BY n"
_BEFORE = "SELECT n, count FROM browse_line WHERE component = ? AND section = ? AND n <= ? ORDER BY n DESC"
FILLING_SHARE = 0.6
"""How much of the way the segments are; the rest is what a component makes of them."""
_Line = tuple[str, str, int, str, int]
"""Component, section, number, digest, how many lines."""
Put = Callable[[int, bytes], None]
"""Takes a segment's number and its lines into the tables of the scratch."""


@dataclass
class BrowsedBackup:
    """A backup that is looked at in this request. `app` is the app as it was called then; it belongs to no session."""

    backup: Backup
    app: App
    reader: BackupReader
    place: Path
    _objects: ObjectReader = field(default_factory=object_reader)
    _spent_s: float = 0
    _began: float = 0
    _did_some: bool = False
    _following: str | None = None
    _ready: set[tuple[str, str]] = field(default_factory=set)

    @property
    def connection(self) -> Connection:
        """The connection to the scratch."""
        return content_connection()

    def total(self, component: str, section: str) -> int:
        """Return how many lines a section has in the backup."""
        return self._sums(component, section)[0]

    def is_ready(self, component: str, section: str) -> bool:
        """Say whether a section is in the scratch as a whole; see `make_ready`."""
        if (component, section) not in self._ready:
            found = self._driver.execute(_READY, (component, section)).fetchone()
            if found is None or not found[1]:
                return False
            self._ready.add((component, section))
        return True

    def reach(self, component: str, section: str, numbers: Collection[int], put: Put) -> None:
        """Have segments of these numbers, as far as there are such, put into the scratch.

        Raises:
            StillPreparing: it takes longer than one page may.
            BrowsingFailed: see `make_ready`.
        """
        if self.is_ready(component, section):
            return
        if left := self._missing(component, section, numbers):
            with self._writing(component, section):
                some = batched(self._missing(component, section, left), AT_ONCE)  # somebody else may have put some there meanwhile
                self._load(component, section, lambda: self._lines(component, section, next(some, ())), put)

    def around(self, component: str, section: str, n: int, count: int, *, back: bool) -> list[int]:
        """Return the numbers of the segments that hold the first *count* lines beyond segment *n*, itself included, in a direction."""
        found, lines = [], 0
        for number, here in self._driver.execute(_BEFORE if back else _AFTER, (component, section, n)):
            found.append(number)
            lines += 0 if number == n else here
            if lines >= count:
                break
        return found

    def make_ready(self, component: str, section: str, put: Put, follow: Callable[[], int] | None = None, what: str = "") -> None:
        """Have a section put into the scratch as a whole, then *follow* called until it says that it did nothing more.

        Args:
            component: Whose data it is.
            section: Which of its sections.
            put: Takes a segment.
            follow: Makes something more of the lines, some at a time, and returns of how many.
            what: What that is, as it may be done once for each.

        Raises:
            StillPreparing: it takes longer than one page may; the next request goes on.
            BrowsingFailed: the backup is damaged, or there is no room.
        """
        topic = section if follow is None else f"{section}#{what}"
        if self.is_ready(component, topic):
            return
        self._following = None if follow is None else topic
        with self._writing(component, section):
            self._load(component, section, lambda: self._driver.execute(_NEXT, (component, section, AT_ONCE)).fetchall(), put)
            self._driver.execute(_SET_READY, (component, section))
            if follow is not None:
                self._follow(component, section, follow, topic)

    def _follow(self, component: str, section: str, follow: Callable[[], int], topic: str) -> None:
        self._look_at_clock(component, section)
        while done := follow():
            self._driver.execute(_FOLLOWED, (component, topic, done))
            self._did_some = True
            self._look_at_clock(component, section)
        self._driver.execute(_SET_READY, (component, topic))

    @property
    def _driver(self) -> sqlite3.Connection:
        return driver(self.connection)  # type: ignore[no-any-return]

    def _missing(self, component: str, section: str, numbers: Collection[int]) -> list[int]:
        """Return those of the numbers whose segments the backup has and the scratch has not."""
        return [row[0] for some in batched(sorted(set(numbers)), NAMED) for row in self._lines(component, section, some)]

    def _lines(self, component: str, section: str, numbers: Sequence[int]) -> list[Any]:
        marks = ",".join("?" * len(numbers))
        return self._driver.execute(_NAMED.format(marks=marks), (component, section, *numbers)).fetchall() if numbers else []

    def _sums(self, component: str, section: str) -> tuple[int, int]:
        total, loaded = self._driver.execute(_SUMS, (component, section)).fetchone()
        return total, loaded

    @contextmanager
    def _writing(self, component: str, section: str) -> Iterator[None]:
        """Hold the scratch while the block writes; what it had done when its time was over stays.

        Raises:
            StillPreparing: somebody else holds it, or the time is over.
        """
        if scratch.size_of(self.place) > int(server().config.browse_limit_bytes):
            raise BrowsingFailed(TOO_LARGE)
        with in_words(self.place):
            self._begin(component, section)
            self._began = time.monotonic()
            try:
                yield
                self._driver.execute("COMMIT")
            except StillPreparing:
                self._driver.execute("COMMIT")
                raise
            except ObjectLost as error:
                raise BrowsingFailed(damaged(self.backup)) from error
            finally:
                self._spent_s += time.monotonic() - self._began
                if self._driver.in_transaction:
                    self._driver.execute("ROLLBACK")
                self._driver.execute("PRAGMA query_only=ON")
                scratch.tidy(using=self.place)

    def _begin(self, component: str, section: str) -> None:
        self._driver.execute("PRAGMA query_only=OFF")
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise self._still(component, section) from error
            raise

    def _load(self, component: str, section: str, next_some: Callable[[], Sequence[Any]], put: Put) -> None:
        while rows := next_some():
            self._look_at_clock(component, section)
            known = known_descriptors({row[1] for row in rows})
            for n, content, *_ in rows:
                put(n, self.reader.lifted(component, section, self._objects.read(picked(known, content))))
                self._driver.execute(_LOADED, (component, section, n))
            self._did_some = True

    def _look_at_clock(self, component: str, section: str) -> None:
        """Leave the rest to the next request where this one has taken its time, but none without a step.

        Raises:
            StillPreparing: it has.
        """
        if self._did_some and self._spent_s + time.monotonic() - self._began >= STEP_S:
            raise self._still(component, section)

    def _still(self, component: str, section: str) -> StillPreparing:
        total, loaded = self._sums(component, section)
        if self._following is None:
            return StillPreparing(loaded / max(total, 1))
        ready = self._driver.execute(_READY, (component, self._following)).fetchone()
        followed = 0 if ready is None else min(ready[0], total)
        return StillPreparing((FILLING_SHARE * loaded + (1 - FILLING_SHARE) * followed) / max(total, 1))


_browsing: ContextVar[BrowsedBackup | None] = ContextVar("appkeep_browsing", default=None)


@contextmanager
def opened(app: App, backup: Backup) -> Iterator[BrowsedBackup]:
    """Read the app's content from one of its backups while the block lasts; its scratch is made first where there is none.

    Raises:
        BrowsingFailed: the backup cannot be browsed; the message says why.
        ArchiveNeedsNewer: see `BackupReader.documents`.
    """
    reader = BackupReader(backup)
    place = scratch.place_of(backup.id, _stamp())
    _ensure(place, app, backup, reader)
    scratch.touch(place)
    as_it_was = _as_it_was(app, backup)
    db.session.expunge_all()
    g.pop("remembered", None)
    found = BrowsedBackup(backup, as_it_was, reader, place)
    with reading_elsewhere(Elsewhere(app.id, scratch.open_engine(place), _tables())):
        token = _browsing.set(found)
        try:
            yield found
        finally:
            _browsing.reset(token)


def browsing() -> BrowsedBackup | None:
    """Return the backup that is browsed, None where the app itself is read."""
    return _browsing.get()


def damaged(backup: Backup) -> str:
    """Return what is said where an object of a backup is missing or not what it was."""
    return (f"Part of the backup “{backup.name}” is missing or damaged in the store, so this cannot be shown. Check the backup on its "
            "page, or browse another one.")


def _ensure(place: Path, app: App, backup: Backup, reader: BackupReader) -> None:
    """Make the scratch where there is none, or where what lies there cannot be read."""
    if backup.part == "data":
        raise BrowsingFailed("This backup holds data only. Its records can be restored, but not browsed: what their fields are called "
                             "is part of the configuration.")
    if place.exists() and not _is_sound(place):
        scratch.remove(place)
    if not place.exists():
        scratch.tidy()
        try:
            documents = list(reader.documents.values())
            lines = [(name, line.section, line.n, line.content, line.count) for (name, part), some in reader.lines.items()
                     if part == "data" for line in some]
        except ObjectLost as error:
            raise BrowsingFailed(damaged(backup)) from error
        scratch.make(place, lambda engine: _fill(engine, app, backup, documents, lines))


def _is_sound(place: Path) -> bool:
    try:
        with scratch.open_engine(place).connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM app, browse_line, browse_ready LIMIT 1").all()
    except (BrowsingFailed, SQLAlchemyError):
        return False
    return True


def _fill(engine: Engine, app: App, backup: Backup, documents: Sequence[Document], lines: Sequence[_Line]) -> None:
    """Make the tables of an app's content and put in what is small: the app's row, the documents, the list of the data's segments."""
    tables = [App.__table__, *(table for table in Base.metadata.sorted_tables if table.name in _tables())]
    with engine.connect() as connection:
        raw = driver(connection)
        raw.execute("PRAGMA query_only=OFF")
        raw.execute("BEGIN IMMEDIATE")
        Base.metadata.create_all(connection, tables=tables, checkfirst=False)
        for statement in _TABLES.split(";"):
            raw.execute(statement)
        connection.execute(insert(App.__table__), {
            "id": app.id, "organization_id": app.organization_id, "name": backup.app_name, "created_at": app.created_at,
            "created_by": app.created_by, "revision": 0})
        rows = [_row(app, backup, one) for one in [*documents, *_lacking(backup, documents)]]
        if rows:
            connection.execute(insert(DocumentRow.__table__), rows)
        raw.executemany(_ADD_LINE, lines)
        raw.execute("COMMIT")


def _row(app: App, backup: Backup, document: Document) -> dict[str, Any]:
    component = server().registry.kind(document.kind)[0]
    return {"app_id": app.id, "kind": document.kind, "key": document.key, "body": canonical(document.body).decode(),
            "position": document.position, "component": component.name, "version": component.version, "hidden_at": None,
            "updated_at": backup.created_at, "updated_by": SYSTEM}


def _lacking(backup: Backup, documents: Sequence[Document]) -> list[Document]:
    """Return what an app has of its single documents where the backup is older than their component: what new apps start with."""
    there = {one.kind for one in documents}
    return [one for component in server().registry.components.values() for one in component.starting_documents(backup.app_name)
            if server().registry.kind(one.kind)[1].single and one.kind not in there]


def _as_it_was(app: App, backup: Backup) -> App:
    """Return the app under its name of then, apart from the session: nothing of it is saved."""
    return App(id=app.id, organization_id=app.organization_id, name=backup.app_name, created_at=app.created_at,
               created_by=app.created_by, revision=0, restoring_run_id=None, deleted_at=None, making_until=None)


def _tables() -> frozenset[str]:
    """Return the names of the tables whose rows belong to an app: its content, and what hangs on it."""
    return frozenset(str(mapper.local_table.description) for mapper in Base.registry.mappers if issubclass(mapper.class_, OwnedByApp))


def _stamp() -> str:
    """Return what tells scratch files of this server from those of another version, or with other components."""
    registry = server().registry
    parts = [VERSION, *(f"{name} {one.version}" for name, one in sorted(registry.components.items())), *sorted(_tables())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
