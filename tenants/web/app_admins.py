"""Pages on who manages which app: owners and admins of the organization name them, also themselves."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import APP, ORGANIZATION, Needs, NotFound, Pages, again, apps, current_app_row, limiter, transaction, visit
from tenants import accounts, app_admins, invitations, members
from tenants.typed_names import folded
from tenants.web.forms import pass_on, passed_on, refused_change, to, typed

pages = Pages("app_admins", __name__)
OFTEN = "60 per minute"


@pages.page(f"{ORGANIZATION}/app-admins", Needs.ORG_ADMIN)
def overview(organization_id: str) -> str:
    """List the apps with who manages them."""
    return render_template("tenants/app_admins.html", apps=apps.all_apps(), names=app_admins.names_by_app())


@pages.page(f"{APP}/admins", Needs.ORG_ADMIN)
def show(organization_id: str, app_id: str) -> str:
    """Show who manages an app."""
    return _page()


@pages.page(f"{APP}/admins/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def add(organization_id: str, app_id: str) -> Response:
    """Name a member; invite anybody else, so that nobody learns here who has an account on this server."""
    email = folded(typed("email"))
    try:
        person = members.by_email(email)
    except NotFound:
        return _invite(organization_id, app_id)
    with transaction():
        app_admins.name(apps.find(app_id), person.id)
    return to(url_for("app_admins.show", organization_id=organization_id, app_id=app_id), f"{person.name} is now an admin of the app.")


@pages.page(f"{APP}/admins/<user_id>/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def remove(organization_id: str, app_id: str, user_id: str) -> Response:
    """Take an app away from one of its admins."""
    with transaction():
        app_admins.remove(apps.find(app_id), user_id)
    return to(url_for("app_admins.show", organization_id=organization_id, app_id=app_id), "Admin removed.")


def _invite(organization_id: str, app_id: str) -> Response:
    urls: list[str] = []
    error = refused_change(lambda: urls.append(invitations.invite_app_admin(
        apps.find(app_id), typed("email"), accounts.found(visit().person))))
    if error:
        return again(_page(error))
    pass_on(typed("email"), urls[0])
    return to(url_for("app_admins.show", organization_id=organization_id, app_id=app_id),
              f"{typed('email')} was invited to manage the app.")


def _page(error: str | None = None) -> str:
    app = current_app_row()
    admins = app_admins.admins_of(app.id)
    return render_template("tenants/app_admin.html", app=app, admins=admins, error=error, form=request.form, link=passed_on(),
                           invitations=invitations.open_invitations(app.id), suggestions=members.suggestions(),
                           my_email=accounts.found(visit().person).email,
                           mine=any(admin.id == visit().person for admin in admins))
