"""An import makes its app in parts: others write in between, nobody sees it before it is whole, and nothing of a failure stays."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from core.api import App, AppkeepError, ImportContext, Importer, ImportFailed, apps, db, documents, import_file, new_key, transaction
from core.apps import making
from core.apps.service import Script
from core.base.db import Base
from core.base.errors import AppLeft, NotFound, RunCancelled
from core.imports import reader_process
from core.server import server as this_server
from core.tenancy.owned import OwnedByApp
from core.tenancy.wall import as_tenant

RECORDS, BATCH = 60, 10


class Linked(Importer):
    """Makes two worksheets; the records of the first point to records of the second, which come after them."""

    name, title = "linked", "Linked"
    last = RECORDS

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        first, second, link = new_key("w"), new_key("w"), new_key("f")
        point = {"key": link, "type": "relationship", "name": "To", "options": {
            "target": {"ref": f"worksheet/{second}"}, "multiple": False}}
        for key, name, fields in ((second, "Second", []), (first, "First", [point])):
            yield {"op": "put", "document": f"worksheet/{key}", "body": {"name": name, "fields": fields, "views": []}}
        for start in range(1, RECORDS + 1, BATCH):
            yield {"op": "put_records", "worksheet": first, "records": [
                {"seq": seq, "values": {link: [seq if seq < RECORDS else self.last]}} for seq in range(start, start + BATCH)]}
        for start in range(1, RECORDS + 1, BATCH):
            yield {"op": "put_records", "worksheet": second, "records": [
                {"seq": seq, "values": {}} for seq in range(start, start + BATCH)]}


@pytest.fixture
def linked(server: Flask, organization: str, monkeypatch: pytest.MonkeyPatch) -> Linked:
    """The importer, in an organization, with as many parts as there are steps."""
    monkeypatch.setattr(making, "PART_S", 0)
    found = this_server().registry.importers["linked"] = Linked()
    return found


def counted() -> dict[str, int]:
    """Return how many rows each table of apps has, the apps themselves too."""
    db.session.rollback()
    tables = [mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, OwnedByApp | App)]
    found = {str(table.name): db.session.connection().execute(select(func.count()).select_from(table)).scalar_one() for table in tables}
    db.session.rollback()
    return found


def test_others_write_between_the_parts_of_an_import(linked: Linked, organization: str, engine: str, home: Path) -> None:
    written = []

    def watch(phase: str, done: int, total: int) -> None:
        if phase != "import.making":
            return
        if engine == "sqlite":  # it has one writer at a time: a second one that does not wait at all must get its turn
            with closing(sqlite3.connect(home / "appkeep.db", timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
        with transaction():
            apps.create(f"Other {len(written)}", "system")
        written.append((done, total))

    made = import_file(Path("linked"), organization, "system", importer="linked", watch=watch)
    assert made["records"] == 2 * RECORDS
    assert len(written) > 2 * RECORDS // BATCH, "it was made in fewer parts than it has edits"
    assert written[-1] == (2 * RECORDS, 2 * RECORDS)
    assert [app.name for app in apps.all_apps() if not app.name.startswith("Other")] == ["linked"]


def test_nobody_sees_an_app_before_it_is_whole(linked: Linked, organization: str) -> None:
    seen = []

    def watch(phase: str, done: int, total: int) -> None:
        if phase == "import.making":
            db.session.rollback()
            ids = list(db.session.scalars(select(App.id)))
            seen.append([apps.find_app(app_id) for app_id in ids] + apps.all_apps())
            with pytest.raises(NotFound), transaction():
                documents.hide(db.session.get_one(App, ids[0]), "app/main", "system")

    def finish(_: Mapping[str, Any]) -> None:
        assert [app.name for app in apps.all_apps()] == ["linked"]

    # The first call comes before there is anything.
    with pytest.raises(IndexError):
        import_file(Path("linked"), organization, "system", importer="linked", watch=watch, finish=finish)
    assert seen == [[]]
    assert not any(counted().values())

    made = import_file(Path("linked"), organization, "system", importer="linked", finish=finish,
                       watch=lambda phase, done, total: watch(phase, done, total) if done else None)
    assert len(seen) > 2 * RECORDS // BATCH
    assert all(found == [None] for found in seen[1:])
    assert apps.find(made["app"]).making_until is None


@pytest.mark.parametrize("after", [0, BATCH, RECORDS, 2 * RECORDS])
def test_nothing_stays_of_an_import_that_ends_early(linked: Linked, organization: str, after: int) -> None:
    before = counted()

    def watch(phase: str, done: int, total: int) -> None:
        if phase == "import.making" and done >= after:
            raise RunCancelled("Enough.")

    with pytest.raises(RunCancelled):
        import_file(Path("linked"), organization, "system", importer="linked", watch=watch)
    assert counted() == before


def test_nothing_stays_where_its_end_cannot_be_written(linked: Linked, organization: str) -> None:
    before = counted()

    def finish(_: Mapping[str, Any]) -> None:
        raise RunCancelled("Too late.")

    with pytest.raises(RunCancelled):
        import_file(Path("linked"), organization, "system", importer="linked", finish=finish)
    assert counted() == before


def test_what_records_point_to_is_checked_once_all_are_in(linked: Linked, organization: str) -> None:
    before, linked.last = counted(), RECORDS + 1
    with pytest.raises(AppkeepError, match=f"record {RECORDS}, field “To”"):
        import_file(Path("linked"), organization, "system", importer="linked")
    assert counted() == before


class Slow(Linked):
    """Gives its last edits once somebody has seen that those before are done, and may fail then."""

    def __init__(self, seen: Path, *, fails: bool = False) -> None:
        self.seen, self.fails = seen, fails

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        for n, edit in enumerate(super().operations(path, context)):
            if n == 5:
                while not self.seen.exists():
                    time.sleep(0.02)
                if self.fails:
                    raise ImportFailed("The file ends too soon.")
            yield edit


@pytest.mark.parametrize("fails", [False, True])
def test_records_are_made_while_the_file_is_read(linked: Linked, organization: str, home: Path, fails: bool) -> None:
    """And where the rest of it turns out not to be sound, nothing stays of them."""
    before, told = counted(), []

    def watch(phase: str, done: int, total: int) -> None:
        told.append((phase, done, total))
        if done == 3 * BATCH and phase == "import.making":
            (home / "seen").touch()

    this_server().registry.importers["linked"] = Slow(home / "seen", fails=fails)
    if fails:
        with pytest.raises(ImportFailed, match="too soon"):
            import_file(Path("linked"), organization, "system", importer="linked", watch=watch)
        assert counted() == before
    else:
        assert import_file(Path("linked"), organization, "system", importer="linked", watch=watch)["records"] == 2 * RECORDS
    assert ("import.making", 3 * BATCH, 0) in told, "it waited for the whole file"
    assert (told[-1] == ("import.making", 2 * RECORDS, 2 * RECORDS)) is not fails
    making_began = [phase for phase, _, _ in told].index("import.making")
    assert {phase for phase, _, _ in told[making_began:]} == {"import.making"}, "its phase went back"


def test_an_app_is_held_while_its_file_says_nothing(linked: Linked, organization: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: nobody takes it for one that was left."""
    held = []

    def watch(phase: str, done: int, total: int) -> None:
        if phase != "import.making" or done < 3 * BATCH:
            return
        held.append(db.session.scalars(select(App.making_until)).one())
        db.session.rollback()
        if len(set(held)) > 2:
            (home / "seen").touch()

    monkeypatch.setattr(making, "LEASE_US", 400_000)
    monkeypatch.setattr(reader_process, "LOOK_S", 0.05)
    this_server().registry.importers["linked"] = Slow(home / "seen")
    assert import_file(Path("linked"), organization, "system", importer="linked", watch=watch)["records"] == 2 * RECORDS


