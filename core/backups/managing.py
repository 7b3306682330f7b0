"""Verbs on backups that are there: rename, pin, delete. The caller owns the transaction; each is written into the log."""

from __future__ import annotations

from core.backups.log import note
from core.backups.models import Backup
from core.backups.saved import backups_of, find_backup
from core.backups.take import checked_name
from core.base.errors import Conflict
from core.base.time import now_us
from core.runs.models import Run
from core.runs.service import active_runs


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
    """Take a backup out of the catalogue and return it; what others share with it stays, and no quota comes back.

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
