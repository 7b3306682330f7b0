"""The portal's settings and permissions as forms show them and give them back; what a form does not show stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import App, InvalidInput, RoleForm, RoleShown
from core.api import matrix as m

SCOPES = (("none", "None"), ("own", "Their own"), ("all", "All"))
ACTIONS = (m.Action("create", "Create"), m.Action("read", "Read", SCOPES), m.Action("update", "Change", SCOPES),
           m.Action("delete", "Delete", SCOPES), m.Action("export", "Export"))
MATRIX = m.Matrix("worksheets", "worksheet", ACTIONS, (
    m.Flags("fields", "field", "Fields", (m.Flag("read", "Read"), m.Flag("write", "Change", follows="read"))),
    m.Flags("views", "view", "Views", (m.Flag("visible", "Visible"),)),
))
PAGES = m.Flags("pages", "page", "Pages", (m.Flag("visible", "Visible"),))
METHODS = (("password", "Email and password"), ("email_code", "A code sent by email"))
REGISTRATION = (("", "Not set"), ("closed", "Nobody"), ("invite", "Only invited people"),
                ("approval", "Anybody, after approval"), ("open", "Anybody"))
MAX_HOURS = 24 * 365
Body = Mapping[str, Any]
Form = Mapping[str, str]


ROLE = RoleForm(MATRIX, PAGES)


def shown(app: App, body: Body) -> RoleShown:
    """Return the rows for what the app has now."""
    return ROLE.shown(app, body)


def changed_role(app: App, body: Body, form: Form) -> dict[str, Any]:
    """Return a portal role's body as the form changed it."""
    return _with({**body, "name": form.get("name", "").strip()}, ROLE.read(app, body, form))


def changed_portal(body: Body, form: Form) -> dict[str, Any]:
    """Return the portal's body as the form changed it; what the form leaves empty goes.

    Raises:
        InvalidInput: the hours of a session are no whole number that makes sense.
    """
    sign_in = _with(body.get("sign_in", {}), {
        "methods": [word for word, _ in METHODS if f"methods.{word}" in form], "registration": form.get("registration", ""),
        "terms": form.get("terms", "").strip(), "terms_url": form.get("terms_url", "").strip(),
        "session_hours": _hours(form.get("session_hours", "").strip())})
    look = _with(body.get("look", {}), {"welcome": form.get("welcome", "").strip(),
                                        "colour": form.get("colour", "") if "coloured" in form else ""})
    given = {"title": form.get("title", "").strip(), "sign_in": sign_in, "look": look,
             "default_role": _pointer(form.get("default_role", "")), "home": _pointer(form.get("home", ""))}
    return {**_with(body, given), "enabled": "enabled" in form}


def _with(body: Body, given: Body) -> dict[str, Any]:
    """Return a body with what is given; what is given empty is left out."""
    merged = {**body, **given}
    return {name: value for name, value in merged.items() if name not in given or value or (name in body and value == body[name])}


def _pointer(address: str) -> dict[str, str] | None:
    return {"ref": address} if address else None


def _hours(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_HOURS:
        raise InvalidInput(f"Enter 1 to {MAX_HOURS} hours for the session.")
    return int(text)
