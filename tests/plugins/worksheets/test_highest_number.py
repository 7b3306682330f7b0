"""Numbers of records: bounded on every way in, far below where a backup could not be read."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, InvalidInput, apps, documents, transaction
from plugins.worksheets import service
from plugins.worksheets.records import MAX_SEQ, SEGMENT_RECORDS
from plugins.worksheets.sections import check_records

SHEET, FIELD = "w_1111111111", "f_1111111111"


def put(app: App, *records: dict[str, Any]) -> int:
    """Bring records as another program had them."""
    with transaction():
        return service.put_records(apps.find(app.id), SHEET, records, "system")


@pytest.fixture
def sheet(app: App) -> App:
    """An app with a worksheet."""
    with transaction():
        documents.put(apps.find(app.id), Document(kind="worksheet", key=SHEET, position=0, body={
            "name": "One", "fields": [{"key": FIELD, "type": "text", "name": "A", "options": {}}], "views": []}), "system")
    return app


def test_a_number_that_is_too_high_is_refused_with_its_record(server: Flask, sheet: App) -> None:
    """By an import or script, and in a file that was sent."""
    with pytest.raises(InvalidInput, match=str(MAX_SEQ + 1)):
        put(sheet, {"seq": MAX_SEQ + 1, "values": {FIELD: "x"}})
    line = {"at": [1, 1], "by": ["system", "system"], "seq": MAX_SEQ + 1, "vals": {}}
    with pytest.raises(InvalidInput, match=f"{SHEET} has a record {MAX_SEQ + 1}"):
        list(check_records(SHEET, (MAX_SEQ + 1) // SEGMENT_RECORDS, [line], {}))
    assert [] == list(check_records(SHEET, MAX_SEQ // SEGMENT_RECORDS, [{**line, "seq": MAX_SEQ}], {}))


def test_behind_the_last_number_no_record_is_made(server: Flask, sheet: App) -> None:
    """One by one or many at once: what could not be backed up is not taken."""
    assert 1 == put(sheet, {"seq": MAX_SEQ, "values": {FIELD: "x"}})
    with pytest.raises(InvalidInput, match=str(MAX_SEQ + 1)), transaction():
        service.put_record(apps.find(sheet.id), SHEET, None, {FIELD: "y"}, "system")
    with pytest.raises(InvalidInput, match=str(MAX_SEQ + 1)):
        put(sheet, {"values": {FIELD: "y"}})
