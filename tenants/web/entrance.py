"""Signing in, with a second step where one is enrolled, and out."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user

from core.api import Needs, Pages, again, limiter, now_us, send_kept, transaction, visit
from tenants import accounts, organizations, second_factor, service, sessions, verification
from tenants.audit import audit_person
from tenants.current_person import SignedIn, signed_in
from tenants.models import User
from tenants.signing_in import remember_device
from tenants.web.forms import local, refused, to

pages = Pages("entrance", __name__, template_folder="../templates")
SECOND_STEP_US = int(timedelta(minutes=5).total_seconds()) * 1_000_000
_STEP = "second_step"


@pages.page("/sign-in", Needs.NOTHING, ("GET", "POST"))
@limiter.limit("30 per minute", methods=["POST"])
def sign_in() -> str | Response:
    """Ask who is there; whoever has a second factor goes on to the second step, signed in to nothing yet."""
    if visit().visitor is not None:
        return to(local(request.args.get("next")))
    if not organizations.is_set_up():
        return to(url_for("first_start.set_up"))
    email = request.form.get("email", "")
    if request.method == "GET":
        return page()
    found: list[User] = []
    error = refused(lambda: found.append(verification.with_password(email, request.form.get("password", ""))))
    if error:
        return again(page(email=email, error=error, kept=_kept()))
    user = found[0]
    if second_factor.enrolled(user):
        session.clear()
        session[_STEP] = {"user": user.id, "at": now_us(), "mark": _mark(user)}
        if kept := _kept():
            return make_response(_second_page(kept=kept))
        return to(url_for("entrance.second_step", next=request.args.get("next")))
    enter(user, second_factor=False)
    return _onward()


@pages.page("/sign-in/code", Needs.NOTHING, ("GET", "POST"))
@limiter.limit("30 per minute", methods=["POST"])
def second_step() -> str | Response:
    """Ask for the code of somebody whose password was right a moment ago."""
    user = _half_signed_in()
    if user is None:
        session.pop(_STEP, None)
        if kept := _kept():
            return again(page(error="That took too long. Enter your password again.", kept=kept))
        return to(url_for("entrance.sign_in", next=request.args.get("next")))
    if request.method == "GET":
        return _second_page()
    user_id = user.id
    error = refused(lambda: verification.prove_code(user_id, request.form.get("code", "")[:100]))
    if error:
        return again(_second_page(error=error, kept=_kept()))
    enter(accounts.found(user_id), second_factor=True)
    return _onward()


def page(*, email: str = "", error: str | None = None, kept: str = "", next_url: str | None = None) -> str:
    """Return the page to sign in at, with what was typed before as far as it is kept."""
    next_url = next_url or request.args.get("next")
    return render_template("tenants/sign_in.html", email=email, error=error, kept=kept, next_url=next_url,
                           action=url_for("entrance.sign_in", next=next_url))


def _second_page(*, error: str | None = None, kept: str = "") -> str:
    return render_template("tenants/second_step.html", error=error, kept=kept,
                           action=url_for("entrance.second_step", next=request.args.get("next")))


def _kept() -> str:
    return request.form.get("kept", "")


def _onward() -> Response:
    """Go on to what was typed before signing in, or else to where somebody wanted to go."""
    onward = local(request.args.get("next"))
    why = "You were signed out when you sent this, so it was not saved. Now you are signed in again."
    return (send_kept(_kept(), why, onward) if _kept() else None) or to(onward)


@pages.page("/sign-out", Needs.NOTHING, ("POST",))
def sign_out() -> Response:
    """End the session of this browser; also for those who are led to set a second factor up before anything else."""
    person = signed_in()
    if person is not None:
        with transaction():
            sessions.close_session(person.id, person.session_id)
            audit_person("signed_out", person.id)
    logout_user()
    session.clear()
    return redirect(url_for("entrance.sign_in"))  # type: ignore[return-value]


@pages.page("/nowhere", Needs.SIGNED_IN)
def nowhere() -> str:
    """Show the apps that somebody manages who is no member of the organizations they belong to."""
    return render_template("tenants/nowhere.html", apps=service.apps_managed_by(visit().person))


def enter(user: User, *, second_factor: bool) -> None:
    """Sign somebody in with this browser, by a session that is new."""
    before, user_id = signed_in(), user.id
    session.clear()  # nothing of whoever was here before stays
    with transaction():
        if before is not None:
            sessions.close_session(before.id, before.session_id)
        token = sessions.open_session(user, request.remote_addr or "", request.user_agent.string, second_factor=second_factor)
        audit_person("signed_in", user_id, second_factor=second_factor)
    found = sessions.find_session(token)
    if found is not None:
        login_user(SignedIn(token, *found))
        remember_device(user_id)


def _half_signed_in() -> User | None:
    """Return whose password was right, as long as that is no more than minutes ago and still their password."""
    step = session.get(_STEP)
    if not isinstance(step, dict) or not 0 <= now_us() - step["at"] <= SECOND_STEP_US:
        return None
    user = accounts.find(step["user"])
    return user if user is not None and user.totp_secret and step["mark"] == _mark(user) else None


def _mark(user: User) -> str:
    return hashlib.sha256(f"{user.id} {user.password_hash}".encode()).hexdigest()[:16]
