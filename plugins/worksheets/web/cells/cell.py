"""Cell: how values of one type of field are shown, edited and read from a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from core.api import Definition
from plugins.worksheets.fields import Field


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen: what a form sends for it, what people read, its colour if it has one."""

    value: str
    name: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """A record that is pointed to: what it is called, and its page if the visitor may see it."""

    title: str
    url: str | None = None


class Around(Protocol):
    """What showing and editing a value needs beyond the value."""

    @property
    def zone(self) -> ZoneInfo:
        """The organization's time zone."""

    def choices(self, definition: Definition) -> Sequence[Choice]:
        """Return the choices of a select field."""

    def linked(self, address: str, seq: int) -> Linked:
        """Return what a record of the worksheet *address* is called."""

    def org_name(self, address: str) -> str:
        """Return what something of the organization ("user/u_…", "department/d_…") is called."""

    def file_url(self, field: str, item: Mapping[str, Any]) -> str | None:
        """Return where the record's file can be fetched; None where it cannot."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a form says. `old` is the value that the record has, `fresh` are files that came with the form, by field."""

    form: MultiDict[str, str]
    old: Any
    zone: ZoneInfo
    fresh: Mapping[str, Sequence[Mapping[str, Any]]]
    path_to: Callable[[Field, int], list[int]]

    def text(self, field: Field, part: str = "") -> str:
        """Return the one text of a field, or of a part of it, with line ends as they are stored."""
        return self.form.get(field.key + part, "").replace("\r\n", "\n")

    def texts(self, field: Field, part: str = "") -> list[str]:
        """Return all texts of a field that are not empty."""
        return [text for text in self.form.getlist(field.key + part) if text]


Show = Callable[[Any, Field, Around, bool], Markup]
"""(value, field, around, whole) -> what stands in the cell; *whole* where there is room for all of it."""
Read = Callable[[Field, Given], Any]
"""(field, given) -> the value, None for empty; raises InvalidValue."""


@dataclass(frozen=True, slots=True)
class Cell:
    """How one type of field looks. `editor` is a macro of editors.html; without `read` it cannot be edited."""

    show: Show
    read: Read | None = None
    editor: str = "text"
    align: str = ""
    inline: bool = True
    text: Callable[[Any, ZoneInfo], str] = field(default=lambda value, zone: "" if value is None else str(value))


EMPTY = Markup("")


def form_of(field: Field) -> str | None:
    """Return what type a computed field's format turns its values into, None where it says nothing."""
    found = field.definition.get("options", {}).get("format")
    return found.get("type") if isinstance(found, Mapping) else None
