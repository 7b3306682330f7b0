"""Pages on an organization as a whole: settings, plan and usage, closing it."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import ORGANIZATION, Needs, Pages, again, limiter, transaction, visit
from tenants import organizations, second_factor, usage
from tenants.notifications.events import WARNED_PERCENT
from tenants.plans import PLANS
from tenants.web.forms import number, refused_change, to, typed

pages = Pages("organization", __name__)
OFTEN = "60 per minute"


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
    return to("/", f"“{name}” was closed. Nobody can enter it any more.")


@pages.page(f"{ORGANIZATION}/plan", Needs.ORG_ADMIN)
def plan(organization_id: str) -> str:
    """Show the plan, what it allows, what was uploaded in a year, and what is kept now."""
    year = number(request.args.get("year"))
    figures = usage.figures(year if year is not None and 2000 <= year <= 9999 else None)
    return render_template(
        "tenants/plan.html", plans=PLANS.values(), mine=PLANS[organizations.current().plan], kept=organizations.usage(), figures=figures,
        chart=usage.drawn(figures.months), warned_percent=WARNED_PERCENT)


@pages.page(f"{ORGANIZATION}/plan/change", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def change_plan(organization_id: str) -> Response:
    """Put the organization on another plan."""
    with transaction():
        organizations.change_plan(typed("plan"))
    return to(url_for("organization.plan", organization_id=organization_id), "Plan changed.")


def _settings(error: str | None = None, closing: str | None = None) -> str:
    row, form = organizations.current(), request.form
    typed_here = error is not None
    return render_template(
        "tenants/settings.html", error=error, closing=closing, zones=organizations.zones(), owner=visit().role == "owner",
        name=form.get("name", "") if typed_here else row.name, time_zone=form.get("time_zone") if typed_here else row.time_zone,
        required="second_factor_required" in form if typed_here else row.second_factor_required,
        without=second_factor.without_one(), organization=row)
