"""Backup files that are sent in parts, so that a connection that breaks costs one part; then read in as a run.

Parts lie in the store, since web servers and workers may be different machines; the row says which of them count.
The one danger: two requests with the same part. Each stores under a name of its own, and the row takes one of them.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from sqlalchemy import select, update

from core.apps import service
from core.archive.reader import MIN_BYTES
from core.backups import ingest
from core.backups.log import note
from core.backups.models import Backup, BackupUpload
from core.base.db import db, transaction
from core.base.errors import AppkeepError, Conflict, InvalidInput, NotFound, RunLost
from core.base.ids import new_key
from core.base.text import size_text
from core.base.time import now_us
from core.imports.inbox import shown_name, spool
from core.runs.context import RunContext
from core.runs.models import Run
from core.runs.service import request
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant, tenant

PART_BYTES = 8 * 1024 * 1024
MAX_PART_BYTES = 16 * 1024 * 1024
MAX_OPEN = 5
KEPT_US = 24 * 3600 * 1_000_000
"""What nobody has touched for this long is given up."""
_table = BackupUpload.__table__


class UploadTooLarge(AppkeepError):
    """A backup file that is sent is larger than this server takes, or than was said."""

    code, status, title = "upload_too_large", 413, "Too large"


class UploadOutOfPlace(Conflict):
    """A part of an upload does not begin where the last one ended."""

    code, title = "upload_out_of_place", "Part out of place"


def begin(app: App, person: str, name: str, size: int) -> BackupUpload:
    """Return a new upload of a file of *size* bytes; room for it is set aside. Not inside a transaction.

    Raises:
        UploadTooLarge: it is larger than this server takes.
        InvalidInput: it is too small for a backup file, or too many uploads of this person are open.
        AppkeepError: a plugin refuses so much.
    """
    limit = server().config.upload_limit_bytes
    if size > limit:
        raise UploadTooLarge(f"The file is too large ({size_text(size)}; limit {size_text(limit)}).", size_bytes=size, limit_bytes=limit)
    if size < MIN_BYTES:
        raise InvalidInput(f"Not a backup file (only {size} bytes).")
    if len(open_uploads(app.id, person)) >= MAX_OPEN:
        raise InvalidInput(f"You have {MAX_OPEN} unfinished uploads to this app. Finish or remove one first.")
    upload_id, organization_id, app_id = new_key("p"), tenant(), app.id
    server().registry.hook.objects_reserved(organization_id=organization_id, size=size, reference=upload_id)
    now = now_us()
    with transaction():
        db.session.add(BackupUpload(id=upload_id, organization_id=organization_id, app_id=app_id, person=person,
                                    name=shown_name(name), size=size, received=0, made_at=now, touched_at=now))
    return find_upload(upload_id, app_id, person)


def find_upload(upload_id: str, app_id: str, person: str) -> BackupUpload:
    """Return an upload of a person's own to an app.

    Raises:
        NotFound: there is none, or somebody else sends it.
    """
    found = db.session.scalar(select(BackupUpload).where(
        BackupUpload.id == upload_id, BackupUpload.app_id == app_id, BackupUpload.person == person)
        .execution_options(populate_existing=True))
    if found is None:
        raise NotFound(f"There is no upload “{upload_id[:40]}”.")
    return found


def open_uploads(app_id: str, person: str) -> list[BackupUpload]:
    """Return a person's uploads to an app that have not arrived whole, the newest first."""
    query = select(BackupUpload).where(BackupUpload.app_id == app_id, BackupUpload.person == person,
                                       BackupUpload.received < BackupUpload.size).order_by(BackupUpload.made_at.desc())
    return list(db.session.scalars(query))


def offset_in(header: str) -> int:
    """Return where a part begins, as its header Upload-Offset says.

    Raises:
        InvalidInput: it does not say so.
    """
    if not re.fullmatch(r"[0-9]{1,15}", header):
        raise InvalidInput("The header Upload-Offset must say where the part begins.")
    return int(header)


def append(upload: BackupUpload, offset: int, stream: BinaryIO) -> int:
    """Take the part of a file that begins at *offset* and return how much has arrived. Not inside a transaction.

    Raises:
        UploadOutOfPlace: the part begins elsewhere; with the offset at which it must.
        UploadTooLarge: it is too large for a part, or goes beyond the end of the file.
        InvalidInput: it is empty.
    """
    if offset != upload.received:
        raise UploadOutOfPlace(f"{upload.received} bytes were received. Continue from there.", received=upload.received)
    raw = stream.read(MAX_PART_BYTES + 1)
    if not raw:
        raise InvalidInput("The part is empty.")
    if len(raw) > MAX_PART_BYTES or offset + len(raw) > upload.size:
        raise UploadTooLarge("More was sent than announced." if len(raw) <= MAX_PART_BYTES else "The part is too large.",
                             limit_bytes=min(MAX_PART_BYTES, upload.size - offset))
    upload_id, name = upload.id, f"{_folder(upload)}/{new_key('k')}.part"
    with server().store.batch() as batch:
        batch.put_if_absent(name, raw)
    if not _take(upload_id, offset, [*json.loads(upload.parts), name], len(raw)):
        server().store.delete(name)
        now = db.session.scalar(select(BackupUpload.received).where(BackupUpload.id == upload_id))
        raise UploadOutOfPlace("Another part was received meanwhile. Ask for the current position.", received=now)
    return offset + len(raw)


