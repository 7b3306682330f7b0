"""Verbs on organizations and people. The caller owns the transaction."""

from __future__ import annotations

import re

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import select

from core.api import App, Conflict, InvalidInput, NotFound, as_server, as_tenant, db, new_key, now_us, tenant
from tenants.models import AppAdmin, Department, DepartmentMember, Membership, Organization, OrgRole, OrgRoleMember, User
from tenants.plans import DEFAULT_PLAN, plan

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}\Z")
MIN_PASSWORD_CHARS = 10
_hasher = PasswordHasher()
_REFERENCED: dict[str, type[Department] | type[OrgRole]] = {"department": Department, "org_role": OrgRole}


def create_organization(name: str, owner_email: str, plan_name: str = DEFAULT_PLAN) -> Organization:
    """Make an organization with its first owner; a person of that e-mail is made where there is none.

    Raises:
        Conflict: there is an organization of that name.
    """
    name = _name(name, "organization")
    if db.session.scalar(select(Organization.id).where(Organization.name == name)):
        raise Conflict(f"There is an organization “{name}” already.")
    organization = Organization(id=new_key("o"), name=name, plan=plan(plan_name).name, created_at=now_us())
    owner_id = (user_by_email(owner_email) if _known(owner_email) else create_user(owner_email)).id
    db.session.add(organization)
    db.session.flush()
    organization_id = organization.id
    with as_tenant(organization_id):
        db.session.add(Membership(user_id=owner_id, role="owner"))
    return find_organization(organization_id)


def create_user(email: str, name: str = "", password: str | None = None) -> User:
    """Make a person; without a password nobody can sign in as them yet.

    Raises:
        Conflict: the e-mail is in use.
    """
    email = _email(email)
    if _known(email):
        raise Conflict(f"There is somebody with the e-mail {email} already.")
    user = User(id=new_key("u"), email=email, name=name or email.partition("@")[0][:100], created_at=now_us(),
                password_hash=None)
    if password is not None:
        set_password(user, password)
    db.session.add(user)
    db.session.flush()
    return user


def set_password(user: User, password: str) -> None:
    """Give a person a new password.

    Raises:
        InvalidInput: it is too short or absurdly long.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= 1000:
        raise InvalidInput(f"A password has at least {MIN_PASSWORD_CHARS} characters.")
    user.password_hash = _hasher.hash(password)


def password_matches(user: User, password: str) -> bool:
    """Say whether *password* is the person's; nobody's is when none is set."""
    try:
        return _hasher.verify(user.password_hash or "", password[:1000])
    except Argon2Error:
        return False


def person_with_password(email: str, password: str) -> User | None:
    """Return the person whose e-mail and password these are; takes as long when there is no such person."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()[:254]))
    if user is None or user.password_hash is None:
        _hasher.hash(password[:1000])
        return None
    return user if password_matches(user, password) else None


def role_of(organization_id: str, person: str) -> str | None:
    """Return what a person is in an organization, None when they are no member."""
    with as_tenant(organization_id):
        return db.session.scalar(select(Membership.role).where(Membership.user_id == person))


def organizations_of(person: str) -> list[tuple[Organization, str]]:
    """Return the organizations that a person is a member of and as what, by name."""
    with as_server():
        found = db.session.execute(select(Organization, Membership.role).join(
            Membership, Membership.organization_id == Organization.id).where(Membership.user_id == person)).all()
    return sorted(((row[0], row[1]) for row in found), key=lambda pair: pair[0].name.casefold())


def is_admin(app: App, person: str) -> bool:
    """Say whether a person is an admin of the app."""
    return db.session.get(AppAdmin, (app.id, person)) is not None


