"""Pages on the public links of a worksheet, for admins of its app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, flash, render_template, request, url_for

from core.api import (
    InvalidInput,
    Needs,
    NotFound,
    again,
    current_app_row,
    now_us,
    server,
    transaction,
    visit,
    zone_of,
)
from plugins.worksheets.fields import fields_of
from plugins.worksheets.models import PublicLink
from plugins.worksheets.public import links
from plugins.worksheets.structure.blueprint import SHEET, pages, sheet_document, to, url

__all__ = ["pages"]
ONE = f"{SHEET}/link/<link>"
LINKABLE = ("form", "grid", "gallery", "kanban", "calendar", "timeline")


@pages.page(f"{SHEET}/links", Needs.APP_ADMIN, ("GET", "POST"))
def public_links(organization_id: str, app_id: str, key: str) -> str | Response:
    """List the public links of a worksheet, and make one of a view."""
    sheet, app = sheet_document(key), current_app_row()
    if request.method == "POST":
        with transaction():
            made = links.create(app, key, request.form.get("view", ""), visit().person).key
        flash("The link was created. It is closed until you open it.", "good")
        return to(url("public_link", key=key, link=made))
    views = {one["key"]: one for one in sheet.body.get("views", ()) if one["type"] in LINKABLE}
    found = [(one, views.get(one.view), links.why_closed(one, now_us())) for one in links.listed(app, key)]
    return render_template("structure/links.html", sheet=sheet, links=found, views=list(views.values()))


@pages.page(ONE, Needs.APP_ADMIN, ("GET", "POST"))
def public_link(organization_id: str, app_id: str, key: str, link: str) -> str | Response:
    """Show a link's address and settings, and change them."""
    sheet, app, error = sheet_document(key), current_app_row(), None
    found = _of(key, link)
    if request.method == "POST":
        try:
            with transaction():
                links.change(app, link, **_given(found))
            flash("Saved.", "good")
            return to(url("public_link", key=key, link=link))
        except InvalidInput as refused:
            error = refused.message
            found = _of(key, link)
    view = next((one for one in sheet.body.get("views", ()) if one["key"] == found.view), None)
    fields = fields_of(sheet.body, stored=False)
    shown = links.shown_fields(fields, view, found) if view is not None else []
    asked = links.columns_of(fields, view) if view is not None and view["type"] != "form" else [
        str(one["field"]["ref"]).rpartition("/")[2] for one in ((view or {}).get("form") or {}).get("fields", ())]
    page = render_template(
        "structure/link.html", sheet=sheet, link=found, view=view, error=error, closed=links.why_closed(found, now_us()),
        address=server().config.address + url_for("public.opened", at=app_id, token=links.token_of(found)),
        left_out=[fields[one].name for one in asked if one in fields and one not in shown],
        emails=[(one.key, one.name) for one in fields.values() if one.type.name == "email" and one.key in shown],
        times={name: _local(getattr(found, name)) for name in ("opens_at", "closes_at")})
    return again(page) if error else page


@pages.page(f"{ONE}/open", Needs.APP_ADMIN, ("POST",))
def open_link(organization_id: str, app_id: str, key: str, link: str) -> Response:
    """Open a link, or close it."""
    _of(key, link)
    on = request.form.get("on") == "1"
    with transaction():
        links.change(current_app_row(), link, is_open=on)
    flash("The link is open: anyone who has it can use it." if on else "The link is closed.", "good")
    return to(url("public_link", key=key, link=link))


@pages.page(f"{ONE}/renew", Needs.APP_ADMIN, ("POST",))
def renew_link(organization_id: str, app_id: str, key: str, link: str) -> Response:
    """Give a link a new address."""
    _of(key, link)
    with transaction():
        links.renew(current_app_row(), link)
    flash("The link has a new address. The previous one no longer works.", "good")
    return to(url("public_link", key=key, link=link))


@pages.page(f"{ONE}/remove", Needs.APP_ADMIN, ("POST",))
def remove_link(organization_id: str, app_id: str, key: str, link: str) -> Response:
    """Remove a link."""
    _of(key, link)
    with transaction():
        links.remove(current_app_row(), link)
    flash("The link was deleted.", "good")
    return to(url("public_links", key=key))


def _of(key: str, link: str) -> PublicLink:
    found = links.find(current_app_row(), link)
    if found.worksheet != key:
        raise NotFound("This public link no longer exists.")
    return found


def _given(link: PublicLink) -> dict[str, Any]:
    form = request.form
    most = form.get("most", "").strip()
    if most and not (most.isascii() and most.isdecimal() and len(most) < 10):
        raise InvalidInput("The limit is a whole number from 1.")
    given: dict[str, Any] = {
        "opens_at": _moment(form.get("opens_at", "")), "closes_at": _moment(form.get("closes_at", "")),
        "most": int(most) if most else None, "files": "files" in form,
        "embedded": "embedded" in form, "receipt": form.get("receipt", "")[:40] or None}
    if form.get("password") or "no_password" in form:
        given["password"] = "" if "no_password" in form else form["password"]
    return given


def _moment(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return int(found.replace(tzinfo=zone_of(current_app_row().organization_id)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise InvalidInput("Enter a date and time, such as 2026-11-28 09:00.") from None


def _local(at: int | None) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(zone_of(current_app_row().organization_id)).strftime("%Y-%m-%dT%H:%M")