def _take(upload_id: str, offset: int, parts: list[str], size: int) -> bool:
    """Say whether the row took the part: only the first of two that begin at the same place."""
    with transaction():
        return bool(db.session.connection().execute(
            update(_table).where(_table.c.id == upload_id, _table.c.received == offset)
            .values(received=offset + size, parts=json.dumps(parts), touched_at=now_us())).rowcount)


def finish(upload: BackupUpload, person: str, *, send: bool) -> Run:
    """Return the run that reads a file in which has arrived whole; the same one when asked twice. The caller owns the transaction.

    Raises:
        Conflict: some of it is still missing.
    """
    if upload.received != upload.size:
        raise Conflict(f"{upload.received} of {upload.size} bytes were received. Send the rest first.", received=upload.received)
    under_way = select(Run).where(Run.kind == "upload", Run.app_id == upload.app_id,
                                  Run.options.contains(f'"upload":"{upload.id}"', autoescape=True))
    found = db.session.scalar(under_way)
    if found is not None:
        return found
    run = request("upload", service.find(upload.app_id), {"upload": upload.id, "file": upload.name}, person, send=send,
                  size_bytes=upload.size)
    note("upload", upload.app_id, person, result="asked", run_id=run.id, file=upload.name, size_bytes=upload.size)
    return run


def forget(upload: BackupUpload) -> None:
    """Give an upload up: its parts, its row, the room that was set aside. Not inside a transaction."""
    upload_id, organization_id, folder = upload.id, upload.organization_id, _folder(upload)
    with transaction():
        db.session.connection().execute(_table.delete().where(_table.c.id == upload_id))
    server().registry.hook.objects_released(organization_id=organization_id, reference=upload_id)
    for name, _ in list(server().store.list(folder)):
        server().store.delete(name)


def forget_cancelled(run: Run) -> None:
    """Give up the upload of a run that was cancelled before a worker took it up. Not inside a transaction."""
    found = db.session.scalar(select(BackupUpload).where(BackupUpload.id == json.loads(run.options)["upload"]))
    if found is not None:
        forget(found)


def forget_old() -> int:
    """Give up what nobody has touched for a day, and return how many they were."""
    with as_server():
        old = db.session.execute(select(_table.c.id, _table.c.organization_id).where(_table.c.touched_at < now_us() - KEPT_US)).all()
    for upload_id, organization_id in old:
        with as_tenant(organization_id):
            found = db.session.scalar(select(BackupUpload).where(BackupUpload.id == upload_id))
            if found is not None:
                forget(found)
    return len(old)


def bring_in(run: RunContext) -> None:
    """Do a run of kind "upload": prove the file whole and make a backup of it; whatever it was, its parts are gone then."""
    upload = find_upload(run.options["upload"], run.app_id or "", run.person)
    try:
        run.step("upload.begun")
        _read_in(run, upload)
    except RunLost:
        raise  # another attempt needs the parts
    except AppkeepError:
        forget(find_upload(run.options["upload"], run.app_id or "", run.person))
        raise
    forget(upload)
    run.step("upload.committed", ended=True)


def _read_in(run: RunContext, upload: BackupUpload) -> None:
    organization_id, reference = upload.organization_id, upload.id

    def made(row: Backup) -> None:
        row.run_id = run.run_id
        run.step("upload.before_commit")
        run.succeed({"backup": row.id, "name": row.name, "origin": row.origin, "part": row.part, "size_bytes": row.size_bytes,
                     "added_bytes": row.added_bytes, "records": row.records})

    with _assembled(upload) as file:
        run.step("upload.verifying")
        # What is really new is set aside by whoever stores it.
        server().registry.hook.objects_released(organization_id=organization_id, reference=reference)
        ingest.upload(file, service.find(run.app_id or ""), run.person, finish=made,
                     tick=lambda done, total, size: run.progress("upload.verifying", done, total, size))


@contextmanager
def _assembled(upload: BackupUpload) -> Iterator[BinaryIO]:
    """Give an upload's parts as one file."""
    with spool() as folder, tempfile.TemporaryFile(dir=folder) as file:
        for name in json.loads(upload.parts):
            for chunk in server().store.get(name):
                file.write(chunk)
        file.seek(0)
        yield file


def _folder(upload: BackupUpload) -> str:
    return f"organizations/{upload.organization_id}/uploads/{upload.id}"


def value_of(upload: BackupUpload) -> dict[str, Any]:
    """Return an upload as JSON."""
    return {"upload": upload.id, "name": upload.name, "size": upload.size, "received": upload.received}
