"""Restoring records, rule by rule: the table of docs/rules.md and everything that cannot be as it was."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, apps, direct, documents, transaction
from core.backups import ingest
from core.backups.catalog import find_backup
from core.base.errors import AppkeepError, AppRestoring, InvalidInput, OriginUnconfirmed, PlanChanged, TooSoon
from core.objects.writer import put_file
from core.runs.service import request
from plugins.worksheets import service
from plugins.worksheets.records import RecordStore

W, T = "w_1111111111", "w_2222222222"
A, B, LINK, CHOICE, FILES, AUTO = (f"f_{n * 10}" for n in "123456")
ONE, TWO = "o_1111111111", "o_2222222222"
Edit = dict[str, Any]


def field(key: str, kind: str = "text", **more: Any) -> Edit:
    """Return a field."""
    return {"key": key, "name": key, "type": kind, "options": more.pop("options", {}), **more}


FIELDS = [
    field(A), field(B), field(LINK, "relationship", options={"target": {"ref": f"worksheet/{T}"}}),
    field(CHOICE, "single_select", options={"choices": [{"key": ONE, "name": "One"}, {"key": TWO, "name": "Two"}]}),
    field(FILES, "file"), field(AUTO, "autonumber"),
]


@pytest.fixture(autouse=True)
def often(server: Flask) -> None:
    """Backups may follow each other at once."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0


@pytest.fixture
def sheet(app: App) -> App:
    """An app with two worksheets: W, with a field of each interesting type, and T with three records."""
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[worksheet(T, [field(A)]), worksheet(W, FIELDS)])
        for n in range(3):
            service.put_record(live, T, None, {A: f"target {n + 1}"}, "system")
    return apps.find(app.id)


def worksheet(key: str, fields: list[Edit]) -> Document:
    """Return a worksheet."""
    return Document(kind="worksheet", key=key, body={"name": key, "fields": fields}, position=0)


def edit(app: App, *edits: Edit) -> None:
    """Do edits in one transaction."""
    with transaction():
        apps.apply(apps.find(app.id), edits, "system")


def put(app: App, seq: int | None = None, worksheet: str = W, **values: Any) -> None:
    """Put a record; values by field's name here: a, b, link, choice, files."""
    names = {"a": A, "b": B, "link": LINK, "choice": CHOICE, "files": FILES}
    edit(app, {"op": "put_record", "worksheet": worksheet, "seq": seq, "values": {names[k]: v for k, v in values.items()}})


def vals(app: App, seq: int, worksheet: str = W) -> dict[str, Any] | None:
    """Return a live record's values without its auto-number, None where there is none."""
    row = service.store_of(apps.find(app.id)).row(worksheet, seq)
    return None if row is None or row.deleted_at is not None else {
        k: v for k, v in service.loads(row.vals).items() if k != AUTO}


def back_up(app: App) -> str:
    """Return the id of a fresh backup with data."""
    return direct.back_up(apps.find(app.id)).id


def restore(app: App, backup: str, *, config: bool = False) -> dict[str, Any]:
    """Restore the data, and the configuration where asked; return the report on worksheets."""
    report = direct.restore(apps.find(app.id), find_backup(backup), config=config, data=True)
    said: dict[str, Any] = report["components"]["worksheets"]["data"]
    return said


def outcome(said: dict[str, Any], worksheet: str = W) -> tuple[int, int, int, int]:
    """Return (brought back, overwritten, unchanged, new since) of a worksheet."""
    found = next(s for s in said["worksheets"] if s["worksheet"] == worksheet)
    return found["brought_back"], found["overwritten"], found["unchanged"], found["new_since"]


def test_the_table_of_records(sheet: App) -> None:
    """Value to value, to empty, from empty, deleted, purged, new since, and what did not change: SPEC 5, row by row."""
    for n in range(6):
        put(sheet, a=f"a{n}", **({"b": "b"} if n != 3 else {}))
    backup = back_up(sheet)
    put(sheet, 1, a="other")
    put(sheet, 2, a=None)
    put(sheet, 4, b="entered since")
    edit(sheet, {"op": "delete_record", "worksheet": W, "seq": 5})
    edit(sheet, {"op": "delete_record", "worksheet": W, "seq": 6}, {"op": "purge_record", "worksheet": W, "seq": 6})
    put(sheet, a="new since")
    assert (2, 3, 1, 1) == outcome(restore(sheet, backup))
    assert [{A: "a0", B: "b"}, {A: "a1", B: "b"}, {A: "a2", B: "b"}, {A: "a3"}, {A: "a4", B: "b"}, {A: "a5", B: "b"},
            {A: "new since"}] == [vals(sheet, n) for n in range(1, 8)]


