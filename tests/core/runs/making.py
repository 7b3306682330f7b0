"""A small app that a restore has something to do for, and runs of it."""

from __future__ import annotations

import io
from typing import Any

from sqlalchemy import select

from core.api import App, Document, apps, db, direct, documents, transaction
from core.backups import requests, uploads
from core.backups.catalog import backups_of
from core.backups.models import Backup
from core.backups.plan import Options
from core.runs.models import Run
from core.runs.service import find
from plugins.worksheets import service

SHEETS = ("w_1111111111", "w_2222222222", "w_3333333333")
FIELD = "f_1111111111"
KINDS = ("backup", "restore", "restore_as_new", "check", "upload")


def fill(app: App) -> App:
    """Give the app three worksheets with three records each: three segments of data."""
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[_sheet(key) for key in SHEETS])
        for key in SHEETS:
            for n in range(3):
                service.put_record(live, key, None, {FIELD: f"{key} {n}"}, "system")
    return apps.find(app.id)


def change(app: App) -> App:
    """Change the app in its configuration and in each segment of its data."""
    with transaction():
        live = apps.find(app.id)
        for key in SHEETS:
            service.put_record(live, key, 1, {FIELD: "changed"}, "system")
        service.delete_record(live, SHEETS[0], 2, "system")
        documents.hide(live, f"worksheet/{SHEETS[2]}", "system")
    return apps.find(app.id)


def write(app: App) -> None:
    """Write to the app, as a person would: refused while it is being restored."""
    with transaction():
        service.put_record(apps.find(app.id), SHEETS[0], 1, {FIELD: "written"}, "system")


def ask(kind: str, app: App, backup: Backup | None, *, send: bool = True) -> str:
    """Ask for a run of a kind and return its id."""
    with transaction():
        return _asked(kind, apps.find(app.id), backup, send=send).id


def _asked(kind: str, app: App, backup: Backup | None, *, send: bool) -> Run:
    if kind == "backup":
        return requests.request_backup(app, "system", data=True, name=None, send=send)
    assert backup is not None
    if kind == "restore":
        options = Options(backup=backup.id, config=True, data=True)
        return requests.request_restore(app, backup, options, "system", send=send)
    if kind == "check":
        return requests.request_check(backup, "system", deep=True, send=send)
    if kind == "upload":
        return _sent(app, backup, send=send)
    return requests.request_copy(backup, "system", name=None, send=send)


def _sent(app: App, backup: Backup, *, send: bool) -> Run:
    """Ask for the file of a backup to be read in, sent in two parts."""
    content, app_id = direct.file_of(backup), app.id
    upload_id = uploads.begin(app, "system", "x.appkeep.zip", len(content)).id
    for start, end in ((0, 1000), (1000, len(content))):
        uploads.append(uploads.find_upload(upload_id, app_id, "system"), start, io.BytesIO(content[start:end]))
    return uploads.finish(uploads.find_upload(upload_id, app_id, "system"), "system", send=send)


def state_of(run_id: str) -> tuple[str, str | None]:
    """Return a run's state and its error's code as they are now."""
    run = find(run_id)
    return run.state, run.error_code


def types_of_backups(app: App) -> list[str]:
    """Return the types of the app's backups that the catalogue shows, sorted."""
    return sorted(backup.type for backup in backups_of(app.id))


def restoring(app: App) -> str | None:
    """Return the run that keeps the app closed."""
    return db.session.scalar(select(App.restoring_run_id).where(App.id == app.id))


def _sheet(key: str) -> Document:
    body: dict[str, Any] = {"name": key, "fields": [{"key": FIELD, "name": "Text", "type": "text", "options": {}}]}
    return Document(kind="worksheet", key=key, body=body, position=0)