def half_made() -> making.Making:
    """Return an app that somebody has begun to make."""
    made = making.Making("Half", "system")
    with made.part():
        apps.start(made.app, "system")
        list(Script(made.app, "system").edits(Linked().operations(Path(), server_context())))
    return made


def server_context() -> ImportContext:
    """Return what the importer of this test asks for: nothing."""
    return None  # type: ignore[return-value]


def leave(made: making.Making) -> None:
    """Let an app be as its maker leaves it that is killed: its lease ends."""
    with transaction():
        db.session.connection().execute(update(App.__table__).values(making_until=making.UNHEARD))


def test_what_a_killed_process_left_is_removed(linked: Linked, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "REMOVED_AT_ONCE", 7)
    before = counted()
    made = half_made()
    making.tick()
    assert counted()["record"] == 2 * RECORDS, "what is under way was removed"
    leave(made)
    with as_tenant(organization):
        making.tick()
    assert counted() == before
    with pytest.raises(AppLeft), made.part():
        pass
    with pytest.raises(AppLeft), transaction():
        made.finish()


def test_a_maker_that_is_late_goes_on_where_nobody_gave_it_up(linked: Linked, organization: str) -> None:
    made = half_made()
    leave(made)
    with made.part():
        pass
    making.tick()
    with transaction():
        made.finish()
    making.tick()
    assert [app.name for app in apps.all_apps()] == ["Half"]
    assert counted()["record"] == 2 * RECORDS
