"""The gate before every page: who may enter. A page that does not say what it needs is closed to everybody.

What somebody may not know of answers 404, the same as what does not exist; what they see and may not do answers 403.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, send_from_directory
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import Rule

from core.apps.permissions import standing
from core.apps.service import find, opened
from core.backups import browse
from core.backups.catalog import backup_if_there
from core.base import budget
from core.base.budget import Budget
from core.base.db import db, let_go
from core.base.errors import AppkeepError, Forbidden, NotFound
from core.extension.registry import LEFT_OUT
from core.server import server
from core.tenancy.plugin_states import note_failures
from core.tenancy.wall import as_tenant
from core.web.bearer import ScopeMissing, TokenNeeded, token_of
from core.web.protection import spend
from core.web.visit import Visit

log = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])
ORGANIZATION = "/o/<organization_id>"
"""What the addresses of an organization's pages begin with."""
APP = f"{ORGANIZATION}/apps/<app_id>"
"""What the addresses of an app's pages begin with."""
MANAGE = f"{APP}/manage"
"""What the addresses of the pages begin with on which an app is managed."""


BROWSE = f"{APP}/backups/<backup_id>/browse"
"""What the addresses begin with at which a backup of an app is looked at."""
GUESTS = "/portal/<app_id>"
"""What the addresses begin with at which an app receives people from outside its organization: guests."""
WITHOUT = "-"
"""What stands for the organization in a guest's address, which does not name it."""
MAX_BYTES = 16 * 1024 * 1024
MAX_GUEST_BYTES = 25 * 1024 * 1024
"""The most that a guest may send at once."""
GUEST_DAY_BYTES, GUESTS_DAY_BYTES = 250 * 1024 * 1024, 2 * 1024 * 1024 * 1024
"""How much one guest, and all guests of an app together, may send in a day: what they send counts to the organization's quota."""


class Needs(Enum):
    """Who may enter a page, from anybody to few."""

    NOTHING = "anybody, signed in or not"
    SIGNED_IN = "anybody who has signed in"
    MEMBER = "members of the organization"
    ORG_ADMIN = "owners and admins of the organization"
    OWNER = "owners of the organization"
    APP = "whoever sees the app"
    APP_ADMIN = "admins of the app"
    BACKUP = "admins of the app who are members of its organization"
    DOOR = "anybody who comes to an app that is open to guests"
    GUEST = "guests of the app who have signed in there"


TOKEN_REQUESTS = "600/minute"
"""How often one token is taken."""
BAD_TOKENS = "60/minute"
"""How often what is no token is looked up for one address."""
NO_GUESTS = "There is nothing at this address. Check it, or ask whoever gave it to you."


class SignInNeeded(AppkeepError):
    """Nobody has signed in with this request."""

    code, status, title = "sign_in_needed", 401, "Sign in first"


class Pages(Blueprint):
    """A blueprint whose every route says who may enter."""

    def page(self, rule: str, needs: Needs, methods: tuple[str, ...] = ("GET",), *, max_bytes: int | Callable[[], int] = MAX_BYTES,
             guests: bool = False, browse: bool = False, **options: Any) -> Callable[[View], View]:
        """Return a decorator that serves *rule* with a view, for those whom *needs* lets in.

        *max_bytes* is the most that may be sent to it, or tells it when asked; more is refused before it is read. A page of `Needs.APP`
        is served to *guests* too, at the same address behind `GUESTS`; no other page of members ever is. One that only shows what is in
        the app is served for *browse*, too: at the same address behind `BROWSE` it shows what a backup holds.
        """
        def decorate(view: View) -> View:
            view.needs, view.max_bytes = needs, max_bytes  # type: ignore[attr-defined]  # read by the gate
            view.takes_files = callable(max_bytes)  # type: ignore[attr-defined]  # read where pages are marked
            view.guests, view.browse = guests, browse  # type: ignore[attr-defined]  # read where addresses are built
            self.add_url_rule(rule, view_func=view, methods=methods, **options)
            if guests:
                if needs is not Needs.APP or not rule.startswith(APP):
                    raise RuntimeError(f"{rule} cannot be served to guests: only pages that need an app can.")
                self.add_url_rule(GUESTS + rule.removeprefix(APP), view_func=view, methods=methods,
                                  defaults={"organization_id": WITHOUT}, **options)
            if browse:
                if needs is not Needs.APP or not rule.startswith(APP) or "GET" not in methods:
                    raise RuntimeError(f"{rule} cannot be browsed: only pages that need an app, and show something, can.")
                self.add_url_rule(BROWSE + rule.removeprefix(APP), view_func=view, methods=("GET",), **options)
            return view

        return decorate

    def statics(self, folder: Path, path: str) -> None:
        """Serve the files of style and script in a folder at "/static/<path>/<name>", to anybody, as the endpoint "static".

        In templates: ``url_for("<blueprint>.static", name="grid.css")``; the address carries a digest of the file.
        """
        def static(name: str) -> Response:
            return send_from_directory(folder, name)

        static.assets = folder  # type: ignore[attr-defined]  # read where addresses get their digest
        self.page(f"/static/{path}/<path:name>", Needs.NOTHING)(static)


