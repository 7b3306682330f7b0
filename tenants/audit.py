"""The log of an organization: who did what that matters, when and from where. It is only ever added to.

An entry is written in the transaction of what it tells of: there is no act without its entry, and no entry without its act.
"""

from __future__ import annotations

import json
from typing import Any

from flask import has_request_context, request
from sqlalchemy import select

from core.api import SYSTEM, as_server, as_tenant, db, now_us
from tenants.models import AuditEntry, Membership, Organization

ACTS = {
    "signed_in": "Signed in",
    "signed_out": "Signed out",
    "sign_in_failed": "Password or code refused",
    "sessions_ended": "Signed out elsewhere",
    "password_changed": "Password changed",
    "password_reset": "Password set anew by link",
    "email_changed": "E-mail changed",
    "second_factor_on": "Second factor switched on",
    "second_factor_off": "Second factor switched off",
    "recovery_codes_made": "Recovery codes made anew",
    "recovery_code_used": "Recovery code used",
    "organization_made": "Organization made",
    "organization_closed": "Organization closed",
    "organization_opened": "Organization opened again",
    "settings_changed": "Settings changed",
    "plan_changed": "Plan changed",
    "member_invited": "Invited",
    "invitation_withdrawn": "Invitation withdrawn",
    "member_joined": "Joined",
    "role_changed": "Role of a member changed",
    "member_removed": "Member removed",
    "department_added": "Department added",
    "department_changed": "Department changed",
    "department_deleted": "Department deleted",
    "department_joined": "Put into a department",
    "department_left": "Taken out of a department",
    "org_role_added": "Org role added",
    "org_role_changed": "Org role changed",
    "org_role_deleted": "Org role deleted",
    "org_role_given": "Org role given",
    "org_role_taken": "Org role taken away",
    "app_admin_named": "App admin named",
    "app_admin_removed": "App admin removed",
}
"""Every act that the log knows, with what people read."""
PAGE_ENTRIES = 50


def audit(act: str, subject: str, *, by: str | None = None, **detail: Any) -> None:
    """Write an entry into the log of the current organization; inside the transaction of the act.

    Args:
        act: One of `ACTS`.
        subject: The address of what it was done to: "user/u_…", "department/d_…".
        by: Who did it; without it, whoever is behind the request, or the system.
        detail: What else a reader wants to know, as JSON values.
    """
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


def entries(*, act: str | None = None, person: str | None = None, before: int | None = None) -> list[AuditEntry]:
    """Return entries of the current organization's log, newest first, one more than a page has if there are more.

    Args:
        act: Only entries of this act.
        person: Only what this person did or what was done to them.
        before: Only entries older than the one with this id.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(PAGE_ENTRIES + 1)
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
    from tenants.signing_in import signed_in  # which in turn writes entries

    person = signed_in() if has_request_context() else None
    return person.id if person else SYSTEM


def _address() -> str:
    return (request.remote_addr or "")[:60] if has_request_context() else ""
