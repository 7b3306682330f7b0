"""Pages on the portal: its settings, its roles with their matrix, the accounts of people outside."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from core.api import (
    MANAGE,
    Conflict,
    InvalidInput,
    Needs,
    NotFound,
    Pages,
    again,
    current_app_row,
    digest,
    documents,
    placing,
    put_picture,
    seen_another,
    server,
    transaction,
    visit,
)
from plugins.portal import accounts, forms, guest, service
from plugins.portal.models import ACTIVE, SUSPENDED, PortalAccount
from plugins.portal.settings import settings_of
from plugins.portal.web.pictures import PICTURES, picture_of
from tenants.web.forms import pass_on, passed_on

pages = Pages("portal", "plugins.portal", template_folder="templates")
STALE = "Somebody else changed these settings. Your changes are still here; save again to replace theirs."


@pages.page(f"{MANAGE}/portal/main", Needs.APP_ADMIN, ("GET", "POST"), endpoint="main")
@pages.page(f"{MANAGE}/portal", Needs.APP_ADMIN, ("GET", "POST"))
def portal(organization_id: str, app_id: str) -> str | Response:
    """Show the portal's settings and roles, and change the settings."""
    app = current_app_row()
    found = documents.get(app, "portal/main")
    body, error = found.body, None
    if request.method == "POST":
        try:
            body = forms.changed_portal(body, request.form)
            if seen_another(request.form, found.body):
                raise InvalidInput(STALE)
            body = _with_pictures(body)
            with transaction():
                placing.put_body(app, found, body, visit().person)
            flash("Portal settings saved.", "good")
            return _to("portal.portal")
        except InvalidInput as refused:
            error = refused.message
    homes = [d for kind in ("page", "worksheet") for d in documents.live(app, kind)]
    page = render_template("portal/portal.html", body=body, error=error, roles=documents.live(app, "portal_role"), homes=homes,
                           counts=service.counts(app), editing=forms, seen=digest(found.body),
                           address=server().config.address + url_for("apps.app_home", app_id=app.id))
    return again(page) if error else page


def _with_pictures(body: dict[str, Any]) -> dict[str, Any]:
    look = dict(body.get("look", {}))
    for which in PICTURES:
        sent = request.files.get(which)
        if sent is not None and sent.filename:
            look[which] = put_picture(current_app_row().id, sent.stream, sent.filename, limit_bytes=service.MAX_PICTURE_BYTES)  # type: ignore[arg-type]  # werkzeug's IO[bytes]
        elif f"{which}.remove" in request.form:
            look.pop(which, None)
    return {**body, "look": look} if look else {name: value for name, value in body.items() if name != "look"}


@pages.page(f"{MANAGE}/portal/picture/<which>", Needs.APP_ADMIN)
def picture(organization_id: str, app_id: str, which: str) -> Response:
    """Give the portal's logo or cover."""
    return picture_of(documents.get(current_app_row(), "portal/main").body.get("look", {}), which)


@pages.page(f"{MANAGE}/portal/roles", Needs.APP_ADMIN, ("POST",))
def new_role(organization_id: str, app_id: str) -> Response:
    """Make a portal role."""
    with transaction():
        made = service.create_role(current_app_row(), request.form.get("name", ""), visit().person)
    return _to("portal.role", key=made.key)


@pages.page(f"{MANAGE}/portal_role/<key>", Needs.APP_ADMIN, ("GET", "POST"))
def role(organization_id: str, app_id: str, key: str) -> str | Response:
    """Show what a portal role gives, and change it."""
    app = current_app_row()
    found, error = documents.get(app, f"portal_role/{key}"), None
    body = found.body
    if request.method == "POST":
        body = forms.changed_role(app, body, request.form)
        try:
            service.checked_name(body["name"])
            if seen_another(request.form, found.body):
                raise InvalidInput(STALE)
            with transaction():
                placing.put_body(app, found, body, visit().person)
            flash("Portal role saved.", "good")
            return _to("portal.role", key=key)
        except InvalidInput as refused:
            error = refused.message
    page = render_template("portal/role.html", role=found, shown=forms.shown(app, body), error=error, editing=forms,
                           seen=digest(found.body))
    return again(page) if error else page


