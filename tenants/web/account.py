"""The account page: name, email, password, second factor, and the browsers that one has signed in with."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from core.api import Needs, Pages, again, limiter, transaction
from tenants import accounts, api_tokens, mail, second_factor, service, sessions, verification
from tenants.audit import audit_person
from tenants.current_person import SignedIn, signed_in
from tenants.web.forms import refused, refused_change, to, typed

pages = Pages("account", __name__)
OFTEN = "20 per minute"


@pages.page("/account", Needs.SIGNED_IN)
def show() -> str:
    """Show the account."""
    return _page()


@pages.page("/account/name", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def rename() -> Response:
    """Call the person something else."""
    error = refused_change(lambda: accounts.rename(me().id, typed("name")))
    return again(_page(name=error)) if error else _done("Name saved.")


@pages.page("/account/email", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def change_email() -> Response:
    """Send a link to a new email, for whoever knows the password."""
    if error := _wrong_password("email_password"):
        return again(_page(email_password=error))
    if error := refused_change(lambda: accounts.ask_for_email(me().id, typed("email"))):
        return again(_page(email=error))
    where = "Open the link we sent to it" if mail.has_server() else "Ask the server’s operator for the link in its mail folder"
    return _done(f"Confirm {typed('email')} to finish. {where}; it works for an hour.")


@pages.page("/account/password", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def change_password() -> Response:
    """Change the password, for whoever knows the old one; other browsers are signed out."""
    if error := _wrong_password("old_password"):
        return again(_page(old_password=error))
    person = me()
    if error := refused_change(lambda: accounts.change_password(person.id, request.form.get("new_password", ""), person.session_id)):
        return again(_page(new_password=error))
    return _done("Password changed. You are signed out of all other browsers.")


@pages.page("/account/sessions/end", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def end_sessions() -> Response:
    """Sign one browser out, or all but this one."""
    person, one = me(), typed("session")
    with transaction():
        if one:
            sessions.close_session(person.id, one)
        else:
            sessions.close_sessions(person.id, but=person.session_id)
        audit_person("sessions_ended", person.id, all=not one)
    return _done("That browser was signed out." if one else "All other browsers were signed out.")


def me() -> SignedIn:
    """Return who has signed in, on a page that lets nobody else in."""
    person = signed_in()
    if person is None:
        raise RuntimeError("The gate lets nobody in who has not signed in.")
    return person


def _wrong_password(field: str) -> str | None:
    user = accounts.found(me().id)
    return refused(lambda: verification.prove_password(user, request.form.get(field, "")))


def _done(told: str) -> Response:
    return to(url_for("account.show"), told)


def _page(**errors: str | None) -> str:
    user = accounts.found(me().id)
    places = service.places_of(user.id)
    found = sessions.sessions_of(user.id)
    return render_template(
        "tenants/account.html", user=user, errors=errors, form=request.form, here=me().session_id, enrolled=second_factor.enrolled(user),
        codes_left=second_factor.recovery_codes_left(user), zone=service.time_zone(places[0].id) if places else None,
        sessions=[(row, device(row.agent)) for row in found], tokens=api_tokens.count_good(user.id, [place.id for place in places]))


BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"),
            ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("HeadlessChrome", "Chrome"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
           ("CrOS", "ChromeOS"), ("Linux", "Linux"))


def device(agent: str) -> str:
    """Return the browser and system that a User-Agent header names, "Firefox on Linux"; the header's start for others."""
    browser = next((name for sign, name in BROWSERS if sign in agent), None)
    system = next((name for sign, name in SYSTEMS if sign in agent), None)
    if browser is None:
        return agent[:40] or "Unknown device"
    return f"{browser} on {system}" if system else browser
