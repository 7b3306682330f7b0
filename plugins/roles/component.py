"""Roles: what their members may do. Who the members are is not in documents, and stays when a role goes and returns."""

from __future__ import annotations

from collections.abc import Mapping

from core.api import App, Component, Kind, Operation
from core.api import schemas as s
from plugins.roles import service

SCOPE = s.one_of("none", "own", "department", "all")
PERMISSIONS = {
    "worksheets": s.listed(s.closed({
        "worksheet": s.ref("worksheet"),
        "create": s.FLAG,
        "read": SCOPE,
        "update": SCOPE,
        "delete": SCOPE,
        "fields": s.listed(
            s.closed({"field": s.part_ref("worksheet", "field"), "read": s.FLAG, "write": s.FLAG}, ["field"]), 500),
        "views": s.listed(s.closed({"view": s.part_ref("worksheet", "view"), "visible": s.FLAG}, ["view", "visible"]), 500),
        "export": s.FLAG,
    }, ["worksheet", "read"]), 500),
    "pages": s.listed(s.closed({"page": s.ref("page"), "visible": s.FLAG}, ["page", "visible"]), 1000),
}


ROLE = Kind(name="role", title="Role", letter="r", schema=s.closed({
    "name": s.NAME,
    "description": s.text(2000),
    "all_worksheets": s.FLAG,
    "manage": s.listed(s.one_of("worksheets", "pages", "workflows", "roles"), 4),
    **PERMISSIONS,
}, ["name"]))


class Roles(Component):
    """Documents as usual; members lie beside them."""

    name, title, version, kinds = "roles", "Roles", 1, (ROLE,)
    about, rank = "Who in the organization can see and change what.", 40
    copy_note = "Its roles have no members."

    def operations(self) -> Mapping[str, Operation]:
        return service.OPERATIONS

    def purged(self, app: App, address: str) -> None:
        service.forget(app, address.removeprefix("role/"))
