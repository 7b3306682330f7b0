"""Roles that people have in the current organization as a whole. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from core.api import Conflict, NotFound, db
from tenants import members, service
from tenants.audit import audit
from tenants.models import OrgRole, OrgRoleMember, User
from tenants.typed_names import checked_name

PAGE_PEOPLE = 200


def roles() -> list[tuple[OrgRole, int]]:
    """Return all org roles by name, each with how many people have it."""
    counted = select(OrgRoleMember.org_role_id, func.count()).group_by(OrgRoleMember.org_role_id)
    people_of = {row[0]: row[1] for row in db.session.execute(counted)}
    found = sorted(db.session.scalars(select(OrgRole)), key=lambda role: (role.name.casefold(), role.id))
    return [(role, people_of.get(role.id, 0)) for role in found]


def find(role_id: str) -> OrgRole:
    """Return an org role of the current organization.

    Raises:
        NotFound: there is none of that id.
    """
    found = db.session.scalar(select(OrgRole).where(OrgRole.id == role_id))
    if found is None:
        raise NotFound("This org role does not exist.")
    return found


def add(name: str) -> OrgRole:
    """Make an org role.

    Raises:
        Conflict: there is one of that name.
        InvalidInput: the name cannot be taken.
    """
    members.hold()
    _free(name)
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
    _free(name, but=role_id)
    before, role.name = role.name, checked_name(name, "an org role")
    db.session.flush()
    audit("org_role_changed", f"org_role/{role_id}", name=role.name, before=before)


def remove(role_id: str) -> None:
    """Remove an org role; nobody has it any more."""
    name = find(role_id).name
    db.session.execute(delete(OrgRoleMember).where(OrgRoleMember.org_role_id == role_id))
    db.session.execute(delete(OrgRole).where(OrgRole.id == role_id))
    audit("org_role_deleted", f"org_role/{role_id}", name=name)


def give(role_id: str, user_id: str) -> None:
    """Give a member an org role; it is no error if they have it.

    Raises:
        NotFound: there is no such role, or no such member.
    """
    members.hold()
    name = find(role_id).name
    members.find(user_id)
    if db.session.get(OrgRoleMember, (role_id, user_id)) is None:
        db.session.add(OrgRoleMember(org_role_id=role_id, user_id=user_id))
        db.session.flush()
        audit("org_role_given", f"user/{user_id}", org_role=role_id, name=name)


def take(role_id: str, user_id: str) -> None:
    """Take an org role away from somebody; it is no error if they do not have it."""
    name = find(role_id).name
    gone = db.session.execute(delete(OrgRoleMember).where(
        OrgRoleMember.org_role_id == role_id, OrgRoleMember.user_id == user_id).returning(OrgRoleMember.user_id)).first()
    if gone is not None:
        audit("org_role_taken", f"user/{user_id}", org_role=role_id, name=name)


def people(role_id: str) -> list[tuple[str, str, str]]:
    """Return (id, name, email) of who has an org role, by name; at most `PAGE_PEOPLE`."""
    query = select(User.id, User.name, User.email).join(OrgRoleMember, OrgRoleMember.user_id == User.id).where(
        OrgRoleMember.org_role_id == role_id).order_by(func.lower(User.name), User.id).limit(PAGE_PEOPLE)
    return [(row.id, row.name, row.email) for row in db.session.execute(query)]


def of_member(user_id: str) -> list[OrgRole]:
    """Return the org roles that a person has, by name."""
    query = select(OrgRole).join(OrgRoleMember, OrgRoleMember.org_role_id == OrgRole.id).where(OrgRoleMember.user_id == user_id)
    return sorted(db.session.scalars(query), key=lambda role: role.name.casefold())


def _free(name: str, but: str | None = None) -> None:
    taken = db.session.scalar(select(OrgRole.id).where(OrgRole.name == checked_name(name, "an org role")))
    if taken not in (None, but):
        raise Conflict(f"An org role named “{name.strip()}” already exists.")