def addresses_of(organization_id: str, person: str) -> list[str]:
    """Return the departments, with those above them, and org roles that a person has, as addresses."""
    with as_tenant(organization_id):
        parents = {row.id: row.parent_id for row in db.session.scalars(select(Department))}
        mine = list(db.session.scalars(select(DepartmentMember.department_id).where(DepartmentMember.user_id == person)))
        roles = db.session.scalars(select(OrgRoleMember.org_role_id).where(OrgRoleMember.user_id == person)).all()
    found: set[str] = set()
    while mine:
        department = mine.pop()
        if department not in found:
            found.add(department)
            mine += [parent for parent in (parents.get(department),) if parent]
    return [*(f"department/{key}" for key in sorted(found)), *(f"org_role/{key}" for key in sorted(roles))]


def apps_managed_by(person: str) -> list[App]:
    """Return the apps of any organization that a person is named an admin of, by name."""
    with as_server():
        found = db.session.scalars(select(App).join(AppAdmin, AppAdmin.app_id == App.id).where(
            AppAdmin.user_id == person, App.deleted_at.is_(None))).all()
    return sorted(found, key=lambda app: app.name.casefold())


def name_of(person: str) -> str | None:
    """Return what a person is called."""
    return db.session.scalar(select(User.name).where(User.id == person))


def user_by_email(email: str) -> User:
    """Return the person with that e-mail.

    Raises:
        NotFound: there is none.
    """
    user = db.session.scalar(select(User).where(User.email == _email(email)))
    if user is None:
        raise NotFound(f"There is nobody with the e-mail {email[:100]}.")
    return user


def find_organization(name_or_id: str) -> Organization:
    """Return an organization by its id or name.

    Raises:
        NotFound: there is none.
    """
    query = select(Organization).where((Organization.id == name_or_id) | (Organization.name == name_or_id))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(f"There is no organization “{name_or_id[:100]}”.")
    return found


def add_member(user: User, role: str = "member") -> None:
    """Make a person a member of the current organization, or change what they are in it."""
    membership = db.session.get(Membership, (tenant(), user.id))
    if membership is None:
        db.session.add(Membership(user_id=user.id, role=role))
    else:
        membership.role = role
    db.session.flush()


def name_admin(app: App, user_id: str) -> None:
    """Make a person an admin of the app."""
    if db.session.get(AppAdmin, (app.id, user_id)) is None:
        db.session.add(AppAdmin(app_id=app.id, user_id=user_id, organization_id=app.organization_id))
        db.session.flush()


def create_department(name: str, parent_id: str | None = None) -> Department:
    """Make a department of the current organization."""
    department = Department(id=new_key("d"), name=_name(name, "department"), parent_id=parent_id)
    db.session.add(department)
    db.session.flush()
    return department


def create_org_role(name: str) -> OrgRole:
    """Make an organization-wide role of the current organization."""
    role = OrgRole(id=new_key("r"), name=_name(name, "org role"))
    db.session.add(role)
    db.session.flush()
    return role


def reference_exists(organization_id: str, address: str) -> bool | None:
    """Say whether "department/d_…", "org_role/r_…" or "user/u_…" is there; None for other kinds."""
    kind, _, key = address.partition("/")
    if kind == "user":
        with as_tenant(organization_id):
            return db.session.scalar(select(Membership.user_id).where(Membership.user_id == key)) is not None
    model = _REFERENCED.get(kind)
    if model is None:
        return None
    with as_tenant(organization_id):
        return db.session.scalar(select(model.id).where(model.id == key)) is not None


def time_zone(organization_id: str) -> str | None:
    """Return the IANA name of an organization's time zone, None for an unknown organization."""
    return db.session.scalar(select(Organization.time_zone).where(Organization.id == organization_id))


def _known(email: str) -> bool:
    return db.session.scalar(select(User.id).where(User.email == _email(email))) is not None


def _email(email: str) -> str:
    email = email.strip().lower()
    if not EMAIL.match(email):
        raise InvalidInput(f"“{email[:100]}” is not an e-mail address.")
    return email


def _name(name: str, what: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or any(ord(c) < 32 for c in name):
        raise InvalidInput(f"The name of an {what} has 1 to 100 characters.")
    return name

