"""Comments on a record's page: read, written, removed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, flash, redirect, request

from core.api import InvalidInput, Needs, server, transaction
from plugins.worksheets import comments
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

COMMENTS = f"{RECORD}/comments"


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
class Comments:
    """The comments on a record: `open_outside` is whether whoever writes says if people outside see it."""

    lines: list[Line]
    open_outside: bool


def comments_of(sheet: SheetContext, around: RelatedNames, seq: int) -> Comments | None:
    """Return the comments on a record, None for whoever has nothing to do with them."""
    if not sheet.rights.may("comment"):
        return None
    found = comments.listed(sheet.access, seq, sheet.person, outside=sheet.outside)
    lines = [Line(one.key, "You" if one.by == sheet.person else around.org_name(f"user/{one.by}"), one.at, one.text, one.shared,
                  sheet.admin or one.by == sheet.person) for one in found]
    inside = not sheet.outside and server().registry.hook.guest(app=sheet.app) is not None
    return Comments(lines, inside or any(one.shared for one in lines if not sheet.outside))


@pages.page(COMMENTS, Needs.APP, ("POST",), max_bytes=64 * 1024, guests=True)
def comment(organization_id: str, app_id: str, key: str, seq: int) -> Response:
    """Write a comment."""
    sheet = open_sheet(key)
    try:
        with transaction():
            made = comments.add(sheet.access, seq, request.form.get("text", ""), sheet.person,
                               shared=sheet.outside or "shared" in request.form)
    except InvalidInput as refused:
        flash(refused.message, "bad")
        return redirect(f"{sheet.url('record', seq=seq)}#comments")  # type: ignore[return-value]
    return redirect(f"{sheet.url('record', seq=seq)}#comment-{made}")  # type: ignore[return-value]


@pages.page(f"{COMMENTS}/<comment>/remove", Needs.APP, ("POST",), guests=True)
def remove_comment(organization_id: str, app_id: str, key: str, seq: int, comment: str) -> Response:
    """Remove a comment."""
    sheet = open_sheet(key)
    with transaction():
        comments.remove(sheet.access, seq, comment, sheet.person)
    flash("Comment deleted.", "good")
    return redirect(f"{sheet.url('record', seq=seq)}#comments")  # type: ignore[return-value]
