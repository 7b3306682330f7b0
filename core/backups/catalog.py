"""The catalog of backups: finding them; renaming, pinning, deleting one. The caller owns the transaction; each change is in the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, or_, select

from core.backups.create import checked_name
from core.backups.log import note
from core.backups.models import Backup
from core.base.db import db
from core.base.errors import Conflict, NotFound
from core.base.time import iso, now_us
from core.runs.models import Run
from core.runs.service import active_runs


def find_backup(backup_id: str) -> Backup:
    """Return a backup of the current organization.

    Raises:
        NotFound: there is none, it was deleted, or it belongs to another organization.
    """
    found = backup_if_there(backup_id)
    if found is None:
        raise NotFound(f"There is no backup “{backup_id[:40]}”.")
    return found


def backup_if_there(backup_id: str) -> Backup | None:
    """Return a backup of the current organization, None where there is none (any more)."""
    return db.session.scalar(select(Backup).where(Backup.id == backup_id, Backup.deleted_at.is_(None)))


def deleted_backup(app_id: str, backup_id: str) -> Backup | None:
    """Return a backup of an app that has been deleted, None where there never was one or it is still there."""
    return db.session.scalar(select(Backup).where(Backup.id == backup_id, Backup.app_id == app_id, Backup.deleted_at.is_not(None)))


def backups_of(app_id: str, *, before: Backup | None = None, most: int | None = None) -> list[Backup]:
    """Return the backups of an app, newest first; at *most* so many of those that come after *before* in this order."""
    query = select(Backup).where(Backup.app_id == app_id, Backup.deleted_at.is_(None)).order_by(Backup.created_at.desc(), Backup.id)
    if before is not None:
        query = query.where(or_(Backup.created_at < before.created_at,
                                and_(Backup.created_at == before.created_at, Backup.id > before.id)))
    return list(db.session.scalars(query.limit(most)))


def backup_value(backup: Backup) -> dict[str, Any]:
    """Return a backup's row as JSON, for programs."""
    return {"backup": backup.id, "app": backup.app_id, "name": backup.name, "type": backup.type, "part": backup.part,
            "content_id": backup.content_id, "size_bytes": backup.size_bytes, "added_bytes": backup.added_bytes,
            "records": backup.records, "pinned": backup.pinned, "created_at": iso(backup.created_at), "created_by": backup.created_by,
            "origin": backup.origin, "signer": backup.signer, "made_at": iso(backup.made_at) if backup.made_at else None,
            "checked_at": iso(backup.checked_at) if backup.checked_at else None, "check_error": backup.check_error,
            **{f"{level}_at": iso(at) if at else None for level, at in (
                ("quick", backup.quick_at), ("read", backup.read_at), ("deep", backup.deep_at))}}


def names_of(backup_ids: Collection[str]) -> dict[str, tuple[str, bool]]:
    """Return what backups are called, and whether they are still there, by id."""
    found = db.session.execute(select(Backup.id, Backup.name, Backup.deleted_at).where(Backup.id.in_(backup_ids)))
    return {backup_id: (name, deleted_at is None) for backup_id, name, deleted_at in found}


def rename(backup_id: str, name: str, person: str) -> Backup:
    """Give a backup another name and return it.

    Raises:
        InvalidInput: the name is empty, too long or has control characters.
    """
    backup, before = find_backup(backup_id), find_backup(backup_id).name
    backup.name = checked_name(name)
    note("rename", backup.app_id, person, backup_id=backup.id, before=before, after=backup.name)
    return backup


def pin(backup_id: str, person: str, *, pinned: bool) -> Backup:
    """Keep a backup from retention, or let it go again, and return it."""
    backup = find_backup(backup_id)
    if backup.pinned is not pinned:
        backup.pinned = pinned
        note("pin" if pinned else "unpin", backup.app_id, person, backup_id=backup.id, name=backup.name)
    return backup


def reasons_to_keep(backup: Backup) -> list[str]:
    """Return why a backup matters more than others: it is pinned, the newest good one, the only one. Empty for any other."""
    others = [one for one in backups_of(backup.app_id) if one.id != backup.id]
    good = [one for one in others if one.check_error is None]
    found = ["It is pinned, so that nobody deletes it by mistake."] if backup.pinned else []
    if not others:
        found.append("It is the only backup of this app. Without it, nothing can be restored.")
    elif not good and backup.check_error is None:
        found.append("It is the only good backup of this app. All others are damaged.")
    elif backup.check_error is None and backup.created_at >= max(one.created_at for one in good):
        found.append("It is the newest good backup of this app. All others are older or damaged.")
    return found


def delete(backup_id: str, person: str, *, act: str = "delete", reason: str = "") -> Backup:
    """Take a backup out of the catalog and return it; what others share with it stays, and no quota comes back.

    Raises:
        Conflict: it is pinned, or being restored from or checked right now.
    """
    backup = find_backup(backup_id)
    if backup.pinned:
        raise Conflict(f"“{backup.name}” is pinned. Unpin it first.", backup=backup.id)
    busy = next((run for run in active_runs() if _names(run, backup.id)), None)
    if busy is not None:
        raise Conflict(f"“{backup.name}” is in use: a {busy.kind.replace('_', ' ')} is {busy.state}. "
                       "Wait until it has ended.", backup=backup.id, run=busy.id)
    backup.deleted_at = now_us()
    note(act, backup.app_id, person, backup_id=backup.id, name=backup.name, **({"reason": reason} if reason else {}))
    return backup


def _names(run: Run, backup_id: str) -> bool:
    return f'"backup":"{backup_id}"' in run.options
