"""Verbs on an organization as a whole: the first one of a server, settings, plan, closing. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, select, text

from core.api import Conflict, InvalidInput, apps, as_server, as_tenant, db, now_us, stored_bytes, tenant
from tenants import service
from tenants.audit import audit
from tenants.models import Membership, Organization, User
from tenants.notifications import events
from tenants.plans import plan
from tenants.typed_names import checked_email, checked_name

_FIRST = 7_205_409_118
"""PostgreSQL's advisory lock of whoever makes the first organization."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an organization keeps now: how many contents, their bytes as they were given and as they are stored, people."""

    contents: int
    raw_bytes: int
    stored_bytes: int
    members: int
    apps: int


def is_set_up() -> bool:
    """Say whether the server has an organization, closed ones counted."""
    return db.session.scalar(select(Organization.id).limit(1)) is not None


def set_up(name: str, time_zone: str, owner_name: str, email: str, password: str) -> str:
    """Make the first organization of the server and its owner; return the owner's id.

    Raises:
        Conflict: there is an organization by now, or an account of that email is in use.
        InvalidInput: something of it cannot be taken.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FIRST})
    if is_set_up():
        raise Conflict("This server is already set up. Sign in, or ask whoever set it up to invite you.")
    address, called = checked_email(email), checked_name(owner_name, "a person")
    user = db.session.scalar(select(User).where(User.email == address))
    if user is None:
        user = service.create_user(address, called, password)
    elif user.password_hash is None:
        user.name = called
        service.set_password(user, password)
    else:
        raise Conflict("This email already has an account, created on the command line. Use another email, or let "
                       "`appkeep org create` create the organization.")
    user_id = user.id
    zone = checked_zone(time_zone)
    organization_id = service.create_organization(name, address).id
    with as_tenant(organization_id):
        service.find_organization(organization_id).time_zone = zone
    return user_id


def change_settings(name: str, time_zone: str, *, second_factor_required: bool) -> None:
    """Change the current organization's name, time zone and whether its members need a second factor.

    Raises:
        Conflict: there is an organization of that name.
        InvalidInput: something of it cannot be taken.
    """
    name, zone, row = checked_name(name, "an organization"), checked_zone(time_zone), current()
    taken = db.session.scalar(select(Organization.id).where(Organization.name == name, Organization.id != row.id))
    if taken:
        raise Conflict(f"An organization named “{name}” already exists.")
    before = {"name": row.name, "time_zone": row.time_zone, "second_factor_required": row.second_factor_required}
    after = {"name": name, "time_zone": zone, "second_factor_required": second_factor_required}
    with service.unique(f"An organization named “{name}” already exists."):
        row.name, row.time_zone, row.second_factor_required = name, zone, second_factor_required
        db.session.flush()
    changed: dict[str, Any] = {key: value for key, value in after.items() if before[key] != value}
    if changed:
        audit("settings_changed", f"organization/{row.id}", **changed)


def change_plan(plan_name: str) -> None:
    """Put the current organization on another plan.

    Raises:
        InvalidInput: there is none of that name.
    """
    row, chosen = current(), plan(plan_name).name
    if row.plan != chosen:
        before, row.plan = row.plan, chosen
        db.session.flush()
        audit("plan_changed", f"organization/{row.id}", before=before, after=chosen)
        events.quota_looked_at()


def close(typed_name: str) -> None:
    """Close the current organization: nobody enters it any more. Nothing is removed; the command line opens it again.

    Raises:
        InvalidInput: *typed_name* is not its name.
    """
    row = current()
    if typed_name.strip() != row.name:
        raise InvalidInput(f"To delete the organization, type its name exactly: {row.name}")
    row.closed_at = now_us()
    db.session.flush()
    audit("organization_closed", f"organization/{row.id}", name=row.name)


def open_again(organization_id: str) -> None:
    """Open a closed organization, with everything as it was."""
    with as_tenant(organization_id):
        current().closed_at = None
        db.session.flush()
        audit("organization_opened", f"organization/{organization_id}")


def usage() -> Usage:
    """Return what the current organization keeps now."""
    contents, raw, stored = stored_bytes()
    members = db.session.scalar(select(func.count()).select_from(Membership)) or 0
    return Usage(contents=contents, raw_bytes=raw, stored_bytes=stored, members=members, apps=len(apps.all_apps()))


def all_organizations() -> list[tuple[Organization, int]]:
    """Return every organization of the server by name, with how many members it has."""
    with as_server():
        counted = select(Membership.organization_id, func.count()).group_by(Membership.organization_id)
        people = {row[0]: row[1] for row in db.session.execute(counted)}
        found = db.session.scalars(select(Organization)).all()
    return sorted(((row, people.get(row.id, 0)) for row in found), key=lambda pair: pair[0].name.casefold())


def current() -> Organization:
    """Return the current organization."""
    return db.session.scalars(select(Organization).where(Organization.id == tenant())).one()


def checked_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in zones():
        raise InvalidInput(f"Unknown time zone “{name[:60]}”. Choose one from the list, such as Europe/Berlin.")
    return name


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones that people choose from, UTC first."""
    others = ("Etc/", "posix/", "right/", "SystemV/", "US/")
    return ("UTC", *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(others)))