def test_a_field_that_the_backup_does_not_know_keeps_its_values(sheet: App) -> None:
    """Also when it is hidden by the same restore, and visible again afterwards."""
    put(sheet, a="a")
    backup = back_up(sheet)
    new = "f_9999999999"
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, [*FIELDS, field(new)]), "system")
    edit(sheet, {"op": "put_record", "worksheet": W, "seq": 1, "values": {new: "kept", A: "other"}})
    restore(sheet, backup)
    assert {A: "a", new: "kept"} == vals(sheet, 1)
    put(sheet, 1, a="other")
    restore(sheet, backup, config=True)
    assert {A: "a"} == vals(sheet, 1)
    edit(sheet, {"op": "bring_back", "document": f"worksheet/{W}/field/{new}"})
    assert {A: "a", new: "kept"} == vals(sheet, 1)


def test_a_worksheet_deleted_since_comes_back_with_its_data_from_the_configuration_alone(sheet: App) -> None:
    """The bin kept its records; the backup need not hold any."""
    put(sheet, a="a")
    backup = direct.back_up(apps.find(sheet.id), data=False).id
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}"})
    direct.restore(apps.find(sheet.id), find_backup(backup), config=True, data=False)
    assert {A: "a"} == vals(sheet, 1)


def test_a_field_deleted_since_comes_back_with_what_was_entered_until_then(sheet: App) -> None:
    """Records made after the deletion have nothing in it."""
    put(sheet, a="a", b="b")
    backup = direct.back_up(apps.find(sheet.id), data=False).id
    put(sheet, 1, b="entered later")
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}/field/{B}"})
    put(sheet, a="made after")
    direct.restore(apps.find(sheet.id), find_backup(backup), config=True, data=False)
    assert [{A: "a", B: "entered later"}, {A: "made after"}] == [vals(sheet, 1), vals(sheet, 2)]


def test_data_alone_reaches_a_field_in_the_bin(sheet: App) -> None:
    """Its value is the backup's whenever the field is visible again."""
    put(sheet, a="a", b="b")
    backup = back_up(sheet)
    put(sheet, 1, b="later")
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}/field/{B}"})
    restore(sheet, backup)
    assert {A: "a"} == vals(sheet, 1)
    edit(sheet, {"op": "bring_back", "document": f"worksheet/{W}/field/{B}"})
    assert {A: "a", B: "b"} == vals(sheet, 1)


def test_a_pointer_whose_target_was_purged_is_left_as_it_is_and_reported(sheet: App) -> None:
    """With record, field, target and reason."""
    put(sheet, link=[1])
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(T, [field(A)]), "system")
    backup = direct.back_up(apps.find(sheet.id)).id
    put(sheet, 1, link=[2])
    # The worksheet that the link points to is purged with all its records, and the configuration is not restored.
    edit(sheet, {"op": "hide", "document": f"worksheet/{T}"}, {"op": "purge", "document": f"worksheet/{T}"})
    said = restore(sheet, backup)
    assert {LINK: [2]} == vals(sheet, 1)
    assert [{"worksheet": W, "record": 1, "field": LINK, "target": f"worksheet/{T}/record/1",
             "reason": "the record was deleted"}] == said["references_not_restored"]
    assert 1 == said["references_not_restored_count"]
    assert [{"worksheet": T, "records": 3, "reason": "the worksheet is missing; restore the configuration too"}] == said["skipped"]


def test_what_can_be_reached_is_restored(sheet: App) -> None:
    """Of several pointers those whose target is there; a record that the same restore brings back counts."""
    put(sheet, link=[1, 2, 3])
    backup = back_up(sheet)
    edit(sheet, *({"op": op, "worksheet": T, "seq": 2} for op in ("delete_record", "purge_record")))
    assert {LINK: [1, 3]} == vals(sheet, 1)
    restore(sheet, backup)
    assert {LINK: [1, 2, 3]} == vals(sheet, 1)


def test_a_link_that_points_elsewhere_now_is_left_alone(sheet: App) -> None:
    """The field's target was changed since: every pointer is listed."""
    put(sheet, link=[1, 2])
    backup = back_up(sheet)
    fields = [f if f["key"] != LINK else field(LINK, "relationship", options={"target": {"ref": f"worksheet/{W}"}}) for f in FIELDS]
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, fields), "system")
    put(sheet, 1, link=[1])
    said = restore(sheet, backup)
    assert {LINK: [1]} == vals(sheet, 1)
    assert [f"worksheet/{T}/record/1", f"worksheet/{T}/record/2"] == [r["target"] for r in said["references_not_restored"]]


