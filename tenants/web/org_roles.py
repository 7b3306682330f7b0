"""Pages on the org roles of an organization."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import ORGANIZATION, Needs, Pages, again, limiter, transaction
from tenants import members, org_roles
from tenants.web.forms import refused_change, to, typed
from tenants.web.member_groups import put_typed_in

pages = Pages("org_roles", __name__)
HERE = f"{ORGANIZATION}/org-roles"
OFTEN = "120 per minute"


@pages.page(HERE, Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """List the org roles."""
    return _page()


@pages.page(f"{HERE}/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def add(organization_id: str) -> Response:
    """Make an org role."""
    if error := refused_change(lambda: org_roles.add(typed("name"))):
        return again(_page(error))
    return to(url_for("org_roles.show", organization_id=organization_id), f"“{typed('name')}” was added.")


@pages.page(f"{HERE}/<role_id>", Needs.ORG_ADMIN)
def one(organization_id: str, role_id: str) -> str:
    """Show an org role and who has it."""
    return _one(role_id)


@pages.page(f"{HERE}/<role_id>/rename", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def rename(organization_id: str, role_id: str) -> Response:
    """Call an org role something else."""
    error = refused_change(lambda: org_roles.rename(role_id, typed("name")))
    return again(_one(role_id, name=error)) if error else _back(organization_id, role_id, "Role renamed.")


@pages.page(f"{HERE}/<role_id>/delete", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def delete(organization_id: str, role_id: str) -> Response:
    """Remove an org role."""
    with transaction():
        org_roles.remove(role_id)
    return to(url_for("org_roles.show", organization_id=organization_id), "Role deleted.")


@pages.page(f"{HERE}/<role_id>/people/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def give(organization_id: str, role_id: str) -> Response:
    """Give a member an org role."""
    name, error = put_typed_in(org_roles.ROLES, role_id)
    if error is not None:
        return again(_one(role_id, email=error))
    return _back(organization_id, role_id, f"{name} now has the role.")


@pages.page(f"{HERE}/<role_id>/people/<user_id>/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def take(organization_id: str, role_id: str, user_id: str) -> Response:
    """Take an org role away from somebody."""
    with transaction():
        org_roles.take(role_id, user_id)
    return _back(organization_id, role_id, "Role removed.")


def _back(organization_id: str, role_id: str, told: str) -> Response:
    return to(url_for("org_roles.one", organization_id=organization_id, role_id=role_id), told)


def _page(error: str | None = None) -> str:
    return render_template("tenants/org_roles.html", roles=org_roles.roles(), error=error, form=request.form)


def _one(role_id: str, **errors: str | None) -> str:
    return render_template("tenants/org_role.html", role=org_roles.find(role_id), errors=errors, form=request.form,
                           people=org_roles.people(role_id), suggestions=members.suggestions())
