"""The history of records: every way to write leaves the right entry, and each version that is known is what the record was."""

from __future__ import annotations

import ast
import io
import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from core.api import (
    EVERYTHING,
    SYSTEM,
    App,
    Document,
    NotFound,
    Snapshot,
    Standing,
    apps,
    db,
    direct,
    documents,
    now_us,
    put_file,
    reading,
    transaction,
)
from core.api import (
    server as this_server,
)
from core.backups.catalog import find_backup
from core.base.time import moved
from core.runs.service import runs_of
from plugins.worksheets import history_log as log
from plugins.worksheets import history_retention, service
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.history_versions import Entry, History, Version, deletions, entries
from plugins.worksheets.models import HistoryEntry
from tests.conftest import made_organization
from tests.writing import at_once, each

W, T = "w_1111111111", "w_2222222222"
A, B, LINK, NUMBER, LATE = (f"f_{n * 10}" for n in "12345")
MIA = "u_Mia1111111"
Edit = dict[str, Any]


def field(key: str, kind: str = "text", **more: Any) -> Edit:
    """Return a field."""
    return {"key": key, "name": key, "type": kind, "options": more.pop("options", {}), **more}


FIELDS = [field(A), field(B), field(LINK, "relationship", options={"target": {"ref": f"worksheet/{T}"}}), field(NUMBER, "number")]


@pytest.fixture(autouse=True)
def often(server: Flask) -> None:
    """Backups may follow each other at once."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0


@pytest.fixture
def sheet(app: App) -> App:
    """An app with two worksheets, and two records in the one that the other points to."""
    with transaction():
        live = apps.find(app.id)
        documents.change(live, SYSTEM, put=[worksheet(T, [field(A)]), worksheet(W, FIELDS)])
        for n in range(2):
            service.put_record(live, T, None, {A: f"target {n + 1}"}, SYSTEM)
    return apps.find(app.id)


def worksheet(key: str, fields: list[Edit]) -> Document:
    """Return a worksheet."""
    return Document(kind="worksheet", key=key, body={"name": key, "fields": fields}, position=0)


def edit(app: App, *edits: Edit, person: str = MIA) -> None:
    """Do edits in one transaction."""
    with transaction():
        apps.apply(apps.find(app.id), edits, person)


def put(app: App, seq: int | None = None, worksheet: str = W, person: str = MIA, **values: Any) -> int:
    """Put a record; values by field's name here: a, b, link, number."""
    names = {"a": A, "b": B, "link": LINK, "number": NUMBER}
    with transaction():
        return service.put_record(apps.find(app.id), worksheet, seq, {names[k]: v for k, v in values.items()}, person)


def op(name: str, seq: int, worksheet: str = W) -> Edit:
    """Return an edit of a record by its number."""
    return {"op": f"{name}_record", "worksheet": worksheet, "seq": seq}


def told(app: App, seq: int, worksheet: str = W) -> list[tuple[str, str]]:
    """Return what happened to a record and by what means, oldest first."""
    db.session.rollback()
    return [(one.act, one.how) for one in reversed(list(entries(apps.find(app.id), worksheet, seq)))]


def first(app: App, seq: int, worksheet: str = W) -> Entry:
    """Return the newest entry of a record."""
    db.session.rollback()
    return next(entries(apps.find(app.id), worksheet, seq))


def versions(app: App, seq: int) -> list[Version]:
    """Return the versions of a record as somebody sees them who may read everything, newest first."""
    db.session.rollback()
    live = apps.find(app.id)
    access = SheetAccess(live, Standing(person=SYSTEM, role=None, admin=True, sees=True), documents.get(live, f"worksheet/{W}"), EVERYTHING)
    row = service.store_of(live).row(W, seq)
    assert row is not None
    return list(History(access, row).versions())


def values(app: App, seq: int) -> dict[str, Any]:
    """Return all values of a record, those of hidden fields as well."""
    db.session.rollback()
    live = apps.find(app.id)
    row = service.store_of(live).row(W, seq)
    assert row is not None
    return log.values_of(row, {one["key"] for one in documents.get(live, f"worksheet/{W}").body["fields"]})


def restore(app: App, backup: str, **more: Any) -> str:
    """Restore an app's data, and return the run that did."""
    direct.restore(apps.find(app.id), find_backup(backup), **{"config": False, "data": True, "person": MIA, **more})
    return runs_of(app.id)[0].id


