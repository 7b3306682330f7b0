"""Members of the current organization: who they are, what they are in it, taking them out. The caller owns the transaction.

An organization always has an owner: whoever changes owners holds the organization's row, so that two who demote each
other at the same moment do so one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, delete, func, or_, select, tuple_

from core.api import Conflict, Forbidden, InvalidInput, NotFound, db, tenant
from tenants import api_tokens
from tenants.audit import audit
from tenants.models import ROLES, AppAdmin, DepartmentMember, Membership, Organization, OrgRoleMember, User

PAGE_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Member:
    """A member, as others see them; `proven` says whether they have shown that they read the mail of their address."""

    id: str
    name: str
    email: str
    role: str
    second_factor: bool
    proven: bool


def members(*, text: str = "", after: str | None = None) -> list[Member]:
    """Return members by name, one more than a page has if there are more.

    Args:
        text: Only those whose name or email has it in it.
        after: Only those that come after the member of this id.
    """
    order = (func.lower(User.name), User.id)
    query = _members().order_by(*order).limit(PAGE_MEMBERS + 1)
    if text:
        like = "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(func.lower(User.name).like(like, escape="\\"), User.email.like(like, escape="\\")))
    if after:
        found = find(after)
        query = query.where(tuple_(*order) > tuple_(func.lower(found.name), found.id))
    return [_member(row) for row in db.session.execute(query)]


def find(user_id: str) -> Member:
    """Return a member of the current organization.

    Raises:
        NotFound: nobody of that id is one.
    """
    row = db.session.execute(_members().where(User.id == user_id)).first()
    if row is None:
        raise NotFound("This person is not a member.")
    return _member(row)


def by_email(email: str) -> Member:
    """Return the member of the current organization with that email.

    Raises:
        NotFound: no member has it.
    """
    row = db.session.execute(_members().where(User.email == email)).first()
    if row is None:
        raise NotFound(f"No member has the email {email[:100]}. Invite them first.")
    return _member(row)


def suggestions() -> Sequence[tuple[str, str]]:
    """Return (email, name) of up to 200 members, to choose from while typing."""
    query = select(User.email, User.name).join(Membership, Membership.user_id == User.id).order_by(func.lower(User.name))
    return [(row.email, row.name) for row in db.session.execute(query.limit(200))]


def change_role(user_id: str, role: str, by_role: str) -> None:
    """Change what a member is in the organization.

    Raises:
        NotFound: nobody of that id is a member.
        Forbidden: only owners change owners.
        Conflict: it is the last owner.
        InvalidInput: there is no such role.
    """
    if role not in ROLES:
        raise InvalidInput("Choose a role: owner, admin or member.")
    member = _held(user_id, by_role)
    if role == "owner" and by_role != "owner":
        raise Forbidden("Only owners can make somebody an owner.")
    if member.role == role:
        return
    if member.role == "owner":
        _keep_an_owner(user_id)
    membership = db.session.get(Membership, (tenant(), user_id))
    if membership is not None:
        membership.role = role
        db.session.flush()
    audit("role_changed", f"user/{user_id}", before=member.role, after=role)


def remove(user_id: str, by_role: str, *, from_apps: bool) -> None:
    """Take a member out of the organization, its departments and org roles.

    Args:
        user_id: Whose membership ends; their account stays.
        by_role: What whoever does this is in the organization.
        from_apps: Whether they stop being an admin of its apps too.

    Raises:
        NotFound, Forbidden, Conflict: see `change_role`.
    """
    member = _held(user_id, by_role)
    if member.role == "owner":
        _keep_an_owner(user_id)
    for model in (DepartmentMember, OrgRoleMember, *((AppAdmin,) if from_apps else ()), Membership):
        db.session.execute(delete(model).where(model.user_id == user_id, model.organization_id == tenant()))
    api_tokens.forget_of(user_id)
    audit("member_removed", f"user/{user_id}", role=member.role, email=member.email, from_apps=from_apps)


def apps_managed(user_id: str) -> int:
    """Return how many apps of the current organization a person is an admin of."""
    return db.session.scalar(select(func.count()).select_from(AppAdmin).where(AppAdmin.user_id == user_id)) or 0


def hold() -> None:
    """Keep others from changing what the current organization is made of until the transaction ends."""
    db.session.execute(select(Organization.id).where(Organization.id == tenant()).with_for_update())


def _held(user_id: str, by_role: str) -> Member:
    hold()
    member = find(user_id)
    if member.role == "owner" and by_role != "owner":
        raise Forbidden("Only owners can change or remove an owner.")
    return member


def _keep_an_owner(but: str) -> None:
    query = select(func.count()).select_from(Membership).where(Membership.role == "owner", Membership.user_id != but)
    if not db.session.scalar(query):
        raise Conflict("This is the organization’s last owner. Make somebody else an owner first.")


def _members() -> Select[str, str, str, str, bool, bool]:
    return select(User.id, User.name, User.email, Membership.role, User.totp_secret.is_not(None).label("second_factor"),
                  User.email_proven_at.is_not(None).label("proven")).join(
        Membership, Membership.user_id == User.id)


def _member(row: Row[str, str, str, str, bool, bool]) -> Member:
    return Member(id=row.id, name=row.name, email=row.email, role=row.role, second_factor=bool(row.second_factor),
                  proven=bool(row.proven))
