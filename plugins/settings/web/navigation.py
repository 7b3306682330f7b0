"""The navigation: groups, what stands in them, and in which order."""

from __future__ import annotations

from flask import Response, flash, render_template, request

from core.api import ICONS, MANAGE, InvalidInput, Needs, again, current_app_row, digest, documents, seen_another, transaction, visit
from plugins.settings import groups
from plugins.settings.typed_names import checked
from plugins.settings.web.blueprint import pages, to, typed

HERE = f"{MANAGE}/settings/navigation"
STALE = "Somebody else changed this group. Your changes are still here; save again to replace theirs."


@pages.page(HERE, Needs.APP_ADMIN, ("GET", "POST"))
def navigation(organization_id: str, app_id: str) -> str | Response:
    """Show the groups with their items, and make a group."""
    if request.method == "GET":
        return _page()
    try:
        with transaction():
            made = groups.create(current_app_row(), typed("name"), visit().person)
    except InvalidInput as refused:
        return again(_page(refused.message))
    return to("navigation", _anchor=made.key)


@pages.page(f"{HERE}/place", Needs.APP_ADMIN, ("POST",))
def place(organization_id: str, app_id: str) -> Response:
    """Move an item within its group, into another, or out of all."""
    with transaction():
        groups.place(current_app_row(), typed("item"), typed("to"), visit().person)
    return to("navigation", _anchor=typed("item").replace("/", "-"))


@pages.page(f"{MANAGE}/group/new", Needs.APP_ADMIN)
def new_group(organization_id: str, app_id: str) -> Response:
    """Groups are made on the page of the navigation."""
    return to("navigation", _anchor="new")


@pages.page(f"{MANAGE}/group/<key>", Needs.APP_ADMIN, ("GET", "POST"))
def group(organization_id: str, app_id: str, key: str) -> str | Response:
    """Show a group's name, icon and whether it is shown, and change them."""
    found = documents.get(current_app_row(), f"group/{key}")
    if request.method == "GET":
        return render_template("settings/group.html", group=found, body=found.body, icons=ICONS, error=None,
                               seen=digest(found.body))
    icon = found.body.get("icon", "") if typed("icon") == "keep" else typed("icon")
    given = {"name": typed("name"), "icon": icon if icon in ICONS or typed("icon") == "keep" else "", "hidden": "hidden" in request.form}
    try:
        given["name"] = checked(typed("name"), "a group name")
        if seen_another(request.form, found.body):
            raise InvalidInput(STALE)
        with transaction():
            groups.change(current_app_row(), key, visit().person, **given)
    except InvalidInput as refused:
        shown = {**found.body, **given}
        return again(render_template("settings/group.html", group=found, body=shown, icons=ICONS, error=refused.message,
                                     seen=digest(found.body)))
    flash("Group saved.", "good")
    return to("navigation", _anchor=key)


def _page(error: str | None = None) -> str:
    app = current_app_row()
    there = {d.address: d for kind in groups.SHOWN for d in documents.live(app, kind)}
    found = [(group, [there[ref] for ref in groups.refs(group) if ref in there]) for group in documents.live(app, "group")]
    named = {document.address for _, items in found for document in items}
    rest = [document for address, document in there.items() if address not in named]
    return render_template("settings/navigation.html", groups=found, rest=rest, left_out=groups.left_out, error=error,
                           name=typed("name"))


def found_items() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a navigation may open: (heading, [(address, name), …])."""
    app = current_app_row()
    headings = (("Pages", "page"), ("Worksheets", "worksheet"))
    return [(title, [(d.address, str(d.body.get("name", ""))) for d in documents.live(app, kind) if groups.left_out(d.body) is None])
            for title, kind in headings]
