"""A role's permissions as a form shows them and gives them back; what the form does not show stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api import App, documents, server
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


@dataclass(frozen=True, slots=True)
class Shown:
    """A role's body with the rows that stand for it."""

    body: Body
    worksheets: list[m.Row]
    pages: list[m.Row]


def shown(app: App, body: Body) -> Shown:
    """Return the rows for what the app has now."""
    worksheets = m.things(documents.live(app, "worksheet"), server().registry.kind("worksheet")[1])
    pages = m.things(documents.live(app, "page"), server().registry.kind("page")[1])
    return Shown(body, m.rows(MATRIX, body.get("worksheets", ()), worksheets, everything=bool(body.get("all_worksheets"))),
                 m.flag_rows(PAGES, body.get("pages", ()), pages))


def changed(app: App, body: Body, form: Mapping[str, str]) -> dict[str, Any]:
    """Return a role's body as the form changed it."""
    rows = shown(app, body)
    manage = [word for word, _ in MANAGE if f"manage.{word}" in form]
    given = {"description": form.get("description", "").strip(), "all_worksheets": "all_worksheets" in form,
             "manage": manage, "worksheets": m.read(MATRIX, form, body.get("worksheets", ()), rows.worksheets),
             "pages": m.read_flags(PAGES, form, body.get("pages", ()), rows.pages)}
    return {**body, "name": form.get("name", "").strip(), **{name: value for name, value in given.items() if value or name in body}}
