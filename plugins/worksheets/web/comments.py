"""Comments on a record's page: written, removed."""

from __future__ import annotations

from flask import Response, flash, redirect, request

from core.api import InvalidInput, Needs, transaction
from plugins.worksheets import comments
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.comment_list import Draft
from plugins.worksheets.web.record_page import record_page
from plugins.worksheets.web.sheet_context import open_sheet

COMMENTS = f"{RECORD}/comments"


@pages.page(COMMENTS, Needs.APP, ("POST",), max_bytes=64 * 1024, guests=True)
def comment(organization_id: str, app_id: str, key: str, seq: int) -> Response:
    """Write a comment."""
    sheet, text, shared = open_sheet(key), request.form.get("text", ""), "shared" in request.form
    try:
        with transaction():
            made = comments.add(sheet.access, seq, text, sheet.person, shared=sheet.outside or shared)
    except InvalidInput as refused:
        return record_page(sheet, seq, Draft(text, shared, refused.message))
    return redirect(f"{sheet.url('record', seq=seq)}#comment-{made}")  # type: ignore[return-value]


@pages.page(f"{COMMENTS}/<comment>/remove", Needs.APP, ("POST",), guests=True)
def remove_comment(organization_id: str, app_id: str, key: str, seq: int, comment: str) -> Response:
    """Remove a comment."""
    sheet = open_sheet(key)
    with transaction():
        comments.remove(sheet.access, seq, comment, sheet.person)
    flash("Comment deleted.", "good")
    return redirect(f"{sheet.url('record', seq=seq)}#comments")  # type: ignore[return-value]
