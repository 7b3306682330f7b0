"""How a request is answered that was refused: a page or its form for people, a notice for a part of a page, JSON for programs."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, PendingRollbackError
from werkzeug.exceptions import HTTPException

from core.base import budget
from core.base.budget import BudgetSpent, ServerBusy
from core.base.content import BrowsingFailed
from core.base.db import is_outage, let_go
from core.base.errors import AppkeepError, AppRestoring, Conflict, DatabaseUnavailable, InvalidInput, StoreUnavailable
from core.objects.reader import note_lost
from core.server import server
from core.web import kept
from core.web.gate import SignInNeeded
from core.web.visit import Guest

PROBLEM = "application/problem+json"
PASSING = (429, 500, 503)
"""What passes by itself: the same form may be taken a moment later."""
log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Turn errors into answers, all in one place."""
    app.register_error_handler(AppkeepError, refuse)
    app.register_error_handler(SignInNeeded, ask_to_sign_in)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _not_storable)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PendingRollbackError, _database)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Say whether the other side is a program."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM])
    return request.path.startswith("/api/") or best in ("application/json", PROBLEM)


def is_partial() -> bool:
    """Say whether a part of a page is asked for, not a whole one."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def refuse(error: AppkeepError) -> Response:
    """Answer a refusal (RFC 9457 for programs)."""
    if isinstance(error, BudgetSpent):
        let_go()  # a statement may have been cut off
    budget.end()  # saying so takes little
    if error.status >= 500 and not isinstance(error, ServerBusy):
        log.error("%s %s: %s: %s", request.method, request.path, error.code, error.message)
        note_lost(error)
    if isinstance(error, BrowsingFailed) and error.__cause__ is not None:
        note_lost(error.__cause__)
    if wants_json():
        response = jsonify({"type": f"urn:appkeep:{error.code}", **error.as_dict(), "instance": request.path})
        response.mimetype = PROBLEM
    elif is_partial():
        response = make_response(render_template("notice.html", kind="bad", message=error.message))
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "beforeend"
    else:
        response = make_response(_error_page(error))
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _error_page(error: AppkeepError) -> str:
    """Return the page that says what was refused; a plain one where what stands around it cannot be made either."""
    try:
        return render_template("error.html", error=error, **_typed_for(error))
    except Exception:
        log.exception("%s %s: what stands around the page of an error failed too", request.method, request.path)
        let_go()
        return _plain_page(error)


def _plain_page(error: AppkeepError) -> str:
    """Return a page that asks nobody anything: what other pages are given (menus, what is unread) is read from the database."""
    return current_app.jinja_env.get_template("away.html").render(error=error, **_typed_for(error))


def _typed_for(error: AppkeepError) -> dict[str, Any]:
    """Return what a page of an error shows of the form that it refuses: what was typed, and whether it may soon be taken."""
    found = kept.refused()
    passing = error.status in PASSING or isinstance(error, AppRestoring)
    back_url = kept.came_from() if request.method == "POST" else ""
    return {"kept": found, "again": found is not None and found.whole and passing, "back_url": back_url}


def status_within(error: AppkeepError) -> int:
    """Return the status of a page that tells an error itself: what is wrong with a backup is not the server's failure; an outage is."""
    return error.status if error.status < 500 or error.status == StoreUnavailable.status else Conflict.status


def ask_to_sign_in(error: AppkeepError) -> Response:
    """Send people to the page to sign in at, with what they had typed; answer programs 401."""
    if wants_json():
        return refuse(error)
    hook, guest = server().registry.hook, g.visit.guest
    if guest is not None:
        return _ask_guest_to_sign_in(guest)
    if is_partial():
        return _told_in_place(401, hook.sign_in_url(next_url=url_for("home.signed_in")))
    back = request.full_path.rstrip("?") if request.method == "GET" else kept.came_from()
    form = kept.keep()
    page = hook.sign_in_page(next_url=back, kept=form) if form else None
    if page is not None:
        return make_response(page, error.status)
    url = hook.sign_in_url(next_url=back)
    if url is None:
        return refuse(error)
    if request.method != "GET":
        flash("You were signed out. Nothing was saved.", "warn")
    return redirect(url)  # type: ignore[return-value]


