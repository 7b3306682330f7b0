"""Who comes to a portal with a request: an account that has signed in there, or an admin who looks at it as a role."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, after_this_request, current_app, g, request, session, url_for

from core.api import App, Guest, MenuItem, NotFound, Visitor, documents, server, standing
from plugins.portal import sessions
from plugins.portal.rights import ACTOR, AS, rights_on
from plugins.portal.settings import Settings, of_body, settings_of
from tenants.service import is_closed

LOOKING = "portal_looking"
"""Where an admin's own session keeps as which role of which app they look at a portal."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has signed in to a portal: their session and their account."""

    session: str
    key: str
    name: str
    email: str


def guest_of(app: App) -> Guest | None:
    """Return how an app's portal receives whoever comes; None where it is closed. See the hook `guest`."""
    settings, role = settings_of(app), _looked_at(app)
    if role is not None:
        return None if is_closed(app.organization_id) else _looking(app, settings, role)
    if settings is None or is_closed(app.organization_id):
        return None
    found = signed_in(app)
    visitor = None if found is None else Visitor(person=f"{ACTOR}{found.key}", name=found.name or found.email, email=found.email)
    return _guest(app, settings, visitor, stop=url_for("portal_profile.sign_out", app_id=app.id), menu=(
        MenuItem("Your account", url_for("portal_profile.account", app_id=app.id)),))


def signed_in(app: App) -> SignedIn | None:
    """Return who has signed in to the portal with the current request; looked for once."""
    if "portal_signed_in" not in g:
        g.portal_signed_in = _find(app, request.cookies.get(cookie_of(app), "")[:100])
    found: SignedIn | None = g.portal_signed_in
    return found


def _find(app: App, token: str) -> SignedIn | None:
    found = sessions.find(app, token) if token else None
    if found is None:
        return None
    here, account = found
    person = SignedIn(here.id, account.key, account.name, account.email)
    sessions.seen(here)
    return person


def enter(app: App, settings: Settings, key: str) -> None:
    """Sign an account in with this browser, by a session that is new; one that was there ends. The caller owns the transaction."""
    before = signed_in(app)
    if before is not None:
        sessions.end(app, before.key, session=before.session)
    token = sessions.start(app, key, settings.hours, request.remote_addr or "", request.user_agent.string)
    sessions.note(app.id, key)
    name, path, secure = cookie_of(app), path_of(app), bool(current_app.config["SESSION_COOKIE_SECURE"])

    @after_this_request
    def _give(response: Response) -> Response:
        if response.status_code < 400:
            response.set_cookie(name, token, max_age=settings.hours * 3600, path=path, httponly=True, samesite="Lax", secure=secure)
        return response


def forget_here(app: App) -> None:
    """Have the browser forget its session."""
    name, path = cookie_of(app), path_of(app)

    @after_this_request
    def _take(response: Response) -> Response:
        response.delete_cookie(name, path=path)
        return response


def look_as(app: App, role: str) -> None:
    """Have the admin of this browser see the portal as a role, until they stop."""
    session[LOOKING] = [app.id, role]


def stop_looking() -> None:
    """Have nobody of this browser look at a portal as a role any more."""
    session.pop(LOOKING, None)


def cookie_of(app: App) -> str:
    """Return the name of the cookie that holds a portal's session."""
    return f"portal_{app.id}"


def path_of(app: App) -> str:
    """Return the address below which the cookie is sent: that of one portal, and of nothing else."""
    return f"{current_app.config['APPLICATION_ROOT'].rstrip('/')}/portal/{app.id}"


def _looked_at(app: App) -> str | None:
    """Return the key of the role as which an admin of the app looks at its portal; None for everybody else."""
    kept = session.get(LOOKING)
    if not isinstance(kept, list) or len(kept) != 2 or kept[0] != app.id:
        return None
    member = server().registry.hook.visitor()
    if member is None or member.detour is not None or not standing(app, member.person).admin:
        return None
    return str(kept[1])


def _looking(app: App, settings: Settings | None, role: str) -> Guest | None:
    try:
        name = str(documents.get(app, f"portal_role/{role}").body["name"])
    except NotFound:
        stop_looking()
        return None
    shown = settings if settings is not None else _of_closed(app)
    return _guest(app, shown, Visitor(person=f"{AS}{role}", name=name), stop=url_for("portal_door.stop_looking", app_id=app.id),
                  looking=name)


def _of_closed(app: App) -> Settings:
    """Return the settings of a portal as if it were open."""
    return of_body(app, documents.get(app, "portal/main").body)


def _guest(app: App, settings: Settings, visitor: Visitor | None, *, stop: str, menu: tuple[MenuItem, ...] = (),
           looking: str = "") -> Guest:
    look = settings.look
    return Guest(title=settings.title, sign_in_url=url_for("portal_door.sign_in", app_id=app.id), sign_out_url=stop, visitor=visitor,
                 logo_url=url_for("portal_door.picture", app_id=app.id, which="logo") if look.get("logo") else "",
                 colour=str(look.get("colour", "")), first_url=_first(app, settings, visitor), menu=menu, looking=looking)


def _first(app: App, settings: Settings, visitor: Visitor | None) -> str | None:
    """Return the address of the document that a visitor sees first, None where they may not see it."""
    if visitor is None or settings.home is None:
        return None
    given = rights_on(app, visitor.person, settings.home)
    if given is None or not given.may("see"):
        return None
    kind, _, key = settings.home.partition("/")
    return url_for("documents.show", app_id=app.id, kind=kind, key=key)
