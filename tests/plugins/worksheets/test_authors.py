"""A file that this server did not sign makes nobody the author of a record."""

from __future__ import annotations

import io

import pytest

from core.api import App, Document, apps, db, direct, documents, transaction
from core.backups import ingest
from core.backups.models import Backup
from plugins.worksheets import service
from plugins.worksheets.models import Record
from tests.foreign import retold
from tests.web import make_person

SHEET, TEXT, STRANGER = "w_1111111111", "f_1111111111", "u_9999999999"


@pytest.fixture
def sheet(app: App) -> App:
    """An app with three records: of its owner, of somebody whom nobody knows here, and of nobody."""
    owner = make_person("owner@example.org")
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[Document(kind="worksheet", key=SHEET, position=0, body={"name": "Work", "views": [], "fields": [
            {"key": TEXT, "type": "text", "name": "Text", "options": {}}]})])
        for person in (owner, STRANGER, "system"):
            service.put_record(live, SHEET, None, {TEXT: person}, person)
    return apps.find(app.id)


def authors() -> list[tuple[str, str, str]]:
    """Return what the records say, who made them and who changed them."""
    db.session.rollback()
    rows = db.session.query(Record.vals, Record.created_by, Record.updated_by).order_by(Record.seq).all()
    return [(vals.split('"')[3], made, changed) for vals, made, changed in rows]


def sent(sheet: App, content: bytes) -> Backup:
    """Send a file of the app."""
    return ingest.upload(io.BytesIO(content), apps.find(sheet.id), "system")


def restored(sheet: App, backup: Backup) -> dict[str, int]:
    """Restore it as a restorer, once the records are gone for good, and return the notes of the report."""
    with transaction():
        for seq in (1, 2, 3):
            service.delete_record(apps.find(sheet.id), SHEET, seq, "system")
            service.purge_record(apps.find(sheet.id), SHEET, seq, "system")
    planned = direct.plan(apps.find(sheet.id), backup, config=True, data=True)["components"]["worksheets"]["data"].get("notes", {})
    report = direct.restore(apps.find(sheet.id), backup, accept_origin=True, person="u_restorer11")
    done = report["components"]["worksheets"]["data"].get("notes", {})
    assert planned == done, "the plan says something else"
    return dict(done)


def test_a_file_of_this_server_is_believed(sheet: App) -> None:
    owner = authors()[0][0]
    assert {} == restored(sheet, sent(sheet, direct.file_of(direct.back_up(sheet))))
    assert [(owner,) * 3, (STRANGER,) * 3, ("system",) * 3] == authors()


def test_a_file_of_somebody_else_makes_no_member_an_author(sheet: App) -> None:
    """People of another server stay whom the file says, and mean nobody here."""
    owner = authors()[0][0]
    assert {"authors_not_proven": 1} == restored(sheet, sent(sheet, retold(direct.file_of(direct.back_up(sheet)))))
    assert [(owner, "u_restorer11", "u_restorer11"), (STRANGER,) * 3, ("system",) * 3] == authors()


def test_who_made_a_record_that_is_there_stays(sheet: App) -> None:
    """The file says of it what was true before."""
    owner = authors()[0][0]
    backup = sent(sheet, retold(direct.file_of(direct.back_up(sheet))))
    with transaction():
        service.put_record(apps.find(sheet.id), SHEET, 1, {TEXT: "other"}, "system")
    direct.restore(apps.find(sheet.id), backup, accept_origin=True, person="u_restorer11")
    assert (owner, owner, "u_restorer11") == authors()[0]


def test_a_trial_of_such_a_file_finds_it_sound(sheet: App) -> None:
    """Another author is no damage."""
    backup = sent(sheet, retold(direct.file_of(direct.back_up(sheet))))
    found = direct.check(backup, deep=True)
    assert not found.get("missing") and not found.get("damaged")
