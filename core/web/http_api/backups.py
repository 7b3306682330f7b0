"""The API on backups: making and keeping them, their files, and restoring an app from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import request

from core.apps import service as apps
from core.backups import agreement, catalog, uploads
from core.backups.catalog import backup_value, backups_of
from core.backups.compare import CHANGES, data_compared, documents_compared
from core.backups.create import MAX_NAME_CHARS
from core.backups.log import noting
from core.backups.models import ORIGINS, TYPES, Backup
from core.backups.plan import Options, asked_or_all, check_origin, plan_of, plan_undo
from core.backups.proof import LEVELS
from core.backups.record_lists import planned_lists
from core.backups.requests import request_backup, request_copy, request_restore, request_undo
from core.backups.uploads import MAX_PART_BYTES
from core.base.db import reading, transaction
from core.base.errors import Conflict
from core.runs.service import check_free
from core.web.apps import checked_name
from core.web.backups.backup_page import checking
from core.web.backups.blueprint import backup_here
from core.web.backups.compare import NOW, sides
from core.web.backups.copy import check_copy
from core.web.backups.download import sent
from core.web.backups.run_page import run_here
from core.web.gate import Needs
from core.web.http_api.apps import FLAG, MAYBE, MOMENT, NAME, RUN_VALUE, TEXT, WHOLE, started
from core.web.http_api.blueprint import api
from core.web.http_api.operations import APP, Answer, Schema, object_schema, page_schema
from core.web.http_api.repeats import answered_before, once
from core.web.visit import current_app_row, visit

ROOT = f"{APP}/backups"
BACKUP = f"{ROOT}/<backup_id>"
UPLOADS = f"{APP}/uploads"
UPLOAD = f"{UPLOADS}/<upload_id>"
RESTORE = f"{APP}/runs/<run_id>/undo"
SUBJECT, UPLOADING, RESTORING = "Backups", "Backup files", "Restores"
PAGE, MOST_PAGE, LISTED = 50, 200, 1000
BACKUP_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS}
PARTS = ("config", "data", "both")
ONLY = {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 1000,
        "description": "Only these: components by name; documents, parts of documents and records by address."}
CONFIG = {**FLAG, "description": "Restore the configuration; without config and data, all that the backup holds."}
DATA = {**FLAG, "description": "Restore records and their files."}
BIN_NEWER = {**FLAG, "description": "Move records created since the backup to the recycle bin."}
PLANNED = {"type": "string", "maxLength": 4000}
SAFETY = {**FLAG, "description": "Back up the current version first, so that it can be undone (the default)."}
ACCEPT = {**FLAG, "description": "Let a backup of another app or server overwrite this one."}
CHOICE: Mapping[str, Schema] = {"config": CONFIG, "data": DATA, "bin_newer": BIN_NEWER, "only": ONLY}
BACKUP_VALUE = object_schema({
    "backup": TEXT, "app": TEXT, "name": TEXT, "type": {"enum": list(TYPES)}, "part": {"enum": list(PARTS)}, "content_id": TEXT,
    "size_bytes": WHOLE, "added_bytes": WHOLE, "records": WHOLE, "pinned": FLAG, "created_at": TEXT, "created_by": TEXT,
    "origin": {"enum": list(ORIGINS)}, "signer": MAYBE, "made_at": MOMENT, "checked_at": MOMENT, "check_error": MAYBE,
    **{f"{level}_at": MOMENT for level in LEVELS}})
PLAN = {"type": "object", "required": ["plan", "components"], "properties": {
    "plan": {**TEXT, "description": "Names what was planned: a restore is started with it."}, "components": {"type": "object"},
    "records": {"type": "object"}}}
COMPARED = object_schema({
    "documents": {"type": "object", "description": "By component: documents added, changed, removed."},
    "collections": {"type": "array", "items": object_schema({"component": TEXT, "address": TEXT, **dict.fromkeys(CHANGES, WHOLE)})}})
UPLOAD_VALUE = object_schema({"upload": TEXT, "name": TEXT, "size": WHOLE, "received": WHOLE})


@api.operation("GET", ROOT, Needs.BACKUP, name="list_backups", scope="backup", subject=SUBJECT,
               summary="The backups of an app, newest first",
               query={"limit": {"type": "integer", "minimum": 1, "maximum": MOST_PAGE}, "cursor": {"type": "string", "maxLength": 40}},
               answer=page_schema(BACKUP_VALUE))
def list_backups(app_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """List backups."""
    limit = query.get("limit", PAGE)
    found = backups_of(app_id, before=backup_here(query["cursor"]) if "cursor" in query else None, most=limit + 1)
    return {"items": [backup_value(one) for one in found[:limit]], "next": found[limit - 1].id if len(found) > limit else None}


@api.operation("POST", ROOT, Needs.BACKUP, name="make_backup", scope="backup", subject=SUBJECT, summary="Back an app up", status=202,
               body=object_schema({}, {"data": {**FLAG, "description": "Include records and their files."}, "name": BACKUP_NAME}),
               answer=RUN_VALUE, refusals=(409,), repeatable=True)
def make_backup(app_id: str, body: dict[str, Any]) -> Any:
    """Ask for a backup."""
    def act() -> Answer:
        name = body["name"].strip() if "name" in body else None
        return started(request_backup(apps.find(app_id), person, data=body.get("data", False), name=name, send=True))

    person = visit().person
    with noting("backup", app_id, person):
        return once(act)


@api.operation("GET", BACKUP, Needs.BACKUP, name="get_backup", scope="backup", subject=SUBJECT, summary="One backup", answer=BACKUP_VALUE)
def get_backup(app_id: str, backup_id: str) -> dict[str, Any]:
    """Show a backup."""
    return backup_value(backup_here(backup_id))


@api.operation("PATCH", BACKUP, Needs.BACKUP, name="change_backup", scope="backup", subject=SUBJECT,
               summary="Rename, pin or unpin a backup",
               body={**object_schema({}, {"name": BACKUP_NAME, "pinned": FLAG}), "minProperties": 1}, answer=BACKUP_VALUE)
def change_backup(app_id: str, backup_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Rename or pin a backup."""
    backup_here(backup_id)
    with noting("rename" if "name" in body else "pin", app_id, visit().person, backup_id=backup_id), transaction():
        if "name" in body:
            catalog.rename(backup_id, body["name"].strip(), visit().person)
        if "pinned" in body:
            catalog.pin(backup_id, visit().person, pinned=body["pinned"])
    return backup_value(backup_here(backup_id))


