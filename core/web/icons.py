"""Icons: the drawings of `static/icons.svg` by name, or a single sign such as an emoji; and what an app looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flask import url_for
from markupsafe import Markup, escape

from core.server import server
from core.tenancy.models import App

ICONS: tuple[str, ...] = tuple(re.findall(r'<symbol id="([a-z]+)"', (Path(__file__).parent / "static" / "icons.svg").read_text()))
"""The names of the drawings, in the order in which they are offered."""
DARK, LIGHT = "#000000", "#ffffff"


@dataclass(frozen=True, slots=True)
class Look:
    """What an app looks like: an icon's name or sign, the address of a picture, a colour ("#1f6b4a"), what it is for."""

    icon: str = ""
    picture_url: str | None = None
    colour: str | None = None
    description: str = ""


def icon(name: str) -> Markup:
    """Return a drawing by its name, or a sign as it is; nothing for a name that no drawing has."""
    if name in ICONS:
        return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
            url_for("static", filename="icons.svg"), name)
    return Markup('<span class="icon" aria-hidden="true">{}</span>').format(name) if is_sign(name) else Markup("")


def is_sign(text: str) -> bool:
    """Say whether a text is one sign that stands for itself, such as an emoji."""
    return 0 < len(text) <= 8 and not any(char.isascii() for char in text)


def look_of(app: App) -> Look:
    """Return what an app looks like."""
    return server().registry.hook.app_look(app=app) or Look()


def app_mark(app: App, initials: str, hue: int, look: Look | None = None) -> Markup:
    """Return an app's sign: its picture, else its icon on its colour, else the first letters of its name."""
    found = look or look_of(app)
    if found.picture_url:
        return Markup('<img class="mark" src="{}" alt="">').format(found.picture_url)
    inside = icon(found.icon) or escape(initials)
    if found.colour:
        return Markup('<span class="mark own" aria-hidden="true" style="--mark: {}; --on-mark: {}">{}</span>').format(
            found.colour, readable_on(found.colour), inside)
    return Markup('<span class="mark" aria-hidden="true" style="--hue: {}">{}</span>').format(hue, inside)


def readable_on(colour: str) -> str:
    """Return black or white, whichever is read better on a colour."""
    red, green, blue = (_linear(int(colour[n:n + 2], 16) / 255) for n in (1, 3, 5))
    bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return DARK if (bright + 0.05) / 0.05 > 1.05 / (bright + 0.05) else LIGHT


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