def test_what_one_does_to_a_record_is_told(sheet: App) -> None:
    """Made, changed with before and after, deleted, brought back: who and when; what changes nothing is nothing."""
    put(sheet, a="one", b="x")
    put(sheet, 1, a="two", number=5)
    row = service.store_of(apps.find(sheet.id)).row(W, 1)
    put(sheet, 1, a="two")
    edit(sheet, op("delete", 1), op("bring_back", 1))

    assert told(sheet, 1) == [("created", ""), ("changed", ""), ("deleted", ""), ("brought_back", "")]
    changed = versions(sheet, 1)[2].entry
    assert (changed.by, changed.changes) == (MIA, {A: ["one", "two"], NUMBER: [None, 5]})
    assert row is not None and row.updated_at == changed.at


def test_a_record_that_goes_for_good_takes_its_values_along(sheet: App) -> None:
    """No value of it is left, and records that pointed to it say what happened to their link."""
    put(sheet, a="first", link=[1, 2])
    put(sheet, 1, T, a="Sensitive")
    edit(sheet, op("delete", 1, T), op("purge", 1, T))

    assert told(sheet, 1, T) == [("purged", "")]
    assert first(sheet, 1).how == log.UNLINKED and first(sheet, 1).changes == {LINK: [[1, 2], [2]]}
    db.session.rollback()
    assert not db.session.scalar(select(func.count()).select_from(HistoryEntry).where(HistoryEntry.changes.contains("target")))


def test_a_field_that_goes_for_good_takes_its_values_along(sheet: App) -> None:
    """Entries keep what they say of other fields."""
    put(sheet, a="one", b="Sensitive")
    put(sheet, 1, a="two", b="Sensitive too")
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}/field/{B}"}, {"op": "purge", "document": f"worksheet/{W}/field/{B}"})
    assert versions(sheet, 1)[0].entry.changes == {A: ["one", "two"]}


def test_a_worksheet_that_goes_for_good_takes_its_history_along(sheet: App) -> None:
    """And one that only goes to the recycle bin and comes back has it still."""
    put(sheet, a="one")
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}"}, {"op": "bring_back", "document": f"worksheet/{W}"})
    assert told(sheet, 1) == [("created", "")]
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}"}, {"op": "purge", "document": f"worksheet/{W}"})
    assert told(sheet, 1) == []


def test_an_import_is_one_entry(sheet: App) -> None:
    """However many records come in at once, over the bounds of ranges as well."""
    numbers = [log.BLOCK - 2, log.BLOCK - 1, log.BLOCK, log.BLOCK + 5]
    edit(sheet, {"op": "put_records", "worksheet": W, "records": [{"seq": n, "values": {A: "in"}} for n in numbers]})
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(HistoryEntry).where(HistoryEntry.worksheet == W)) == 2
    assert [told(sheet, n) for n in (*numbers, log.BLOCK + 1)] == [[("created", "import")]] * 4 + [[]]


def test_a_restore_is_told_of_the_records_that_it_touched(sheet: App) -> None:
    """Overwritten, brought back from the bin or from nowhere, moved to the bin; not of one that stays as it is. It names the backup."""
    for n in range(4):
        put(sheet, a=f"a{n}")
    backup = direct.back_up(apps.find(sheet.id), name="Before the trip")
    put(sheet, 1, a="other")
    edit(sheet, op("delete", 2), op("delete", 3), op("purge", 3))
    put(sheet, a="new since")
    restore(sheet, backup.id, bin_newer=True)

    ends = [told(sheet, n)[-1] for n in (1, 2, 3, 4, 5)]
    assert ends == [("changed", "restore"), ("brought_back", "restore"), ("created", "restore"), ("created", ""), ("deleted", "restore")]
    rows = service.store_of(apps.find(sheet.id)).rows(W, 5, 5)
    assert deletions(apps.find(sheet.id), W, rows)[5].how == log.RESTORE
    entry = first(sheet, 1)
    assert (entry.by, entry.source["name"], entry.source["backup"]) == (MIA, "Before the trip", backup.id)
    assert entry.changes == {A: ["other", "a0"]}
    assert told(sheet, 3) == [("purged", ""), ("created", "restore")]


