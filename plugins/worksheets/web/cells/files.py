"""Cells of files and signatures: thumbnails and names; what stays is ticked, what is new comes with the form."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from core.api import InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import Around, Cell, Given

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
SHOWN = 5
BIGGEST_THUMBNAIL_BYTES = 8_000_000
"""A picture of more bytes is shown by its name in lists: there are no smaller copies of it."""


def show_files(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show files: pictures as pictures, others by name."""
    some = value if whole else value[:SHOWN]
    more = Markup(' <span class="soft small">+{}</span>').format(len(value) - SHOWN) if len(value) > len(some) else Markup("")
    return Markup('<span class="w-files">{}{}</span>').format(
        Markup(" ").join(_file(item, around.file_url(field.key, item), whole) for item in some), more)


def _file(item: dict[str, Any], url: str | None, whole: bool) -> Markup:
    name = str(item.get("name", ""))
    if url is None:
        return Markup('<span class="chip">{}</span>').format(name)
    if item.get("type") in PICTURES and int(item.get("size", 0)) <= BIGGEST_THUMBNAIL_BYTES:
        return Markup('<a class="w-thumb{}" href="{}" target="_blank"><img src="{}" alt="{}" loading="lazy"></a>').format(
            " whole" if whole else "", url, url, name)
    return Markup('<a class="chip" href="{}" target="_blank">{}</a>').format(url, name)


def read_files(field: Field, given: Given) -> Any:
    """Read the files that stay and those that came."""
    kept = set(given.texts(field, "-keep"))
    found = [item for item in given.old or () if item["file"] in kept]
    found += given.fresh.get(field.key, ())
    unlike: list[Any] = []
    for item in found:
        if item not in unlike:
            unlike.append(item)
    return unlike or None


def read_signature(field: Field, given: Given) -> Any:
    """Read one picture; a new one takes the place of the old."""
    found = read_files(field, given)
    if any(item.get("type") not in PICTURES for item in given.fresh.get(field.key, ())):
        raise InvalidValue("a signature is a picture (PNG, JPEG, GIF, WebP or AVIF).")
    return found[-1:] if found else None


FILES = {
    "file": Cell(show_files, read_files, "file"),
    "signature": Cell(show_files, read_signature, "signature"),
}
