"""The kinds of notifications: one table, in the order that people read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind: its name in the database and in webhooks, what people call it, who is told, and by what unless they chose."""

    name: str
    title: str
    told: str
    inbox: bool
    mail: bool


KINDS: dict[str, NoticeKind] = {
    kind.name: kind
    for kind in (
        NoticeKind("backup_done", "Backup done", "Whoever asked for it", inbox=True, mail=False),
        NoticeKind("scheduled_done", "Scheduled backup done", "Admins of the app", inbox=False, mail=False),
        NoticeKind("backup_failed", "Backup failed", "Whoever asked for it; admins of the app if scheduled", inbox=True, mail=True),
        NoticeKind("restore_done", "Restore done", "Whoever asked for it and the app’s other admins", inbox=True, mail=True),
        NoticeKind("restore_failed", "Restore failed", "Whoever asked for it and the app’s other admins", inbox=True, mail=True),
        NoticeKind("check_failed", "Check of a backup failed", "Whoever asked for it and admins of the app", inbox=True, mail=True),
        NoticeKind("schedule_paused", "Scheduled backups paused", "Admins of the app, owners and admins", inbox=True, mail=True),
        NoticeKind("quota_warning", "80 % of the upload quota used", "Owners and admins of the organization", inbox=True, mail=True),
        NoticeKind("quota_full", "Upload quota used up", "Owners and admins of the organization", inbox=True, mail=True),
    )
}
