"""The backup that a description of an app stands on: of its segments only those are read that were touched since.

An app has at most one: its newest backup with data that was made here, with the mark up to which it saw the log of touched segments.
A description that stands on it is, digest for digest, what reading everything gives; every week, and where there is no such
backup, everything is read, and what the log would have given is compared with it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, case, or_, select, update

from core.apps import change_log
from core.apps.change_log import Runs
from core.apps.snapshot import Snapshot
from core.archive.canonical import parse
from core.archive.manifest import Content, IndexLine, PartEntry
from core.backups.lists import own_list
from core.backups.models import Backup
from core.base.db import db, transaction
from core.base.time import now_us
from core.objects.index import any_lost, known_descriptor, removals
from core.objects.reader import object_reader, read_object
from core.tenancy.wall import as_server

AUDIT_EVERY_S = 7 * 86400
"""After so long everything is read again."""
TIDY_EVERY_S = 3600
_tidied = {"next": 0.0}
FEW_ENTRIES = 100
"""So long a log is left alone where nothing stands on it: the first backup may be under way."""
MAX_CONTENT_BYTES = 1024 * 1024
WHY = {
    "first": "it is the first backup of the app with data",
    "no_mark": "the backup before it was deleted or was made by an earlier version",
    "other_database": "the log of changes since the backup before it was cut, or is of another database",
    "unreadable": "the list of the backup before it cannot be read",
    "audit": "everything is read once a week",
    "audit_differs": "everything is read once a week, and the log of changes had missed something; tell the server’s operator",
}
"""Why everything was read, as people read it after "Everything was read: "."""
_table = Backup.__table__
_c = _table.c


def scan_sentence(scan: Mapping[str, Any]) -> str:
    """Return how much of an app's data a backup read, as its run's report has it."""
    if "why" in scan:
        return f"Everything was read: {WHY.get(scan['why'], scan['why'])}."
    return f"Only what had changed since the backup before it was read: {scan['read']:,} of {scan['of']:,} parts of the records."


Sections = Mapping[str, int | str]
"""The sections of a component's data: how many lines each has; of a small one that is read each time, the digest of its lines."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a backup saw the log, whether the store had every file that the data names, and when everything was last read.

    `removed` is how many contents the organization's store had lost to the garbage by then (`core.objects.index.removals`), `sections`
    what each component's data consists of, see `Sections`; of what earlier versions marked, neither is known.
    """

    seen: str
    whole_files: bool
    scanned_at: int
    removed: int | None = None
    sections: Mapping[str, Sections] = field(default_factory=dict)

    def text(self) -> str:
        """Return the mark as the backup's row keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Mark:
        """Return the mark that a row keeps; what a later version has written besides is passed over."""
        kept = json.loads(text)
        return cls(**{one.name: kept[one.name] for one in fields(cls) if one.name in kept})


@dataclass
class Base:
    """A backup to stand on, what its data consists of, and what was touched since."""

    backup_id: str
    mark: Mark
    content: Content
    contents_count: int
    raw_bytes: int
    size_bytes: int
    is_sound: bool
    """Whether nothing of it is known to be lost or damaged."""
    is_whole: bool = False
    """Whether the store has all of it, without a look at each: nothing of the organization is lost, and nothing was removed since."""
    touched: dict[str, Runs] = field(default_factory=dict)

    def data(self, component: str, version: int) -> PartEntry | None:
        """Return what the backup has of a component's data; None where it has none of that version."""
        entry = self.content.components.get(component)
        return None if entry is None or entry.version != version else entry.data

    def lines(self, component: str, version: int) -> dict[str, list[IndexLine]]:
        """Return the lines of a component's data, by section; none where the backup has none of that version.

        Raises:
            AppkeepError: they cannot be read.
        """
        part = self.data(component, version)
        if part is None:
            return {}
        return {section: list(some) for section, some in groupby(self.listed(part), key=attrgetter("section"))}

    def listed(self, part: PartEntry) -> list[IndexLine]:
        """Return the lines of a part's list, in its order (AppkeepError)."""
        if part.index not in self._lists:
            self._lists[part.index] = own_list(part.index, read_object)
        return self._lists[part.index]

    def look_at(self, part: PartEntry) -> None:
        """See that the store has a part's list as it was stored (AppkeepError)."""
        object_reader().verify_stored(known_descriptor(part.index))

    @cached_property
    def _lists(self) -> dict[str, list[IndexLine]]:
        return {}

    @cached_property
    def is_due(self) -> bool:
        """Say whether everything is to be read again."""
        return now_us() - self.mark.scanned_at > AUDIT_EVERY_S * 1_000_000


