"""Roles that people have in the current organization as a whole. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import delete, select

from core.api import db
from tenants import members, service
from tenants.audit import audit
from tenants.member_groups import MemberGroups
from tenants.models import OrgRole, OrgRoleMember
from tenants.typed_names import checked_name

ROLES = MemberGroups(table=OrgRole, membership=OrgRoleMember, column="org_role_id", kind="org_role", noun="org role",
                     joined="org_role_given", left="org_role_taken")
find, give, take, people, of_member = ROLES.find, ROLES.put_in, ROLES.take_out, ROLES.people, ROLES.of_member


def roles() -> list[tuple[OrgRole, int]]:
    """Return all org roles by name, each with how many people have it."""
    people_of = ROLES.counts()
    found = sorted(db.session.scalars(select(OrgRole)), key=lambda role: (role.name.casefold(), role.id))
    return [(role, people_of.get(role.id, 0)) for role in found]


def add(name: str) -> OrgRole:
    """Make an org role.

    Raises:
        Conflict: there is one of that name.
        InvalidInput: the name cannot be taken.
    """
    members.hold()
    ROLES.check_free(name)
    made = service.create_org_role(name)
    audit("org_role_added", f"org_role/{made.id}", name=made.name)
    return made


def rename(role_id: str, name: str) -> None:
    """Call an org role something else.

    Raises:
        Conflict, InvalidInput: see `add`.
        NotFound: there is no such role.
    """
    members.hold()
    role = find(role_id)
    ROLES.check_free(name, but=role_id)
    before, role.name = role.name, checked_name(name, "an org role")
    db.session.flush()
    audit("org_role_changed", f"org_role/{role_id}", name=role.name, before=before)


def remove(role_id: str) -> None:
    """Remove an org role; nobody has it any more."""
    name = find(role_id).name
    db.session.execute(delete(OrgRoleMember).where(OrgRoleMember.org_role_id == role_id))
    db.session.execute(delete(OrgRole).where(OrgRole.id == role_id))
    audit("org_role_deleted", f"org_role/{role_id}", name=name)
