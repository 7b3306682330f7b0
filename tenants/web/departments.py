"""Pages on the departments of an organization."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import ORGANIZATION, Needs, Pages, again, limiter, transaction
from tenants import departments, members
from tenants.web.forms import refused_change, to, typed
from tenants.web.member_groups import put_typed_in

pages = Pages("departments", __name__)
HERE = f"{ORGANIZATION}/departments"
OFTEN = "120 per minute"


@pages.page(HERE, Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """Show the tree."""
    return _page()


@pages.page(f"{HERE}/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def add(organization_id: str) -> Response:
    """Make a department."""
    if error := refused_change(lambda: departments.add(typed("name"), typed("parent") or None)):
        return again(_page(error))
    return to(url_for("departments.show", organization_id=organization_id), f"“{typed('name')}” was added.")


@pages.page(f"{HERE}/<department_id>", Needs.ORG_ADMIN)
def one(organization_id: str, department_id: str) -> str:
    """Show a department and who is in it."""
    return _one(department_id)


@pages.page(f"{HERE}/<department_id>/change", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def change(organization_id: str, department_id: str) -> Response:
    """Rename a department or put it somewhere else in the tree."""
    error = refused_change(lambda: departments.change(department_id, typed("name"), typed("parent") or None))
    return again(_one(department_id, change=error)) if error else _back(organization_id, department_id, "Department saved.")


@pages.page(f"{HERE}/<department_id>/delete", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def delete(organization_id: str, department_id: str) -> Response:
    """Remove a department; what is in it moves up."""
    with transaction():
        departments.remove(department_id)
    return to(url_for("departments.show", organization_id=organization_id), "Department deleted.")


@pages.page(f"{HERE}/<department_id>/people/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def put_in(organization_id: str, department_id: str) -> Response:
    """Put a member into a department."""
    name, error = put_typed_in(departments.DEPARTMENTS, department_id)
    if error is not None:
        return again(_one(department_id, email=error))
    return _back(organization_id, department_id, f"{name} was added to the department.")


@pages.page(f"{HERE}/<department_id>/people/<user_id>/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def take_out(organization_id: str, department_id: str, user_id: str) -> Response:
    """Take somebody out of a department."""
    with transaction():
        departments.take_out(department_id, user_id)
    return _back(organization_id, department_id, "Removed from the department.")


def _back(organization_id: str, department_id: str, told: str) -> Response:
    return to(url_for("departments.one", organization_id=organization_id, department_id=department_id), told)


def _page(error: str | None = None) -> str:
    return render_template("tenants/departments.html", tree=departments.tree(), error=error, form=request.form)


def _one(department_id: str, **errors: str | None) -> str:
    found = departments.find(department_id)
    tree = departments.tree()
    inside = {branch.id for branch in tree if department_id in branch.path}
    return render_template(
        "tenants/department.html", department=found, errors=errors, form=request.form, people=departments.people(department_id),
        suggestions=members.suggestions(), below=[branch for branch in tree if branch.id in inside and branch.id != department_id],
        above=next((branch for branch in tree if branch.id == found.parent_id), None),
        places=[branch for branch in tree if branch.id not in inside])
