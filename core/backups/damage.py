"""Which backups need content that is lost: all of an organization share what is the same in them, so damage is seldom one backup's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from core.archive.canonical import parse
from core.archive.manifest import Content, own_lines
from core.backups import proof
from core.backups.models import Backup
from core.base.db import batched, db
from core.base.errors import ObjectLost
from core.objects.index import Digests, held_digests
from core.objects.reader import note_lost, read_object
from core.runs.context import RunContext
from core.tenancy.models import App

AT_ONCE = 200
WAY_OUT = ("Back up now: what is still in the app is stored again, and older backups that need it are whole again. Then check them once "
           "more, and do not rely on them before.")
MAX_CONTENT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Damaged:
    """A backup that a check found damaged, of an app that is there."""

    backup_id: str
    name: str
    app_id: str
    app_name: str


def lost_parts(run: RunContext) -> dict[str, int]:
    """Return backup id -> how many of the contents that it names the organization has lost; sound ones are missing.

    Each list is read once, however many backups have it in common. Not inside a transaction.
    """
    held, of_list = held_digests(), dict[str, int]()
    backups = db.session.execute(select(Backup.id, Backup.content).where(Backup.deleted_at.is_(None)).order_by(Backup.id)).all()
    found: dict[str, int] = {}
    for number, (backup_id, content) in enumerate(backups, start=1):
        lists = {entry.index for _, _, entry in Content.from_dict(parse(content.encode(), max_bytes=MAX_CONTENT_BYTES)).entries()}
        for one in lists - of_list.keys():
            of_list[one] = _lost_in(one, held)
        if lost := sum(of_list[one] for one in lists):
            found[backup_id] = lost
        run.progress("looking", number, len(backups), 0)
    db.session.rollback()
    return found


def _lost_in(index: str, held: Digests) -> int:
    if index not in held:
        return 1
    try:
        lines = own_lines(read_object(index))
    except ObjectLost as error:
        db.session.rollback()
        note_lost(error)
        return 1
    return len(held.missing(line.content for line in lines))


def mark(run: RunContext, level: str, found: Mapping[str, int], began: int, *, but: str | None = None) -> list[str]:
    """Write into the rows of backups that they need lost content, and return the ids of those that were not known to be damaged.

    Args:
        found: See `lost_parts`.
        began: When that was looked for; a backup that somebody has proven since is left alone.
        but: A backup whose row has been written already.
    """
    fresh = []
    for some in batched(sorted(found.keys() - {but}), AT_ONCE):
        for row in db.session.scalars(select(Backup).where(Backup.id.in_(some), Backup.deleted_at.is_(None))):
            if (row.quick_at or 0) > began:
                continue
            if row.check_error is None:
                fresh.append(row.id)
            proof.touched(row, level, run.run_id, found[row.id])
        db.session.flush()
    return fresh


def damaged_by(run_id: str | None, *, but: str | None = None) -> list[Damaged]:
    """Return the damaged backups that a run told of, by app and newest first, without *but* and those of deleted apps."""
    if run_id is None:
        return []
    query = select(Backup.id, Backup.name, App.id, App.name).join(App, App.id == Backup.app_id).where(
        Backup.check_run_id == run_id, Backup.check_error.is_not(None), Backup.deleted_at.is_(None), App.deleted_at.is_(None),
        Backup.id != (but or "")).order_by(App.name, App.id, Backup.created_at.desc())
    return [Damaged(*row) for row in db.session.execute(query)]


def seen_by(damaged: Collection[Damaged], app_ids: Collection[str]) -> tuple[list[Damaged], int]:
    """Return those of the backups whose apps somebody may back up, and how many others there are."""
    mine = [one for one in damaged if one.app_id in app_ids]
    return mine, len(damaged) - len(mine)
