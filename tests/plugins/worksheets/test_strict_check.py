"""A check reads what is stored as strictly as a file from elsewhere is read."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from core.api import App, AppkeepError, Document, apps, db, direct, documents, transaction
from core.backups.base import clear_marks
from core.backups.catalog import find_backup
from plugins.worksheets import service
from plugins.worksheets.models import Record
from plugins.worksheets.records import MAX_SEQ

SHEET, TEXT, LINK = "w_1111111111", "f_1111111111", "f_2222222222"


@pytest.fixture
def sheet(app: App) -> App:
    """An app with a record in a worksheet that points to itself."""
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[Document(kind="worksheet", key=SHEET, position=0, body={"name": "Work", "views": [], "fields": [
            {"key": TEXT, "type": "text", "name": "Text", "options": {}},
            {"key": LINK, "type": "relationship", "name": "Link", "options": {"target": {"ref": f"worksheet/{SHEET}"}}}]})])
        service.put_record(live, SHEET, None, {TEXT: "one"}, "system")
    return apps.find(app.id)


BROKEN = {"a number that no record has": {"seq": 2**53 - 1}, "a value of another type": {"vals": f'{{"{TEXT}":1}}'},
          "a pointer beyond all records": {"vals": f'{{"{LINK}":[{2**41}]}}'}, "times that cannot be": {"created_at": 2**60},
          "a value of a field that is not there": {"vals": '{"f_9999999999":"x"}'}}


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_names_what_could_not_be_restored(sheet: App, name: str) -> None:
    """However it came into the database: the backup of it is told to be broken, and where."""
    with transaction():
        db.session.execute(update(Record).values(**BROKEN[name]))
    backup = direct.back_up(sheet)
    with pytest.raises(AppkeepError, match=f"records/{SHEET}") as refused:
        direct.check(find_backup(backup.id))
    assert "archive_damaged" == refused.value.code
    assert "segment" in str(find_backup(backup.id).check_error)


def test_a_stored_number_that_no_record_has_is_refused_by_a_restore(server: Flask, sheet: App) -> None:
    """In words, and nothing is written."""
    with transaction():
        db.session.execute(update(Record).values(seq=2**53 - 1))
    backup = find_backup(direct.back_up(sheet).id)
    with transaction():
        db.session.execute(update(Record).values(seq=1, vals=f'{{"{TEXT}":"two"}}'))
        clear_marks()
    before = direct.content_id(sheet)
    with pytest.raises(AppkeepError, match=f"from 1 to {MAX_SEQ}"):
        direct.restore(apps.find(sheet.id), backup)
    assert before == direct.content_id(sheet)
