"""The profile of whoever has signed in to a portal: their name, address, password and browsers; a copy of their data; leaving."""

from __future__ import annotations

import json

from flask import Response, render_template, request, url_for

from core.api import GUESTS, InvalidInput, Needs, NotFound, Pages, again, current_app_row, limiter, transaction
from plugins.portal import accounts, codes, guest, sessions
from plugins.portal.guest import SignedIn
from plugins.portal.settings import Settings, settings_of
from tenants.web.account import device
from tenants.web.forms import refused, refused_change, to, typed

pages = Pages("portal_profile", "plugins.portal", template_folder="templates")
ACCOUNT = f"{GUESTS}/account"
OFTEN = "20 per minute"
FORM_BYTES = 64 * 1024


@pages.page(ACCOUNT, Needs.GUEST)
def account(app_id: str) -> str:
    """Show the account."""
    return _page()


@pages.page(f"{ACCOUNT}/name", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
def rename(app_id: str) -> str | Response:
    """Call somebody something else."""
    error = refused_change(lambda: accounts.rename(current_app_row(), _me().key, typed("name")))
    return again(_page(name=error)) if error else _done("Name saved.")


@pages.page(f"{ACCOUNT}/password", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN)
def change_password(app_id: str) -> str | Response:
    """Change the password, for whoever knows the old one; other browsers are signed out."""
    app, me = current_app_row(), _me()
    if "password" not in _settings().methods:
        raise NotFound("This portal has no passwords.")
    if accounts.by_key(app, me.key).password is None:
        return again(_page(old_password="You have no password yet. Sign out, then choose “Forgot your password?”."))
    if error := refused(lambda: accounts.prove_password(app, me.key, request.form.get("old_password", ""))):
        return again(_page(old_password=error))
    if error := refused_change(lambda: accounts.change_password(app, me.key, request.form.get("new_password", ""), me.session)):
        return again(_page(new_password=error))
    return _done("Password changed. You are signed out of all other browsers.")


@pages.page(f"{ACCOUNT}/email", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN)
def change_email(app_id: str) -> str | Response:
    """Mail a code to a new address and ask for it; whoever has a password gives it first: a browser left open takes no account over."""
    app, settings, me, found = current_app_row(), _settings(), _me(), list[str]()

    def ask() -> None:
        found.append(accounts.ask_for_email(app, settings, me.key, typed("email")))

    if accounts.by_key(app, me.key).password is not None and (
            error := refused(lambda: accounts.prove_password(app, me.key, request.form.get("email_password", "")))):
        return again(_page(email_password=error))
    error = refused_change(ask)
    return again(_page(email=error)) if error else _code_page(found[0], typed("email"))


@pages.page(f"{ACCOUNT}/email/confirm", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN)
def confirm_email(app_id: str) -> str | Response:
    """Take the code that was mailed to a new address."""
    app, settings, me, token = current_app_row(), _settings(), _me(), request.form.get("asked", "")[:100]

    def look() -> None:
        if codes.tried(app, token, request.form.get("code", "")) is None:
            raise InvalidInput(codes.WRONG)

    error = refused(look) or refused_change(lambda: accounts.change_email(app, settings, me.key, token))
    return again(_code_page(token, typed("email"), error)) if error else _done("Address changed.")


@pages.page(f"{ACCOUNT}/sessions/end", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
def end_sessions(app_id: str) -> Response:
    """Sign out all other browsers."""
    with transaction():
        sessions.end(current_app_row(), _me().key, but=_me().session)
    return _done("All other browsers were signed out.")


@pages.page(f"{ACCOUNT}/data", Needs.GUEST)
@limiter.limit("10 per hour")
def data(app_id: str) -> Response:
    """Give a copy of what is known of somebody."""
    found = accounts.data_of(current_app_row(), _settings(), _me().key, _me().session)
    response = Response(json.dumps(found, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = "attachment; filename=my-data.json"
    return response


@pages.page(f"{ACCOUNT}/leave", Needs.GUEST, ("POST",), max_bytes=FORM_BYTES)
def leave(app_id: str) -> str | Response:
    """Remove somebody's account, once they have typed its address."""
    app, me = current_app_row(), _me()
    if typed("email").casefold() != me.email.casefold():
        return again(_page(leave=f"Type your address exactly: {me.email}"))
    with transaction():
        accounts.leave(app, me.key)
    guest.forget_here(app)
    return to(url_for("portal_door.sign_in", app_id=app.id), "Your account was deleted.")


@pages.page(f"{GUESTS}/sign-out", Needs.GUEST, ("POST",))
def sign_out(app_id: str) -> Response:
    """End the session of this browser."""
    app, me = current_app_row(), _me()
    with transaction():
        sessions.end(app, me.key, session=me.session)
    guest.forget_here(app)
    return to(url_for("portal_door.sign_in", app_id=app.id))


def _me() -> SignedIn:
    found = guest.signed_in(current_app_row())
    if found is None:
        raise NotFound("An account has a profile; a role has none.")
    return found


def _settings() -> Settings:
    found = settings_of(current_app_row())
    if found is None:
        raise NotFound("This portal is closed.")
    return found


def _done(told: str) -> Response:
    return to(url_for("portal_profile.account", app_id=current_app_row().id), told)


def _page(**errors: str | None) -> str:
    app, me = current_app_row(), _me()
    found = accounts.by_key(app, me.key)
    return render_template("portal/account.html", account=found, settings=_settings(), errors=errors, form=request.form, here=me.session,
                           sessions=[(one, device(one.agent)) for one in sessions.sessions_of(app, me.key)], app_id=app.id)


def _code_page(token: str, email: str, error: str | None = None) -> str:
    return render_template("portal/code.html", asked=token, email=email, error=error, what="Confirm your new address", choose=False,
                           next_url="", action=url_for("portal_profile.confirm_email", app_id=current_app_row().id),
                           again_url=url_for("portal_profile.account", app_id=current_app_row().id))
