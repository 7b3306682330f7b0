"""What an organization needs of what lies in its store: read from backups, apps and imports themselves, never counted along."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from core.apps.models import DocumentRow, HiddenPart
from core.apps.snapshot import Snapshot
from core.archive.canonical import parse
from core.archive.manifest import Content, parse_index
from core.backups.journal import files_named
from core.backups.models import Backup
from core.base.db import db, reading
from core.base.errors import ObjectLost, PluginFailed
from core.base.refs import FILE_MARK, files_in_text
from core.base.time import now_us
from core.imports.previews import kept_contents
from core.objects.index import lost_since_before
from core.objects.reader import read_object
from core.runs.context import RunContext
from core.server import server
from core.tenancy.models import App

LOST_KEPT_DAYS = 30
"""How long a backup whose list is lost stops the removal of garbage: the list may come back."""
DAY_US = 24 * 3600 * 1_000_000
log = logging.getLogger(__name__)


@dataclass
class Needed:
    """Digests, 32 bytes each."""

    digests: set[bytes] = field(default_factory=set)

    def add(self, contents: Iterable[str]) -> None:
        """Add contents."""
        self.digests.update(map(bytes.fromhex, contents))

    def __contains__(self, content: str) -> bool:
        return bytes.fromhex(content) in self.digests

    def __len__(self) -> int:
        return len(self.digests)


class NullProgress:
    """Stands for a run where none does the work."""

    run_id = ""

    def step(self, name: str) -> None:
        """Nobody hears of it."""

    def progress(self, phase: str, done: int, total: int, size: int) -> None:
        """Nobody hears of it."""


def needed(watch: RunContext | NullProgress) -> Needed:
    """Return all that the backups, apps and imports of the current organization need. Not inside a transaction.

    Raises:
        ObjectMissing, ObjectDamaged: a backup's list cannot be read.
        PluginFailed: the plugin of a component that keeps data by code of its own is not here.
    """
    if unreadable := server().registry.unreadable:
        name, plugin = sorted(unreadable.items())[0]
        raise PluginFailed(f"The component “{name}” keeps data of its own, and its plugin {plugin} is not here to say which files are "
                           f"in it, so nothing is removed from the store. Install it again, or let go of what it has here: "
                           f"appkeep plugins remove {plugin} --drop-tables")
    found = Needed()
    _need_of_backups(found, watch)
    with reading() as connection:
        for app in db.session.scalars(select(App)).all():  # those that were deleted, too: their rows are still there
            _need_of_app(found, app, Snapshot(app.id, connection))
    found.add(kept_contents())
    db.session.rollback()
    return found


def _need_of_backups(found: Needed, watch: RunContext | NullProgress) -> None:
    backups = db.session.execute(select(Backup.id, Backup.name, Backup.content).where(Backup.deleted_at.is_(None))).all()
    for number, (backup_id, name, content) in enumerate(backups, start=1):
        for _, _, entry in Content.from_dict(parse(content.encode(), max_bytes=1024 * 1024)).entries():
            if entry.index in found:
                continue  # an index that another backup has in common with this one
            found.add(_contents_of(entry.index, backup_id, name))
            found.add([entry.index])
        watch.progress("collecting", number, len(backups), 0)


def _contents_of(index: str, backup_id: str, name: str) -> Iterator[str]:
    """Yield what an index lists; nothing where it has been lost for so long that nobody will mend it any more."""
    try:
        lines = parse_index(read_object(index))
    except ObjectLost as error:
        if lost_since_before([index], now_us() - LOST_KEPT_DAYS * DAY_US):
            log.warning("What the backup %s alone needs is not kept any more: its list was lost %s days ago", backup_id, LOST_KEPT_DAYS)
            return
        told = type(error)(f"What the backup “{name}” holds cannot be read, so nothing is removed from the store: {error.message} "
                           f"Removing continues once this is fixed, the backup is deleted (appkeep backup-delete {backup_id}), or "
                           f"{LOST_KEPT_DAYS} days have gone.", backup=backup_id)
        told.lost = error.lost
        raise told from error
    yield from (line.content for line in lines)


def _need_of_app(found: Needed, app: App, snapshot: Snapshot) -> None:
    for model in (DocumentRow, HiddenPart):
        bodies = select(model.body).where(model.app_id == app.id, model.body.contains(FILE_MARK, autoescape=True))
        for body in snapshot.connection.execute(bodies).scalars():
            found.add(files_in_text(body))
    found.add(files_named(app.id, snapshot.connection))
    for component in server().registry.with_data.values():
        found.add(component.data_files(app, snapshot))
        found.add(component.kept_files(app, snapshot))
