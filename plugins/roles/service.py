"""Verbs on the members of roles. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from core.api import App, InvalidInput, Operation, check_writable, db, documents, org_exists
from plugins.roles.models import RoleMember


def assign(app: App, role: str, member: str) -> None:
    """Give a role to "user/u_…", "department/d_…" or "org_role/r_…".

    Raises:
        NotFound: the app has no such role.
        InvalidInput: the organization has no such member.
    """
    check_writable(app)
    documents.get(app, f"role/{role}")
    if not org_exists(app.organization_id, member):
        raise InvalidInput(f"There is no {member[:80]} in the organization.")
    if db.session.get(RoleMember, (app.id, role, member)) is None:
        db.session.add(RoleMember(app_id=app.id, role=role, member=member))
        db.session.flush()


def unassign(app: App, role: str, member: str) -> None:
    """Take a role away; it is no error where they do not have it."""
    check_writable(app)
    db.session.execute(delete(RoleMember).where(
        RoleMember.app_id == app.id, RoleMember.role == role, RoleMember.member == member))


def members(app: App, role: str) -> list[str]:
    """Return the addresses of those who have a role, in order."""
    query = select(RoleMember.member).where(RoleMember.app_id == app.id, RoleMember.role == role)
    return sorted(db.session.scalars(query))


def forget(app: App, role: str) -> None:
    """Remove the members of a role that is about to be purged."""
    db.session.execute(delete(RoleMember).where(RoleMember.app_id == app.id, RoleMember.role == role))


def _edit(app: App, edit: Mapping[str, Any], person: str) -> dict[str, Any]:
    role, member = edit.get("role"), edit.get("member")
    if not isinstance(role, str) or not isinstance(member, str):
        raise InvalidInput("the edit needs “role”, a key such as r_…, and “member”, such as user/u_….")
    verb = assign if edit["op"] == "assign_role" else unassign
    verb(app, role.removeprefix("role/"), member)
    return {"role": role, "member": member}


OPERATIONS: Mapping[str, Operation] = {"assign_role": _edit, "unassign_role": _edit}
