"""Pages on an organization as a whole: settings, plan and usage, its log, closing it."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, render_template, request, url_for

from core.api import ORGANIZATION, Needs, Pages, limiter, transaction, visit
from tenants import audit, organizations, second_factor, service
from tenants.models import AuditEntry
from tenants.plans import PLANS
from tenants.web.forms import again, refused_change, to, typed

pages = Pages("organization", __name__)
OFTEN = "60 per minute"
KEYS = ("department", "org_role", "parent", "moved_to")
"""Details that are keys of things, which nobody reads."""


@pages.page(f"{ORGANIZATION}/settings", Needs.ORG_ADMIN, ("GET", "POST"))
@limiter.limit(OFTEN, methods=["POST"])
def settings(organization_id: str) -> str | Response:
    """Show and change the settings."""
    if request.method == "GET":
        return _settings()
    error = refused_change(lambda: organizations.change_settings(
        typed("name"), typed("time_zone"), second_factor_required="second_factor_required" in request.form))
    return again(_settings(error)) if error else to(url_for("organization.settings", organization_id=organization_id), "Saved.")


@pages.page(f"{ORGANIZATION}/close", Needs.OWNER, ("POST",))
@limiter.limit(OFTEN)
def close(organization_id: str) -> Response:
    """Close the organization: nobody enters it any more."""
    name = organizations.current().name
    if error := refused_change(lambda: organizations.close(typed("typed_name"))):
        return again(_settings(closing=error))
    return to("/", f"“{name}” is closed. Nobody enters it any more.")


@pages.page(f"{ORGANIZATION}/plan", Needs.ORG_ADMIN)
def plan(organization_id: str) -> str:
    """Show the plan, what it allows, and what is kept now."""
    return render_template("tenants/plan.html", plans=PLANS.values(), mine=PLANS[organizations.current().plan],
                           usage=organizations.usage(), owner=visit().role == "owner")


@pages.page(f"{ORGANIZATION}/plan/change", Needs.OWNER, ("POST",))
@limiter.limit(OFTEN)
def change_plan(organization_id: str) -> Response:
    """Put the organization on another plan."""
    with transaction():
        organizations.change_plan(typed("plan"))
    return to(url_for("organization.plan", organization_id=organization_id), "The plan is changed.")


@pages.page(f"{ORGANIZATION}/log", Needs.ORG_ADMIN)
def log(organization_id: str) -> str:
    """Show who did what, newest first, a page at a time."""
    act = request.args.get("act", "")
    person, known = _sought(request.args.get("person", "").strip())
    only, before = act if act in audit.ACTS else None, _number(request.args.get("before"))
    found = audit.entries(act=only, person=person, before=before) if known else []
    shown = found[:audit.PAGE_ENTRIES]
    return render_template(
        "tenants/log.html", entries=[(entry, _told(entry)) for entry in shown], acts=audit.ACTS, act=act,
        person_sought=request.args.get("person", ""), older=shown[-1].id if len(found) > audit.PAGE_ENTRIES else None,
        first="before" not in request.args)


def _settings(error: str | None = None, closing: str | None = None) -> str:
    row, form = organizations.current(), request.form
    typed_here = error is not None
    return render_template(
        "tenants/settings.html", error=error, closing=closing, zones=organizations.zones(), owner=visit().role == "owner",
        name=form.get("name", "") if typed_here else row.name, time_zone=form.get("time_zone") if typed_here else row.time_zone,
        required="second_factor_required" in form if typed_here else row.second_factor_required,
        without=second_factor.without_one(), organization=row)


def _sought(text: str) -> tuple[str | None, bool]:
    """Return the id of the person that the filter names, and whether it can name anybody."""
    if not text or text == "system" or text.startswith("u_"):
        return text or None, True
    person = service.id_by_email(text)
    return person, person is not None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _told(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry's details as they are shown: names for what people choose, values for the rest."""
    detail: dict[str, Any] = json.loads(entry.detail)
    kind, _, key = entry.subject.partition("/")
    whom, about = detail.pop("person", None), detail.pop("name", "")
    if kind == "user" and key != entry.person:
        whom = key
    rest = {name: _shown(value) for name, value in detail.items() if value is not None and name not in KEYS}
    return {"whom": whom, "about": about, "rest": rest}


def _shown(value: Any) -> Any:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
