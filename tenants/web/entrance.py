"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user

from core.api import Needs, Pages, limiter, transaction, visit
from tenants import service, sessions
from tenants.models import User
from tenants.signing_in import SignedIn, signed_in

pages = Pages("entrance", __name__, template_folder="../templates")
WRONG = "E-mail and password do not belong together."


@pages.page("/sign-in", Needs.NOTHING, ("GET", "POST"))
@limiter.limit("30 per minute", methods=["POST"])
def sign_in() -> str | Response:
    """Ask who is there."""
    if visit().visitor is not None:
        return redirect(local(request.args.get("next")))  # type: ignore[return-value]
    email, error = request.form.get("email", ""), None
    if request.method == "POST":
        user = service.person_with_password(email, request.form.get("password", ""))
        if user is not None:
            enter(user, second_factor=False)
            return redirect(local(request.args.get("next")))  # type: ignore[return-value]
        error = WRONG
    return render_template("tenants/sign_in.html", email=email, error=error)


@pages.page("/sign-out", Needs.SIGNED_IN, ("POST",))
def sign_out() -> Response:
    """End the session of this browser."""
    person = signed_in()
    if person is not None:
        with transaction():
            sessions.close_session(person.id, person.session_id)
    logout_user()
    session.clear()
    return redirect(url_for("entrance.sign_in"))  # type: ignore[return-value]


@pages.page("/nowhere", Needs.SIGNED_IN)
def nowhere() -> str:
    """Show the apps that somebody manages who is no member of any organization."""
    return render_template("tenants/nowhere.html", apps=service.apps_managed_by(visit().person))


def enter(user: User, *, second_factor: bool) -> None:
    """Sign somebody in with this browser."""
    session.clear()  # nothing of whoever was here before stays
    with transaction():
        token = sessions.open_session(user, request.remote_addr or "", request.user_agent.string, second_factor=second_factor)
    found = sessions.find_session(token)
    if found is not None:
        login_user(SignedIn(token, *found))


def local(target: str | None) -> str:
    """Return an address of this server to go on to; what leads elsewhere leads to the start instead."""
    parts = urlsplit(target or "/")
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or "\\" in (target or "") or parts.path.startswith("//"):
        return "/"
    return target or "/"
