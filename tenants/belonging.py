"""Where a person belongs: the organizations that they are a member of, and those whose apps they manage. One question for all of it.

A page asks for it many times over: for the gate, the second factor, the menus, the time zone. It is read once a request, as long as
the request only reads.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, literal, null, select, union_all
from sqlalchemy.sql.selectable import CompoundSelect

from core.api import App, every_organization, remembered
from tenants.models import AppAdmin, Membership, Organization


@dataclass(frozen=True, slots=True)
class Belonging:
    """A person in an open organization: `role` is None for who only manages apps of it; `manages` has those that are not deleted.

    `named_admin_of` has the deleted ones too: they may come back.
    """

    organization_id: str
    name: str
    time_zone: str
    second_factor_required: bool
    role: str | None
    named_admin_of: frozenset[str]
    manages: frozenset[str]


def belongings_of(person: str) -> dict[str, Belonging]:
    """Return where a person belongs, by organization."""
    return remembered(("belongings", person), lambda: _read(person), everywhere=True)


def about_key(organization_id: str) -> Hashable:
    """Return under which key a request remembers what an organization is called and its time zone."""
    return ("organization", organization_id)


def _read(person: str) -> dict[str, Belonging]:
    with every_organization() as connection:
        rows = connection.execute(_query(person)).all()
    found: dict[str, Belonging] = {}
    for organization_id in dict.fromkeys(row.id for row in rows):
        mine = [row for row in rows if row.id == organization_id]
        found[organization_id] = Belonging(
            organization_id, mine[0].name, mine[0].time_zone, mine[0].second_factor_required,
            next((row.role for row in mine if row.role is not None), None),
            frozenset(row.app_id for row in mine if row.app_id is not None),
            frozenset(row.app_id for row in mine if row.app_id is not None and row.deleted_at is None))
    for one in found.values():
        _remember(one)
    return found


def _remember(one: Belonging) -> None:
    """Let a request know what the organization is called, and its time zone, without asking again."""
    remembered(about_key(one.organization_id), lambda: (one.name, one.time_zone), everywhere=True)


def _query(person: str) -> CompoundSelect[Any]:
    # Read from the tables themselves: the wall stays where it is, and rows that a page has loaded stay with it.
    org, membership, admin, app = Organization.__table__, Membership.__table__, AppAdmin.__table__, App.__table__
    about = (org.c.id, org.c.name, org.c.time_zone, org.c.second_factor_required)
    no_app = cast(null(), String).label("app_id"), cast(null(), app.c.deleted_at.type).label("deleted_at")
    member = select(*about, membership.c.role, *no_app).join(
        membership, membership.c.organization_id == org.c.id).where(membership.c.user_id == literal(person), org.c.closed_at.is_(None))
    manager = select(*about, cast(null(), String).label("role"), admin.c.app_id, app.c.deleted_at).join(
        admin, admin.c.organization_id == org.c.id).join(app, app.c.id == admin.c.app_id).where(
        admin.c.user_id == literal(person), org.c.closed_at.is_(None))
    return union_all(member, manager)
