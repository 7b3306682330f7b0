"""The first start of a server: a page that makes its first organization, and is closed ever after."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import Needs, Pages, again, limiter
from tenants import accounts, organizations
from tenants.web.entrance import enter
from tenants.web.forms import refused_change, to, typed

pages = Pages("first_start", __name__)


@pages.page("/set-up", Needs.NOTHING, ("GET", "POST"))
@limiter.limit("20 per minute", methods=["POST"])
def set_up() -> str | Response:
    """Make the first organization and its owner, and sign them in."""
    if organizations.is_set_up():
        return to(url_for("entrance.sign_in"))
    if request.method == "GET":
        return _page(None)
    made: list[str] = []
    error = refused_change(lambda: made.append(organizations.set_up(
        typed("organization"), typed("time_zone"), typed("name"), typed("email"), request.form.get("password", ""))))
    if error:
        return again(_page(error))
    enter(accounts.found(made[0]), second_factor=False)
    return to("/", "Welcome. Your organization is ready.")


def _page(error: str | None) -> str:
    return render_template("tenants/set_up.html", error=error, form=request.form, zones=organizations.zones())