def _ask_guest_to_sign_in(guest: Guest) -> Response:
    """Send a guest to the page to sign in at; what they typed stays: in a part of a page where it is, else to be copied."""
    if is_partial():
        return _told_in_place(401, guest.sign_in_url)
    if kept.refused() is not None:
        return refuse(_Plain("sign_in_needed", 401, "You are signed out",
                             "You are signed out, so nothing was saved. What you typed is below: copy it before you sign in again."))
    back = request.full_path.rstrip("?") if request.method == "GET" else kept.came_from()
    if request.method != "GET":
        flash("You were signed out. Nothing was saved.", "warn")
    return redirect(f"{guest.sign_in_url}?{urlencode({'next': back})}")  # type: ignore[return-value]


def _told_in_place(status: int, sign_in_url: str | None) -> Response:
    """Say beside what was typed into a page that its session is over; without an address to sign in at, that it was another."""
    page = render_template("signed_out.html", sign_in_url=sign_in_url, stale=sign_in_url is None)
    return make_response(page, status, {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"})


def send_kept(text: str, why: str, back_url: str) -> Response | None:
    """Return the page that sends a form again which was kept, None where the text holds none."""
    found = kept.read(text)
    return make_response(render_template("kept.html", kept=found, why=why, back_url=back_url)) if found is not None else None


def again(page: str) -> Response:
    """Answer a form that was refused with the form, which says what is wrong beside its fields."""
    return make_response(page, InvalidInput.status)


class _Plain(AppkeepError):
    """An error of HTTP itself, in the words of ours."""

    def __init__(self, code: str, status: int, title: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.title = code, status, title  # type: ignore[misc]


WORDS = {
    404: ("not_found", "Not found", "Page not found. Check the address, or go back to your apps."),
    405: ("method_not_allowed", "Not possible", "This address does not accept this kind of request."),
    413: ("too_large", "Too large", "What you sent is larger than this page accepts."),
    429: ("too_many", "Too many requests", "Too many attempts. Wait a minute and try again."),
}


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    code, title, message = WORDS.get(error.code, ("bad_request", error.name, error.description or error.name))
    if error.code == 404 and request.path.startswith("/api/"):
        message = "Nothing is at this address. The API’s document, /api/v1/openapi.json, has all that there are."
    response = refuse(_Plain(code, error.code, title, message))
    if error.code == 429:
        response.headers.setdefault("Retry-After", "60")
    return response


def _forged(_error: CSRFError) -> Response:
    here, own = g.get("visit"), kept.is_our_own()
    if own and here is not None and here.visitor is not None and not wants_json():
        # Sent by a page of ours that was opened before somebody signed in anew: a click sends it with the token of now.
        if is_partial():
            return _told_in_place(400, None)
        page = send_kept(kept.keep() or "", "You signed in again after opening this page, so nothing was saved.", kept.came_from())
        if page is not None:
            page.status_code = 400
            return page
    return refuse(_Plain("forgery_refused", 400, "Please try again",
                         "The page was open for too long, or the request came from another site. Reload the page."))


def _not_storable(error: DataError) -> Response:
    log.warning("%s %s sent what the database does not take: %s", request.method, request.path, error.orig)
    return refuse(InvalidInput("A value is too long or has characters that cannot be stored. Nothing was changed."))


def _database(error: Exception) -> Response:
    """Answer where the database is away, or kept busy, with a page that asks it nothing."""
    if not is_outage(error):
        return _unexpected(error)
    let_go()
    log.warning("%s %s met an outage of the database: %s", request.method, request.path, getattr(error, "orig", error))
    return _plainly(DatabaseUnavailable("The server cannot reach its database or is very busy. Nothing was changed. "
                                        "Try again in a moment."))


def _plainly(error: AppkeepError) -> Response:
    page = None if wants_json() or is_partial() else _plain_page(error)
    response = refuse(error) if page is None else make_response(page, error.status)
    response.headers["Retry-After"] = "10"
    return response


def _unexpected(error: Exception) -> Response:
    plugin = getattr(current_app.blueprints.get(request.blueprint or ""), "plugin", "")
    log.exception("%s %s failed%s", request.method, request.path, f" in the plugin {plugin}" if plugin else "")
    let_go()
    return refuse(_Plain("internal_error", 500, "Something went wrong",
                         "An unexpected error was written to the server’s log. Your change was not saved; please try again."))
