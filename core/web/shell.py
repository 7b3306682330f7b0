"""The shell around every page: what templates may call, and the navigation beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from unicodedata import bidirectional

from flask import Flask, g, url_for
from markupsafe import Markup, escape

from core.backups.base import scan_sentence
from core.base import budget
from core.base.text import size_text, straight
from core.server import VERSION, server
from core.tenancy.models import App
from core.tenancy.wall import tenant
from core.tenancy.zones import zone_named
from core.web.icons import Look, app_mark, icon, look_of
from core.web.menu import MenuItem
from core.web.visit import Visit

FROM_RIGHT = {"R", "AL", "AN"}
"""The classes of Unicode's characters that are read from right to left, and of the digits among them."""
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""A time as messages have it (`core.base.time.iso`)."""


def register(app: Flask) -> None:
    """Give templates what they need."""
    app.jinja_env.filters.update(size=size_text, when=when, dated=dated, ago=ago, initials=initials, isolated=isolated)
    app.jinja_env.globals.update(document_url=document_url, edit_url=edit_url, person=person, hue=hue, icon=icon,
                                 look_of=look_of, app_sign=app_sign, scan_sentence=scan_sentence)
    app.context_processor(_common)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _common() -> dict[str, Any]:
    visit: Visit | None = g.get("visit")
    return {"visit": visit, "visitor": visit.visitor if visit else None, "version": VERSION, "cut_notes": _cut_notes(),
            **({"sign_out_url": visit.guest.sign_out_url} if visit and visit.guest else {}),
            **(_menus(visit.app) if visit and visit.app and visit.standing else {"app_menu": (), "mobile_menu": ()})}


def _cut_notes() -> list[str]:
    """Return what the page must say was left out for want of work; more may come while it is rendered."""
    mine = budget.current()
    return [] if mine is None else mine.notes


def _menus(app: App) -> dict[str, Iterable[MenuItem]]:
    hook = server().registry.hook
    return {"app_menu": [item for items in hook.app_menu(app=app) for item in items],
            "mobile_menu": [item for items in hook.mobile_menu(app=app) for item in items]}


def app_sign(app: App, look: Look | None = None) -> Markup:
    """Return what stands beside an app's name."""
    return app_mark(app, initials(app.name), hue(app.id), look)


def document_url(address: str, app_id: str | None = None) -> str:
    """Return the address of the page that shows a document, "worksheet/w_…" or "page/p_…"."""
    kind, key = address.split("/")[:2]
    return url_for("documents.show", organization_id=tenant(), app_id=app_id or g.visit.app.id, kind=kind, key=key)


def edit_url(address: str) -> str:
    """Return the address of the page that edits a document."""
    kind, key = address.split("/")[:2]
    return url_for("documents.edit", organization_id=tenant(), app_id=g.visit.app.id, kind=kind, key=key)


def person(person_id: str) -> str:
    """Return what a person is called."""
    if person_id == "system":
        return "Appkeep"
    return server().registry.hook.person_name(organization_id=tenant(), person=person_id) or "Former user"


def when(time_us: int | None, zone: str | None = None, *, exact: bool = False, short: bool = False) -> Markup:
    """Return a time for people in the organization's zone, *exact* to the second or *short*: without its day."""
    if time_us is None:
        return Markup("–")
    moment = datetime.fromtimestamp(time_us / 1_000_000, UTC)
    local = moment.astimezone(zone_named(zone or _zone()))
    return Markup(f'<time datetime="{moment.isoformat(timespec="seconds")}" title="{escape(local.strftime("%c %Z"))}">'
                  f'{_told(local, exact=exact, short=short)}</time>')


def _told(local: datetime, *, exact: bool, short: bool) -> str:
    """Return a time as cells have it: "2 Jan 2026, 09:05"."""
    clock = f"{local:%H:%M:%S}" if exact else f"{local:%H:%M}"
    return clock if short else f"{local.day} {local:%b} {local.year}, {clock}"


def dated(text: str) -> Markup:
    """Return a message with its times as people read them, in the organization's time zone; a name in it turns nothing else."""
    text, pieces, last = straight(text), [], 0
    for found in _MOMENT.finditer(text):
        pieces += [escape(text[last:found.start()]), _moment(found[0])]
        last = found.end()
    return Markup("").join([*pieces, escape(text[last:])])


def isolated(name: object) -> Markup:
    """Return a name for a sentence in an attribute, where no element can hold it: from right to left, it turns nothing around it.

    One that goes from left to right, as the pages do, stays as it is.
    """
    text = escape(name)
    plain = Markup(straight(str(text)))
    if not any(bidirectional(char) in FROM_RIGHT for char in plain):
        return plain
    return Markup("\u2068{}\u2069").format(plain)


def _moment(text: str) -> Markup:
    try:
        return when(int(datetime.fromisoformat(text).timestamp()) * 1_000_000, exact=True)
    except ValueError:
        return escape(text)


def ago(seconds: float) -> str:
    """Return a length of time as people say it: "4 min"."""
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word}"
    return f"{int(seconds)} s"


def _zone() -> str:
    visit: Visit | None = g.get("visit")
    if visit is None or visit.organization_id is None:
        return "UTC"
    found: str | None = server().registry.hook.organization_time_zone(organization_id=visit.organization_id)
    return found or "UTC"


def initials(name: str) -> str:
    """Return one or two letters that stand for a name."""
    words = [word for word in name.replace("@", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(text: str) -> int:
    """Return a colour's angle that belongs to a text, the same each time."""
    return sum((n + 1) * ord(char) for n, char in enumerate(text[:40])) * 47 % 360
