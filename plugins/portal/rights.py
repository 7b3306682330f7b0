"""What portal accounts may do: what their portal role gives, worked out from its document each time it is asked.

They act as "portal/u_…". Whoever looks at the portal as a role acts as "portal/as/q_…", and has nothing of their own. "portal/mine/u_…"
is an account limited to its own records, for the copy of their data that people ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from core.api import NOTHING, App, NotFound, Rights, Standing, as_tenant, db, documents, is_person, remembered, rights_of_entry
from plugins.portal.models import ACTIVE, PortalAccount

ACTOR, AS, MINE = "portal/", "portal/as/", "portal/mine/"
UNWRITTEN = ("member", "department", "org_role")
"""Types of fields that would list who is in the organization: people outside do not choose among them."""
Body = Mapping[str, Any]


def standing_of(app: App, actor: str) -> Standing | None:
    """Return what a portal account is to an app; None for an actor of another kind. See the hook `actor_standing`."""
    if not actor.startswith(ACTOR):
        return None
    return Standing(person=actor, role=None, admin=False, sees=_who(app, actor) is not None)


def rights_on(app: App, person: str, address: str) -> Rights | None:
    """Return what a portal account may do with a document, None for nothing. See the hook `rights_on`."""
    if not person.startswith(ACTOR):
        return None
    who = _who(app, person)
    role = None if who is None or who[0] is None else _role(app, who[0])
    if role is None or who is None:
        return NOTHING
    kind = address.partition("/")[0]
    if kind == "page":
        named = next((one for one in role.get("pages", ()) if one["page"]["ref"] == address), None)
        return Rights({"see": "all"}) if named is not None and named["visible"] else None
    if kind != "worksheet":
        return None
    entry = next((one for one in role.get("worksheets", ()) if one["worksheet"]["ref"] == address), None)
    found = None if entry is None else rights_of_entry({**entry, "comment": entry.get("comment", False)})
    return None if found is None or entry is None else _bounded(app, found, entry, address, who[1], mine=person.startswith(MINE))


def app_roles(app: App, person: str) -> list[str]:
    """Return the address of an account's portal role; see the hook `app_roles`."""
    who = _who(app, person) if person.startswith(ACTOR) else None
    return [] if who is None or who[0] is None else [f"portal_role/{who[0]}"]


def name_of(organization_id: str, person: str) -> str | None:
    """Return what an account of any app of the organization is called; see the hook `person_name`."""
    if not is_person(person):
        return None
    with as_tenant(organization_id):
        return remembered(("portal name", person), lambda: _name_of(person))


def email_of(organization_id: str, person: str) -> str | None:
    """Return the proven address of an account that may enter; see the hook `person_email`."""
    if not is_person(person):
        return None
    with as_tenant(organization_id):
        return db.session.scalar(select(PortalAccount.email).where(
            PortalAccount.key == person, PortalAccount.state == ACTIVE, PortalAccount.proven_at.is_not(None)))


def _name_of(person: str) -> str | None:
    row = db.session.execute(select(PortalAccount.name, PortalAccount.email).where(PortalAccount.key == person)).first()
    return None if row is None else f"{row[0] or row[1]} (portal)"


def _who(app: App, actor: str) -> tuple[str | None, str] | None:
    """Return (key of the role, email) of an actor who may enter; None for nobody."""
    if actor.startswith(AS):
        return actor.removeprefix(AS), ""
    key = actor.rpartition("/")[2]
    return remembered(("portal account", app.id, key), lambda: _account(app, key))


def _account(app: App, key: str) -> tuple[str | None, str] | None:
    row = db.session.execute(select(PortalAccount.role, PortalAccount.email).where(
        PortalAccount.app_id == app.id, PortalAccount.key == key, PortalAccount.state == ACTIVE)).first()
    return None if row is None else (row[0], row[1])


def _role(app: App, key: str) -> Body | None:
    try:
        return documents.get(app, f"portal_role/{key}").body
    except NotFound:
        return None


def _bounded(app: App, found: Rights, entry: Body, address: str, email: str, *, mine: bool) -> Rights:
    """Return the rights that an entry gives, with whose records are their own, and without what people outside never write."""
    fields = {one["key"]: one["type"] for one in documents.get(app, address).body.get("fields", ())}
    denied = {part: set(shut) for part, shut in found.denied.items()}
    for key, kind in fields.items():
        if kind in UNWRITTEN:
            denied.setdefault(f"field/{key}", set()).update(("write", "create", "update"))
    named = str((entry.get("email_field") or {}).get("ref", "")).rpartition("/")[2]
    owned = {f"field/{named}": email} if email and fields.get(named) == "email" else {}
    actions = {action: "own" if mine and action in ("read", "update", "delete") else scope for action, scope in found.actions.items()}
    return replace(found, actions=actions, denied={part: frozenset(shut) for part, shut in denied.items()}, owned=owned)
