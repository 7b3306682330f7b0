"""Colours of choices: a name or a hex number from outside becomes an angle of hue, so that light and dark both read well."""

from __future__ import annotations

import colorsys
import re

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
