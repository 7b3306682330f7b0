"""The blueprint that operations on worksheets and records hang on, and the forms of what they take and give."""

from __future__ import annotations

from typing import Any

from core.api import API_APP, Operations, object_schema

Schema = dict[str, Any]
SHEETS = f"{API_APP}/worksheets"
SHEET = f"{SHEETS}/<worksheet>"
RECORDS = f"{SHEET}/records"
RECORD = f"{RECORDS}/<int:number>"
SUBJECT = "Records"
PARTS = {"worksheet": "Key of a worksheet (`w_…`).", "number": "Number of a record.", "field": "Key of a field (`f_…`).",
         "content": "SHA-256 of the file."}
"""What the variables of addresses are."""
TEXT: Schema = {"type": "string"}
MAYBE: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer", "minimum": 1}
VALUES: Schema = {"type": "object", "maxProperties": 500, "description": (
    "By the fields’ keys (f_…). null empties a field; fields that are not named stay as they are. Files are {\"upload\": …}, "
    "as sending one answers, or as the field holds them.")}
READ_VALUES: Schema = {"type": "object", "description": "By the fields’ keys; a field without a value is left out."}
NUMBERED = {"number": WHOLE}
REST = {
    "values": READ_VALUES, "computed": {"type": "object", "description": "Values of computed fields, by their keys."},
    "created_at": TEXT, "created_by": TEXT, "updated_at": TEXT, "updated_by": TEXT,
    "etag": {**TEXT, "description": "Stands for the stored values and when they were changed: for If-Match."}}
RECORD_VALUE = object_schema({**NUMBERED, **REST})
WRITTEN_VALUE = {**object_schema(NUMBERED, REST), "description": "The record; its number alone where it may be written and not read."}

api = Operations("records_api", __name__)