def test_the_bin_knows_a_restore_that_moved_many(sheet: App) -> None:
    """By the range that has each of them, and no other; what somebody deleted themselves is theirs."""
    backup = direct.back_up(apps.find(sheet.id)).id
    count = log.MOST_KEPT + 100
    edit(sheet, {"op": "put_records", "worksheet": W, "records": [{"seq": n, "values": {A: "in"}} for n in range(1, count + 1)]})
    edit(sheet, op("delete", 7))
    restore(sheet, backup, bin_newer=True, config=True)
    db.session.rollback()
    found = deletions(apps.find(sheet.id), W, [row for row in service.store_of(apps.find(sheet.id)).rows(W, 1, count) if row.deleted_at])
    assert len(found) == count
    assert {n for n, entry in found.items() if entry.how == log.RESTORE} == set(range(1, count + 1)) - {7}
    assert found[7].by == MIA and found[8].changes == {}


def test_an_undo_is_told_with_the_backup_whose_restore_it_undoes(sheet: App) -> None:
    """Each record that goes back has one entry for the restore and one for its undo."""
    put(sheet, a="a")
    put(sheet, a="x")
    backup = direct.back_up(apps.find(sheet.id), name="Before the trip")
    put(sheet, 1, a="b")
    edit(sheet, op("delete", 2))
    run = restore(sheet, backup.id, safety_backup=True)
    direct.undo(apps.find(sheet.id), run, person=MIA)
    assert told(sheet, 1)[-2:] == [("changed", "restore"), ("changed", "undo")]
    assert told(sheet, 2)[-2:] == [("brought_back", "restore"), ("deleted", "undo")]
    rows = service.store_of(apps.find(sheet.id)).rows(W, 2, 2)
    assert deletions(apps.find(sheet.id), W, rows)[2].how == ""  # it lies there again as somebody had left it
    assert first(sheet, 1).source["name"] == "Before the trip" and values(sheet, 1) == {A: "b"}


@pytest.mark.parametrize("emptied", [True, False])
def test_a_restore_of_many_records_keeps_no_values(sheet: App, emptied: bool) -> None:
    """Its entry is there for each of them all the same; what is older cannot be brought back. An emptied worksheet is the other way in."""
    count = log.MOST_KEPT + 20
    records = [{"seq": n, "values": {A: "in"}} for n in range(1, 2 * count, 2)]
    edit(sheet, {"op": "put_records", "worksheet": W, "records": records})
    backup = direct.back_up(apps.find(sheet.id)).id
    for one in records:
        one["values"] = {A: "changed"}
    with transaction():
        live = apps.find(sheet.id)
        if emptied:
            service.store_of(live).purge(W)
        else:
            for n in range(1, 2 * count, 2):
                service.put_record(live, W, n, {A: "changed"}, MIA)
    restore(sheet, backup)

    act = "created" if emptied else "changed"
    assert {tuple(told(sheet, n)[-1]) for n in (1, 255, 257, 2 * count - 1)} == {(act, "restore")}
    assert told(sheet, 2) == [] and first(sheet, 1).changes is None
    newer, older, *_ = versions(sheet, 1)
    assert newer.after.barrier is None and older.after.barrier == newer.entry
    db.session.rollback()
    assert (db.session.scalar(select(func.count()).select_from(HistoryEntry).where(HistoryEntry.how == "restore")) or 0) <= 5


def test_nothing_of_it_is_in_a_backup_and_a_restore_leaves_it(sheet: App) -> None:
    """The state of an app is the same with and without a history; restores only add to it."""
    put(sheet, a="one")
    before = direct.back_up(apps.find(sheet.id))
    backup, content = before.id, before.content_id
    put(sheet, 1, a="two")
    put(sheet, 1, a="one")
    with transaction():
        live = apps.find(sheet.id)
        row = service.store_of(live).row(W, 1)
        service.store_of(live).write(W, [row._replace(updated_at=row.created_at, updated_by=row.created_by)])  # type: ignore[union-attr]
    assert direct.back_up(apps.find(sheet.id)).content_id == content
    restore(sheet, backup)
    assert told(sheet, 1) == [("created", ""), ("changed", ""), ("changed", "")]


