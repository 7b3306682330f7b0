"""General settings: what the app is called and what it looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, flash, render_template, request

from core.api import (
    APP,
    ICONS,
    MANAGE,
    SHOWN_TYPES,
    SINGLE,
    Document,
    InvalidInput,
    Needs,
    NotFound,
    again,
    current_app_row,
    digest,
    documents,
    is_sign,
    placing,
    put_picture,
    read_file,
    transaction,
    visit,
)
from plugins.settings import app_look
from plugins.settings.typed_names import checked, checked_text
from plugins.settings.web.blueprint import pages, seen_another, to, typed

ADDRESS = f"app/{SINGLE}"
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
STALE = "Somebody else changed these settings. Your changes are still here; save again to replace theirs."


@pages.page(f"{MANAGE}/app/main", Needs.APP_ADMIN, ("GET", "POST"), endpoint="app")
@pages.page(f"{MANAGE}/settings", Needs.APP_ADMIN, ("GET", "POST"))
def general(organization_id: str, app_id: str) -> str | Response:
    """Show the app's name, look and description, and change them."""
    document = documents.get(current_app_row(), ADDRESS)
    if request.method == "GET":
        return _page(document, document.body)
    errors = {"form": STALE} if seen_another(document) else {}
    body = _read(document.body, errors)
    if errors:
        return again(_page(document, {**document.body, **body}, errors))
    with transaction():
        placing.put_body(current_app_row(), document, {name: value for name, value in body.items() if value}, visit().person)
    flash("Settings saved.", "good")
    return to("general")


def _page(document: Document, body: Mapping[str, Any], errors: Mapping[str, str] = {}) -> str:
    return render_template("settings/general.html", body=body, icons=ICONS, errors=errors, seen=digest(document.body))


def _read(body: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    """Return the body that the form says, as far as it fits; what does not is told in *errors*, by field."""
    readers: dict[str, Callable[[], Any]] = {
        "name": lambda: checked(typed("name"), "an app name"), "description": lambda: checked_text(typed("description"), 5000),
        "colour": _colour, "icon": lambda: body.get("icon") if errors else _icon(body)}  # a picture is kept once all else fits
    found = dict(body)
    for field, read in readers.items():
        try:
            found[field] = read()
        except InvalidInput as refused:
            errors[field], found[field] = refused.message, body.get(field) if field == "icon" else typed(field)
    return found


@pages.page(f"{APP}/icon", Needs.APP, browse=True)
def picture(organization_id: str, app_id: str) -> Response:
    """Give the picture that is the app's icon."""
    icon = documents.get(current_app_row(), ADDRESS).body.get("icon")
    if not isinstance(icon, Mapping) or icon["type"] not in SHOWN_TYPES:
        raise NotFound("The app has no picture.")
    response = Response(b"".join(read_file(icon["file"])), mimetype=icon["type"])
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _icon(body: Mapping[str, Any]) -> Any:
    """Return the icon that the form says: an uploaded picture, a drawing, a sign that was typed, what was there, or none."""
    sent = request.files.get("picture")
    if sent is not None and sent.filename:
        return put_picture(current_app_row().id, sent.stream, sent.filename, limit_bytes=app_look.MAX_PICTURE_BYTES)  # type: ignore[arg-type]  # werkzeug's IO[bytes]
    chosen, sign = typed("icon"), typed("sign").strip()
    if chosen == "keep":
        return body.get("icon")
    if chosen == "sign":
        if sign and not is_sign(sign):
            raise InvalidInput("Enter one emoji.")
        return sign
    return chosen if chosen in ICONS else None


def _colour() -> str | None:
    return typed("colour") if "coloured" in request.form and _COLOUR.match(typed("colour")) else None
