"""The recycle bin of a worksheet's records: seen, brought back from, emptied; and several records deleted at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from flask import Response, flash, redirect, render_template, request

from core.api import App, Forbidden, Holders, Needs, backups_holding, documents, transaction
from plugins.worksheets.access import bring_back as bring_back_one
from plugins.worksheets.access import delete_record, found_row
from plugins.worksheets.access import purge as purge_one
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.history_versions import deletions
from plugins.worksheets.record_bin import bin_page, is_cursor
from plugins.worksheets.records import Row, read_lines
from plugins.worksheets.service import loads, store_of
from plugins.worksheets.web.blueprint import SHEET, pages
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.history import what_was_done, who_did
from plugins.worksheets.web.lines import lines_of, title_of
from plugins.worksheets.web.paging import Place, query_of
from plugins.worksheets.web.record_lookup import back_url, find
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

MOST_BACKUPS = 10
"""So many of the newest backups are looked into for what was deleted."""
MOST = 200
"""How many records can be picked at once."""


def picked() -> list[int]:
    """Return the numbers of the records that the form names, each once."""
    return [int(text) for text in list(dict.fromkeys(request.form.getlist("seq")))[:MOST] if text.isdecimal() and len(text) <= 16]


@pages.page(f"{SHEET}/delete", Needs.APP, ("POST",), guests=True)
def delete_some(organization_id: str, app_id: str, key: str) -> Response:
    """Move the picked records to the recycle bin."""
    sheet = open_sheet(key)
    with transaction():
        seqs = picked()
        for seq in seqs:
            find(sheet, seq, "delete")
            delete_record(sheet.app, sheet.access, seq, sheet.person)
    flash(_said(seqs, "moved to the recycle bin"), "good")
    return redirect(back_url(sheet, sheet.url()))  # type: ignore[return-value]


def _said(seqs: list[int], what: str) -> str:
    if not seqs:
        return "Select at least one record."
    return f"{'1 record was' if len(seqs) == 1 else f'{len(seqs)} records were'} {what}."


@pages.page(f"{SHEET}/bin", Needs.APP, guests=True)
def deleted(organization_id: str, app_id: str, key: str) -> str:
    """List the records in the recycle bin that the visitor could have deleted."""
    sheet = open_bin(key)
    asked = GridQuery(cursor=request.args.get("after") or None, at=_whole(request.args.get("at", "")))
    asked = asked if is_cursor(asked.cursor) else replace(asked, cursor=None, at=0)
    found = bin_page(sheet.app, sheet.access, asked.cursor)
    place = Place.of(sheet, asked, query_of(sheet, asked, deleted=True, sorts=()), found, page="deleted")
    inside = not sheet.outside
    return _shown("bin", sheet, found.rows, place=place, deletions=deletions(sheet.app, sheet.key, found.rows) if inside else {},
                  who=who_did, how=what_was_done, first=not asked.cursor, holders=_holders(sheet, found.rows), most_backups=MOST_BACKUPS)


def _holders(sheet: SheetContext, rows: list[Row]) -> Holders | None:
    """Return which backups hold the records, for those who may see backups."""
    if not sheet.access.standing.may_back_up:
        return None
    return backups_holding(sheet.app, "worksheets", f"records/{sheet.key}", [row.seq for row in rows],
                           lambda raw: (line.seq for line in read_lines(raw)), MOST_BACKUPS)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def open_bin(key: str) -> SheetContext:
    """Return the worksheet whose recycle bin the visitor may open.

    Raises:
        NotFound: they see no such worksheet.
        Forbidden: they may delete no records there.
    """
    sheet = open_sheet(key)
    if not sheet.access.scope("delete"):
        raise Forbidden("Only people who can delete records here can open the recycle bin.")
    return sheet


def _shown(template: str, sheet: SheetContext, rows: list[Row], **more: Any) -> str:
    around = RelatedNames(sheet)
    fields = [sheet.fields[sheet.title_key]] if sheet.title_key is not None else []
    return render_template(f"worksheets/{template}.html", sheet=sheet, around=around, lines=lines_of(around, rows, fields),
                           asked=GridQuery(), title_of=lambda line: title_of(around, line), name=around.org_name, **more)


@pages.page(f"{SHEET}/bin/bring-back", Needs.APP, ("POST",), guests=True)
def bring_back(organization_id: str, app_id: str, key: str) -> Response:
    """Bring the picked records back."""
    sheet = open_bin(key)
    return _each(sheet, lambda seq: bring_back_one(sheet.app, sheet.access, seq, sheet.person), "restored")


def _each(sheet: SheetContext, act: Callable[[int], Any], what: str) -> Response:
    with transaction():
        seqs = picked()
        for seq in seqs:
            act(seq)
    flash(_said(seqs, what), "good")
    return redirect(sheet.url("deleted"))  # type: ignore[return-value]


@pages.page(f"{SHEET}/bin/purge", Needs.APP_ADMIN, ("POST",))
def purge(organization_id: str, app_id: str, key: str) -> str | Response:
    """Ask whether the picked records may go for good, naming what points to them; then remove them."""
    sheet = open_bin(key)
    if request.form.get("sure") == "yes":
        return _each(sheet, lambda seq: purge_one(sheet.app, sheet.access, seq, sheet.person), "deleted permanently")
    rows = [found_row(sheet.app, sheet.access, seq, "delete", deleted=True) for seq in picked()]
    if not rows:
        flash("Select at least one record.", "warn")
        return redirect(sheet.url("deleted"))  # type: ignore[return-value]
    return _shown("purge", sheet, rows, references=pointing_to(sheet.app, sheet.document.address, [row.seq for row in rows]))


def pointing_to(app: App, address: str, seqs: Collection[int]) -> int:
    """Return how many references of the app's records name one of the records *seqs* of the worksheet *address*."""
    store, wanted, total = store_of(app), {(address, seq) for seq in seqs}, 0
    for document in documents.live(app, "worksheet"):
        fields = {key: one for key, one in fields_of(document.body).items() if _could(one, address)}
        for batch in store.holding(document.key, fields) if fields else ():
            total += sum(_named(loads(row.vals), fields, wanted) for row in batch)
    return total


def _could(one: Field, address: str) -> bool:
    target = one.definition.get("options", {}).get("target", {})
    return one.type.points and (one.type.name == "free_link" or target.get("ref") == address)


def _named(values: Mapping[str, object], fields: Mapping[str, Field], wanted: set[tuple[str, int]]) -> int:
    return sum(1 for key, one in fields.items() if key in values
               for reference in one.references(values[key]) if reference.kind == "record" and reference.target in wanted)
