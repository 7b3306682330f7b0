"""How a block looks: the few styles that come along, checked, in a form that also reads well in the dark. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_COLOUR = re.compile(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?\Z")
_SPACES = {"margin_top": "margin-top", "margin_bottom": "margin-bottom", "padding_top": "padding-top",
           "padding_bottom": "padding-bottom", "padding_left": "padding-left", "padding_right": "padding-right"}
MOST_PX, USUAL_PX = 160, 20
GREY, WHITE, FAINT = 24, 245, 0x20


def styled(style: Mapping[str, Any]) -> tuple[str, str]:
    """Return (classes, style attribute) of a block's styles; what is not known or odd is left out."""
    rules = [f"{rule}:{_space(rule, style[name])}" for name, rule in _SPACES.items() if _unusual(style.get(name))]
    classes = [f"pg-line-{side}" for side in ("top", "bottom", "left", "right") if _unusual(style.get(f"border_{side}_size"), 0)]
    tint, colour = _background(style)
    if colour:
        rules.append(colour)
    if tint:
        classes.append("pg-tinted")
    if type(style.get("padding_bottom")) is int and style["padding_bottom"] < 10:
        classes.append("pg-tight")
    if style.get("width") in ("small", "medium", "full", "full_width"):
        classes.append("pg-" + {"small": "small", "medium": "medium"}.get(style["width"], "full"))
    return " ".join(classes), ";".join(rules)


def span_of(style: Mapping[str, Any]) -> int:
    """Return how many of a page's columns a block takes, 0 for all of them."""
    found = style.get("span")
    return found if type(found) is int and 1 <= found < 12 else 0


def _unusual(value: Any, usual: int = USUAL_PX) -> bool:
    return type(value) is int and usual < value <= MOST_PX


def _space(rule: str, value: int) -> str:
    return f"min({value}px, 4vw)" if rule.endswith(("left", "right")) else f"{value}px"


def _background(style: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether a quiet background of our own serves, and the rule of one that does not.

    White is what a page has anyway, and a colour so faint that it is hardly seen would be wrong in the dark.
    """
    found = _COLOUR.match(str(style.get("background_color", ""))) if style.get("background") == "color" else None
    if found is None or int(found[2] or "ff", 16) < FAINT:
        return False, ""
    red, green, blue = (int(found[1][place:place + 2], 16) for place in (0, 2, 4))
    if min(red, green, blue) >= WHITE:
        return False, ""
    if int(found[2] or "ff", 16) < 200 or max(red, green, blue) - min(red, green, blue) < GREY:
        return True, ""
    text = "#111111" if .299 * red + .587 * green + .114 * blue > 140 else "#ffffff"
    return False, f"background:#{found[1]};color:{text}"