@api.operation("DELETE", BACKUP, Needs.BACKUP, name="delete_backup", scope="backup", subject=SUBJECT,
               summary="Delete a backup", status=204,
               about="Others stay complete. One that matters more than others (the only one, the newest good one) needs `sure`.",
               query={"sure": FLAG}, refusals=(409,))
def delete_backup(app_id: str, backup_id: str, query: dict[str, Any] | None = None) -> None:
    """Delete a backup."""
    backup = backup_here(backup_id)
    with noting("delete", app_id, visit().person, backup_id=backup_id):
        if not (query or {}).get("sure") and not backup.pinned and (reasons := catalog.reasons_to_keep(backup)):
            raise Conflict(f"{' '.join(reasons)} Delete it with sure=true.", backup=backup.id)
        with transaction():
            catalog.delete(backup_id, visit().person)


@api.operation("POST", f"{BACKUP}/check", Needs.BACKUP, name="check_backup", scope="backup", subject=SUBJECT, summary="Check a backup",
               about="`quick` sees that all is there, `read` reads everything, `deep` restores it on trial as well. One that is being "
                     "checked so already is not checked twice.", status=202,
               body=object_schema({}, {"level": {"enum": list(LEVELS)}}), answer=RUN_VALUE, repeatable=True)
def check_backup(app_id: str, backup_id: str, body: dict[str, Any]) -> Any:
    """Ask for a check."""
    backup_here(backup_id)
    return once(lambda: started(checking(backup_here(backup_id), body.get("level", "read"))))


@api.operation("GET", f"{BACKUP}/download/<what>", Needs.BACKUP, name="download_backup", scope="backup", subject=UPLOADING,
               summary="A backup as a file", about="`what` is config, data or both. Ranges can be asked for, so that a broken download "
               "goes on where it stopped.", answer={}, answer_type="application/zip", tagged=True, ranged=True, refusals=(413,))
