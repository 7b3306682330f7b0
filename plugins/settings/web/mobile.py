"""The mobile navigation: what stands at the foot of the app's pages on narrow screens."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, render_template, request

from core.api import ICONS, MANAGE, InvalidInput, Needs, again, current_app_row, digest, transaction, visit
from plugins.settings import mobile as service
from plugins.settings.menu import MOBILE_SHOWN
from plugins.settings.web.blueprint import pages, to, typed
from plugins.settings.web.navigation import found_items

HERE = f"{MANAGE}/settings/mobile"
STEPS = {"up": -1, "down": 1}


@pages.page(f"{MANAGE}/navigation/main", Needs.APP_ADMIN, ("GET", "POST"), endpoint="mobile_document")
@pages.page(HERE, Needs.APP_ADMIN, ("GET", "POST"))
def mobile(organization_id: str, app_id: str) -> str | Response:
    """Show the items, and add one."""
    if request.method == "GET":
        return _page()
    navigation, inside = service.Navigation(current_app_row()), typed("inside")
    try:
        item = service.item(current_app_row(), typed("label"), typed("icon"), typed("target"))
        navigation.add(item, service.parsed(inside) if inside else None)
        _put(navigation)
    except InvalidInput as refused:
        return again(_page(refused.message))
    return to("mobile")


@pages.page(f"{HERE}/item/<n>", Needs.APP_ADMIN, ("GET", "POST"))
def mobile_item(organization_id: str, app_id: str, n: str) -> str | Response:
    """Show one item, and change it."""
    navigation = service.Navigation(current_app_row())
    path = service.parsed(n)
    siblings, found = navigation.siblings(path), navigation.item(path)
    if request.method == "GET":
        return _item_page(n, navigation, found)
    icon = found.get("icon", "") if typed("icon") == "keep" else typed("icon")
    try:
        siblings[path[-1]] = service.item(current_app_row(), typed("label"), icon, typed("target"), found)
        _put(navigation)
    except InvalidInput as refused:
        given = {**found, "label": typed("label"), "target": {"ref": typed("target")}}
        return again(_item_page(n, navigation, given, refused.message))
    flash("Item saved.", "good")
    return to("mobile")


@pages.page(f"{HERE}/item/<n>/move", Needs.APP_ADMIN, ("POST",))
def move_mobile(organization_id: str, app_id: str, n: str) -> Response:
    """Move an item up or down among its siblings."""
    navigation = service.Navigation(current_app_row())
    navigation.step(service.parsed(n), STEPS.get(typed("to"), 0))
    _put(navigation)
    return to("mobile")


@pages.page(f"{HERE}/item/<n>/remove", Needs.APP_ADMIN, ("POST",))
def remove_mobile(organization_id: str, app_id: str, n: str) -> Response:
    """Take an item out, with those inside it."""
    navigation = service.Navigation(current_app_row())
    navigation.remove(service.parsed(n))
    _put(navigation)
    flash("Item removed.", "good")
    return to("mobile")


def _put(navigation: service.Navigation) -> None:
    """Keep a change, unless somebody else was faster."""
    navigation.check_unchanged(typed("seen"), digest(navigation.document.body))
    with transaction():
        navigation.put(visit().person)


def _page(error: str | None = None) -> str:
    navigation = service.Navigation(current_app_row())
    form: dict[str, Any] = {name: typed(name) for name in ("label", "icon", "target", "inside")}
    return render_template("settings/mobile.html", lines=list(service.lines(navigation.items)), seen=digest(navigation.document.body),
                           targets=found_items(), icons=ICONS, form=form, error=error, most=MOBILE_SHOWN)


def _item_page(n: str, navigation: service.Navigation, item: service.Item, error: str | None = None) -> str:
    return render_template("settings/mobile_item.html", n=n, item=item, seen=digest(navigation.document.body), targets=found_items(),
                           icons=ICONS, error=error)