def guard(app: Flask) -> None:
    """Put the gate before every request of the application."""
    app.before_request(enter)
    app.url_defaults(lead_guests)
    app.url_defaults(lead_browsing)
    app.teardown_request(leave)


def enter() -> Response | None:
    """Let the request in, or refuse it.

    Raises:
        SignInNeeded, NotFound, Forbidden: see `Needs`.
    """
    g.visit = visit = Visit()
    _begin_budget()
    if request.endpoint is None or request.endpoint == "static":
        return None
    if "\0" in request.path or any("\0" in value for values in request.args.listvalues() for value in values):
        raise NotFound("Page not found.")  # nothing is called so, and PostgreSQL cannot even be asked
    if getattr(current_app.blueprints.get(request.blueprint or ""), "plugin", "") in LEFT_OUT:
        raise NotFound("Page not found.")
    view = current_app.view_functions[request.endpoint]
    needs = needs_of(view, request.url_rule)
    if needs is None:
        raise RuntimeError(f"The page {request.endpoint} does not say who may enter.")
    most = getattr(view, "max_bytes", MAX_BYTES)
    request.max_content_length = most() if callable(most) else most
    if needs in (Needs.DOOR, Needs.GUEST) or WITHOUT in ((request.url_rule and request.url_rule.defaults) or {}).values():
        _enter_as_guest(visit, needs)
        return None
    if (operation := getattr(view, "operation", None)) is not None:
        if needs is not Needs.NOTHING:
            _enter_with_token(visit, needs, operation.scope)
        return None
    visit.visitor = server().registry.hook.visitor()
    if needs is Needs.NOTHING:
        return None
    if visit.visitor is None:
        raise SignInNeeded("Sign in to see this page.")
    if visit.visitor.detour is not None and visit.visitor.detour != request.path:
        return redirect(visit.visitor.detour)  # type: ignore[return-value]
    if needs is not Needs.SIGNED_IN:
        _enter_organization(visit, needs, (request.view_args or {})["organization_id"])
    if is_browsed(request.url_rule):
        _enter_backup(visit, request.view_args or {})
    return None


def is_browsed(rule: Rule | None) -> bool:
    """Say whether an address is one at which a backup is looked at."""
    return rule is not None and rule.rule.startswith(BROWSE)


def needs_of(view: Callable[..., Any], rule: Rule | None) -> Needs | None:
    """Return who may enter a page at one of its addresses; None where it does not say so."""
    needs: Needs | None = getattr(view, "needs", None)
    return Needs.BACKUP if needs is Needs.APP and is_browsed(rule) else needs


def _enter_backup(visit: Visit, names: dict[str, Any]) -> None:
    """Have the rest of the request read what a backup of the app holds, instead of the app.

    Raises:
        NotFound: the app has no such backup.
    """
    app, backup = visit.app, backup_if_there(names.pop("backup_id"))
    if app is None or backup is None or backup.app_id != app.id:
        raise NotFound("Backup not found. It may have been deleted.")
    visit.browsed = visit.scopes.enter_context(browse.opened(app, backup))
    visit.app = visit.browsed.app
    visit.standing = standing(visit.app, visit.person)


def leave(_error: BaseException | None = None) -> None:
    """Close what the request opened. The answer is made: whatever fails here is logged, and the connection let go."""
    visit: Visit | None = g.get("visit")
    try:
        if visit is not None:
            visit.scopes.close()
        db.session.rollback()
        note_failures()
    except SQLAlchemyError as error:
        log.warning("%s %s: its connection was lost: %s", request.method, request.path, error)
        let_go()
    budget.end()


def _begin_budget() -> None:
    """Begin what the request may do. One that changes something has no clock: it must not end after it was saved, before it says so."""
    config, reads = server().config, request.method in ("GET", "HEAD")
    time_s, slow_s = (config.request_time_s, config.request_slow_s) if reads else (math.inf, math.inf)
    budget.begin(Budget(config.request_work_count, server().slots, time_s=time_s, slow_s=slow_s))


def _enter_with_token(visit: Visit, needs: Needs, scope: str) -> None:
    """Let a program in that shows a token: as the person it belongs to, in its organization, as far as its scopes reach.

    Raises:
        TokenNeeded, ScopeMissing, TooMany, NotFound, Forbidden: see above, and `Needs`.
    """
    token = token_of(request.headers.get("Authorization", ""))
    bearer = server().registry.hook.bearer(token=token) if token is not None else None
    if bearer is None:
        spend(BAD_TOKENS, f"token-refused/{request.remote_addr}")
        raise TokenNeeded("Send a token that is good, as the header “Authorization: Bearer akt_…”. It may have expired or been removed; "
                          "make one under Your account › API tokens.")
    spend(TOKEN_REQUESTS, f"token/{bearer.token_id}")
    visit.bearer, visit.visitor = bearer, bearer.visitor
    if scope and scope not in bearer.scopes:
        raise ScopeMissing(f"This needs a token with the scope “{scope}”. “{bearer.token_name}” has: {', '.join(sorted(bearer.scopes))}.",
                           scope=scope)
    if bearer.visitor.detour is not None:
        raise Forbidden("The organization asks for a second factor, which you have not set up. Sign in in a browser and set it up first.")
    _enter_organization(visit, needs, bearer.organization_id)


