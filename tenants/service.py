"""Verbs on organizations and people. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import has_request_context
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError

from core.api import (
    App,
    Conflict,
    NotFound,
    as_server,
    as_tenant,
    db,
    in_transaction,
    new_key,
    now_us,
    opened,
    remembered,
    scratch,
    tenant,
)
from tenants import passwords
from tenants.audit import audit
from tenants.belonging import about_key, belongings_of
from tenants.models import AppAdmin, AuditEntry, Department, DepartmentMember, Membership, Organization, OrgRole, OrgRoleMember, User
from tenants.plans import DEFAULT_PLAN, plan
from tenants.typed_names import checked_email, checked_name, folded

_REFERENCED: dict[str, type[Department] | type[OrgRole]] = {"department": Department, "org_role": OrgRole}


@dataclass(frozen=True, slots=True)
class Place:
    """An organization in which somebody is something: `role` is None for who only manages an app of it."""

    id: str
    name: str
    role: str | None


def create_organization(name: str, owner_email: str, plan_name: str = DEFAULT_PLAN) -> Organization:
    """Make an organization with its first owner; a person of that email is made where there is none.

    Raises:
        Conflict: there is an organization of that name.
    """
    name = checked_name(name, "an organization")
    if db.session.scalar(select(Organization.id).where(Organization.name == name)):
        raise Conflict(f"An organization named “{name}” already exists.")
    organization = Organization(id=new_key("o"), name=name, plan=plan(plan_name).name, created_at=now_us())
    owner_id = (user_by_email(owner_email) if _known(owner_email) else create_user(owner_email)).id
    with unique(f"An organization named “{name}” already exists."):
        db.session.add(organization)
        db.session.flush()
    organization_id = organization.id
    with as_tenant(organization_id):
        db.session.add(Membership(user_id=owner_id, role="owner"))
        audit("organization_made", f"organization/{organization_id}", by=owner_id, name=name)
    return find_organization(organization_id)


def create_user(email: str, name: str = "", password: str | None = None) -> User:
    """Make a person; without a password nobody can sign in as them yet.

    Raises:
        Conflict: the email is in use.
    """
    email = checked_email(email)
    if _known(email):
        raise Conflict(f"The email {email} is already in use.")
    called = checked_name(name or email.partition("@")[0], "a person")
    user = User(id=new_key("u"), email=email, name=called, created_at=now_us(), password_hash=None)
    if password is not None:
        set_password(user, password)
    with unique(f"The email {email} is already in use."):
        db.session.add(user)
        db.session.flush()
    return user


def set_password(user: User, password: str) -> None:
    """Give a person a new password.

    Raises:
        InvalidInput: see `passwords.checked`.
    """
    user.password_hash = passwords.hashed(passwords.checked(password, user.email))


def password_matches(user: User, password: str) -> bool:
    """Say whether *password* is the person's; nobody's is when none is set."""
    return passwords.matches(user.password_hash, password)


def role_of(organization_id: str, person: str) -> str | None:
    """Return what a person is in an organization, None when they are no member or it is closed."""
    there = belongings_of(person).get(organization_id)
    return None if there is None else there.role


def organizations_of(person: str) -> list[tuple[Organization, str]]:
    """Return the organizations that a person is a member of and as what, by name."""
    with as_server():
        found = db.session.execute(select(Organization, Membership.role).join(
            Membership, Membership.organization_id == Organization.id).where(
            Membership.user_id == person, Organization.closed_at.is_(None))).all()
    return sorted(((row[0], row[1]) for row in found), key=lambda pair: pair[0].name.casefold())


def places_of(person: str) -> list[Place]:
    """Return where a person is a member, and whose apps they manage without being one, by name."""
    found = [Place(one.organization_id, one.name, one.role) for one in belongings_of(person).values() if one.role or one.manages]
    return sorted(found, key=lambda place: (place.name.casefold(), place.id))


def is_admin(app: App, person: str) -> bool:
    """Say whether a person is an admin of the app; nobody is one of an organization's that is closed."""
    there = belongings_of(person).get(app.organization_id)
    return there is not None and app.id in there.named_admin_of


def apps_managed(organization_id: str, person: str) -> frozenset[str]:
    """Return the ids of the apps of an organization that a person is an admin of."""
    there = belongings_of(person).get(organization_id)
    return frozenset() if there is None else there.manages


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


def colleagues_of(organization_id: str, person: str) -> list[str]:
    """Return the people of the departments that a person is in, and of those below them."""
    with as_tenant(organization_id):
        mine = list(db.session.scalars(select(DepartmentMember.department_id).where(DepartmentMember.user_id == person)))
        found = _with_those_below(mine)
        query = select(DepartmentMember.user_id).where(DepartmentMember.department_id.in_(found))
        return sorted(set(db.session.scalars(query))) if found else []


def people_of(organization_id: str, address: str) -> list[str]:
    """Return the active members that "user/u_…", "department/d_…" with those below, or "org_role/r_…" stands for."""
    kind, _, key = address.partition("/")
    with as_tenant(organization_id):
        query = {"user": select(Membership.user_id).where(Membership.user_id == key),
                 "org_role": select(OrgRoleMember.user_id).where(OrgRoleMember.org_role_id == key)}.get(kind)
        if kind == "department":
            query = select(DepartmentMember.user_id).where(DepartmentMember.department_id.in_(_with_those_below([key])))
        if query is None:
            return []
        return sorted(set(db.session.scalars(query)) & set(db.session.scalars(select(Membership.user_id))))


