"""Pages of the second factor: setting it up, moving it to another device, recovery codes, switching it off.

The first page alone is where people are led who need a second factor: setting up takes no other page.
"""

from __future__ import annotations

import segno
from flask import Response, render_template, request, url_for
from markupsafe import Markup

from core.api import Needs, Pages, again, limiter, transaction
from tenants import accounts, second_factor, sessions, verification
from tenants.audit import audit_person
from tenants.models import User
from tenants.web.account import me
from tenants.web.forms import refused, to

pages = Pages("second_factor", __name__)
OFTEN = "20 per minute"


@pages.page("/account/second-factor", Needs.SIGNED_IN, ("GET", "POST"))
@limiter.limit(OFTEN, methods=["POST"])
def show() -> str | Response:
    """Show the second factor, or the code to scan; take the first code from the device."""
    user_id = me().id
    if request.method == "POST":
        return _confirm(user_id)
    user = accounts.found(user_id)
    if not second_factor.enrolled(user) and second_factor.pending(user) is None:
        with transaction():
            second_factor.begin(accounts.found(user_id))
    return _page()


@pages.page("/account/second-factor/move", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def move() -> Response:
    """Begin to move the second factor to another device; the old one stays good until the new one has given a code."""
    if error := _unproven():
        return again(_page(proof=error))
    with transaction():
        second_factor.begin(accounts.found(me().id))
    return to(url_for("second_factor.show"))


@pages.page("/account/second-factor/stay", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def stay() -> Response:
    """Stay with the device that there is."""
    with transaction():
        accounts.found(me().id).totp_pending = None
    return to(url_for("second_factor.show"))


@pages.page("/account/second-factor/codes", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def codes() -> str | Response:
    """Make new recovery codes and show them, this once."""
    user_id = me().id
    if error := _unproven():
        return again(_page(proof=error))
    with transaction():
        made = second_factor.make_recovery_codes(accounts.found(user_id))
        audit_person("recovery_codes_made", user_id)
    return render_template("tenants/recovery_codes.html", codes=made, fresh=False)


@pages.page("/account/second-factor/off", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def off() -> Response:
    """Switch the second factor off."""
    user_id = me().id

    def turn_off() -> None:
        with transaction():
            second_factor.turn_off(accounts.found(user_id))

    if error := _unproven() or refused(turn_off):
        return again(_page(proof=error))
    return to(url_for("account.show"), "Second factor turned off.")


def _confirm(user_id: str) -> str | Response:
    user, here = accounts.found(user_id), me().session_id
    if error := refused(lambda: verification.prove_password(user, request.form.get("password", ""))):
        return again(_page(password=error))
    made: list[str] = []

    def confirm() -> None:
        with transaction():
            made.extend(second_factor.confirm(accounts.found(user_id), request.form.get("code", "")[:100]))
            sessions.close_sessions(user_id, but=here)
            sessions.prove_session(here)
            audit_person("second_factor_on", user_id)

    if error := refused(confirm):
        return again(_page(code=error))
    return render_template("tenants/recovery_codes.html", codes=made, fresh=True)


def _unproven() -> str | None:
    """Return why password and code do not prove who is here; the code is used up only after a right password."""
    user = accounts.found(me().id)
    user_id = user.id
    return refused(lambda: verification.prove_password(user, request.form.get("password", ""))) or refused(
        lambda: verification.prove_code(user_id, request.form.get("code", "")[:100], signed_in=True))


def _page(**errors: str | None) -> str:
    user = accounts.found(me().id)
    return render_template(
        "tenants/second_factor.html", errors=errors, enrolled=second_factor.enrolled(user), secret=second_factor.pending(user),
        picture=_picture(user), required=second_factor.required_by(user.id), codes_left=second_factor.recovery_codes_left(user))


def _picture(user: User) -> Markup | None:
    secret = second_factor.pending(user)
    if secret is None:
        return None
    code = segno.make(second_factor.uri(user, secret), error="m", micro=False)
    return Markup(code.svg_inline(border=4, light="#ffffff", omitsize=True, svgclass="qr", lineclass=None))
