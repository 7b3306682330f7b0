"""Restore from file: sending a backup file, in parts that a script sends and resumes, or whole from a plain form."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from core.backups import uploads
from core.backups.log import noting
from core.backups.models import BackupUpload
from core.backups.uploads import PART_BYTES
from core.base.db import transaction
from core.base.errors import AppkeepError, InvalidInput
from core.server import server
from core.web.backups.blueprint import ROOT, app_args, pages, redirect_to
from core.web.gate import Needs
from core.web.visit import current_app_row, visit

UPLOAD = f"{ROOT}/uploads/<upload_id>"
FORM_BYTES = 1024 * 1024
"""What a form with a file may have beside the file."""


@pages.page(f"{ROOT}/upload", Needs.BACKUP, max_bytes=lambda: server().config.upload_limit_bytes + FORM_BYTES)
def choose_file(organization_id: str, app_id: str) -> str:
    """Ask for a backup file."""
    return _form()


@pages.page(f"{ROOT}/upload", Needs.BACKUP, ("POST",), max_bytes=lambda: server().config.upload_limit_bytes + FORM_BYTES)
def receive(organization_id: str, app_id: str) -> Response | tuple[str, int]:
    """Take a file that comes whole."""
    try:
        with noting("upload", app_id, visit().person):
            run_id = _take_whole(request.files.get("file"))
    except AppkeepError as refused:
        if refused.status >= 500:
            raise
        return _form(refused.message), refused.status
    return redirect_to("backups.run", run_id=run_id)


@pages.page(f"{ROOT}/uploads", Needs.BACKUP, ("POST",))
def begin_upload(organization_id: str, app_id: str) -> tuple[Response, int]:
    """Begin an upload in parts."""
    size = request.form.get("size", "")
    with noting("upload", app_id, visit().person):
        if not re.fullmatch(r"[0-9]{1,15}", size):
            raise InvalidInput("The upload must state the file’s size in bytes.")
        found = uploads.begin(current_app_row(), visit().person, request.form.get("name", ""), int(size))
    return jsonify(_value(found)), 201


@pages.page(UPLOAD, Needs.BACKUP)
def how_far(organization_id: str, app_id: str, upload_id: str) -> Response:
    """Say how much of an upload has arrived."""
    return jsonify(_value(_mine(upload_id)))


@pages.page(UPLOAD, Needs.BACKUP, ("PATCH",), max_bytes=uploads.MAX_PART_BYTES)
def send_part(organization_id: str, app_id: str, upload_id: str) -> Response:
    """Take a part; the header Upload-Offset says where it begins."""
    offset = uploads.offset_in(request.headers.get("Upload-Offset", ""))
    uploads.append(_mine(upload_id), offset, request.stream)  # type: ignore[arg-type]  # a stream of bytes that can be read
    return jsonify(_value(_mine(upload_id)))


@pages.page(f"{UPLOAD}/finish", Needs.BACKUP, ("POST",))
def finish_upload(organization_id: str, app_id: str, upload_id: str) -> Response:
    """Have a file read in that has arrived whole, and say where one sees how far that is."""
    with transaction():
        run_id = uploads.finish(_mine(upload_id), visit().person, send=True).id
    return jsonify(url=url_for("backups.run", **app_args(run_id=run_id)))


@pages.page(f"{UPLOAD}/forget", Needs.BACKUP, ("POST",))
def forget_upload(organization_id: str, app_id: str, upload_id: str) -> Response:
    """Give an upload up."""
    uploads.forget(_mine(upload_id))
    return redirect_to("backups.choose_file")


def _mine(upload_id: str) -> BackupUpload:
    return uploads.find_upload(upload_id, current_app_row().id, visit().person)


def _take_whole(sent: FileStorage | None) -> str:
    """Return the id of the run that reads a file in; nothing of one that is refused stays."""
    if sent is None or not sent.filename:
        raise InvalidInput("Choose a file first.")
    sent.stream.seek(0, 2)
    size = sent.stream.tell()
    sent.stream.seek(0)
    upload_id = uploads.begin(current_app_row(), visit().person, sent.filename, size).id
    try:
        for offset in range(0, size, PART_BYTES):
            uploads.append(_mine(upload_id), offset, _Limited(sent.stream, PART_BYTES))  # type: ignore[arg-type]
        with transaction():
            return uploads.finish(_mine(upload_id), visit().person, send=True).id
    except AppkeepError:
        uploads.forget(_mine(upload_id))
        raise


class _Limited:
    """A stream that ends after so many bytes."""

    def __init__(self, stream: Any, size: int) -> None:
        self.stream, self.left = stream, size

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        found: bytes = self.stream.read(min(size, self.left))
        self.left -= len(found)
        return found


def _value(upload: BackupUpload) -> dict[str, Any]:
    where = app_args(upload_id=upload.id)
    return {**uploads.value_of(upload), "part_bytes": PART_BYTES, "url": url_for("backups.how_far", **where),
            "finish_url": url_for("backups.finish_upload", **where)}


def _form(error: str | None = None) -> str:
    waiting = [_value(one) for one in uploads.open_uploads(current_app_row().id, visit().person)]
    return render_template("backups/upload.html", error=error, limit=server().config.upload_limit_bytes, waiting=waiting)