@pages.page(f"{MANAGE}/portal_role/<key>/remove", Needs.APP_ADMIN, ("POST",))
def remove_role(organization_id: str, app_id: str, key: str) -> Response:
    """Move a portal role to the recycle bin; its accounts get the default role."""
    app = current_app_row()
    name = documents.get(app, f"portal_role/{key}").body["name"]
    with transaction():
        documents.hide(app, f"portal_role/{key}", visit().person)
    flash(f"“{name}” was moved to the recycle bin. Its accounts now have the default role.", "good")
    return _to("portal.portal")


@pages.page(f"{MANAGE}/portal_role/<key>/look", Needs.APP_ADMIN, ("POST",))
def look(organization_id: str, app_id: str, key: str) -> Response:
    """Show the portal as people with a role see it."""
    documents.get(current_app_row(), f"portal_role/{key}")
    guest.look_as(current_app_row(), key)
    return redirect(url_for("apps.app_home", app_id=app_id))  # type: ignore[return-value]


@pages.page(f"{MANAGE}/portal/accounts", Needs.APP_ADMIN, ("GET", "POST"), endpoint="accounts")
def all_accounts(organization_id: str, app_id: str) -> str | Response:
    """List accounts, and invite somebody."""
    app, email, error = current_app_row(), request.form.get("email", ""), None
    if request.method == "POST":
        try:
            return _invited(email, request.form.get("role") or None)
        except (InvalidInput, Conflict) as refused:
            error = refused.message
    search, state = request.args.get("search", "").strip(), request.args.get("state", "")
    found, more = service.page_of_accounts(app, search, request.args.get("after", ""), state)
    page = render_template("portal/accounts.html", accounts=found, more=more, search=search, state=state, email=email, error=error,
                           roles=documents.live(app, "portal_role"), default=service.default_role(app), link=passed_on())
    return again(page) if error else page


@pages.page(f"{MANAGE}/portal/accounts/invite", Needs.APP_ADMIN, ("POST",))
def invite_again(organization_id: str, app_id: str) -> Response:
    """Invite somebody again who has an account; the link before is no longer good."""
    return _invited(_account().email, None)


def _invited(email: str, role: str | None) -> Response:
    app = current_app_row()
    with transaction():
        link = accounts.invite(app, settings_of(app), email, role, visit().person)
    pass_on(email, link)
    flash(f"{email} was invited.", "good")
    return _to("portal.accounts")


@pages.page(f"{MANAGE}/portal/accounts/role", Needs.APP_ADMIN, ("POST",))
def give_role(organization_id: str, app_id: str) -> Response:
    """Give an account another role."""
    email = _account().email
    with transaction():
        service.put_account(current_app_row(), email, request.form.get("role") or None)
    flash(f"The role of {email} was changed.", "good")
    return _to("portal.accounts")


@pages.page(f"{MANAGE}/portal/accounts/state", Needs.APP_ADMIN, ("POST",))
def set_state(organization_id: str, app_id: str) -> Response:
    """Approve, suspend or activate an account."""
    app, email, state = current_app_row(), _account().email, request.form.get("state", "")
    if state not in (ACTIVE, SUSPENDED):
        raise InvalidInput("An account is made active or suspended.")
    with transaction():
        accounts.set_state(app, email, state, settings_of(app))
    flash(f"{email} was suspended." if state == SUSPENDED else f"{email} can sign in.", "good")
    return _to("portal.accounts")


def _account() -> PortalAccount:
    found = accounts.by_email(current_app_row(), request.form.get("email", ""))
    if found is None:
        raise NotFound("This account no longer exists.")
    return found


@pages.page(f"{MANAGE}/portal/accounts/remove", Needs.APP_ADMIN, ("POST",))
def remove_account(organization_id: str, app_id: str) -> Response:
    """Remove an account."""
    with transaction():
        service.remove_account(current_app_row(), request.form.get("email", ""))
    return _to("portal.accounts")


def _to(endpoint: str, **names: Any) -> Response:
    app = current_app_row()
    return redirect(url_for(endpoint, organization_id=app.organization_id, app_id=app.id, **names))  # type: ignore[return-value]
