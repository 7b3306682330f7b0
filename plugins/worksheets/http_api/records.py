"""The API on records: many that fit a question, and each by its number."""

from __future__ import annotations

from typing import Any

from flask import request

from core.api import Answer, Forbidden, InvalidInput, Needs, NotFound, budget, check_match, object_schema, once, page_schema, transaction
from plugins.worksheets.access import bring_back, delete_record, found_row
from plugins.worksheets.fields import Field
from plugins.worksheets.http_api.asking import query_asked
from plugins.worksheets.http_api.blueprint import (
    FLAG,
    PARTS,
    RECORD,
    RECORD_VALUE,
    RECORDS,
    SHEETS,
    SUBJECT,
    TEXT,
    VALUES,
    WRITTEN_VALUE,
    api,
)
from plugins.worksheets.http_api.entering import put
from plugins.worksheets.http_api.shown import answered, etag_of_row, read_answer, values_shown
from plugins.worksheets.query import LOOK_ROWS, Page, page
from plugins.worksheets.record_bin import bin_page, is_cursor
from plugins.worksheets.service import loads
from plugins.worksheets.web.bin import open_bin
from plugins.worksheets.web.grid_query import MAX_SEARCH, MAX_SORTS
from plugins.worksheets.web.record_form import write
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet
from plugins.worksheets.web.subforms import child_of

PAGE, MOST_PAGE = 50, 200
GIVEN = object_schema({"values": VALUES})
QUERY = {
    "filter": {"type": "string", "description": "As JSON, of the form that views’ filters have: {\"all\": […]}, {\"any\": […]}, or "
               "{\"field\": \"f_…\", \"operator\": \"is\", \"value\": …, \"unit\": …}."},
    "sort": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": MAX_SORTS,
             "description": "Keys of fields, number, created_at or updated_at; with a minus before it from the greatest to the least."},
    "search": {"type": "string", "maxLength": MAX_SEARCH, "description": "Words that all occur in what people read of the record."},
    "view": {"type": "string", "minLength": 1, "maxLength": 40, "description": "Key of a view, whose filter and sort apply."},
    "deleted": {**FLAG, "description": "Those in the recycle bin, the last deleted first; goes with none of the above."},
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_PAGE, "description": f"{PAGE} unless told."},
    "cursor": {"type": "string", "minLength": 1, "maxLength": 4000}}
NOTES = {"type": "array", "items": TEXT, "description": "What was left out or cut, for people to read; mostly nothing."}


@api.operation("GET", RECORDS, Needs.APP, name="list_records", scope="read", subject=SUBJECT, summary="Records, page by page",
               about="Ordered by number unless told otherwise. A page can have fewer records than asked for and still a next one.",
               query=QUERY, parts=PARTS, answer=page_schema(RECORD_VALUE, {"notes": NOTES}))
def list_records(app_id: str, worksheet: str, query: dict[str, Any]) -> dict[str, Any]:
    """List records."""
    if query.get("deleted"):
        sheet, found = _binned(worksheet, query)
    else:
        sheet = open_sheet(worksheet)
        found = page(sheet.app, query_asked(sheet, query), cursor=query.get("cursor"), limit=query.get("limit", PAGE), look=LOOK_ROWS)
    if found.next is None:  # a program would take it for the end
        budget.check_whole()
    items = values_shown(sheet, found.rows)
    here = budget.current()
    return {"items": items, "next": found.next, "notes": [*dict.fromkeys([*found.notes, *(here.notes if here is not None else ())])]}


def _binned(worksheet: str, query: dict[str, Any]) -> tuple[SheetContext, Page]:
    if wrong := query.keys() & {"filter", "sort", "search", "view"}:
        raise InvalidInput(f"The recycle bin is listed whole: leave out {', '.join(sorted(wrong))}.", parameter=min(wrong))
    cursor = query.get("cursor")
    if cursor is not None and not is_cursor(cursor):
        raise InvalidInput("That place in the list no longer exists; start again from its first page.", parameter="cursor")
    sheet = open_bin(worksheet)
    return sheet, bin_page(sheet.app, sheet.access, cursor, query.get("limit", PAGE))


@api.operation("POST", RECORDS, Needs.APP, name="create_record", scope="write", subject=SUBJECT, summary="Create a record", status=201,
               about="Fields that are not named get their defaults.", body=GIVEN, answer=WRITTEN_VALUE, tagged=True, repeatable=True,
               parts=PARTS, refusals=(409, 413))
