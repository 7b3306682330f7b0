"""Verbs on the members of roles. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select

from core.api import App, Document, InvalidInput, Operation, checked_line, db, documents, locks, new_key, org_choices, org_exists, server
from plugins.roles.models import RoleMember

MEMBER_KINDS = (("user", "People"), ("department", "Departments"), ("org_role", "Org roles"))
"""What may be given a role, and what it is called."""


def create(app: App, name: str, person: str) -> Document:
    """Make a role that gives nothing yet and return it.

    Raises:
        InvalidInput: the name is empty, too long or has control characters.
    """
    locks.take(app)
    position = max((role.position for role in documents.live(app, "role")), default=-1) + 1
    body = {"name": checked_name(name), "worksheets": [], "pages": []}
    return documents.put(app, Document(kind="role", key=new_key("r"), body=body, position=position), person)


def checked_name(name: str) -> str:
    """Return a role's name without space around it.

    Raises:
        InvalidInput: it is empty, too long or has control characters.
    """
    return checked_line(name.strip(), 100, "a role name")


def assign(app: App, role: str, member: str) -> None:
    """Give a role to "user/u_…", "department/d_…" or "org_role/r_…".

    Raises:
        NotFound: the app has no such role.
        InvalidInput: the organization has no such member.
    """
    locks.take(app)
    documents.get(app, f"role/{role}")
    if not org_exists(app.organization_id, member):
        raise InvalidInput("The organization has no such person, department or org role any more. Reload the page.")
    if db.session.get(RoleMember, (app.id, role, member)) is None:
        db.session.add(RoleMember(app_id=app.id, role=role, member=member))
        db.session.flush()


def unassign(app: App, role: str, member: str) -> None:
    """Take a role away; it is no error where they do not have it."""
    locks.take(app)
    db.session.execute(delete(RoleMember).where(
        RoleMember.app_id == app.id, RoleMember.role == role, RoleMember.member == member))


def members(app: App, role: str) -> list[str]:
    """Return the addresses of those who have a role, in order."""
    query = select(RoleMember.member).where(RoleMember.app_id == app.id, RoleMember.role == role)
    return sorted(db.session.scalars(query))


def people_of(app: App, address: str) -> list[str]:
    """Return the people who have "role/r_…", by themselves or by what they belong to; nobody for another kind of address."""
    kind, _, key = address.partition("/")
    people: set[str] = set()
    for member in members(app, key) if kind == "role" else ():
        for some in server().registry.hook.people_of(app=app, address=member):
            people.update(some)
    return sorted(people)


def counts(app: App) -> dict[str, int]:
    """Return how many entries of members each role has, by key; those of roles in the recycle bin too."""
    query = select(RoleMember.role, func.count()).where(RoleMember.app_id == app.id).group_by(RoleMember.role)
    return {row[0]: row[1] for row in db.session.execute(query)}


def choices(app: App) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what may be given a role: (heading, [(address, name), …])."""
    return [(title, found) for kind, title in MEMBER_KINDS if (found := org_choices(app.organization_id, kind))]


def named_members(app: App, role: str) -> list[tuple[str, str, str]]:
    """Return (address, name, what it is) of a role's members, in the order of `choices`; those who left come last."""
    mine = members(app, role)
    names = {address: (name, title) for title, found in choices(app) for address, name in found}
    here = [(address, *names[address]) for address in names if address in mine]
    return [*here, *((address, "No longer in the organization", "Gone") for address in mine if address not in names)]


def forget(app: App, role: str) -> None:
    """Remove the members of a role that is about to be purged."""
    db.session.execute(delete(RoleMember).where(RoleMember.app_id == app.id, RoleMember.role == role))


def _edit(app: App, edit: Mapping[str, Any], person: str) -> dict[str, Any]:
    role, member = edit.get("role"), edit.get("member")
    if not isinstance(role, str) or not isinstance(member, str):
        raise InvalidInput("“role” (a key such as r_…) and “member” (such as user/u_…) are required.")
    verb = assign if edit["op"] == "assign_role" else unassign
    verb(app, role.removeprefix("role/"), member)
    return {"role": role, "member": member}


OPERATIONS: Mapping[str, Operation] = {"assign_role": _edit, "unassign_role": _edit}
