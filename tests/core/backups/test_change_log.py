"""The log of touched segments: a description that stands on a backup is what reading everything gives, whatever happens beside it.

All tests compare so (see `tests/conftest.py`); these make what they would not: late committers, writers beside a backup, cuts.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, delete, text, update

from core.api import App, Document, apps, as_server, as_tenant, db, direct, documents, transaction
from core.apps import change_log
from core.apps.snapshot import Snapshot
from core.backups import base, create, lists, state
from core.backups.catalog import find_backup
from core.backups.lists import own_list
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.base.db import reading
from core.base.errors import ObjectMissing
from core.base.time import moved
from core.objects import writer
from core.objects.index import StoredObject, count_removed
from core.runs.service import find, report_of
from plugins.worksheets import service
from plugins.worksheets.records import Row, open_store
from tests.conftest import opened_server

W, F = "w_1111111111", "f_1111111111"
WEEK_S = 7 * 86400
SHEET = Document(kind="worksheet", key=W, position=0, body={"name": "Many", "fields": [
    {"key": F, "type": "text", "name": "Name", "options": {}}, {"key": "f_2222222222", "type": "file", "name": "Files", "options": {}}]})


def row(seq: int, name: str = "A", deleted_at: int | None = None) -> Row:
    """Return a record's row."""
    return Row(seq, f'{{"{F}":"{name}"}}', None, 1, "system", 1, "system", deleted_at)


@pytest.fixture
def server(database_url: str, home: Path) -> Iterator[Flask]:
    """A server on which backups may follow one another at once."""
    yield from opened_server(home, database_url, backup_interval_s=0)


@pytest.fixture
def many(app: App) -> App:
    """An app with a thousand records, in four segments."""
    with transaction():
        documents.put(app, SHEET, "system")
        open_store(db.session.connection(), app.id).load(W, [row(seq) for seq in range(1, 1001)])
    return apps.find(app.id)


def backed_up(app: App) -> tuple[Backup, dict[str, Any]]:
    """Back the app up; return the backup and what its run reports of the reading."""
    made = direct.back_up(apps.find(app.id))
    return made, report_of(find(made.run_id or ""))["scan"]


def put(app: App, *rows: Row) -> None:
    """Write rows."""
    with transaction():
        open_store(db.session.connection(), app.id).write(W, rows)


def test_only_what_was_touched_is_read(many: App) -> None:
    """First everything; then nothing, one segment of four, two; the reports say so."""
    assert {"why": "first"} == backed_up(many)[1]
    first = find_backup(direct.back_up(apps.find(many.id)).id)
    assert {"read": 0, "of": 4} == report_of(find(first.run_id or ""))["scan"]
    put(many, row(300, "B"))
    assert {"read": 1, "of": 4} == backed_up(many)[1]
    put(many, row(10, "B"), row(900, deleted_at=5))
    assert {"read": 2, "of": 4} == backed_up(many)[1]
    put(many, row(5000))
    assert {"read": 1, "of": 5} == backed_up(many)[1]
    with transaction():
        service.purge_worksheet(apps.find(many.id), W)
    assert {"read": 0, "of": 0} == backed_up(many)[1]


