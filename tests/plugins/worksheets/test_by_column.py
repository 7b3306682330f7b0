"""Records that come in by field are what they would be one by one."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, InvalidInput, InvalidValue, RecordChange, apps, documents, hookimpl, put_file, server, transaction
from plugins.worksheets.records import MAX_SEQ, Row
from plugins.worksheets.service import all_rows, store_of

ONE, OTHER = "w_1111111111", "w_2222222222"
NUMBERS = (1, 7, 2)
TEXT, NUMBER, DAY, TICKED, FILES, LINK, GIVEN, INDEXED = (f"f_{n}111111111" for n in range(1, 9))


@pytest.fixture
def sheets(server: Flask, app: App) -> App:
    """An app with two worksheets of the same fields."""
    fields = [("text", TEXT, {}), ("number", NUMBER, {"decimals": 0}), ("date", DAY, {}), ("checkbox", TICKED, {}), ("file", FILES, {}),
              ("relationship", LINK, {"target": {"ref": f"worksheet/{ONE}"}}), ("autonumber", GIVEN, {}), ("number", INDEXED, {"decimals": 0})]
    with transaction():
        for n, key in enumerate((ONE, OTHER)):
            documents.put(apps.find(app.id), Document(kind="worksheet", key=key, position=n, body={"name": key, "views": [], "fields": [
                {"key": field, "type": kind, "name": field, "options": options, **({"indexed": True} if field == INDEXED else {})}
                for kind, field, options in fields]}), "system")
    return app


def put(app: App, worksheet: str, columns: Any, count: Any, first: Any = 1) -> Any:
    """Bring records in by field."""
    return apps.apply(app, [{"op": "put_records", "worksheet": worksheet, "first": first, "count": count, "columns": columns}], "system")


def rows(app: App, worksheet: str) -> list[Row]:
    """Return the records, without when they were made."""
    return [row._replace(created_at=0, updated_at=0) for row in all_rows(app, worksheet)]


def test_they_are_what_they_would_be_one_by_one(sheets: App) -> None:
    """With gaps, files, links, given numbers, and an index over one field; and listeners hear of each."""
    with transaction():
        content, size = put_file(io.BytesIO(b"held"), sheets.id)
    file = [{"file": content, "name": "a.txt", "size": size, "type": "text/plain"}]
    columns = {TEXT: ["a “b” \\", None, "%s\n"], NUMBER: [1, 2, 3], DAY: ["2026-11-28", None, None], TICKED: [True, False, True],
               FILES: [None, file, None], LINK: [[3], None, [1]], GIVEN: [None, 7, None], INDEXED: [5, None, 6]}
    told: list[RecordChange] = []

    class Listens:
        """Keeps what it hears."""

        @hookimpl
        def record_changed(self, app: App, worksheet: str, changes: Any, person: str) -> None:
            assert len(changes) == 3 and list(changes) == [*changes[:1], *changes[1:]]
            told.extend(changes)

    records = [{"seq": n + 1, "values": {key: column[n] for key, column in columns.items() if column[n] is not None}} for n in range(3)]
    registry, listens = server().registry, Listens()
    registry.manager.register(listens)
    try:
        assert [{"records": 3}] == put(sheets, ONE, columns, 3)
    finally:
        registry.manager.unregister(listens)
    apps.apply(sheets, [{"op": "put_records", "worksheet": OTHER, "records": records}], "system")
    app = apps.find(sheets.id)
    assert rows(app, ONE) == rows(app, OTHER)
    assert [one.seq for one in told] == [1, 2, 3]
    held = [{key: value for key, value in one["values"].items() if value is not False} for one in records]
    assert [one.after for one in told] == [{**one, GIVEN: number} for one, number in zip(held, NUMBERS, strict=True)]
    store = store_of(app)
    assert list(store.attached(ONE, [FILES])) == [content]
    assert store.last(ONE) == 3 and store.next_number(ONE) == 4
    assert store.next_number(f"{ONE}/{GIVEN}") == 8


@pytest.mark.parametrize(("columns", "count", "first", "said"), [
    ({TEXT: ["a"]}, 2, 1, "has 1 values, and there are 2 records"), ({TEXT: "ab"}, 2, 1, "a list of values"), ([], 0, 1, "a list of values"),
    ({TEXT: ["a"]}, "1", 1, "how many records"), ({TEXT: ["a"]}, True, 1, "how many records"), ({}, 100_001, 1, "at most 100000"),
    ({TEXT: ["a"]}, 1, None, "the number of their first record"), ({TEXT: ["a", "b"]}, 2, MAX_SEQ, str(MAX_SEQ + 1)),
    ({TEXT: ["a"]}, 1, 0, "not a record's number"), ({TEXT: ["a"]}, 1, 9, "used twice")])
def test_what_is_no_such_edit_is_refused(sheets: App, columns: Any, count: Any, first: Any, said: str) -> None:
    """In words, and nothing of it stays."""
    put(sheets, ONE, {TEXT: ["before"]}, 1, 9)
    with pytest.raises(InvalidInput, match=said):
        put(sheets, ONE, columns, count, first)
    assert [row.seq for row in rows(apps.find(sheets.id), ONE)] == [9]


@pytest.mark.parametrize(("columns", "said"), [
    ({NUMBER: [1, "x"]}, "record 2"), ({"f_9999999999": [None, "x"]}, "record 2: there is no field"), ({LINK: [None, [77]]}, "record 2.*77"),
    ({TEXT: ["a", "b" * 49_000], DAY: [None, None], "f_5": [None, None]}, "there is no field")])
def test_a_value_that_does_not_fit_is_named(sheets: App, columns: Any, said: str) -> None:
    """With its record."""
    with pytest.raises(InvalidValue, match=said):
        put(sheets, ONE, columns, 2)
    assert rows(apps.find(sheets.id), ONE) == []


def test_no_records_are_none(sheets: App) -> None:
    """Nor are records without a value refused."""
    assert put(sheets, ONE, {}, 0) == [{"records": 0}]
    assert put(sheets, ONE, {}, 2) == [{"records": 2}]
    assert [row.vals for row in rows(apps.find(sheets.id), ONE)] == [f'{{"{GIVEN}":1}}', f'{{"{GIVEN}":2}}']
