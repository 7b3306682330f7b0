"""The page that shows one record, also with a comment that was refused."""

from __future__ import annotations

from flask import Response, make_response, render_template

from core.api import InvalidInput, RecordPanel, browsing, server
from plugins.worksheets.web import buttons, subforms
from plugins.worksheets.web.comment_list import Draft, comments_of
from plugins.worksheets.web.layout import barcode, embedded, remark, sections_of
from plugins.worksheets.web.lines import lines_of, title_of
from plugins.worksheets.web.record_lookup import find, neighbours
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.rules import hidden_fields
from plugins.worksheets.web.sheet_context import SheetContext


def record_page(sheet: SheetContext, seq: int, draft: Draft | None = None) -> Response:
    """Return the page of a record with all its fields; a *draft* stands in its form for a new comment.

    Raises:
        NotFound: there is no such record that the visitor may read.
    """
    row = find(sheet, seq, "read")
    around, hidden = RelatedNames(sheet), hidden_fields(sheet, row)
    line = lines_of(around, [row], sheet.fields.values())[0]
    page = render_template(
        "worksheets/record.html", sheet=sheet, line=line, title=title_of(around, line), sections=sections_of(sheet, hidden),
        before_after=neighbours(sheet, seq), buttons=buttons.buttons_of(sheet, line), history=not sheet.outside and browsing() is None,
        rows=lambda field: subforms.rows_of(sheet, line, field), remark=remark, barcode=lambda field: barcode(sheet, field, line),
        embedded=embedded, name=around.org_name, panels=_panels(sheet, seq), comments=comments_of(sheet, around, seq, draft))
    return _framing(make_response(page, 200 if draft is None else InvalidInput.status), sheet)


def _panels(sheet: SheetContext, seq: int) -> list[RecordPanel]:
    """Return what other plugins show of a record, in order; each may give several."""
    given = server().registry.hook.record_panels(app=sheet.app, person=sheet.actor, worksheet=sheet.document.key, seq=seq)
    return sorted((panel for some in given for panel in some), key=lambda panel: panel.rank)


def _framing(response: Response, sheet: SheetContext) -> Response:
    """Allow the page to frame what its worksheet embeds, and nothing else."""
    origins = {found["origin"] for one in sheet.everything.values() if one.type.name == "embed" and (found := embedded(one))}
    if origins:
        response.frames = " ".join(["'self'", *sorted(origins)])  # type: ignore[attr-defined]  # read by the core's headers
    return response
