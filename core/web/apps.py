"""Pages on apps: those of an organization, a new one, the home of one, deleting one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from core.apps import service
from core.apps.permissions import standing
from core.base.db import transaction
from core.base.errors import InvalidInput
from core.base.text import checked_line
from core.extension.component import FirstStep
from core.server import server
from core.tenancy.models import App
from core.web.answers import again
from core.web.gate import APP, ORGANIZATION, Needs, Pages
from core.web.icons import look_of
from core.web.visit import current_app_row, visit

pages = Pages("apps", __name__)


@pages.page(f"{ORGANIZATION}/", Needs.MEMBER)
def organization_home(organization_id: str) -> str:
    """List the apps of an organization: all for those who manage it, marked where they may not open one."""
    apps = service.all_apps()
    server().registry.hook.apps_listed(apps=apps, person=visit().person)
    return render_template("apps/list.html", apps=[one for one in map(_listed, apps) if one["shown"]])


def _listed(app: App) -> dict[str, Any]:
    here = standing(app, visit().person)
    shown = look_of(app)
    # Whoever may not open an app does not get its picture either.
    return {"row": app, "standing": here, "shown": here.sees or visit().manages_organization,
            "look": shown if here.sees else replace(shown, picture_url=None)}


@pages.page(f"{ORGANIZATION}/apps/new", Needs.ORG_ADMIN, ("GET", "POST"))
def new_app(organization_id: str) -> str | Response:
    """Make an app; whoever makes it manages it."""
    name, error = request.form.get("name", "").strip(), None
    if request.method == "POST":
        try:
            with transaction():
                app = service.create(checked_name(name), visit().person)
            return redirect(url_for("apps.app_home", organization_id=organization_id, app_id=app.id))  # type: ignore[return-value]
        except InvalidInput as refused:
            error = refused.message
    page = render_template("apps/new.html", name=name, error=error)
    return again(page) if error else page


def checked_name(name: str) -> str:
    """Return an app's name as given.

    Raises:
        InvalidInput: it is empty, too long or has control characters.
    """
    return checked_line(name, 100)


@pages.page(f"{APP}/", Needs.APP, guests=True, browse=True)
def app_home(organization_id: str, app_id: str) -> str | Response:
    """Show what an app has for the visitor; a guest comes to the page that they shall see first."""
    guest = visit().guest
    if guest is not None and guest.first_url is not None:
        return redirect(guest.first_url)  # type: ignore[return-value]
    return render_template("apps/home.html", first_step=first_step())


def first_step() -> FirstStep | None:
    """Return what people begin with in an app that has nothing yet."""
    return next((one.first_step for one in server().registry.ranked if one.first_step is not None), None)


@pages.page(f"{APP}/delete", Needs.ORG_ADMIN, ("GET", "POST"))
def delete_app(organization_id: str, app_id: str) -> str | Response:
    """Ask for an app's name, and remove the app from sight; its backups stay."""
    name = current_app_row().name
    if request.method == "GET":
        return render_template("apps/delete.html", app=current_app_row(), typed="", error=None)
    typed = request.form.get("name", "").strip()
    if typed != name:
        return again(render_template("apps/delete.html", app=current_app_row(), typed=typed, error=f"Type its name exactly: {name}"))
    with transaction():
        service.delete(service.find(app_id))
    flash(f"“{name}” was deleted.", "good")
    return redirect(url_for("apps.organization_home", organization_id=organization_id))  # type: ignore[return-value]
