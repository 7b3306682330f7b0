"""Functions of links, files and the record itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plugins.worksheets.formula.function import Function, Surroundings
from plugins.worksheets.formula.values import CalculationFailed, File, Link, Several, text

_SAFE = ("http://", "https://", "mailto:", "tel:")


def _url(value: Any) -> str:
    """Return an address that a page may show as a link: never one that runs a program."""
    url = text(value).strip()
    if url and not url.lower().startswith(_SAFE):
        raise CalculationFailed("not an address of http, https, mailto or tel")
    return url


def _link(url: Any, label: Any = "") -> Link:
    return Link(_url(url), text(label))


def _button(url: Any, label: Any) -> Link:
    return Link(_url(url), text(label), button=True)


def _file(value: Any) -> File | None:
    """Return a file, or the first of a field's files."""
    if isinstance(value, Several):
        value = value.items[0] if value.items else None
    return value if isinstance(value, File) else None


def _of_file(attribute: str) -> Any:
    def read(value: Any) -> Any:
        file = _file(value)
        return None if file is None else getattr(file, attribute)
    return read


def _size(value: Any) -> Decimal | None:
    file = _file(value)
    return None if file is None else Decimal(file.size)


def _is_image(value: Any) -> bool:
    file = _file(value)
    return file is not None and file.type.startswith("image/")


def _row_id(around: Surroundings) -> Decimal:
    return Decimal(around.seq)


LINKS = (
    Function("link", _link, 1, 2, "link(url, label)", "A link to an address."),
    Function("button", _button, 2, 2, "button(url, label)", "A button that opens an address."),
    Function("get_link_url", lambda value: value.url if isinstance(value, Link) else text(value), 1, 1,
             "get_link_url(link)", "The address of a link or button."),
    Function("get_link_label", lambda value: text(value), 1, 1, "get_link_label(link)",
             "What a link or button shows."),
    Function("get_file_visible_name", _of_file("name"), 1, 1, "get_file_visible_name(file)", "A file's name."),
    Function("get_file_size", _size, 1, 1, "get_file_size(file)", "A file's size in bytes."),
    Function("get_file_mime_type", _of_file("type"), 1, 1, "get_file_mime_type(file)", "A file's type."),
    Function("get_file_count", lambda value: Decimal(len(value.items) if isinstance(value, Several) else bool(value)),
             1, 1, "get_file_count(files)", "How many files a field holds."),
    Function("is_image", _is_image, 1, 1, "is_image(file)", "Whether a file is an image."),
    Function("row_id", _row_id, 0, 0, "row_id()", "The number of the record.", surrounded=True),
)