def test_a_field_that_gets_another_type_is_told(sheet: App) -> None:
    """Where a value changes by it, or is set aside; by whom. Hiding a field and bringing it back changes none."""
    put(sheet, a="12", b="x")
    put(sheet, a="word")
    edit(sheet, {"op": "hide", "document": f"worksheet/{W}/field/{B}"}, {"op": "bring_back", "document": f"worksheet/{W}/field/{B}"})
    assert told(sheet, 1) == [("created", "")]
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, [field(A, "email"), *FIELDS[1:]]), MIA)
    assert first(sheet, 2).changes == {A: ["word", None]} and first(sheet, 2).by == MIA
    assert told(sheet, 2) == [("created", ""), ("changed", "retyped")]


def test_a_value_that_is_very_long_is_not_kept(sheet: App) -> None:
    """The entry says so, and versions that had it are not known whole; older ones are, once an entry tells of the field again."""
    long = "x" * (log.MOST_VALUE_BYTES + 1)
    put(sheet, a="one")
    put(sheet, 1, a=long)
    put(sheet, 1, a="two")
    newest, middle, oldest = versions(sheet, 1)
    assert newest.entry.changes == {A: [None, "two", "b"]} and middle.entry.changes == {A: ["one", None, "a"]}
    assert (newest.after.lost, middle.after.lost, oldest.after.lost) == (frozenset(), {A}, frozenset())
    assert oldest.after.values == {A: "one"}


@pytest.mark.parametrize("seed", range(4))
def test_each_version_is_what_the_record_was(sheet: App, seed: int) -> None:
    """After any acts on it and its worksheet: whatever is known of a version is true, and all is known where few records were changed."""
    draw = random.Random(seed)
    put(sheet, a="start")
    backup = direct.back_up(apps.find(sheet.id)).id
    was: dict[int, dict[str, Any]] = {first(sheet, 1).id: values(sheet, 1)}
    hidden = f"worksheet/{W}/field/{B}"

    def retype(kind: str) -> Callable[[], None]:
        def act() -> None:
            live = [one["key"] for one in documents.get(apps.find(sheet.id), f"worksheet/{W}").body["fields"]]
            with transaction():
                documents.put(apps.find(sheet.id), worksheet(W, [field(A, kind), *(one for one in FIELDS[1:] if one["key"] in live)]), MIA)

        return act

    acts: list[Callable[[], Any]] = [
        lambda: put(sheet, 1, number=draw.randrange(5)), lambda: put(sheet, 1, b=draw.choice(["x", None])),
        lambda: put(sheet, 1, link=draw.choice([[1], [1, 2], None])), lambda: put(sheet, 1, a=draw.choice(["7", "a@b.example", None])),
        lambda: edit(sheet, {"op": "hide", "document": hidden}), lambda: edit(sheet, {"op": "bring_back", "document": hidden}),
        retype("number"), retype("text"), retype("email"), lambda: edit(sheet, op("delete", 1)), lambda: edit(sheet, op("bring_back", 1)),
        lambda: restore(sheet, backup, config=draw.choice([True, False])),
    ]
    for _ in range(40):
        try:
            draw.choice(acts)()
        except Exception:  # what the app refuses leaves no entry
            db.session.rollback()
        was[first(sheet, 1).id] = values(sheet, 1)
    found = versions(sheet, 1)
    assert len(found) > 8 and not any(one.after.lost or one.after.barrier for one in found)
    assert {one.entry.id: one.after.values for one in found} == was


def test_entries_of_two_writers_at_once_chain(server: Flask, organization: str, sheet: App) -> None:
    """Each entry begins with what the one before it ended with, however they interleave."""
    put(sheet, a="start")

    def write(name: str) -> Callable[[int], None]:
        return lambda n: put(sheet, 1, a=f"{name} {n}") and None

    assert at_once(server, organization, each(25, write("one")), each(25, write("two"))) == []
    found = [one.entry.changes or {} for one in versions(sheet, 1)][:-1]
    assert len(found) == 50
    assert all(later[A][0] == earlier[A][1] for later, earlier in itertools.pairwise(found))


def test_old_entries_are_forgotten_as_the_plan_says(sheet: App) -> None:
    """Some at a time, from the oldest on; what is younger stays, and versions of it can still be told."""
    put(sheet, a="one")
    put(sheet, 1, a="two")
    with moved(3 * 365 * 86_400):
        put(sheet, 1, a="three")
        with moved(2 * 86_400):
            assert history_retention.forget_old(now_us()) >= 2
    assert [one.entry.changes for one in versions(sheet, 1)] == [{A: ["two", "three"]}]
    assert versions(sheet, 1)[0].before.values == {A: "two"}


