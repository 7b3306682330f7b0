"""The API on files: sent first, then put into records by the handle that was answered; and read from records."""

from __future__ import annotations

import shutil
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote

from flask import Response, request
from werkzeug.datastructures import FileStorage

from core.api import (
    API_APP,
    Answer,
    Forbidden,
    InvalidInput,
    Needs,
    NotFound,
    current_app_row,
    documents,
    file_response,
    keep_upload,
    most_form_bytes,
    object_schema,
)
from plugins.worksheets.http_api.blueprint import PARTS, RECORD, TEXT, WHOLE, api
from plugins.worksheets.http_api.handles import handle_of
from plugins.worksheets.web.files import named_file
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

SUBJECT = "Files"
UPLOAD = object_schema({"upload": {**TEXT, "description": "Put it into a field of files as {\"upload\": …} within a day."}, "name": TEXT,
                        "size": WHOLE, "type": TEXT})
FORM = "multipart/form-data"


@api.operation("POST", f"{API_APP}/files", Needs.APP, name="send_file", scope="write", subject=SUBJECT, summary="Send a file",
               about="As the part `file` of a form; or by itself as the body, of any other type of content, with its name in "
                     "`File-Name`. A file that no record holds a day later goes away.",
               headers={"File-Name": {"type": "string", "description": "The file’s name, percent-encoded: where it is sent by itself."}},
               max_bytes=most_form_bytes, body_type=FORM, answer=UPLOAD, status=201, refusals=(413, 507))
def send_file(app_id: str) -> Answer:
    """Take a file."""
    _check_sending()
    with TemporaryFile() as room:
        item = keep_upload(_sent(room), app_id)
    return Answer({"upload": handle_of(current_app_row(), item), **{name: item[name] for name in ("name", "size", "type")}})


def _sent(room: Any) -> FileStorage:
    """Return the file that the request brings; one that comes by itself is written into *room*, as it has to be read twice."""
    if request.mimetype == FORM:
        found = request.files.getlist("file")
        if len(found) != 1 or not found[0].filename:
            raise InvalidInput("Send one file, with its name, as the part “file” of the form.")
        return found[0]
    name = unquote(request.headers.get("File-Name", ""))
    if not name.strip():
        raise InvalidInput("Send the file’s name, percent-encoded, as the header File-Name; or a form with the part “file”.")
    shutil.copyfileobj(request.stream, room)
    return FileStorage(room, filename=name, content_type=request.mimetype)


def _check_sending() -> None:
    """Refuse files of those who can put them nowhere: what they send counts to the organization's quota.

    Raises:
        Forbidden: see above.
    """
    for document in documents.live(current_app_row(), "worksheet"):
        try:
            sheet = open_sheet(document.key)
        except NotFound:
            continue
        if _takes_files(sheet):
            return
    raise Forbidden("You cannot write to any field of this app that holds files.")


def _takes_files(sheet: SheetContext) -> bool:
    return any(one.type.holds_files and (sheet.editable(one) or sheet.editable(one, "create")) for one in sheet.fields.values())


@api.operation("GET", f"{RECORD}/files/<field>/<content>", Needs.APP, name="get_file", scope="read", subject=SUBJECT,
               summary="A file that a record holds", about="`content` is the `file` of what the field holds.", answer={},
               answer_type="*/*", parts=PARTS)
def get_file(app_id: str, worksheet: str, number: int, field: str, content: str) -> Response:
    """Give a file of a record."""
    return file_response(named_file(open_sheet(worksheet), number, field, content))