def test_a_field_of_another_type_takes_what_fits(sheet: App) -> None:
    """What does not is left, and counted."""
    put(sheet, a="12")
    put(sheet, a="twelve")
    backup = back_up(sheet)
    with transaction():
        fields = [field(A, "number", options={"decimals": 0}), *FIELDS[1:]]
        documents.put(apps.find(sheet.id), worksheet(W, fields), "system")
    put(sheet, 1, a=1)
    put(sheet, 2, a=2)
    said = restore(sheet, backup)
    assert [{A: 12}, {A: 2}] == [vals(sheet, 1), vals(sheet, 2)]
    assert [{"worksheet": W, "field": A, "reason": "the field is of type number now", "records": 1}] == said["fields_left"]


def test_a_type_that_comes_back_finds_its_values(sheet: App) -> None:
    """The configuration alone: a text that was no number was set aside, not lost."""
    put(sheet, a="twelve")
    backup = direct.back_up(apps.find(sheet.id), data=False).id
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, [field(A, "number", options={"decimals": 0}), *FIELDS[1:]]), "system")
    assert {} == vals(sheet, 1)
    direct.restore(apps.find(sheet.id), find_backup(backup), config=True, data=False)
    assert {A: "twelve"} == vals(sheet, 1)


def test_a_choice_deleted_since_is_kept_and_reported_without_the_configuration(sheet: App) -> None:
    """And comes back with it."""
    put(sheet, choice=TWO)
    backup = back_up(sheet)
    fields = [f if f["key"] != CHOICE else field(CHOICE, "single_select", options={"choices": [{"key": ONE, "name": "One"}]})
              for f in FIELDS]
    put(sheet, 1, choice=ONE)
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, fields), "system")
    said = restore(sheet, backup)
    assert {CHOICE: TWO} == vals(sheet, 1)
    assert [f"choice/{TWO}"] == [c["target"] for c in said["choices_not_there"]]
    put(sheet, 1, a="changed")
    assert "choices_not_there" not in restore(sheet, backup, config=True)


def test_auto_numbers_and_record_numbers_go_on_above_the_highest(sheet: App) -> None:
    """Nothing that was restored is numbered again."""
    for _ in range(3):
        put(sheet, a="a")
    data = direct.file_of(direct.back_up(apps.find(sheet.id)))
    with transaction():
        other = apps.create("Other", "system")
    uploaded = ingest.upload(io.BytesIO(data), other, "system")
    direct.restore(apps.find(other.id), uploaded)
    put(other, a="next")
    rows = service.store_of(apps.find(other.id)).rows(W, 1, 100)
    assert [1, 2, 3, 4] == [row.seq for row in rows] == [service.loads(row.vals)[AUTO] for row in rows]


def test_a_clash_with_a_record_made_since_is_restored_and_reported(sheet: App) -> None:
    """Where values must be unique."""
    fields = [field(A, unique=True), *FIELDS[1:]]
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, fields), "system")
    put(sheet, a="same")
    backup = back_up(sheet)
    put(sheet, 1, a="other")
    put(sheet, a="same")
    said = restore(sheet, backup)
    assert [{A: "same"}, {A: "same"}] == [vals(sheet, 1), vals(sheet, 2)]
    assert [{"worksheet": W, "field": A, "value": "same", "records": 2}] == said["clashes"]


def test_a_file_is_restored_although_nothing_uses_it_any_more(sheet: App) -> None:
    """Its content is part of the backup."""
    content, size = put_file(io.BytesIO(b"hello"))
    value = [{"file": content, "name": "a.txt", "size": size, "type": "text/plain"}]
    put(sheet, files=value)
    backup = back_up(sheet)
    put(sheet, 1, files=None)
    restore(sheet, backup)
    assert {FILES: value} == vals(sheet, 1)
    assert [content] == list(service.store_of(apps.find(sheet.id)).attached(W, [FILES]))