def download_backup(app_id: str, backup_id: str, what: str) -> Any:
    """Send a backup's file."""
    return sent(backup_here(backup_id), what)


@api.operation("POST", UPLOADS, Needs.BACKUP, name="begin_upload", scope="backup", subject=UPLOADING,
               summary="Begin to upload a backup file",
               about=f"Then send its parts, of at most {MAX_PART_BYTES} bytes each, and finish it.", status=201,
               body=object_schema({"name": {"type": "string", "maxLength": 255},
                                   "size": {"type": "integer", "minimum": 1, "description": "Of the file, in bytes."}}),
               answer=UPLOAD_VALUE, refusals=(413,))
def begin_upload(app_id: str, body: dict[str, Any]) -> Answer:
    """Begin an upload."""
    with noting("upload", app_id, visit().person):
        found = uploads.begin(current_app_row(), visit().person, body["name"], body["size"])
    return Answer(uploads.value_of(found), headers={"Location": f"{request.path}/{found.id}"})


@api.operation("GET", UPLOAD, Needs.BACKUP, name="get_upload", scope="backup", subject=UPLOADING,
               summary="How much of an upload has arrived",
               answer=UPLOAD_VALUE)
def get_upload(app_id: str, upload_id: str) -> dict[str, Any]:
    """Say how far an upload is."""
    return uploads.value_of(_upload(upload_id))


@api.operation("PATCH", UPLOAD, Needs.BACKUP, name="send_part", scope="backup", subject=UPLOADING,
               summary="Send the next part of an upload",
               headers={"Upload-Offset": {"type": "integer", "description": "Where in the file the part begins."}},
               max_bytes=MAX_PART_BYTES, body_type="application/octet-stream", answer=UPLOAD_VALUE, refusals=(409, 413))
def send_part(app_id: str, upload_id: str) -> dict[str, Any]:
    """Take a part."""
    uploads.append(_upload(upload_id), uploads.offset_in(request.headers.get("Upload-Offset", "")),
                   request.stream)  # type: ignore[arg-type]  # a stream of bytes that can be read
    return uploads.value_of(_upload(upload_id))


@api.operation("POST", f"{UPLOAD}/finish", Needs.BACKUP, name="finish_upload", scope="backup", subject=UPLOADING,
               summary="Have an uploaded file read in", about="The run’s report names the backup that it became. Asked twice, it is done "
               "once.", status=202, answer=RUN_VALUE, refusals=(409,))
def finish_upload(app_id: str, upload_id: str) -> Answer:
    """Have a file read in that has arrived whole."""
    with transaction():
        return started(uploads.finish(_upload(upload_id), visit().person, send=True))


@api.operation("DELETE", UPLOAD, Needs.BACKUP, name="forget_upload", scope="backup", subject=UPLOADING,
               summary="Give an upload up", status=204)
def forget_upload(app_id: str, upload_id: str) -> None:
    """Give an upload up."""
    uploads.forget(_upload(upload_id))


@api.operation("GET", f"{BACKUP}/plan", Needs.BACKUP, name="plan_restore", scope="backup", subject=RESTORING,
               summary="What a restore would change",
               about=f"Nothing is changed. `records` names collections (worksheet/w_…) to list the records of, at most {LISTED}.",
               query={**CHOICE, "records": {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 20}}, answer=PLAN)
