"""Scripted edits of records: what ``appkeep apply`` and importers say, turned into calls of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.api import App, InvalidInput, Operation, documents
from plugins.worksheets import history_log as log
from plugins.worksheets import service
from plugins.worksheets.structure import service as structure

Edit = Mapping[str, Any]
MOST_AT_ONCE = 100_000


def put_record(app: App, edit: Edit, person: str) -> dict[str, Any]:
    """Do {"op": "put_record", "worksheet", "seq": number or null, "values": {…}}."""
    values = edit.get("values")
    if not isinstance(values, Mapping):
        raise InvalidInput("“put_record” needs “values”, an object.")
    worksheet = _worksheet(edit)
    return {"worksheet": worksheet, "seq": service.put_record(app, worksheet, edit.get("seq"), values, person)}


def put_records(app: App, edit: Edit, person: str) -> dict[str, Any]:
    """Do {"op": "put_records", "worksheet", "records": […]}; or {…, "first", "count", "columns": {field: [value, …]}}."""
    with log.by_means(log.IMPORT):
        if "columns" in edit:
            return {"records": _put_columns(app, edit, person)}
        records = edit.get("records")
        if not isinstance(records, list):
            raise InvalidInput("“put_records” needs “records”, a list, or “columns”.")
        return {"records": service.put_records(app, _worksheet(edit), records, person)}


def _put_columns(app: App, edit: Edit, person: str) -> int:
    columns, first, number = edit["columns"], edit.get("first"), edit.get("count")
    if not isinstance(columns, Mapping) or not all(isinstance(column, list) for column in columns.values()):
        raise InvalidInput("“columns” is an object with a list of values for each field.")
    if type(first) is not int or type(number) is not int or not 0 <= number <= MOST_AT_ONCE:
        raise InvalidInput("“columns” need “first”, the number of their first record, and “count”, how many records they are: "
                           f"at most {MOST_AT_ONCE}.")
    return service.put_columns(app, _worksheet(edit), first, columns, number, person)


def _on_one(verb: Callable[[App, str, int, str], Any]) -> Operation:
    def do(app: App, edit: Edit, person: str) -> dict[str, Any]:
        worksheet, seq = _worksheet(edit), edit.get("seq")
        if type(seq) is not int:
            raise InvalidInput("the edit needs “seq”, a record's number.")
        verb(app, worksheet, seq, person)
        return {"worksheet": worksheet, "seq": seq}

    return do


def _worksheet(edit: Edit) -> str:
    worksheet = edit.get("worksheet")
    if not isinstance(worksheet, str):
        raise InvalidInput("the edit needs “worksheet”, a key such as w_….")
    return worksheet.removeprefix("worksheet/")


def put_field(app: App, edit: Edit, person: str) -> dict[str, Any]:
    """Do {"op": "put_field", "document": a worksheet, "part": "field", "body": the field}, and tell how many values are set aside."""
    field = edit.get("body")
    if not isinstance(field, Mapping) or not isinstance(field.get("key"), str):
        raise InvalidInput("“put_field” needs the field's “body”, an object with its “key”.")
    sheet = documents.get(app, str(edit.get("document")))
    aside = structure.put_field(app, sheet, field, person)
    return {"document": sheet.address, **({"told": structure.aside_sentence(aside)} if aside else {})}


OPERATIONS: Mapping[str, Operation] = {
    "put_field": put_field,
    "put_record": put_record,
    "put_records": put_records,
    "delete_record": _on_one(service.delete_record),
    "bring_back_record": _on_one(service.bring_back_record),
    "purge_record": _on_one(service.purge_record),
}
