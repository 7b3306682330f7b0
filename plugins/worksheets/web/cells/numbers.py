"""Cells of numbers: number, currency, percent, rating, auto-number, checkbox, duration."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from core.api import InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import EMPTY, Around, Cell, Given

_CLOCK = re.compile(r"(-?)(?:(\d{1,9}):)?(\d{1,9}):(\d{1,2}(?:\.\d{1,6})?)\Z")
_UNITS = re.compile(r"(-?)(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m(?:in)?)?\s*(?:(\d{1,9}(?:\.\d{1,6})?)\s*s)?\Z")


def grouped(value: Any) -> str:
    """Return a number, or the text of one, with commas between thousands."""
    text = str(value)
    sign, digits = ("−", text[1:]) if text.startswith("-") else ("", text)
    whole, point, parts = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{parts}" if whole.isdigit() else text


def show_number(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a number with its unit."""
    options = field.definition.get("options", {})
    before, after = options.get("unit_before", ""), options.get("unit", "")
    return Markup("{}{}{}").format(before, grouped(value), f" {after}" if after else "")


def show_currency(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show an amount and its currency."""
    currency = field.definition.get("options", {}).get("currency", "")
    return Markup('{} <span class="soft">{}</span>').format(grouped(value), currency) if currency else escape(grouped(value))


def show_percent(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a share of a hundred."""
    return escape(f"{grouped(value)} %")


def show_rating(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show stars."""
    most = field.definition.get("options", {}).get("max", 5)
    stars = "★" * min(int(value), most) + "☆" * max(most - int(value), 0)
    return Markup('<span class="w-stars" role="img" aria-label="{} of {}">{}</span>').format(value, most, stars)


def show_autonumber(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a given number with its prefix."""
    return escape(field.type.text(value, field.definition))


def show_checkbox(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a tick."""
    return Markup('<span class="w-tick" role="img" aria-label="yes">✓</span>') if value else EMPTY


def duration_text(value: Any, _zone: ZoneInfo | None = None) -> str:
    """Return seconds as h:mm:ss."""
    if value is None:
        return ""
    seconds = Decimal(str(value))
    sign, seconds = ("-" if seconds < 0 else "", abs(seconds))
    whole, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(whole), 60)
    parts = f"{rest % 1:f}".partition(".")[2].rstrip("0")
    return f"{sign}{hours}:{minutes:02d}:{int(rest):02d}{'.' + parts if parts else ''}"


def show_duration(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a length of time as h:mm:ss."""
    return escape(duration_text(value))


def read_number(field: Field, given: Given) -> Any:
    """Read a number as people type it: spaces and commas between thousands are fine."""
    text = re.sub(r"[\s_'%]", "", given.text(field)).replace("−", "-").replace("\u202f", "")
    if re.match(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?\Z", text):
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    return text or None


def read_rating(field: Field, given: Given) -> Any:
    """Read a number of stars."""
    text = given.text(field)
    if text and not text.isdecimal():
        raise InvalidValue("it must be a number of stars.")
    return int(text) if text else None


def read_checkbox(field: Field, given: Given) -> Any:
    """Read a tick."""
    return bool(given.text(field)) or None


def read_duration(field: Field, given: Given) -> Any:
    """Read h:mm:ss, m:ss, "1 h 30 min" or a number of seconds."""
    text = given.text(field).strip()
    if not text:
        return None
    found = _CLOCK.match(text) or _UNITS.match(text)
    if re.match(r"-?\d{1,15}(\.\d{1,6})?\Z", text):
        return text
    if not found or not any(found.groups()[1:]):
        raise InvalidValue("enter it as hours:minutes:seconds, such as 1:30:00.")
    sign, hours, minutes, seconds = found.groups()
    total = Decimal(hours or 0) * 3600 + Decimal(minutes or 0) * 60 + Decimal(seconds or 0)
    return str(-total if sign else total)


NUMBERS = {
    "number": Cell(show_number, read_number, "number", "number"),
    "currency": Cell(show_currency, read_number, "number", "number"),
    "percent": Cell(show_percent, read_number, "number", "number"),
    "rating": Cell(show_rating, read_rating, "rating"),
    "autonumber": Cell(show_autonumber, None, align="number"),
    "checkbox": Cell(show_checkbox, read_checkbox, "checkbox", "middle"),
    "duration": Cell(show_duration, read_duration, "duration", "number", text=duration_text),
}
