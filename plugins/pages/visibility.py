"""Who sees a page or block, by what it says of its visibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import App, NotFound, documents, server
from plugins.pages.page_context import Viewer

WORDS = {"signed_out": "people who have not signed in", "roles": "some roles", "except_roles": "everybody except some roles"}


def visible(thing: Mapping[str, Any], viewer: Viewer) -> bool:
    """Say whether a member sees a thing; whoever manages the app is shown it in any case."""
    how: str = thing.get("visibility", "everyone")
    named = {role["ref"] for role in thing.get("roles", ())}
    if how == "roles":
        return bool(named & viewer.roles)
    if how == "except_roles":
        return not named & viewer.roles
    return how != "signed_out"


def roles_of(app: App, person: str) -> frozenset[str]:
    """Return the addresses of a person's roles in the app."""
    return frozenset(one for given in server().registry.hook.app_roles(app=app, person=person) for one in given)


def shuts(app: App, person: str, address: str) -> bool:
    """Say whether a page's own visibility shuts it to a person."""
    if not address.startswith("page/"):
        return False
    try:
        body = documents.get(app, address).body
    except NotFound:
        return False
    if body.get("visibility", "everyone") in ("everyone", "signed_in"):
        return False
    return not visible(body, Viewer(person=person, roles=roles_of(app, person)))


def audience(app: App, thing: Mapping[str, Any]) -> str | None:
    """Return for whom a thing is, in words, None where it is for all who see the app."""
    how = thing.get("visibility", "everyone")
    if how in ("everyone", "signed_in"):
        return None
    names = ", ".join(_name(app, role["ref"]) for role in thing.get("roles", ()))
    if how == "signed_out":
        return WORDS[how]
    return {"roles": names or "nobody", "except_roles": f"everybody except {names or 'nobody'}"}[how]


def _name(app: App, address: str) -> str:
    try:
        return str(documents.get(app, address).body.get("name") or address)
    except NotFound:
        return "a deleted role"