def base_of(snapshot: Snapshot) -> tuple[Base | None, str]:
    """Return what a description of this moment of the app may stand on, else None and why not, see `WHY`."""
    query = select(_c.id, _c.mark, _c.content, _c.segments, _c.raw_bytes, _c.size_bytes, _c.check_error).where(
        _c.app_id == snapshot.app_id, _c.deleted_at.is_(None), _c.mark.is_not(None)).order_by(_c.created_at.desc()).limit(1)
    row = snapshot.connection.execute(query).first()
    if row is None:
        any_before = select(_c.id).where(_c.app_id == snapshot.app_id, _c.part != "config", _c.origin == "here").limit(1)
        return None, "first" if snapshot.connection.execute(any_before).first() is None else "no_mark"
    mark = Mark.of(row.mark)
    touched = change_log.since(snapshot.connection, snapshot.app_id, mark.seen)
    if touched is None:
        return None, "other_database"
    content = Content.from_dict(parse(row.content.encode(), max_bytes=MAX_CONTENT_BYTES))
    return Base(row.id, mark, content, row.segments, row.raw_bytes, row.size_bytes, row.check_error is None, touched=dict(touched)), ""


def is_whole(mark: Mark, connection: Connection) -> bool:
    """Say whether the store has everything that a backup with this mark needs, as a connection sees it: see `Base.is_whole`."""
    return mark.removed is not None and mark.removed == removals(connection) and not any_lost(connection)


def standing_on(content: Content, lines: Mapping[str, list[IndexLine]], mark: Mark, touched: Mapping[str, Runs]) -> Base:
    """Return what another description of an app may stand on, from one that was made: its content, and its lists by their digest."""
    found = Base("", mark, content, 0, 0, 0, is_sound=True, touched=dict(touched))
    found._lists.update(lines)
    return found


def marked(connection: Connection, app_id: str) -> str | None:
    """Return the id of the app's backup that has a mark, whether it was deleted or not."""
    found: str | None = connection.execute(select(_c.id).where(_c.app_id == app_id, _c.mark.is_not(None)).limit(1)).scalar()
    return found


def keep_mark(connection: Connection, app_id: str, backup_id: str, mark: Mark | None, before: str | None) -> None:
    """Make a backup the app's base, or none, in the transaction that makes it real; what the mark has seen leaves the log.

    *before* is the backup that had the mark when this one looked. Where another took it since, that one has removed from the log
    what this one has not seen: the log is cut, and the next backup reads everything.
    """
    if marked(connection, app_id) != before:
        mark = None
        change_log.cut(connection, app_id)
    text = None if mark is None else mark.text()
    connection.execute(update(_table).where(_c.app_id == app_id, or_(_c.id == backup_id, _c.mark.is_not(None))).values(
        mark=case((_c.id == backup_id, text))))
    if mark is not None:
        change_log.forget(connection, app_id, mark.seen)


def clear_marks() -> None:
    """Have everything read by the next backup of each app: after rows were written past the log. Inside a transaction, as the server."""
    db.session.connection().execute(update(_table).where(_c.mark.is_not(None)).values(mark=None))


def tidy() -> int:
    """Cut the logs that are of no use: of apps that have no base, and those that grew too long; return how many. At most once an hour."""
    if time.monotonic() < _tidied["next"]:
        return 0
    _tidied["next"] = time.monotonic() + TIDY_EVERY_S
    with as_server():
        connection = db.session.connection()
        lengths = change_log.lengths(connection)
        based = set(connection.execute(select(_c.app_id).where(_c.mark.is_not(None), _c.deleted_at.is_(None))).scalars())
        db.session.rollback()
        useless = sorted(app_id for app_id, count in lengths.items()
                         if count > change_log.MOST_ENTRIES or (app_id not in based and count > FEW_ENTRIES))
        for app_id in useless:
            with transaction():
                change_log.cut(db.session.connection(), app_id)
    return len(useless)
