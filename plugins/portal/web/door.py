"""The door of a portal: signing in, registering, invitations, a new password, the terms. Open to anybody.

No answer says whether somebody has an account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.api import (
    GUESTS,
    AppkeepError,
    InvalidInput,
    Needs,
    NotFound,
    Pages,
    again,
    current_app_row,
    documents,
    limiter,
    transaction,
    visit,
)
from plugins.portal import accounts, codes, guest
from plugins.portal.settings import Settings, of_body, settings_of
from plugins.portal.web.pictures import picture_of
from tenants.errors import ProofRefused
from tenants.signing_in import network_of
from tenants.web.forms import REFUSALS, local, to, typed

pages = Pages("portal_door", "plugins.portal", template_folder="templates")
OFTEN = "20 per minute; 200 per hour"
FORM_BYTES = 64 * 1024
WHAT = {codes.SIGN_IN: "Sign in", codes.REGISTER: "Finish your registration", codes.RESET: "Choose a new password"}
ASKED_AT = {codes.SIGN_IN: "portal_door.sign_in", codes.REGISTER: "portal_door.register", codes.RESET: "portal_door.forgotten"}
"""The page at which a code is asked for."""


@pages.page(f"{GUESTS}/sign-in", Needs.DOOR, ("GET", "POST"), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN, methods=["POST"])
def sign_in(app_id: str) -> str | Response:
    """Sign somebody in by their password, or mail them a code."""
    if visit().visitor is not None:
        return to(_onward())
    app, settings = current_app_row(), _settings()
    if request.method == "GET":
        return _sign_in_page(settings)
    if "code" in request.form or "password" not in settings.methods:
        if "email_code" not in settings.methods:
            raise NotFound("This portal sends no codes to sign in with.")
        return _asked(lambda: accounts.ask_to_sign_in(app, settings, typed("email")), codes.SIGN_IN, _sign_in_page)
    try:
        found = accounts.with_password(app, typed("email"), request.form.get("password", ""), network_of(request.remote_addr or ""))
        with transaction():
            guest.enter(app, settings, found.key)
    except REFUSALS as refused:
        return again(_sign_in_page(settings, refused.message))
    return to(_onward())


@pages.page(f"{GUESTS}/register", Needs.DOOR, ("GET", "POST"), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN, methods=["POST"])
def register(app_id: str) -> str | Response:
    """Ask who wants an account, and mail a code that makes it."""
    app, settings = current_app_row(), _settings()
    if not settings.registers:
        raise NotFound("Nobody can register here. Ask for an invitation.")
    if visit().visitor is not None:
        return to(_onward())
    if request.method == "GET":
        return _register_page(settings)
    return _asked(lambda: accounts.ask_to_register(app, settings, request.form), codes.REGISTER, _register_page)


@pages.page(f"{GUESTS}/password", Needs.DOOR, ("GET", "POST"), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN, methods=["POST"])
def forgotten(app_id: str) -> str | Response:
    """Mail a code to choose a new password with."""
    app, settings = current_app_row(), _settings()
    if "password" not in settings.methods:
        raise NotFound("This portal has no passwords.")
    if request.method == "GET":
        return _forgotten_page(settings)
    return _asked(lambda: accounts.ask_for_password(app, settings, typed("email")), codes.RESET, _forgotten_page)


@pages.page(f"{GUESTS}/code", Needs.DOOR, ("GET", "POST"), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN, methods=["POST"])
def code(app_id: str) -> str | Response:
    """Take a code that was mailed, and do what it was asked for."""
    app, settings = current_app_row(), _settings()
    asked = _read(request.form.get("asked", ""))
    if request.method == "GET" or asked is None:
        return to(url_for("portal_door.sign_in", app_id=app.id))
    token, purpose, email = asked
    try:
        if codes.tried(app, token, request.form.get("code", "")) is None:
            raise InvalidInput(codes.WRONG)
        with transaction():
            key = accounts.proved(app, settings, token, request.form.get("password", "")).key
    except REFUSALS as refused:
        return again(_code_page(token, purpose, email, refused.message))
    try:
        with transaction():
            guest.enter(app, settings, accounts.entering(accounts.by_key(app, key)).key)
    except ProofRefused as refused:
        heading = "Almost there" if purpose == codes.REGISTER else "You cannot sign in"
        return render_template("portal/told.html", heading=heading, message=refused.message)
    return to(_onward(), "Welcome." if purpose == codes.REGISTER else "Password saved." if purpose == codes.RESET else "")


@pages.page(f"{GUESTS}/invitation/<token>", Needs.DOOR, ("GET", "POST"), max_bytes=FORM_BYTES)
@limiter.limit(OFTEN)
def invitation(app_id: str, token: str) -> str | Response:
    """Show an invitation and take it: looking at it uses nothing up."""
    app, settings = current_app_row(), _settings()
    email = codes.invitation(app, token)
    if email is None:
        raise NotFound("This invitation was already used, was withdrawn, or has expired. Ask for a new one.")
    if request.method == "GET":
        return _invitation_page(settings, email)
    try:
        with transaction():
            key = accounts.accept(app, settings, token, request.form).key
            guest.enter(app, settings, key)
    except REFUSALS as refused:
        return again(_invitation_page(settings, email, refused.message))
    return to(_onward(), "Welcome.")


@pages.page(f"{GUESTS}/terms", Needs.DOOR)
def terms(app_id: str) -> str:
    """Show the terms of use."""
    settings = _settings()
    if not settings.terms:
        raise NotFound("This portal has no terms of use here.")
    return render_template("portal/terms.html", settings=settings)


@pages.page(f"{GUESTS}/picture/<which>", Needs.DOOR)
def picture(app_id: str, which: str) -> Response:
    """Give the portal's logo or cover."""
    return picture_of(_settings().look, which)


