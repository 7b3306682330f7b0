"""A backup is one moment of an app, whatever is written meanwhile, and it stands in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, direct, transaction
from core.base.time import moved
from core.objects.writer import ObjectWriter
from plugins.worksheets import service as records
from tests.core.runs.making import FIELD, SHEETS, fill
from tests.tenants.test_quota import stored_bytes


def test_what_is_written_meanwhile_is_not_in_the_backup(server: Flask, organization: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first part is read, others write into every worksheet and are done at once; the backup is the app before."""
    before = direct.content_id(fill(app))
    app_id, written = app.id, []
    put = ObjectWriter.put_all

    def write() -> None:
        with server.app_context(), as_tenant(organization):
            for sheet in SHEETS:
                with transaction():
                    records.put_record(apps.find(app_id), sheet, None, {FIELD: "meanwhile"}, "system")
                    records.put_record(apps.find(app_id), sheet, 1, {FIELD: "changed meanwhile"}, "system")
            written.append(True)

    def put_and_write(self: ObjectWriter, raws: Sequence[bytes]) -> list[str]:
        if not written:
            writer = threading.Thread(target=write)
            writer.start()
            writer.join(timeout=20)
            assert written, "somebody who writes waits for the backup"
        return put(self, raws)

    monkeypatch.setattr(ObjectWriter, "put_all", put_and_write)
    backup = direct.back_up(apps.find(app_id))
    assert before == backup.content_id != direct.content_id(apps.find(app_id))
    assert 9 == backup.records


def test_a_backup_of_what_is_there_already_adds_nothing(server: Flask, organization: str, app: App) -> None:
    """Two of the same state are the same content: the second stores nothing and counts nothing."""
    first = direct.back_up(fill(app)).content_id
    before = stored_bytes()
    with moved(400):
        second = direct.back_up(apps.find(app.id))
    assert (first, 0, 0) == (second.content_id, second.added_bytes, second.segments_added)
    assert before == stored_bytes()