def create_record(app_id: str, worksheet: str, body: dict[str, Any]) -> Any:
    """Make a record."""
    sheet = open_sheet(worksheet)
    _check_creating(sheet)

    def act() -> Answer:
        number = put(sheet, body["values"])
        return answered(sheet, number, headers={"Location": f"{request.path}/{number}"})

    return once(act)


@api.operation("GET", RECORD, Needs.APP, name="get_record", scope="read", subject=SUBJECT, summary="One record", tagged=True,
               about="Where computed fields may be read it is always answered whole: they change with time and other records.",
               answer=RECORD_VALUE, parts=PARTS)
def get_record(app_id: str, worksheet: str, number: int) -> Answer:
    """Show a record."""
    sheet = open_sheet(worksheet)
    return read_answer(sheet, found_row(sheet.app, sheet.access, number, "read"))


@api.operation("PATCH", RECORD, Needs.APP, name="change_record", scope="write", subject=SUBJECT, summary="Change a record", body=GIVEN,
               answer=WRITTEN_VALUE, parts=PARTS, tagged=True, guarded=True, refusals=(409, 413))
def change_record(app_id: str, worksheet: str, number: int, body: dict[str, Any]) -> Answer:
    """Change the values that are named."""
    sheet = open_sheet(worksheet)
    with transaction():
        held = found_row(sheet.app, sheet.access, number, "update")
        check_match(etag_of_row(sheet, held))
        put(sheet, body["values"], held)
        return answered(sheet, number)


@api.operation("DELETE", RECORD, Needs.APP, name="delete_record", scope="write", subject=SUBJECT, status=204,
               summary="Move a record to the recycle bin", parts=PARTS, guarded=True, refusals=(409,))
def bin_record(app_id: str, worksheet: str, number: int) -> None:
    """Move a record to the bin."""
    sheet = open_sheet(worksheet)
    with transaction():
        check_match(etag_of_row(sheet, found_row(sheet.app, sheet.access, number, "delete")))
        delete_record(sheet.app, sheet.access, number, sheet.person)


@api.operation("POST", f"{RECORD}/restore", Needs.APP, name="restore_record", scope="write", subject=SUBJECT,
               summary="Bring a record back from the recycle bin", answer=WRITTEN_VALUE, parts=PARTS, tagged=True, refusals=(409,))
def restore_record(app_id: str, worksheet: str, number: int) -> Answer:
    """Bring a record back."""
    sheet = open_bin(worksheet)
    with transaction():
        bring_back(sheet.app, sheet.access, number, sheet.person)
        return answered(sheet, number)


@api.operation("POST", f"{RECORD}/rows/<field>", Needs.APP, name="add_row", scope="write", subject=SUBJECT, status=201,
               summary="Add a row to a record’s subform", about="The row is a record of the worksheet that the subform shows.",
               body=GIVEN, answer=WRITTEN_VALUE, parts=PARTS, tagged=True, repeatable=True, refusals=(409, 413))
def add_row(app_id: str, worksheet: str, number: int, field: str, body: dict[str, Any]) -> Any:
    """Make a record that is a row of another one."""
    sheet = open_sheet(worksheet)
    one = sheet.field(field)
    child = _rows_here(sheet, one)
    rows_url = f"{SHEETS.replace('<app_id>', app_id)}/{child.key}/records"

    def act() -> Answer:
        held = found_row(sheet.app, sheet.access, number, "update")
        made = put(child, body["values"])
        write(sheet, number, {one.key: [*loads(held.vals).get(one.key, ()), made]}, held)
        return answered(child, made, headers={"Location": f"{rows_url}/{made}"})

    return once(act)


def _rows_here(sheet: SheetContext, one: Field) -> SheetContext:
    """Return the worksheet of a subform's rows, to which some may be added.

    Raises:
        NotFound: it is no subform, or the person sees nothing of its rows' worksheet.
        Forbidden: they may add none.
    """
    child = child_of(one) if one.type.name == "subform" else None
    if child is None:
        raise NotFound("This subform does not exist, or you do not have access to it.")
    if not child.access.may_create or not sheet.rights.may("update", f"field/{one.key}"):
        raise Forbidden("You cannot add rows here.")
    return child


def _check_creating(sheet: SheetContext) -> None:
    if not sheet.access.may_create:
        raise Forbidden("You cannot create records in this worksheet.")