@pages.page(f"{GUESTS}/stop-looking", Needs.DOOR, ("POST",))
def stop_looking(app_id: str) -> Response:
    """Bring an admin who looked at the portal as a role back to where they manage it."""
    app, here = current_app_row(), visit().guest
    if here is None or not here.looking:
        return to(_onward())
    guest.stop_looking()
    return redirect(url_for("portal.portal", organization_id=app.organization_id, app_id=app.id))  # type: ignore[return-value]


def _settings() -> Settings:
    """Return the portal's settings; an admin who looks at one that is closed sees it as if it were open."""
    app = current_app_row()
    found = settings_of(app)
    return found if found is not None else of_body(app, documents.get(app, "portal/main").body)


def _asked(ask: Callable[[], str], purpose: str, page: Callable[[Settings, str], str]) -> str | Response:
    """Have a code mailed and ask for it; the same whether one was mailed or not."""
    try:
        with transaction():
            token = ask()
    except AppkeepError as refused:
        if refused.status >= 500:
            raise
        return again(page(_settings(), refused.message))
    return _code_page(token, purpose, typed("email"))


def _code_page(token: str, purpose: str, email: str, error: str | None = None) -> str:
    asked = _signer().dumps([token, purpose, email[:254]])
    return render_template("portal/code.html", asked=asked, email=email, error=error, what=WHAT[purpose], choose=purpose == codes.RESET,
                           next_url=request.values.get("next", ""), action=url_for("portal_door.code", app_id=current_app_row().id),
                           again_url=url_for(ASKED_AT[purpose], app_id=current_app_row().id))


def _read(text: str) -> tuple[str, str, str] | None:
    """Return (token, purpose, email) of a form that asks for a code; None for what is none of ours."""
    try:
        token, purpose, email = _signer().loads(text, max_age=codes.CODE_US // 1_000_000)
    except (BadSignature, ValueError, TypeError):
        return None
    return (str(token), str(purpose), str(email)) if purpose in WHAT else None


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=f"portal-code/{current_app_row().id}")


def _onward() -> str:
    """Return the address to go on to: a page of this portal that somebody wanted to see, or its start."""
    app_id = current_app_row().id
    start, wanted = f"/portal/{app_id}/", local(request.values.get("next"))
    return wanted if wanted.startswith(start) else url_for("apps.app_home", app_id=app_id)


def _sign_in_page(settings: Settings, error: str | None = None) -> str:
    return _page("sign_in", settings, error)


def _register_page(settings: Settings, error: str | None = None) -> str:
    return _page("register", settings, error)


def _forgotten_page(settings: Settings, error: str | None = None) -> str:
    return _page("forgotten", settings, error)


def _invitation_page(settings: Settings, email: str, error: str | None = None) -> str:
    return _page("invitation", settings, error, email=email)


def _page(name: str, settings: Settings, error: str | None, **more: Any) -> str:
    app_id = current_app_row().id
    cover = url_for("portal_door.picture", app_id=app_id, which="cover") if settings.look.get("cover") else None
    return render_template(f"portal/{name}.html", **{
        "settings": settings, "error": error, "email": typed("email"), "name": typed("name"), "next_url": request.values.get("next", ""),
        "cover_url": cover, "app_id": app_id, **more})
