"""The portal's settings and permissions as forms show them and give them back; what a form does not show stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api import App, InvalidInput, RoleForm, RoleShown, documents
from core.api import matrix as m

SCOPES = (("none", "None"), ("own", "Their own"), ("all", "All"))
ACTIONS = (m.Action("create", "Create"), m.Action("read", "Read", SCOPES), m.Action("update", "Change", SCOPES),
           m.Action("delete", "Delete", SCOPES), m.Action("export", "Export"), m.Action("comment", "Comment"))
MATRIX = m.Matrix("worksheets", "worksheet", ACTIONS, (
    m.Flags("fields", "field", "Fields", (m.Flag("read", "Read"), m.Flag("write", "Change", follows="read"))),
    m.Flags("views", "view", "Views", (m.Flag("visible", "Visible"),)),
))
PAGES = m.Flags("pages", "page", "Pages", (m.Flag("visible", "Visible", unsaid=False),))
"""People outside see a page that their role names; members see one that no role speaks of."""
METHODS = (("password", "Email and password"), ("email_code", "A code sent by email"))
REGISTRATION = (("closed", "Nobody, not even invited people"), ("invite", "Only invited people"),
                ("approval", "Anybody, after approval"), ("open", "Anybody"))
MAX_HOURS = 24 * 365
MAX_DOMAINS = 50
_DOMAIN = re.compile(r"[^\s@/\\.]+(\.[^\s@/\\.]+)+\Z")
Body = Mapping[str, Any]
Form = Mapping[str, str]


ROLE = RoleForm(MATRIX, PAGES)


def shown(app: App, body: Body) -> RoleShown:
    """Return the rows for what the app has now."""
    return ROLE.shown(app, body)


def registrations(sign_in: Body) -> list[tuple[str, str]]:
    """Return the choices of who may register; where nothing is set, what holds then stands in its place."""
    return [("", title) if word == "invite" and "registration" not in sign_in else (word, title) for word, title in REGISTRATION]


def changed_role(app: App, body: Body, form: Form) -> dict[str, Any]:
    """Return a portal role's body as the form changed it."""
    changed = _with({**body, "name": form.get("name", "").strip()}, ROLE.read(app, body, form))
    return {**changed, "worksheets": [_owned(entry, form) for entry in changed["worksheets"]]}


def _owned(entry: Body, form: Form) -> Body:
    """Return an entry with the field by which records are somebody's own, as the form says; one that it does not show stays."""
    name = f"owned.{entry['worksheet']['ref']}"
    if name not in form:
        return entry
    kept = {key: value for key, value in entry.items() if key != "email_field"}
    return {**kept, "email_field": {"ref": form[name]}} if form[name] else kept


@dataclass(frozen=True, slots=True)
class Owned:
    """A worksheet whose records can be somebody's own by an email field: `fields` are (address, name), `chosen` is one of them or ""."""

    name: str
    address: str
    fields: list[tuple[str, str]]
    chosen: str


def owned(app: App, body: Body) -> list[Owned]:
    """Return the worksheets that a role names with "their own", and that have an email field."""
    found = []
    for entry in body.get("worksheets", ()):
        address = entry["worksheet"]["ref"]
        sheet = next((one for one in documents.live(app, "worksheet") if one.address == address), None)
        fields = [(f"{address}/field/{one['key']}", str(one["name"])) for one in (sheet.body.get("fields", ()) if sheet else ())
                  if one["type"] == "email"]
        chosen = str((entry.get("email_field") or {}).get("ref", ""))
        if sheet is not None and (fields or chosen) and "own" in (entry.get(action) for action in ("read", "update", "delete")):
            gone = [(chosen, "Deleted field")] if chosen and chosen not in dict(fields) else []
            found.append(Owned(str(sheet.body["name"]), address, [*fields, *gone], chosen))
    return found


def changed_portal(body: Body, form: Form) -> dict[str, Any]:
    """Return the portal's body as the form changed it; what the form leaves empty goes.

    Raises:
        InvalidInput: the hours of a session are no whole number that makes sense.
    """
    sign_in = _with(body.get("sign_in", {}), {
        "methods": [word for word, _ in METHODS if f"methods.{word}" in form], "registration": form.get("registration", ""),
        "domains": _domains(form.get("domains", "")), "terms": form.get("terms", "").strip(),
        "terms_url": form.get("terms_url", "").strip(),
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


def _domains(text: str) -> list[str]:
    """Return the domains that somebody typed, one a line or between commas."""
    found = list(dict.fromkeys(one.strip().removeprefix("@").casefold() for one in text.replace(",", "\n").split("\n") if one.strip()))
    for one in found:
        if not _DOMAIN.match(one):
            raise InvalidInput(f"“{one[:60]}” is not a domain such as example.org.")
    if len(found) > MAX_DOMAINS:
        raise InvalidInput(f"Enter {MAX_DOMAINS} domains at most.")
    return found


def _hours(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_HOURS:
        raise InvalidInput(f"Enter 1 to {MAX_HOURS} hours for the session.")
    return int(text)