def test_a_restore_that_fails_changes_nothing(sheet: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: the N-th write fails, for every N until none does."""
    for n in range(4):
        put(sheet, a=f"a{n}", link=[1])
    backup = back_up(sheet)
    for n in range(1, 5):
        put(sheet, n, a="changed")
    edit(sheet, {"op": "hide", "document": f"worksheet/{T}"}, {"op": "hide", "document": f"worksheet/{W}/field/{B}"})
    before = direct.content_id(sheet)
    store = type(service.store_of(sheet))
    real = {name: getattr(store, name) for name in ("write", "attach", "raise_counter")}
    left = {"writes": 0}

    def counting(name: str) -> Any:
        def do(self: RecordStore, *given: Any) -> Any:
            left["writes"] -= 1
            if left["writes"] == 0:
                raise OSError("disk full")
            return real[name](self, *given)

        return do

    for name in real:
        monkeypatch.setattr(store, name, counting(name))
    failures = 0
    for left["writes"] in range(1, 50):
        try:
            direct.restore(apps.find(sheet.id), find_backup(backup), config=True, data=True)
        except AppkeepError as error:
            assert "disk full" in error.message
            assert before == direct.content_id(sheet)
            assert apps.find(sheet.id).restoring_run_id is None
            failures += 1
            continue
        break
    assert failures > 1
    assert before != direct.content_id(sheet)


def test_a_damaged_object_stops_a_restore_before_anything_is_written(sheet: App, server: Flask) -> None:
    """Verified first: the app is as it was, and the error names the object."""
    put(sheet, a="a")
    backup = find_backup(back_up(sheet))
    put(sheet, 1, a="changed")
    folder = server.extensions["appkeep"].config.home_path / "objects"
    for path in folder.rglob("*.zst"):
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    before = direct.content_id(sheet)
    with pytest.raises(Exception, match="stored object"):
        direct.restore(apps.find(sheet.id), backup, config=False, data=True)
    assert before == direct.content_id(sheet)


def test_others_cannot_write_while_an_app_is_restored(sheet: App) -> None:
    """Reads go on; a write says why it is refused."""
    with transaction():
        run = request("restore", apps.find(sheet.id), {}, "system", send=False)
        apps.find(sheet.id).restoring_run_id = run.id
    with pytest.raises(AppRestoring):
        put(sheet, a="a")
    assert 3 == service.store_of(apps.find(sheet.id)).count(T)


def test_a_plan_that_is_out_of_date_is_refused(sheet: App) -> None:
    """The run plans again and compares: a worksheet that was changed since is another effect."""
    put(sheet, a="a")
    backup = find_backup(back_up(sheet))
    put(sheet, 1, a="changed")
    plan = direct.plan(apps.find(sheet.id), backup)
    assert plan["plan"] == direct.plan(apps.find(sheet.id), backup)["plan"]
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(T, [field(A), field(B)]), "system")
    from core.backups import requests
    from core.backups.plan import Options

    with transaction():
        run = requests.request_restore(apps.find(sheet.id), backup, Options(
            backup=backup.id, config=True, data=True, plan=plan["plan"]), "system", send=False).id
    with pytest.raises(Exception, match="has changed since") as refused:
        direct.finished(run)
    assert PlanChanged.code == refused.value.code  # type: ignore[attr-defined]


def test_a_backup_from_elsewhere_needs_a_word(sheet: App) -> None:
    """Over an app that holds something; an empty one takes it."""
    data = direct.file_of(direct.back_up(apps.find(sheet.id)))
    with transaction():
        other, empty = apps.create("Other", "system").id, apps.create("Empty", "system").id
        documents.put(apps.find(other), worksheet("w_3333333333", [field(A)]), "system")
    uploaded = ingest.upload(io.BytesIO(data), apps.find(other), "system").id
    assert "server" == find_backup(uploaded).origin
    with pytest.raises(OriginUnconfirmed):
        direct.restore(apps.find(other), find_backup(uploaded))
    direct.restore(apps.find(other), find_backup(uploaded), accept_origin=True)
    direct.restore(apps.find(empty), find_backup(ingest.upload(io.BytesIO(data), apps.find(empty), "system").id))
    assert direct.content_id(apps.find(empty)) == direct.content_id(sheet)


def test_a_file_with_data_alone_restores_data(sheet: App) -> None:
    """And refuses to restore a configuration that it does not hold."""
    put(sheet, a="a")
    data = direct.file_of(direct.back_up(apps.find(sheet.id)), "data")
    put(sheet, 1, a="changed")
    uploaded = ingest.upload(io.BytesIO(data), apps.find(sheet.id), "system")
    assert ("data", "here") == (uploaded.part, uploaded.origin)
    with pytest.raises(Exception, match="holds data only"):
        direct.restore(apps.find(sheet.id), uploaded, config=True, data=True)
    direct.restore(apps.find(sheet.id), find_backup(uploaded.id), config=False, data=True)
    assert {A: "a"} == vals(sheet, 1)


def test_five_minutes_lie_between_two_backups(sheet: App, server: Flask) -> None:
    """Counted from the start of the last; a backup before a restore is never refused."""
    first = back_up(sheet)
    server.extensions["appkeep"].config.values["backup_interval_s"] = 300
    with pytest.raises(TooSoon, match="can start at"):
        back_up(sheet)
    direct.restore(apps.find(sheet.id), find_backup(first), safety_backup=True)
    with pytest.raises(TooSoon):
        back_up(sheet)


@pytest.mark.parametrize("name", ["", "x" * 121, "a\nb", "\x7f"])
def test_a_name_that_cannot_be_is_refused(sheet: App, name: str) -> None:
    """1 to 120 characters, no control characters."""
    with pytest.raises(InvalidInput):
        direct.back_up(apps.find(sheet.id), name=name)
