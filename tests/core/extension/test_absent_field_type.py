"""A type of field whose plugin is taken out and put back: its values stay word for word, everything else works."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.api import (
    AppkeepError,
    Definition,
    Document,
    FieldType,
    InvalidValue,
    Reference,
    apps,
    direct,
    documents,
    put_file,
    transaction,
)
from core.backups import ingest
from core.backups.catalog import find_backup
from core.tenancy.migrate import ensure_schema
from plugins.worksheets import service
from tests.conftest import made_organization
from tests.core.extension.strangers import database, installed, plugin, started
from tests.forms import untouched
from tests.web import OWNER, make_person, signed_in

SHEET = "worksheet/w_1111111111"
FILE = b"a scanned card"
CARD = {"no": 7, "scan": {"file": hashlib.sha256(FILE).hexdigest(), "name": "a.txt", "size": len(FILE), "type": "text/plain"}}


class Card(FieldType):
    """A card: a number and a scan. Its shape says less than its options do."""

    name, title, points, holds_files = "card", "Card", True, True
    options: ClassVar[Any] = {"type": "object", "properties": {"colour": {"type": "string"}}, "additionalProperties": False}

    def canonical(self, value: Any, definition: Definition) -> Any:
        if not isinstance(value, dict) or set(value) != {"no", "scan"}:
            raise InvalidValue("a card has a number and a scan.")
        return value

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        return [Reference("file", value["scan"]["file"])]

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        return None if gone else value

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return "" if value is None else f"Card {value['no']}"


class Initials(FieldType):
    """Computed, never stored."""

    name, title, stored, derived = "initials", "Initials", False, True

    def compute(self, definition: Definition, record: Any, address: str, source: Any) -> Any:
        return str(record.vals.get("f_1111111111", ""))[:1]


WITH = plugin("cards", register_field_type=lambda: [Card(), Initials()])


def sheet(name: str = "People", **more: Any) -> Document:
    """Return a worksheet with a text, a card and initials."""
    fields = [{"key": f"f_{n}111111111", "type": kind, "name": kind, "options": options} for n, (kind, options) in enumerate(
        (("text", {}), ("card", {"colour": "red"}), ("initials", {})), start=1)]
    return Document(kind="worksheet", key="w_1111111111", body={"name": name, "fields": fields, **more}, position=0)


def record(app: Any, seq: int) -> dict[str, Any]:
    """Return a record's values."""
    return {row.seq: service.loads(row.vals) for row in service.all_rows(app, "w_1111111111")}[seq]


def test_a_field_type_is_taken_out_and_put_back(
        engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """State, backups of before and between, plans, restores, files and pages go on beside; with the type again all is as it was."""
    url = database(engine, home, request)
    with installed(monkeypatch, WITH), started(home, url, backup_interval_s=0):
        ensure_schema()
        with made_organization("Example") as organization:
            put_file(io.BytesIO(FILE))
            person = make_person(OWNER)
            with transaction():
                app = apps.create("Sales", person)
                documents.put(app, sheet(), "system")
                service.put_record(app, "w_1111111111", None, {"f_1111111111": "Ann", "f_2111111111": CARD}, "system")
            app_id = app.id
            before = direct.back_up(app)
            before_id, file, before_content = before.id, direct.file_of(before), before.content_id
    with installed(monkeypatch), started(home, url, backup_interval_s=0) as flask:
        ensure_schema()
        with apps.opened(app_id) as app:
            direct.check(find_backup(before_id), deep=True)
            app = apps.find(app_id)
            between_id = direct.back_up(app).id
            between_file = direct.file_of(find_backup(between_id))
            with transaction():
                service.put_record(apps.find(app_id), "w_1111111111", 1, {"f_1111111111": "Bob"}, "system")
                documents.put(apps.find(app_id), sheet("Renamed"), "system")
            with pytest.raises(InvalidValue, match="“card”"), transaction():
                service.put_record(apps.find(app_id), "w_1111111111", 1, {"f_2111111111": {"no": 8}}, "system")
            with pytest.raises(AppkeepError, match="Unknown field type"), transaction():
                other = sheet("New")
                documents.put(apps.find(app_id), Document(kind="worksheet", key="w_2222222222", body=other.body, position=1), "system")
            assert 1 == direct.plan(apps.find(app_id), find_backup(before_id))["components"]["worksheets"]["data"]["worksheets"][0]["overwritten"]
            direct.restore(apps.find(app_id), find_backup(before_id))
            assert {"f_1111111111": "Ann", "f_2111111111": CARD} == record(apps.find(app_id), 1)
            ingest.upload(io.BytesIO(file), apps.find(app_id), "system")
            direct.restore_as_new(find_backup(before_id))
        client = signed_in(flask)
        for path in ("worksheet/w_1111111111", "worksheet/w_1111111111/record/1", "worksheet/w_1111111111/record/1/edit",
                     "worksheet/w_1111111111/new", "worksheet/w_1111111111/export.csv", "manage/worksheet/w_1111111111",
                     "manage/worksheet/w_1111111111/field/f_2111111111", "manage/worksheet/w_1111111111/field/f_3111111111",
                     "manage/worksheet/w_1111111111/field/f_2111111111/type"):
            answer = client.get(f"/o/{organization}/apps/{app_id}/{path}", follow_redirects=True)
            assert answer.status_code == 200, path
        field = f"/o/{organization}/apps/{app_id}/manage/worksheet/w_1111111111/field/f_2111111111"
        assert "No plugin on this server brings this type" in client.get(field).get_data(as_text=True)
        assert 303 == client.post(field, data={**untouched(client, field), "v.name": "Scanned card"}).status_code
        with apps.opened(app_id) as app:
            assert {"key": "f_2111111111", "type": "card", "name": "Scanned card", "options": {"colour": "red"}} == documents.get(
                app, SHEET).body["fields"][1]
            direct.restore(app, find_backup(before_id))
    with installed(monkeypatch, WITH), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id) as app:
            assert before_content == direct.content_id(app)
            for kept in (before_id, between_id):
                direct.check(find_backup(kept), deep=True)
                with transaction():
                    service.put_record(apps.find(app_id), "w_1111111111", 1, {"f_2111111111": {**CARD, "no": 9}}, "system")
                direct.restore(apps.find(app_id), find_backup(kept))
                assert CARD == record(apps.find(app_id), 1)["f_2111111111"]
                assert before_content == direct.content_id(apps.find(app_id))
            assert 1 == ingest.upload(io.BytesIO(between_file), apps.find(app_id), "system").records
