"""The comments on a record as its page shows them, with what somebody began to write."""

from __future__ import annotations

from dataclasses import dataclass

from core.api import server
from plugins.worksheets import comments
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext


@dataclass(frozen=True, slots=True)
class Line:
    """A comment as a page shows it."""

    key: str
    name: str
    at: int
    text: str
    shared: bool
    removable: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment that was refused: what was typed, and why it was."""

    text: str
    shared: bool
    error: str


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments on a record: `open_outside` is whether whoever writes says if people outside see it."""

    lines: list[Line]
    open_outside: bool
    draft: Draft | None


def comments_of(sheet: SheetContext, around: RelatedNames, seq: int, draft: Draft | None) -> Comments | None:
    """Return the comments on a record, None for whoever has nothing to do with them."""
    if not sheet.rights.may("comment"):
        return None
    found = comments.listed(sheet.access, seq, sheet.person, outside=sheet.outside)
    lines = [Line(one.key, "You" if one.by == sheet.person else around.org_name(f"user/{one.by}"), one.at, one.text, one.shared,
                  sheet.admin or one.by == sheet.person) for one in found]
    inside = not sheet.outside and server().registry.hook.guest(app=sheet.app) is not None
    return Comments(lines, inside or any(one.shared for one in lines if not sheet.outside), draft)
