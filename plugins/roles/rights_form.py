"""A role's permissions as a form shows them and gives them back; what the form does not show stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import App, RoleForm, RoleShown
from core.api import matrix as m

SCOPES = (("none", "None"), ("own", "Their own"), ("department", "Their department's"), ("all", "All"))
ACTIONS = (m.Action("create", "Create"), m.Action("read", "Read", SCOPES), m.Action("update", "Change", SCOPES),
           m.Action("delete", "Delete", SCOPES), m.Action("export", "Export"))
MATRIX = m.Matrix("worksheets", "worksheet", ACTIONS, (
    m.Flags("fields", "field", "Fields", (m.Flag("read", "Read"), m.Flag("write", "Change", follows="read"))),
    m.Flags("views", "view", "Views", (m.Flag("visible", "Visible"),)),
))
PAGES = m.Flags("pages", "page", "Pages", (m.Flag("visible", "Visible"),))
MANAGE = (("worksheets", "Worksheets"), ("pages", "Pages"), ("workflows", "Workflows"), ("roles", "Roles"))
Body = Mapping[str, Any]


FORM = RoleForm(MATRIX, PAGES)


def shown(app: App, body: Body) -> RoleShown:
    """Return the rows for what the app has now."""
    return FORM.shown(app, body, everything=bool(body.get("all_worksheets")))


def changed(app: App, body: Body, form: Mapping[str, str]) -> dict[str, Any]:
    """Return a role's body as the form changed it."""
    given = {"all_worksheets": "all_worksheets" in form, "manage": [word for word, _ in MANAGE if f"manage.{word}" in form],
             **FORM.read(app, body, form, everything=bool(body.get("all_worksheets")))}
    return {**body, "name": form.get("name", "").strip(), **{name: value for name, value in given.items() if value or name in body}}