def _enter_organization(visit: Visit, needs: Needs, organization_id: str) -> None:
    names = request.view_args or {}
    visit.organization_id = organization_id
    visit.role = server().registry.hook.role_in_organization(organization_id=organization_id, person=visit.person)
    visit.scopes.enter_context(as_tenant(organization_id))
    if (mine := budget.current()) is not None:
        mine.enter(organization_id)
    if "app_id" in names:
        _enter_app(visit, needs, names["app_id"])
        return
    if visit.role is None and needs is not Needs.SIGNED_IN:
        raise NotFound("Page not found.")
    if (needs is Needs.OWNER and visit.role != "owner") or (needs is Needs.ORG_ADMIN and not visit.manages_organization):
        raise Forbidden("Only owners and admins of the organization can open this page.")


def _enter_as_guest(visit: Visit, needs: Needs) -> None:
    """Let a guest of an app in; an app that is not open to guests is not there.

    Raises:
        NotFound, SignInNeeded, Forbidden: see `Needs`.
    """
    names = request.view_args or {}
    request.max_content_length = min(request.max_content_length or MAX_GUEST_BYTES, MAX_GUEST_BYTES)
    try:
        app = visit.scopes.enter_context(opened(names["app_id"]))
    except NotFound:
        raise NotFound(NO_GUESTS) from None
    visit.organization_id = app.organization_id
    if (mine := budget.current()) is not None:
        mine.enter(app.organization_id)
    guest = server().registry.hook.guest(app=app)
    if guest is None:
        raise NotFound(NO_GUESTS)
    visit.app, visit.guest, visit.visitor = app, guest, guest.visitor
    if "organization_id" in names:
        names["organization_id"] = app.organization_id
    if needs is Needs.DOOR:
        return
    if visit.visitor is None:
        raise SignInNeeded("Sign in to see this page.")
    if request.method not in ("GET", "HEAD"):
        _count(visit.visitor.person, app.id)
    visit.standing = standing(app, visit.visitor.person)
    if not visit.standing.sees:
        raise NotFound(NO_GUESTS)
    if guest.looking and request.method not in ("GET", "HEAD"):
        raise Forbidden(f"You are looking at the portal as {guest.looking}. Nothing can be changed here.")


def _count(person: str, app_id: str) -> None:
    """Bound how often a guest sends something, and how much they, and all guests of the app together, send a day."""
    spend("60/minute", f"guest/{person}")
    spend("2000/day", f"guest/{person}")
    size = request.content_length if request.content_length is not None else MAX_GUEST_BYTES
    spend(f"{GUEST_DAY_BYTES}/day", f"guest-bytes/{person}", size)
    spend(f"{GUESTS_DAY_BYTES}/day", f"guests-bytes/{app_id}", size)


def lead_guests(endpoint: str, names: dict[str, Any]) -> None:
    """Have the addresses on a guest's page lead to the pages for guests."""
    visit: Visit | None = g.get("visit")
    if visit is None or visit.guest is None or visit.app is None or names.get("app_id") != visit.app.id:
        return
    if "organization_id" in names and getattr(current_app.view_functions.get(endpoint), "guests", False):
        names["organization_id"] = WITHOUT


def lead_browsing(endpoint: str, names: dict[str, Any]) -> None:
    """Have the addresses on a page that shows a backup lead to pages that show it, but for those that are given None as *backup_id*."""
    visit: Visit | None = g.get("visit")
    if visit is None or visit.browsed is None or names.get("app_id") != visit.browsed.app.id:
        return
    if getattr(current_app.view_functions.get(endpoint), "browse", False):
        names.setdefault("backup_id", visit.browsed.backup.id)


def _enter_app(visit: Visit, needs: Needs, app_id: str) -> None:
    app = find(app_id)
    here = standing(app, visit.person)
    if not here.sees and not (needs is Needs.ORG_ADMIN and visit.manages_organization):
        raise NotFound(f"There is no app “{app_id[:40]}”.")  # word for word what `find` says of an app that does not exist
    visit.app, visit.standing = app, here  # not before: a refusal is shown in the same shell, which names the app
    if needs in (Needs.APP_ADMIN, Needs.BACKUP) and not here.admin:
        raise Forbidden("Only admins of the app can open this page.")
    if needs is Needs.BACKUP and not here.member:
        raise Forbidden("Backups are for app admins who are active members of the organization.")
    if (needs is Needs.OWNER and visit.role != "owner") or (needs is Needs.ORG_ADMIN and not visit.manages_organization):
        raise Forbidden("Only owners and admins of the organization can open this page.")
    if needs is Needs.MEMBER and not here.member:
        raise Forbidden("Only members of the organization can open this page.")
