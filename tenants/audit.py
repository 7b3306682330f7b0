"""The log of an organization: who did what that matters, when and from where. It is only ever added to.

An entry is written in the transaction of what it tells of: there is no act without its entry, and no entry without its act.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import g, has_request_context, request
from sqlalchemy import select

from core.api import SYSTEM, as_server, as_tenant, db, find_app, now_us
from tenants.current_person import signed_in
from tenants.models import AuditEntry, Membership, Organization

if TYPE_CHECKING:
    from core.api import Bearer

ACTS = {
    "signed_in": "Signed in",
    "signed_out": "Signed out",
    "sign_in_failed": "Password or code refused",
    "sessions_ended": "Signed out of other browsers",
    "password_changed": "Password changed",
    "password_reset": "Password reset by link",
    "email_changed": "Email changed",
    "second_factor_on": "Second factor turned on",
    "second_factor_off": "Second factor turned off",
    "recovery_codes_made": "New recovery codes created",
    "recovery_code_used": "Recovery code used",
    "organization_made": "Organization created",
    "organization_closed": "Organization closed",
    "organization_opened": "Organization reopened",
    "settings_changed": "Settings changed",
    "plan_changed": "Plan changed",
    "member_invited": "Invited",
    "invitation_withdrawn": "Invitation withdrawn",
    "member_joined": "Joined",
    "role_changed": "Member’s role changed",
    "member_removed": "Member removed",
    "department_added": "Department added",
    "department_changed": "Department changed",
    "department_deleted": "Department deleted",
    "department_joined": "Added to a department",
    "department_left": "Removed from a department",
    "org_role_added": "Org role added",
    "org_role_changed": "Org role changed",
    "org_role_deleted": "Org role deleted",
    "org_role_given": "Org role given",
    "org_role_taken": "Org role removed",
    "app_admin_named": "App admin added",
    "app_admin_removed": "App admin removed",
    "app_made": "App created",
    "app_deleted": "App deleted",
    "backup_made": "Backup",
    "backup_uploaded": "Backup file uploaded",
    "backup_downloaded": "Backup downloaded",
    "backup_renamed": "Backup renamed",
    "backup_pinned": "Backup pinned",
    "backup_unpinned": "Backup unpinned",
    "backup_deleted": "Backup deleted",
    "backup_expired": "Backup removed by retention",
    "backup_checked": "Backup checked",
    "identity_proven": "Identity confirmed for a restore",
    "app_restored": "App restored",
    "app_copied": "Restored as a new app",
    "run_cancelled": "Backup or restore cancelled",
    "schedule_changed": "Backup schedule changed",
    "retention_changed": "Backup retention changed",
    "backup_other": "Other backup action",
    "api_token_made": "API token created",
    "api_token_removed": "API token removed",
    "webhook_added": "Webhook added",
    "webhook_changed": "Webhook changed",
    "webhook_removed": "Webhook removed",
    "webhook_secret_rotated": "Webhook secret replaced",
    "webhook_previous_ended": "Webhook’s previous secret ended",
}
"""Every act that the log knows, with what people read."""
PAGE_ENTRIES = 50
BY_TOKEN = "by_token"
"""What an entry's details call the token of the program that did it."""
BACKUP_ACTS = {
    "backup": "backup_made", "upload": "backup_uploaded", "download": "backup_downloaded", "rename": "backup_renamed",
    "pin": "backup_pinned", "unpin": "backup_unpinned", "delete": "backup_deleted", "expire": "backup_expired", "check": "backup_checked",
    "identity": "identity_proven", "restore": "app_restored", "restore_as_new": "app_copied", "cancel": "run_cancelled",
    "schedule": "schedule_changed", "retention": "retention_changed",
}
"""What the log of an app's backups calls an act, and what this one does."""
_TAKEN = ("act", "subject", "by", "person", "name", "result", "backup")


def audit(act: str, subject: str, *, by: str | None = None, **detail: Any) -> None:
    """Write an entry into the log of the current organization; inside the transaction of the act.

    Args:
        act: One of `ACTS`.
        subject: The address of what it was done to: "user/u_…", "department/d_…".
        by: Who did it; without it, whoever is behind the request, or the system.
        detail: What else a reader wants to know, as JSON values.
    """
    if (come := _bearer()) is not None:
        detail = {**detail, BY_TOKEN: come.token_name}
    db.session.add(AuditEntry(
        at=now_us(), person=by or _who(), act=_known(act), subject=subject[:100], address=_address(),
        detail=json.dumps(detail, ensure_ascii=False, sort_keys=True)))
    db.session.flush()


def audit_person(act: str, user_id: str, **detail: Any) -> None:
    """Write what somebody did with their own account into the log of every organization that they belong to.

    The one danger: it changes the tenant, so rows that the caller has loaded are no longer part of the session.
    """
    with as_server():
        mine = db.session.scalars(select(Membership.organization_id).join(
            Organization, Organization.id == Membership.organization_id).where(
            Membership.user_id == user_id, Organization.closed_at.is_(None))).all()
    for organization_id in mine:
        with as_tenant(organization_id):
            audit(act, f"user/{user_id}", by=user_id, **detail)


def audit_backup(app_id: str, act: str, result: str, person: str, detail: Mapping[str, Any]) -> None:
    """Write a line of the log of an app's backups into that of its organization; inside its transaction."""
    app = find_app(app_id)
    told = {name: value for name, value in detail.items() if isinstance(value, str | int) and name not in _TAKEN}
    audit(BACKUP_ACTS.get(act, "backup_other"), f"app/{app_id}", by=person, name=app.name if app else "",
          result=None if result == "done" else result, backup=detail.get("name"), **told)


def entries(*, act: str | None = None, person: str | None = None, since: int | None = None, until: int | None = None,
            before: int | None = None, most: int = PAGE_ENTRIES + 1) -> list[AuditEntry]:
    """Return entries of the current organization's log, newest first.

    Args:
        act: Only entries of this act.
        person: Only what this person did or what was done to them.
        since, until: Only what was done at or after, and before, these moments in microseconds UTC.
        before: Only entries older than the one with this id.
        most: So many at most; one more than a page has tells whether there are more.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if act:
        query = query.where(AuditEntry.act == act)
    if person:
        query = query.where((AuditEntry.person == person) | (AuditEntry.subject == f"user/{person}"))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(db.session.scalars(query))


def _known(act: str) -> str:
    if act not in ACTS:
        raise ValueError(f"The log knows no act “{act}”.")
    return act


def _who() -> str:
    if (come := _bearer()) is not None:
        return come.visitor.person
    person = signed_in() if has_request_context() else None
    return person.id if person else SYSTEM


def _bearer() -> Bearer | None:
    """Return the program that the current request comes from, None where it is a browser's, or none."""
    here = g.get("visit") if has_request_context() else None
    return here.bearer if here is not None else None


def _address() -> str:
    return (request.remote_addr or "")[:60] if has_request_context() else ""