def test_plans_and_restores_read_only_what_was_touched(many: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand on the same description."""
    made, _ = backed_up(many)
    put(many, row(300, "B"))
    monkeypatch.setattr(state, "COMPARE", False)
    with reading() as connection:
        assert 1 == state.describe(many, Snapshot(many.id, connection), config=False).segments_read
    (told,) = direct.plan(apps.find(many.id), made)["components"]["worksheets"]["data"]["worksheets"]
    assert (1, 999) == (told["overwritten"], told["unchanged"])
    direct.restore(apps.find(many.id), made)
    monkeypatch.setattr(state, "COMPARE", True)
    assert made.content_id == backed_up(many)[0].content_id


def test_why_everything_is_read(many: App) -> None:
    """The newest backup was deleted; a week has passed; the log was cut; its list is lost; the mark is of another database."""
    backed_up(many)
    made, _ = backed_up(many)
    with transaction():
        db.session.execute(update(Backup).where(Backup.id == made.id).values(deleted_at=1))
    assert {"why": "no_mark"} == backed_up(many)[1]
    with moved(WEEK_S + 60):
        assert {"why": "audit"} == backed_up(many)[1]
    with transaction():
        change_log.cut(db.session.connection(), many.id)
    assert {"why": "other_database"} == backed_up(many)[1]
    made, _ = backed_up(many)
    marked = base.Mark.of(str(made.mark))
    with transaction():
        other = base.Mark("p1/5:5:", marked.whole_files, marked.scanned_at)
        db.session.execute(update(Backup).where(Backup.id == made.id).values(mark=other.text()))
    assert {"why": "other_database"} == backed_up(many)[1]


def test_an_audit_finds_what_was_written_past_the_log(many: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What is there is backed up; the report and the server's log say that the log missed something."""
    monkeypatch.setattr(state, "COMPARE", False)
    before = backed_up(many)[0].content_id
    with transaction():
        db.session.execute(text("UPDATE record SET vals = :vals WHERE app_id = :app AND seq = 7"),
                           {"vals": row(7, "Behind").vals, "app": many.id})
    missed, scan = backed_up(many)
    assert {"read": 0, "of": 4} == scan and before == missed.content_id
    with moved(WEEK_S + 60):
        found, scan = backed_up(many)
    assert {"why": "audit_differs"} == scan and before != found.content_id and "missed something" in caplog.text
    with as_server(), transaction():
        base.clear_marks()
    assert {"why": "no_mark"} == backed_up(many)[1]


def test_content_that_is_not_reliable_any_more_is_read_and_stored_again(many: App) -> None:
    """A segment whose object was lost, or is on its way out, comes back with the next backup."""
    content_id = backed_up(many)[0].content_id
    with transaction():
        db.session.execute(update(StoredObject).where(StoredObject.organization_id == many.organization_id).values(lost_at=1))
    again, scan = backed_up(many)
    assert {"read": 4, "of": 4} == scan and content_id == again.content_id
    direct.check(find_backup(again.id), deep=True)


@contextmanager
def another(server: Flask) -> Iterator[Connection]:
    """Give a connection that writes beside, its transaction open."""
    with db.engine.connect() as connection:
        yield connection


def only_postgresql(server: Flask) -> None:
    """SQLite has one writer: nobody commits late there."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")


def late(server: Flask, app: App) -> None:
    """Write a record in a transaction that is open while a backup is made, and commits after it."""
    with another(server) as connection:
        connection.execute(text("SELECT set_config('appkeep.everything', 'on', false)"))
        open_store(connection, app.id).write(W, [row(300, "Late")])
        put(app, row(10, "Early"))
        backed_up(app)
        connection.commit()


def test_whoever_commits_late_is_not_forgotten(server: Flask, many: App) -> None:
    """Their entry has a smaller number than others that the backup saw, and an earlier time."""
    only_postgresql(server)
    backed_up(many)
    late(server, many)
    assert {"read": 1, "of": 4} == backed_up(many)[1]


BROKEN_MARKS = {
    "greater than the last number": "SELECT section, first, last FROM change_log WHERE app_id = :app AND id > (SELECT last_value FROM seen)",
    "above the snapshot's end": "SELECT section, first, last FROM change_log WHERE app_id = :app AND xid >= pg_snapshot_xmax(CAST(:mark AS pg_snapshot))",
    "nothing": "SELECT section, first, last FROM change_log WHERE app_id = :app AND CAST(:mark AS text) IS NULL",
}


@pytest.mark.parametrize("rule", BROKEN_MARKS)
def test_a_mark_by_another_rule_is_noticed(server: Flask, many: App, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each loses whoever commits late, and the comparison says so."""
    only_postgresql(server)
    backed_up(many)
    with as_server(), transaction():
        db.session.execute(text("CREATE TABLE seen (last_value bigint)"))
        db.session.execute(text("INSERT INTO seen SELECT 0"))
    with another(server) as connection:
        open_store(connection, many.id).write(W, [row(300, "Late")])
        put(many, row(10, "Early"))
        backed_up(many)
        with transaction():
            db.session.execute(text("UPDATE seen SET last_value = (SELECT last_value FROM change_log_id_seq)"))
        connection.commit()
    monkeypatch.setitem(change_log._SINCE, "postgresql", text(BROKEN_MARKS[rule]))
    with pytest.raises(Exception, match="The log says something else"):
        backed_up(many)


def test_a_cut_beside_a_backup_takes_its_mark(server: Flask, many: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written after the backup's moment and cut before its end is not lost: the next one reads everything."""
    real = create._counters

    def meanwhile(app: App, snapshot: Snapshot) -> Any:
        def write() -> None:
            with server.app_context(), as_tenant(app.organization_id), transaction():
                open_store(db.session.connection(), app.id).write(W, [row(300, "Beside")])
            with server.app_context(), as_server(), transaction():
                change_log.cut(db.session.connection(), app.id)

        beside = threading.Thread(target=write)
        beside.start()
        beside.join()
        return real(app, snapshot)

    with monkeypatch.context() as here:
        here.setattr(create, "_counters", meanwhile)
        backed_up(many)
    assert {"why": "other_database"} == backed_up(many)[1]


def test_a_backup_that_another_overtook_leaves_no_mark(server: Flask, many: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one has removed from the log what this one had not seen. Runs of an app exclude each other; this does not rely on it."""
    backed_up(many)
    real, within = create._counters, []

    def meanwhile(app: App, snapshot: Snapshot) -> Any:
        if not within:
            within.append(True)

            def overtake() -> None:
                with server.app_context(), as_tenant(app.organization_id):
                    put(app, row(300, "Beside"))
                    with reading() as connection:
                        seen = change_log.mark(connection, app.id)
                    with transaction():
                        db.session.execute(update(Backup).where(Backup.app_id == app.id).values(mark=None))
                        db.session.execute(update(Backup).where(Backup.id == other).values(mark=base.Mark(str(seen), True, 1).text()))
                        change_log.forget(db.session.connection(), app.id, str(seen))

            beside = threading.Thread(target=overtake)
            beside.start()
            beside.join()
        return real(app, snapshot)

    other = direct.back_up(apps.find(many.id)).id
    backed_up(many)
    with monkeypatch.context() as here:
        here.setattr(create, "_counters", meanwhile)
        backed_up(many)
    assert {"why": "no_mark"} == backed_up(many)[1]


def test_a_mark_of_another_database_removes_nothing(many: App, engine: str) -> None:
    """On PostgreSQL the numbers of its transactions mean others here; SQLite's begin with another letter."""
    put(many, row(300, "B"))
    with reading() as connection:
        seen = str(change_log.mark(connection, many.id))
    strange = f"p1/{seen.partition('/')[2]}" if engine == "postgresql" else f"p{seen[1:]}"
    for mark, left in ((strange, True), (seen, engine == "sqlite")):  # SQLite keeps the last one, for its number
        with transaction():
            change_log.forget(db.session.connection(), many.id, mark)
            assert left == bool(change_log.lengths(db.session.connection()).get(many.id))


def test_logs_that_nobody_needs_are_cut(many: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an app that has no backup, and one that grew too long; what a backup stands on stays."""
    monkeypatch.setattr(base, "FEW_ENTRIES", 2)
    monkeypatch.setattr(base, "TIDY_EVERY_S", 0)
    monkeypatch.setitem(base._tidied, "next", 0)
    for seq in (1, 300, 600):
        put(many, row(seq, "B"))
    assert 1 == base.tidy() and 0 == base.tidy()
    assert {"why": "first"} == backed_up(many)[1]
    for seq in (1, 300, 600):
        put(many, row(seq, "C"))
    assert 0 == base.tidy()
    assert {"read": 3, "of": 4} == backed_up(many)[1]
    put(many, row(1, "D"))
    monkeypatch.setattr(change_log, "MOST_ENTRIES", 0)
    assert 1 == base.tidy()
    assert {"why": "other_database"} == backed_up(many)[1]


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_with_writers_beside(server: Flask, many: App, seed: int) -> None:
    """Writers that commit early, late and never, beside backups: each backup is what reading everything gives."""
    draw = random.Random(seed)
    several = db.engine.dialect.name == "postgresql"
    held: list[tuple[Connection, Any]] = []
    backed_up(many)
    for _ in range(40):
        act = draw.choice(("put", "put", "bin", "purge", "open", "close", "back_up"))
        seq = draw.randrange(1, 1500)
        if act == "open" and several and len(held) < 3:
            connection = db.engine.connect()
            open_store(connection, many.id).write(W, [row(2000 + 256 * len(held) + draw.randrange(200), draw.choice("XYZ"))])
            held.append((connection, None))
        elif act == "close" and held:
            connection, _ = held.pop(draw.randrange(len(held)))
            connection.commit() if draw.random() < 0.7 else connection.rollback()
            connection.close()
        elif act == "back_up":
            backed_up(many)
        elif act in ("put", "bin"):
            put(many, row(seq, draw.choice("ABCD"), 5 if act == "bin" else None))
        elif act == "purge":
            with transaction():
                open_store(db.session.connection(), many.id).purge(W, [seq])
    for connection, _ in held:
        connection.commit()
        connection.close()
    backed_up(many)


def test_a_description_stands_on_the_one_before_it(many: App) -> None:
    """As a restore looks twice; where a backup took the mark between the two, what it removed from the log is not missed."""
    def seen(before: state.Seen | None = None) -> tuple[state.Seen, int]:
        with reading() as connection:
            found = state.describe_data(many, Snapshot(many.id, connection), before)
        return found, found.description.segments_read

    first, read = seen()
    assert read == 4 and seen(first)[1] == 0
    put(many, row(300, "B"))
    second, read = seen(first)
    assert read == 1 and second.description.content.as_dict() != first.description.content.as_dict()
    put(many, row(900, "B"))
    backed_up(many)
    put(many, row(10, "B"))
    third, read = seen(second)
    assert (read, seen(third)[1]) == (1, 0)
    with transaction():
        change_log.cut(db.session.connection(), many.id)
    assert seen(third)[1] == 4


def test_a_list_that_somebody_holds_is_read_all_the_same(many: App) -> None:
    """One that the store lost is not taken for there: the next backup stores it again."""
    def lost(content: str) -> bytes:
        raise ObjectMissing("It is gone.")

    saved = BackupReader(backed_up(many)[0])
    entry = saved.content.components["worksheets"].data
    assert entry is not None
    held = saved.lines["worksheets", "data"]
    assert own_list(entry.index, saved.read) is held
    with pytest.raises(ObjectMissing):
        own_list(entry.index, lost)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was looked up of the store and read of lists since the list was cleared."""
    seen: list[str] = []

    def noting(module: ModuleType, name: str) -> None:
        do = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (seen.append(name), do(*given))[1])

    noting(writer, "known_digests")
    noting(lists, "own_lines")
    return seen


def with_segment(app: App) -> tuple[str, str]:
    """Back the app up; return the backup's content id, and the content of one of its segments of records."""
    made, _ = backed_up(app)
    return made.content_id, next(one.content for one in BackupReader(made).lines["worksheets", "data"] if one.section == f"records/{W}")


def test_of_an_unchanged_app_no_segment_is_looked_at(many: App, looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the store has nor the lines of its list; nothing is stored, and the backup is the same. Few changes ask for few."""
    sums = attrgetter("content_id", "segments", "raw_bytes", "size_bytes", "records")
    first = sums(backed_up(many)[0])
    looked.clear()
    second, scan = backed_up(many)
    assert ([], {"read": 0, "of": 4}) == (looked, scan)
    assert (first, 0, 0) == (sums(second), second.added_bytes, second.segments_added)
    put(many, row(300, "B"))
    backed_up(many)
    assert ["own_lines"] == looked
    monkeypatch.setattr(create, "FEW", 0)
    put(many, row(300, "C"))
    backed_up(many)
    assert {"known_digests", "own_lines"} == set(looked)


def test_what_garbage_took_is_missed(many: App, looked: list[str]) -> None:
    """Where contents went since, all are looked at: those that should not have gone are read and stored again."""
    content_id, content = with_segment(many)
    doomed = StoredObject.content == content
    with transaction():
        db.session.connection().execute(delete(StoredObject.__table__).where(doomed))
        count_removed(1)
    looked.clear()
    healed, scan = backed_up(many)
    assert (content_id, 1, {"read": 1, "of": 4}) == (healed.content_id, healed.segments_added, scan)
    assert "known_digests" in looked
    looked.clear()
    backed_up(many)
    assert not looked


def test_a_lost_segment_is_stored_again_by_the_backup_of_an_unchanged_app(many: App) -> None:
    """What is known to be lost is not relied on."""
    content_id, content = with_segment(many)
    with transaction():
        db.session.execute(update(StoredObject).where(StoredObject.content == content).values(lost_at=5))
    healed, scan = backed_up(many)
    assert (content_id, 1, {"read": 1, "of": 4}) == (healed.content_id, healed.segments_added, scan)


def test_a_mark_of_another_version_is_stood_on(many: App, looked: list[str]) -> None:
    """An earlier one's does not say what there was: each segment is looked at, as was done then. What a later one says more is passed over."""
    for change, read in (({"removed": None, "sections": {}}, {"known_digests", "own_lines"}), ({"of_tomorrow": 1}, set())):
        made, _ = backed_up(many)
        marked = {**json.loads(str(made.mark)), **change}
        with transaction():
            db.session.execute(update(Backup).where(Backup.id == made.id).values(
                mark=json.dumps({name: value for name, value in marked.items() if value not in (None, {})})))
        looked.clear()
        assert {"read": 0, "of": 4} == backed_up(many)[1]
        assert read == set(looked)


def test_a_section_that_is_read_each_time_is_compared(many: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a component has no log of, as the types that values had, makes another backup when it changes; too long, it is not remembered."""
    made, _ = backed_up(many)
    content_id, told = made.content_id, base.Mark.of(str(made.mark)).sections["worksheets"]
    assert {"fields": str, f"records/{W}": int} == {name: type(kept) for name, kept in told.items()}
    body = copy.deepcopy(SHEET.body)
    body["fields"][0]["type"] = "email"
    with transaction():
        documents.put(apps.find(many.id), dataclasses.replace(SHEET, body=body), "system")
    other = backed_up(many)[0].content_id
    assert content_id != other
    monkeypatch.setattr(state, "SMALL_BYTES", 1)
    assert other == backed_up(many)[0].content_id
    long, _ = backed_up(many)
    assert (other, {int}) == (long.content_id, set(map(type, base.Mark.of(str(long.mark)).sections["worksheets"].values())))


def test_rows_of_a_bulk_write_are_one_run() -> None:
    """However they come: no segment is left out, and of rows that lie apart none is added."""
    chance = random.Random(5)
    for _ in range(300):
        first, count = chance.randrange(5000), chance.randint(1, 2000)
        numbers = list(range(first, first + count))
        chance.shuffle(numbers)
        kept = numbers if chance.random() < 0.5 else chance.sample(numbers, chance.randint(1, count))
        runs = change_log._runs_with(kept)
        assert {number // 256 for number in kept} == {n for low, high in runs for n in range(low, high + 1)}
    assert [] == change_log._runs_with([]) and [(0, 1)] == change_log._runs_with([300, 1, 300] * 150)
