"""Pages that links in mail lead to: a new password, a new email, an invitation. Looking at one uses nothing up."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import Needs, Pages, again, limiter, transaction, visit
from tenants import accounts, email_tokens, invitations, mail
from tenants.current_person import signed_in
from tenants.web.entrance import enter
from tenants.web.forms import refused_change, to, typed

pages = Pages("links", __name__)
OFTEN = "20 per minute"


@pages.page("/forgotten", Needs.NOTHING, ("GET", "POST"))
@limiter.limit(OFTEN, methods=["POST"])
def forgotten() -> str:
    """Send a link for a new password; the answer is the same whether anybody has the email."""
    if request.method == "POST":
        with transaction():
            accounts.ask_for_reset(typed("email"))
    return render_template("tenants/forgotten.html", asked=request.method == "POST", email=typed("email"),
                           sends=mail.has_server())


@pages.page("/reset/<token>", Needs.NOTHING, ("GET", "POST"))
@limiter.limit(OFTEN)
def reset(token: str) -> str | Response:
    """Set a new password."""
    email = email_tokens.find("reset", token).email
    if request.method == "GET":
        return render_template("tenants/reset.html", email=email, error=None)
    error = refused_change(lambda: accounts.reset(token, request.form.get("password", "")))
    if error:
        return again(render_template("tenants/reset.html", email=email, error=error))
    return to(url_for("entrance.sign_in"), "Password changed. Sign in with the new password.")


@pages.page("/confirm-email/<token>", Needs.SIGNED_IN, ("GET", "POST"))
@limiter.limit(OFTEN)
def confirm_email(token: str) -> str | Response:
    """Make the address that the link was sent to the one with which somebody signs in."""
    if request.method == "GET":
        return render_template("tenants/confirm_email.html", email=email_tokens.find("email", token).email)
    with transaction():
        email = accounts.change_email(token, visit().person)
    return to(url_for("account.show"), f"Email changed. You now sign in as {email}.")


@pages.page("/invitation/<token>", Needs.NOTHING, ("GET", "POST"))
@limiter.limit(OFTEN)
def invitation(token: str) -> str | Response:
    """Show an invitation and accept it: signed in as whom it is for, or by making an account."""
    told, person = invitations.read(token), signed_in()
    mine = person is not None and person.email == told.email
    if request.method == "POST":
        if mine and person is not None:
            with transaction():
                organization_id = invitations.accept(token, person.id)
            return to("/" if told.app else url_for("apps.organization_home", organization_id=organization_id),
                      f"You joined “{told.organization}”." if not told.app else f"You now manage “{told.app}”.")
        if told.account == "none" and person is None:
            return _made(token, told)
    return _invited(token, told, None)


def _made(token: str, told: invitations.Invitation) -> Response:
    made: list[str] = []
    error = refused_change(lambda: made.append(
        invitations.accept_as_new(token, typed("name"), request.form.get("password", ""))))
    if error:
        return again(_invited(token, told, error))
    enter(accounts.found(made[0]), second_factor=False)
    return to("/", f"Welcome to “{told.organization}”.")


def _invited(token: str, told: invitations.Invitation, error: str | None) -> str:
    return render_template("tenants/invitation.html", told=told, person=signed_in(), error=error, name=typed("name"),
                           sign_in_url=url_for("entrance.sign_in", next=url_for("links.invitation", token=token)))
