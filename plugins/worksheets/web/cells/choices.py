"""Cells of choices: single select, multiple select."""

from __future__ import annotations

import colorsys
import re
from typing import Any

from markupsafe import Markup

from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import EMPTY, Around, Cell, Choice, Given


def tag(choice: Choice) -> Markup:
    """Return a choice as a coloured tag; its name says what it is, the colour only helps."""
    hue = hue_of(choice.colour)
    if hue is None:
        return Markup('<span class="tag">{}</span>').format(choice.name)
    return Markup('<span class="tag hued" style="--hue: {}">{}</span>').format(hue, choice.name)


def show_choices(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show the chosen ones; one that was deleted since is shown by its key."""
    known = {choice.value: choice for choice in around.choices(field.definition)}
    keys = value if isinstance(value, list) else [value]
    return Markup(" ").join(tag(known.get(key) or Choice(str(key), str(key))) for key in keys) if keys else EMPTY


def read_choice(field: Field, given: Given) -> Any:
    """Read one chosen key."""
    return given.text(field) or None


def read_several(field: Field, given: Given) -> Any:
    """Read the chosen keys, those that were chosen before in their old order."""
    chosen = given.texts(field)
    before = [key for key in given.old or () if key in chosen]
    return [*before, *(key for key in dict.fromkeys(chosen) if key not in before)] or None


CHOICES = {
    "single_select": Cell(show_choices, read_choice, "select"),
    "multiple_select": Cell(show_choices, read_several, "picker"),
}


HUES = {
    "red": 4, "orange": 26, "brown": 30, "yellow": 46, "lime": 80, "green": 145, "teal": 175, "cyan": 190, "blue": 214,
    "indigo": 240, "purple": 270, "violet": 275, "magenta": 305, "pink": 330,
}
_HEX = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?\Z")


def hue_of(colour: str) -> int | None:
    """Return the hue, 0 to 359, of a colour's name ("dark-blue") or hex number; None for greys and what is unknown."""
    if _HEX.match(colour):
        red, green, blue = (int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        return round(hue * 360) % 360 if saturation > 0.12 else None
    return next((hue for word, hue in HUES.items() if word in re.split(r"[^a-z]+", colour.lower())), None)
