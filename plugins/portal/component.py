"""Portal: how people outside sign in, and what their roles may do. Their accounts are not in documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.api import SINGLE, App, Component, Document, Kind, Operation, UndoContext
from core.api import schemas as s
from plugins.portal import service

SCOPE = s.one_of("none", "own", "all")
PERMISSIONS = {
    "worksheets": s.listed(s.closed({
        "worksheet": s.ref("worksheet"),
        "create": s.FLAG,
        "email_field": s.part_ref("worksheet", "field"),
        "read": SCOPE,
        "update": SCOPE,
        "delete": SCOPE,
        "fields": s.listed(
            s.closed({"field": s.part_ref("worksheet", "field"), "read": s.FLAG, "write": s.FLAG}, ["field"]), 500),
        "views": s.listed(s.closed({"view": s.part_ref("worksheet", "view"), "visible": s.FLAG}, ["view", "visible"]), 500),
        "export": s.FLAG,
        "comment": s.FLAG,
    }, ["worksheet", "read"]), 500),
    "pages": s.listed(s.closed({"page": s.ref("page"), "visible": s.FLAG}, ["page", "visible"]), 1000),
}


PORTAL = Kind(name="portal", title="Portal", single=True, schema=s.closed({
    "enabled": s.FLAG,
    "title": s.text(100),
    "sign_in": s.closed({
        "methods": s.listed(s.one_of("password", "email_code"), 2),
        "registration": s.one_of("closed", "invite", "approval", "open"),
        "domains": s.listed(s.text(100), 50),
        "terms": s.text(20_000),
        "terms_url": s.text(2000),
        "session_hours": s.whole(1, 24 * 365),
    }),
    "look": s.closed({"logo": s.FILE, "cover": s.FILE, "colour": s.COLOUR, "welcome": s.text(5000)}),
    "default_role": s.ref("portal_role"),
    "home": s.ref("page", "worksheet"),
}, ["enabled"]))

PORTAL_ROLE = Kind(name="portal_role", title="Portal role", letter="q", schema=s.closed({
    "name": s.NAME,
    "description": s.text(2000),
    **PERMISSIONS,
}, ["name"]))


class Portal(Component):
    """Documents as usual; accounts of a role that goes move to the default role."""

    name, title, version, kinds = "portal", "Portal", 1, (PORTAL, PORTAL_ROLE)
    about, rank = "Access for people outside the organization.", 50
    copy_note = "Its portal is closed, and has no accounts."
    note_words = {"accounts_moved_to_default_role": "portal accounts move to the default portal role",
                  "accounts_moved_back": "portal accounts get the portal role back that they had before the restore"}

    def starting_documents(self, name: str) -> Iterable[Document]:
        return (Document(kind="portal", key=SINGLE, body={"enabled": False}, position=0),)

    def copied(self, document: Document, app_name: str) -> Document:
        if document.kind != "portal":
            return document
        return Document(kind=document.kind, key=document.key, body={**document.body, "enabled": False}, position=document.position)

    def operations(self) -> Mapping[str, Operation]:
        return service.OPERATIONS

    def documents_changed(self, app: App, before: Mapping[str, Document],
                          after: Mapping[str, Document]) -> Mapping[str, int]:
        gone = [d.key for address, d in before.items() if d.kind == "portal_role" and address not in after]
        moved = service.move_accounts(app, gone) if gone else 0
        return {"accounts_moved_to_default_role": moved} if moved else {}

    def plan_undo(self, app: App, context: UndoContext) -> Mapping[str, Mapping[str, int]]:
        return self.undo_data(app, context)

    def undo_data(self, app: App, context: UndoContext) -> Mapping[str, Mapping[str, int]]:
        moved = service.undo_moves(context)
        return {"notes": {"accounts_moved_back": moved}} if moved else {}
