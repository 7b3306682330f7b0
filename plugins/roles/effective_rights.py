"""What the roles of an app give to a person: worked out from the roles' documents each time it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, has_request_context
from sqlalchemy import select

from core.api import App, Document, DocumentRow, Rights, db, documents, remembered, rights_of_entry, server
from plugins.roles.models import RoleMember

RECORD_ACTIONS = ("read", "update", "delete")


def roles_of(app: App, person: str) -> list[Document]:
    """Return the live roles that a person has, directly or through a department or org role; asked once a request."""
    kept: dict[tuple[str, str], list[Document]] = g.setdefault("roles_of", {}) if has_request_context() else {}
    if (app.id, person) not in kept:
        kept[app.id, person] = _roles_of(app, person)
    return kept[app.id, person]


def sees(app: App, person: str) -> bool:
    """Say whether a person has any live role of an app; asked once for all apps of the organization."""
    return app.id in remembered(("apps seen", app.organization_id, person), lambda: _apps_seen(app.organization_id, person))


def _apps_seen(organization_id: str, person: str) -> set[str]:
    live = (DocumentRow.app_id == RoleMember.app_id) & (DocumentRow.key == RoleMember.role)
    query = select(RoleMember.app_id).join(DocumentRow, live).where(
        RoleMember.member.in_(_addresses(organization_id, person)), DocumentRow.kind == "role", DocumentRow.hidden_at.is_(None))
    return set(db.session.scalars(query))


def _addresses(organization_id: str, person: str) -> set[str]:
    given = server().registry.hook.addresses_of(organization_id=organization_id, person=person)
    return {f"user/{person}", *(address for some in given for address in some)}


def _roles_of(app: App, person: str) -> list[Document]:
    query = select(RoleMember.role).where(RoleMember.app_id == app.id,
                                          RoleMember.member.in_(_addresses(app.organization_id, person)))
    mine = set(db.session.scalars(query))
    return [role for role in documents.live(app, "role") if role.key in mine] if mine else []


def rights_on(app: App, person: str, address: str) -> Rights | None:
    """Return what all of a person's roles give them on a document, None for nothing."""
    found: Rights | None = None
    for role in roles_of(app, person):
        given = rights_of(role.body, address)
        if given is not None:
            found = given if found is None else found | given
    return found


def rights_of(role: Mapping[str, Any], address: str) -> Rights | None:
    """Return what one role gives on a document, None for nothing."""
    kind = address.partition("/")[0]
    if kind == "worksheet":
        return _on_worksheet(role, address)
    if kind == "page":
        named = next((p for p in role.get("pages", ()) if p["page"]["ref"] == address), None)
        # A page that no role speaks of is seen by all who see the app: what it shows is guarded by itself.
        return Rights({"see": "all"}) if named is None or named["visible"] else None
    return None


def _on_worksheet(role: Mapping[str, Any], address: str) -> Rights | None:
    named = next((w for w in role.get("worksheets", ()) if w["worksheet"]["ref"] == address), None)
    if named is not None:
        return rights_of_entry(named)
    if not role.get("all_worksheets"):
        return None
    return Rights(dict.fromkeys(("see", "create", "export", "write", "comment", *RECORD_ACTIONS), "all"))
