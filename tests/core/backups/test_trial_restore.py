"""The deep check: a restore on trial, of which nothing stays."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import MetaData, func, select

from core.api import App, Document, apps, db, direct, documents, transaction
from core.backups import ingest
from core.backups import merge as merging
from core.backups.catalog import find_backup
from core.backups.trial_restore import RestoreDiffers
from core.base.errors import AppkeepError, InvalidInput
from core.tenancy.wall import as_server
from plugins.worksheets import service
from tenants import departments
from tests.core.runs.making import SHEETS, change, fill

LINK = "f_9999999999"
QUIET = {"run", "backup_act", "audit_entry", "notification"}
"""Tables that tell of the check itself."""


@pytest.fixture(autouse=True)
def often(server: Flask) -> None:
    """Backups may follow each other at once."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0


def rows() -> dict[str, int]:
    """Return how many rows each table of the database has, as it is and not as models say."""
    with as_server():
        found = MetaData()
        found.reflect(bind=db.session.connection())
        counted = {name: int(db.session.connection().execute(select(func.count()).select_from(table)).scalar_one())
                   for name, table in found.tables.items()}
        db.session.rollback()
    return {name: count for name, count in counted.items() if name not in QUIET}


@pytest.mark.parametrize("data", [True, False])
def test_a_backup_gives_its_state_on_trial_and_nothing_stays(app: App, data: bool) -> None:
    """No app, no record, no document more than before; the app that is at work is what it was."""
    app = fill(app)
    app_id, backup_id = app.id, direct.back_up(app, data=data).id
    state, before = direct.content_id(change(app)), rows()
    report = direct.check(find_backup(backup_id), deep=True)
    assert before == rows()
    checked = find_backup(backup_id)
    assert {"same": True, "content_id": checked.content_id, "references_not_restored": 0} == report["trial"]
    assert state == direct.content_id(apps.find(app_id))
    assert (True, None) == (checked.checked_at is not None, checked.check_error)


def test_a_check_that_is_not_deep_restores_nothing(app: App) -> None:
    """It says nothing of a trial."""
    assert "trial" not in direct.check(direct.back_up(fill(app)))


def leaving_out(put: Callable[..., Any]) -> Callable[..., Any]:
    """Return a restore of documents that forgets one."""
    def forgetful(context: merging.RestoreContext) -> Any:
        context.documents = {a: d for a, d in context.documents.items() if a != f"worksheet/{SHEETS[1]}"}  # type: ignore[misc]
        return put(context)

    return forgetful


def test_a_restore_that_loses_something_is_found_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the part that differs; the backup says so from then on, until a check finds it whole."""
    backup_id, before = direct.back_up(fill(app), data=False).id, rows()
    with monkeypatch.context() as here:
        here.setattr(merging, "_put_documents", leaving_out(merging._put_documents))
        with pytest.raises(AppkeepError, match="worksheets differs") as raised:
            direct.check(find_backup(backup_id), deep=True)
    assert RestoreDiffers.code == raised.value.code
    assert "worksheets differs" in str(find_backup(backup_id).check_error)
    assert before == rows()
    direct.check(find_backup(backup_id), deep=True)
    assert find_backup(backup_id).check_error is None


def test_references_to_what_lies_outside_are_counted_and_are_no_damage(app: App) -> None:
    """A department is in no backup: once it is gone, the trial says that one reference would not come back."""
    app = fill(app)
    with transaction():
        live = apps.find(app.id)
        gone = departments.add("Sales", None).id
        sheet = next(d for d in documents.live(live, "worksheet") if d.key == SHEETS[0])
        field = {"key": LINK, "name": "Department", "type": "department", "options": {}}
        documents.change(live, "system", put=[Document(kind="worksheet", key=sheet.key, position=sheet.position,
                                                       body={**sheet.body, "fields": [*sheet.body["fields"], field]})])
        service.put_record(live, SHEETS[0], 1, {LINK: {"org": f"department/{gone}"}}, "system")
    backup_id = direct.back_up(apps.find(app.id)).id
    with transaction():
        departments.remove(gone)
    trial = direct.check(find_backup(backup_id), deep=True)["trial"]
    assert (1, False) == (trial["references_not_restored"], trial["same"])
    assert find_backup(backup_id).check_error is None


def test_data_alone_cannot_be_tried(app: App) -> None:
    """The refusal says what to do, and the plain check works."""
    app = fill(app)
    raw = direct.file_of(direct.back_up(app), "data")
    backup = ingest.upload(io.BytesIO(raw), apps.find(app.id), "system")
    with pytest.raises(InvalidInput, match="data only"):
        direct.check(backup, deep=True)
    assert direct.check(backup)["sound"]