def test_apps_without_old_entries_cost_no_statement_each(sheet: App) -> None:
    """Every few minutes the clock looks at all apps; one entry that a wrong clock wrote far ahead hides none of those after it."""
    put(sheet, a="one")
    with moved(9 * 365 * 86_400):
        put(sheet, a="ahead")
    put(sheet, 1, a="two")
    before = now_us() + 1

    def looked() -> tuple[int, int]:
        seen: list[object] = []
        event.listen(db.engine, "before_cursor_execute", lambda *given: seen.append(given))
        return history_retention.forget_old(before - 10 * 365 * 86_400 * 1_000_000), len(seen)

    few = looked()
    with transaction():
        for n in range(5):
            apps.create(f"Another {n}", SYSTEM)
    assert few == looked() and few[0] == 0
    assert history_retention._with_old(sheet.organization_id, before) == [sheet.id]


def test_a_record_that_is_not_there_has_no_history(sheet: App) -> None:
    """Nor has one of another number in the same range."""
    put(sheet, a="one")
    with pytest.raises(NotFound):
        put(sheet, 7, a="x")
    assert told(sheet, 7) == []


WRITERS = {
    ("service", "done"), ("service", "_make"), ("service", "purge_record"), ("service", "purge_worksheet"),
    ("service", "purge_field"), ("service", "follow_fields"), ("service", "write_rows"), ("service", "_move_with_rows"),
    ("service", "_forget_pointers"), ("restore", "_write"), ("undo", "run"), ("restore_whole", "_load"),
}
"""The functions that write rows. Each tells the history what it does: a test above says of each what."""
WRITING = {"write", "load", "set_deleted", "load_segments", "purge", "put_rows", "load_rows", "load_lines", "write_rows"}


def test_whoever_writes_rows_tells_the_history() -> None:
    """Nobody writes to the store of records who is not in the list: a new way to write needs an entry, and its test."""
    found = set()
    root = Path(service.__file__).parent
    for path in root.rglob("*.py"):
        if path.parent.name in ("records", "migrations"):
            continue
        for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
            if any(_writes(call) for call in ast.walk(function) if isinstance(call, ast.Call)):
                found.add((path.stem, function.name))
    assert found == WRITERS


def _writes(call: ast.Call) -> bool:
    target = ast.unparse(call.func)
    *of, name = target.split(".")
    return name in WRITING and ((bool(of) and "store" in of[-1]) or name == "write_rows")


def test_trouble_with_one_organization_stops_no_other(sheet: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is old is forgotten in those that come after it."""
    put(sheet, a="one")
    with made_organization("Another"), transaction():
        broken = apps.create("Broken", SYSTEM).organization_id
    forget = history_retention._forget_of

    def fail(organization_id: str, before: int) -> int:
        if organization_id == broken:
            raise ValueError("broken")
        return forget(organization_id, before)

    monkeypatch.setattr(history_retention, "_forget_of", fail)
    with moved(4 * 365 * 86_400):
        history_retention.forget_old(now_us())
    assert told(sheet, 1) == []


def test_a_file_stays_as_long_as_a_version_names_it(sheet: App) -> None:
    """The collecting of what nothing needs leaves it; once the entry is forgotten nothing needs it."""
    paper = field("f_6666666666", "file")
    stored = put_file(io.BytesIO(b"words on paper"), sheet.id)
    with transaction():
        documents.put(apps.find(sheet.id), worksheet(W, [*FIELDS, paper]), MIA)
        value = [{"file": stored[0], "name": "a.txt", "type": "text/plain", "size": 14}]
        service.put_record(apps.find(sheet.id), W, None, {paper["key"]: value}, MIA)
    edit(sheet, {"op": "put_record", "worksheet": W, "seq": 1, "values": {paper["key"]: None}})

    def kept() -> set[str]:
        with reading() as connection:
            return set(this_server().registry.components["worksheets"].kept_files(apps.find(sheet.id), Snapshot(sheet.id, connection)))

    assert kept() == {stored[0]}
    with moved(4 * 365 * 86_400):
        history_retention.forget_old(now_us())
    assert kept() == set()
