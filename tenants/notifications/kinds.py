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
        NoticeKind("backup_done", "Backup done", "Whoever started it", inbox=True, mail=False),
        NoticeKind("scheduled_done", "Scheduled backup done", "App admins", inbox=False, mail=False),
        NoticeKind("backup_failed", "Backup failed", "Whoever started it; app admins if scheduled", inbox=True, mail=True),
        NoticeKind("restore_done", "Restore done", "Whoever started it and the other app admins", inbox=True, mail=True),
        NoticeKind("restore_failed", "Restore failed", "Whoever started it and the other app admins", inbox=True, mail=True),
        NoticeKind("check_failed", "Backup check failed", "Whoever started it and app admins", inbox=True, mail=True),
        NoticeKind("backup_health", "Monthly overview of backups", "Organization owners and admins", inbox=False, mail=True),
        NoticeKind("change_failed", "Change of an app failed", "Whoever made it", inbox=True, mail=True),
        NoticeKind("message", "Message from a workflow", "Whoever the workflow names", inbox=True, mail=False),
        NoticeKind("comment", "Comment", "Whoever it names, and who commented before", inbox=True, mail=True),
        NoticeKind("approval", "Approval requested by a workflow", "Whoever is asked", inbox=True, mail=True),
        NoticeKind("workflow_stopped", "Workflow turned off after failures", "App admins", inbox=True, mail=True),
        NoticeKind("portal_waiting", "Portal account waiting for approval", "App admins", inbox=True, mail=True),
        NoticeKind("schedule_paused", "Scheduled backups paused", "App admins, organization owners and admins", inbox=True, mail=True),
        NoticeKind("quota_warning", "80 % of the upload quota used", "Organization owners and admins", inbox=True, mail=True),
        NoticeKind("quota_full", "Upload quota used up", "Organization owners and admins", inbox=True, mail=True),
    )
}