def emails_of(people: Iterable[str]) -> list[str]:
    """Return the email addresses of those of the people who are members of the current organization, in their order."""
    asked = list(people)
    query = select(User.id, User.email).join(Membership, Membership.user_id == User.id).where(User.id.in_(asked))
    found = {row.id: row.email for row in db.session.execute(query)}
    return [found[one] for one in asked if one in found]


def _with_those_below(waiting: list[str]) -> set[str]:
    """Return departments of the current organization, with all below them."""
    below: dict[str | None, list[str]] = {}
    for row in db.session.scalars(select(Department)):
        below.setdefault(row.parent_id, []).append(row.id)
    found: set[str] = set()
    while waiting:
        department = waiting.pop()
        if department not in found:
            found.add(department)
            waiting += below.get(department, ())
    return found


@contextmanager
def opened_to_anybody(app_id: str) -> Iterator[App]:
    """Give an app of any organization that is not closed, as that organization: for addresses that nobody signs in for.

    Raises:
        NotFound: there is no such app, or its organization is closed.
    """
    with opened(app_id) as app:
        if is_closed(app.organization_id):
            raise NotFound(f"There is no app “{app_id[:40]}”.")
        yield app


def is_closed(organization_id: str) -> bool:
    """Say whether an organization is closed: then nobody enters it, nor any of its apps."""
    return db.session.scalar(select(Organization.closed_at).where(Organization.id == organization_id)) is not None


def apps_managed_by(person: str) -> list[App]:
    """Return the apps of any organization that a person is named an admin of, by name."""
    with as_server():
        found = db.session.scalars(select(App).join(AppAdmin, AppAdmin.app_id == App.id).join(
            Organization, Organization.id == App.organization_id).where(
            AppAdmin.user_id == person, App.deleted_at.is_(None), Organization.closed_at.is_(None))).all()
    return sorted(found, key=lambda app: app.name.casefold())


def name_of(organization_id: str, person: str) -> str | None:
    """Return what a person is called who is or was of an organization: its member, an admin of its app, or in its log."""
    with as_tenant(organization_id):
        return remembered(("name", person), lambda: _name_of(organization_id, person))


def _name_of(organization_id: str, person: str) -> str | None:
    belongs = or_(*(exists().where(model.user_id == person, model.organization_id == organization_id)
                    for model in (Membership, AppAdmin)))
    was = exists().where(AuditEntry.organization_id == organization_id, AuditEntry.person == person)
    named = exists().where(AuditEntry.organization_id == organization_id, AuditEntry.subject == f"user/{person}")
    return (db.session.scalar(select(User.name).where(User.id == person, belongs))
            or db.session.scalar(select(User.name).where(User.id == person, or_(was, named))))


def user_by_email(email: str) -> User:
    """Return the person with that email.

    Raises:
        NotFound: there is none.
    """
    user = db.session.scalar(select(User).where(User.email == checked_email(email)))
    if user is None:
        raise NotFound(f"Nobody has the email {email[:100]}.")
    return user


def id_by_email(email: str) -> str | None:
    """Return the id of the person with that email, None for nobody's or what is no email at all."""
    return db.session.scalar(select(User.id).where(User.email == folded(email)[:254]))


def find_organization(name_or_id: str) -> Organization:
    """Return an organization by its id or name.

    Raises:
        NotFound: there is none.
    """
    query = select(Organization).where((Organization.id == name_or_id) | (Organization.name == name_or_id))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(f"Unknown organization “{name_or_id[:100]}”.")
    return found


def add_member(user: User, role: str = "member") -> None:
    """Make a person a member of the current organization, or change what they are in it; asks nobody for leave."""
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
    department = Department(id=new_key("d"), name=checked_name(name, "a department"), parent_id=parent_id)
    db.session.add(department)
    db.session.flush()
    return department


def create_org_role(name: str) -> OrgRole:
    """Make an organization-wide role of the current organization."""
    role = OrgRole(id=new_key("r"), name=checked_name(name, "an org role"))
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


def choices(organization_id: str, kind: str) -> list[tuple[str, str]]:
    """Return (address, name) of all members, departments or org roles of an organization; nothing for other kinds."""
    with as_tenant(organization_id):
        if kind == "user":
            query = select(User.id, User.name, User.email).join(Membership, Membership.user_id == User.id)
            return [(f"user/{row.id}", f"{row.name} ({row.email})") for row in db.session.execute(query)]
        model = _REFERENCED.get(kind)
        if model is None:
            return []
        return [(f"{kind}/{row.id}", row.name) for row in db.session.execute(select(model.id, model.name))]


def time_zone(organization_id: str) -> str | None:
    """Return the IANA name of an organization's time zone, None for an unknown organization."""
    return about(organization_id)[1]


def about(organization_id: str) -> tuple[str, str | None]:
    """Return what an organization is called and its time zone; "" and None for an unknown one."""
    query = select(Organization.name, Organization.time_zone).where(Organization.id == organization_id)
    def ask() -> tuple[str, str | None] | None:
        row = db.session.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    if in_transaction() and not has_request_context():  # a worker, whose steps ask for it again and again
        kept: dict[str, tuple[str, str | None] | None] = scratch().setdefault("about_organizations", {})
        found = kept[organization_id] if organization_id in kept else kept.setdefault(organization_id, ask())
    else:
        found = remembered(about_key(organization_id), ask, everywhere=True)
    return ("", None) if found is None else (found[0], found[1])


def _known(email: str) -> bool:
    return db.session.scalar(select(User.id).where(User.email == checked_email(email))) is not None


@contextmanager
def unique(otherwise: str) -> Iterator[None]:
    """Turn the database's refusal of a name that is taken into a sentence, also when two take it at once.

    Raises:
        Conflict: with *otherwise* as its message.
    """
    try:
        yield
    except IntegrityError as error:
        raise Conflict(otherwise) from error