def plan_restore(app_id: str, backup_id: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
    """Plan a restore."""
    backup, app, asked = backup_here(backup_id), current_app_row(), query or {}
    options = _options(backup, asked)
    found = _planned(options, backup)
    lists = {one: planned_lists(app, backup, visit().person, options, one, limit=LISTED) for one in asked.get("records", ())}
    return found | ({"records": lists} if lists else {})


@api.operation("POST", f"{BACKUP}/restore", Needs.BACKUP, name="restore", scope="restore", subject=RESTORING,
               summary="Restore an app from a backup, all or nothing", status=202, repeatable=True, refusals=(409,),
               about="`plan` is what the plan with the same choices was called: what nobody has seen is not done. Making the token has "
                     "confirmed who asks.",
               body=object_schema({"plan": PLANNED}, {**CHOICE, "safety_backup": SAFETY, "accept_origin": ACCEPT}), answer=RUN_VALUE)
def restore(app_id: str, backup_id: str, body: dict[str, Any]) -> Any:
    """Start a restore."""
    if (done := answered_before()) is not None:
        return done
    backup, person = backup_here(backup_id), visit().person
    options = _options(backup, body)
    with noting("restore", app_id, person, backup_id=backup.id):
        agreement.check(body["plan"], _planned(options, backup)["plan"])
        check_origin(current_app_row(), backup, options)
        check_free(app_id)
        return once(lambda: started(request_restore(apps.find(app_id), backup_here(backup_id), options, person, send=True)))


@api.operation("GET", RESTORE, Needs.BACKUP, name="plan_undo", scope="backup", subject=RESTORING,
               summary="What undoing a restore would change",
               query={"also_later": {**FLAG, "description": "Also take back what was changed since."}}, answer=PLAN, refusals=(409,))
def plan_of_undo(app_id: str, run_id: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
    """Plan an undo."""
    return plan_undo(current_app_row(), run_here(run_id), visit().person, also_later=(query or {}).get("also_later", False))


@api.operation("POST", RESTORE, Needs.BACKUP, name="undo", scope="restore", subject=RESTORING, summary="Undo a restore", status=202,
               body=object_schema({"plan": PLANNED}, {"also_later": FLAG}), answer=RUN_VALUE,
               refusals=(409,), repeatable=True)
def undo(app_id: str, run_id: str, body: dict[str, Any]) -> Any:
    """Start an undo."""
    if (done := answered_before()) is not None:
        return done
    person, also_later = visit().person, body.get("also_later", False)
    found = plan_undo(current_app_row(), run_here(run_id), person, also_later=also_later)
    with noting("restore", app_id, person, backup_id=found["backup"]):
        agreement.check(body["plan"], found["plan"])
        check_free(app_id)
        return once(lambda: started(request_undo(apps.find(app_id), run_here(run_id), person, also_later=also_later, plan=body["plan"],
                                                 send=True)))


@api.operation("POST", f"{BACKUP}/copy", Needs.BACKUP, name="restore_as_new", scope="restore", subject=RESTORING,
               summary="Make a new app of a backup’s configuration", about="For owners and admins of the organization. The run’s report "
               "names the app.", status=202, body=object_schema({"name": NAME}), answer=RUN_VALUE, repeatable=True)
def restore_as_new(app_id: str, backup_id: str, body: dict[str, Any]) -> Any:
    """Ask for a new app."""
    backup, person = backup_here(backup_id), visit().person
    with noting("restore_as_new", app_id, person, backup_id=backup.id):
        check_copy(backup)
        return once(lambda: started(request_copy(backup_here(backup_id), person, name=checked_name(body["name"].strip()), send=True)))


@api.operation("GET", f"{BACKUP}/compare/<other>", Needs.BACKUP, name="compare_backup", scope="backup", subject=SUBJECT,
               summary="What changed from a backup to another, or to the app as it is", answer=COMPARED)
def compare(app_id: str, backup_id: str, other: str) -> dict[str, Any]:
    """Compare two states."""
    backup, second = backup_here(backup_id), None if other == NOW else backup_here(other)
    with reading() as connection:
        before, after = sides(backup, second, connection)
        return {"documents": documents_compared(before, after), "collections": [asdict(one) for one in data_compared(before, after)]}


def _upload(upload_id: str) -> Any:
    return uploads.find_upload(upload_id, current_app_row().id, visit().person)


def _options(backup: Backup, asked: Mapping[str, Any]) -> Options:
    """Return what is to be restored: what was asked for, or else all that the backup holds."""
    config, data = asked_or_all(backup, config=asked.get("config", False), data=asked.get("data", False))
    return Options(backup=backup.id, config=config, data=data, only=tuple(asked.get("only", ())), plan=asked.get("plan"),
                   bin_newer=asked.get("bin_newer", False) and data, safety_backup=asked.get("safety_backup", True),
                   accept_origin=asked.get("accept_origin", False))


def _planned(options: Options, backup: Backup) -> dict[str, Any]:
    return plan_of(current_app_row(), backup, visit().person, options)
