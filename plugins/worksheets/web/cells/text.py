"""Cells of text: text, long text, rich text, email, phone, URL, identity number, region, location."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from core.api import InvalidInput, InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import Around, Cell, Given
from tenants.typed_names import checked_email

SHORT = 160
TAGS = {"a", "abbr", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol",
        "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"}
OPENED = ("http://", "https://", "mailto:", "tel:")
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def rich(text: str, form: str = "markdown") -> Markup:
    """Return Markdown or HTML from anybody as HTML that is safe to show: no scripts, styles, images or forms."""
    html = text if form == "html" else _markdown.render(text)
    return Markup(nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"},
                            link_rel="noopener noreferrer nofollow"))


def short(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[:SHORT * 4].split())
    return line if len(line) <= SHORT else f"{line[:SHORT - 1]}…"


def show_text(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a text: all of it, or its beginning."""
    text = str(value)
    return Markup('<div class="w-long">{}</div>').format(text) if whole and "\n" in text else escape(text if whole else short(text))


def show_rich(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a text with marks, or its bare words where there is little room."""
    html = rich(str(value) if whole else str(value)[:SHORT * 8], field.definition.get("options", {}).get("format", "markdown"))
    return Markup('<div class="w-rich">{}</div>').format(html) if whole else escape(short(html.striptags()))


def link(url: str, text: str) -> Markup:
    """Return a link that opens elsewhere; only the text where the address would run something."""
    if not url.lower().startswith(OPENED):
        return escape(text)
    away = Markup(' target="_blank" rel="noopener noreferrer nofollow"') if url.lower().startswith("http") else Markup("")
    return Markup('<a href="{}"{}>{}</a>').format(url, away, text)


def show_url(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a link; an address without a scheme is one of the web, and one that leads nowhere is a text."""
    text = str(value)
    bare = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    return link(_address(text), text if whole else short(bare)) if _leads(text) else escape(text if whole else short(text))


def _address(text: str) -> str:
    """Return where a link leads: an address without a scheme is one of the web."""
    return text if ":" in text.split("/")[0] and text.lower().startswith((*OPENED, "ftp:")) else f"https://{text.lstrip('/')}"


def _leads(text: str) -> bool:
    """Say whether a link names what it leads to: a host, an address, a number."""
    try:
        parts = urlsplit(_address(text))
        return bool(parts.path if parts.scheme in ("mailto", "tel") else (parts.hostname or "").strip("."))
    except ValueError:
        return False


def show_email(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show an address to write to."""
    return link(f"mailto:{value}", str(value))


def show_phone(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a number to call."""
    digits = "".join(char for char in str(value) if char in "+0123456789")
    return link(f"tel:{digits}", str(value))


def show_identity(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show the last four characters only."""
    text = str(value)
    return Markup('<span class="mono" title="Shown in full when it is edited">{}{}</span>').format("•" * max(len(text) - 4, 0), text[-4:])


def show_region(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a place from large to small."""
    return escape(" › ".join(map(str, value)))


def show_location(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show what a place is called, and where it lies."""
    where = f"{value['lat']}, {value['lon']}"
    label = value.get("label")
    if not whole:
        return escape(short(label or where))
    text = Markup("{}<br>").format(label) if label else Markup("")
    url = f"https://www.openstreetmap.org/?mlat={value['lat']}&mlon={value['lon']}#map=14/{value['lat']}/{value['lon']}"
    return text + link(url, where)


def read_text(field: Field, given: Given) -> Any:
    """Read a text as typed; what was not touched stays, line ends too."""
    text = given.text(field)
    if isinstance(given.old, str) and given.old.replace("\r\n", "\n") == text:
        return given.old
    return text or None


def read_line(field: Field, given: Given) -> Any:
    """Read a short text without the spaces around it."""
    return read_text(field, given) if given.text(field) == given.old else given.text(field).strip() or None


def read_email(field: Field, given: Given) -> Any:
    """Read an address that mail can be sent to, as typed.

    Raises:
        InvalidValue: it is none; what stands already may stay.
    """
    text = read_line(field, given)
    if text is not None and text != given.old:
        try:
            checked_email(text)
        except InvalidInput:
            raise InvalidValue(f"“{text[:60]}” is not an email address. Enter one such as anna@example.org.") from None
    return text


def read_url(field: Field, given: Given) -> Any:
    """Read a link that leads somewhere, as typed.

    Raises:
        InvalidValue: it names nothing to lead to; what stands already may stay.
    """
    text = read_line(field, given)
    if text is not None and text != given.old and not _leads(text):
        raise InvalidValue(f"“{text[:60]}” leads nowhere. Enter a link such as https://example.org.")
    return text


def read_region(field: Field, given: Given) -> Any:
    """Read the names of a place, the largest first."""
    return [text.strip() for text in given.texts(field) if text.strip()] or None


def read_location(field: Field, given: Given) -> Any:
    """Read latitude, longitude and a name."""
    lat, lon, label = (given.text(field, part).strip() for part in ("-lat", "-lon", "-label"))
    if not (lat or lon or label):
        return None
    if not lat or not lon:
        raise InvalidValue("enter both latitude and longitude, such as 53.8655 and 10.6866.")
    return {"lat": lat, "lon": lon} | ({"label": label} if label else {})


WORDS = {
    "text": Cell(show_text, read_text),
    "long_text": Cell(show_text, read_text, "area"),
    "rich_text": Cell(show_rich, read_text, "area"),
    "email": Cell(show_email, read_email, "email"),
    "phone": Cell(show_phone, read_line, "phone"),
    "url": Cell(show_url, read_url, "url"),
    "identity_number": Cell(show_identity, read_line),
    "region": Cell(show_region, read_region, "region"),
    "location": Cell(show_location, read_location, "location"),
}
