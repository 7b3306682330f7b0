"""What the roles of an app give to a person: worked out from the roles' documents each time it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, has_request_context
from sqlalchemy import select

from core.api import App, Document, DocumentRow, Rights, db, documents, remembered, server
from plugins.roles.models import RoleMember

RECORD_ACTIONS = ("read", "update", "delete")
SCOPES = ("none", "own", "department", "all")


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
    if named is None:
        if not role.get("all_worksheets"):
            return None
        return Rights(dict.fromkeys(("see", "create", "export", "write", *RECORD_ACTIONS), "all"))
    read = named.get("read", "none")
    # Nobody changes or deletes what they may not read, however the role is written.
    actions = {action: min(named.get(action, "none"), read, key=SCOPES.index) for action in RECORD_ACTIONS}
    create = "all" if named.get("create") else "none"
    if read == "none" and create == "none":
        return None
    export = "all" if named.get("export") and read != "none" else "none"
    actions |= {"see": "all", "create": create, "export": export, "write": max(actions["update"], create, key=SCOPES.index)}
    return Rights({a: scope for a, scope in actions.items() if scope != "none"}, _denied(named))


def _denied(named: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the fields and views that a role shuts, as parts with actions; "write" stands for both ways of writing."""
    denied = {}
    for field in named.get("fields", ()):
        read = field.get("read", True)
        shut = ({"read"} if not read else set()) | ({"write", "create", "update"} if not field.get("write", read) else set())
        denied[f"field/{_part(field['field'])}"] = frozenset(shut)
    denied |= {f"view/{_part(v['view'])}": frozenset({"see"}) for v in named.get("views", ()) if not v["visible"]}
    return {part: shut for part, shut in denied.items() if shut}


def _part(pointer: Mapping[str, str]) -> str:
    return pointer["ref"].rpartition("/")[2]
