"""What the pages of tenants share: doing something that may be refused, where to go on to, links to pass on."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response, flash, redirect, request, session

from core.api import Conflict, InvalidInput, transaction
from tenants import mail
from tenants.errors import Locked, ProofRefused

REFUSALS = (InvalidInput, Conflict, ProofRefused, Locked)
_LINK = "link_to_pass_on"


def refused(act: Callable[[], object]) -> str | None:
    """Do something and return the sentence with which it was refused, None when it was done."""
    try:
        act()
    except REFUSALS as error:
        return error.message
    return None


def refused_change(act: Callable[[], object]) -> str | None:
    """Do something in a transaction of its own, see `refused`."""
    def inside() -> None:
        with transaction():
            act()

    return refused(inside)


def typed(name: str) -> str:
    """Return what was typed into a field of the form, without spaces around it."""
    return request.form.get(name, "").strip()


def number(text: str | None) -> int | None:
    """Return the number that an address carries, None for what is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def to(url: str, told: str = "") -> Response:
    """Send the browser on to a page of ours, which says what was done."""
    if told:
        flash(told, "good")
    return redirect(url)  # type: ignore[return-value]


def local(target: str | None) -> str:
    """Return an address of this server to go on to; what leads elsewhere leads to the start instead.

    Browsers read a backslash as a slash and leave tabs and line ends out, so that ``/\\t/evil`` would be ``//evil``.
    """
    target = target or "/"
    if not target.startswith("/") or target.startswith("//") or "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc or parts.path.startswith("//") else target


def pass_on(email: str, url: str) -> None:
    """Show a link on the next page, where no mail server takes it to its reader."""
    if not mail.has_server():
        session[_LINK] = [email, url]


def passed_on() -> list[str] | None:
    """Return [email, link] if there is one to show, this once."""
    found: list[str] | None = session.pop(_LINK, None)
    return found
