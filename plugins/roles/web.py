"""Pages on roles: their list, one with its matrix and members, and what somebody may do by all of theirs."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from core.api import (
    MANAGE,
    InvalidInput,
    Needs,
    NotFound,
    Pages,
    again,
    current_app_row,
    digest,
    documents,
    placing,
    seen_another,
    transaction,
    visit,
)
from plugins.roles import preview, rights_form, service

STALE = "Somebody else changed this role. Your changes are still here; save again to replace theirs."
pages = Pages("roles", __name__, template_folder="templates")


@pages.page(f"{MANAGE}/roles", Needs.APP_ADMIN, ("GET", "POST"))
def all_roles(organization_id: str, app_id: str) -> str | Response:
    """List the app's roles, and make one."""
    app, name, error = current_app_row(), request.form.get("name", ""), None
    if request.method == "POST":
        try:
            with transaction():
                made = service.create(app, name, visit().person)
            return _to(made.key)
        except InvalidInput as refused:
            error = refused.message
    page = render_template("roles/list.html", roles=documents.live(app, "role"), counts=service.counts(app), name=name, error=error)
    return again(page) if error else page


@pages.page(f"{MANAGE}/role/<key>", Needs.APP_ADMIN, ("GET", "POST"))
def role(organization_id: str, app_id: str, key: str) -> str | Response:
    """Show what a role gives and to whom, and change it."""
    app = current_app_row()
    found, error = documents.get(app, f"role/{key}"), None
    body = found.body
    if request.method == "POST":
        body = rights_form.changed(app, body, request.form)
        try:
            service.checked_name(body["name"])
            if seen_another(request.form, found.body):
                raise InvalidInput(STALE)
            with transaction():
                placing.put_body(app, found, body, visit().person)
            flash("Role saved.", "good")
            return _to(key)
        except InvalidInput as refused:
            error = refused.message
    page = render_template("roles/role.html", role=found, shown=rights_form.shown(app, body), error=error, editing=rights_form,
                           seen=digest(found.body), members=service.named_members(app, key), choices=service.choices(app))
    return again(page) if error else page


@pages.page(f"{MANAGE}/role/<key>/members", Needs.APP_ADMIN, ("POST",))
def add_member(organization_id: str, app_id: str, key: str) -> Response:
    """Give the role to somebody, a department or an org role."""
    with transaction():
        service.assign(current_app_row(), key, request.form.get("member", ""))
    return _to(key, "members")


@pages.page(f"{MANAGE}/role/<key>/members/remove", Needs.APP_ADMIN, ("POST",))
def remove_member(organization_id: str, app_id: str, key: str) -> Response:
    """Take the role away from one of its members."""
    app = current_app_row()
    documents.get(app, f"role/{key}")
    with transaction():
        service.unassign(app, key, request.form.get("member", ""))
    return _to(key, "members")


@pages.page(f"{MANAGE}/role/<key>/remove", Needs.APP_ADMIN, ("POST",))
def remove_role(organization_id: str, app_id: str, key: str) -> Response:
    """Move a role to the recycle bin: it gives nothing from now on."""
    app = current_app_row()
    name = documents.get(app, f"role/{key}").body["name"]
    with transaction():
        documents.hide(app, f"role/{key}", visit().person)
    flash(f"“{name}” was moved to the recycle bin. Its members come back when you restore it.", "good")
    return redirect(url_for("roles.all_roles", **_where()))  # type: ignore[return-value]


@pages.page(f"{MANAGE}/roles/rights", Needs.APP_ADMIN)
def rights(organization_id: str, app_id: str) -> str:
    """Show what somebody may do, all their roles taken together."""
    app = current_app_row()
    people = dict(next((found for title, found in service.choices(app) if title == "People"), ()))
    person = request.args.get("person", "")
    if person and person not in people:
        raise NotFound("This person is not in the organization.")
    found = preview.preview(app, person.removeprefix("user/")) if person else None
    return render_template("roles/rights.html", people=people, person=person, found=found, actions=rights_form.ACTIONS)


def _where() -> dict[str, Any]:
    return {"organization_id": current_app_row().organization_id, "app_id": current_app_row().id}


def _to(key: str, anchor: str | None = None) -> Response:
    return redirect(url_for("roles.role", key=key, _anchor=anchor, **_where()))  # type: ignore[return-value]
