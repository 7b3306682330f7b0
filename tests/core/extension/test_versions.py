"""A component's version rises, its plugin goes and comes back: live apps, backups of before, between and after, files, copies, undo."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from sqlalchemy import select, text

from core.api import App, Component, Document, InvalidInput, Kind, Section, Segment, apps, direct, documents, schemas, transaction
from core.app import create_app
from core.backups import ingest
from core.backups.absent import MISSING
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.config import read_config
from core.base.db import db
from core.base.errors import AppkeepError
from core.runs.models import Run
from core.runs.service import report_of
from core.server import server
from core.tenancy.migrate import ensure_schema
from core.tenancy.wall import as_server
from tests.conftest import made_organization
from tests.core.extension.strangers import Entry, database, installed, plugin, started

BOOK = "book/k_1111111111"
CHAPTER = {"key": "c_1111111111", "title": "One"}


def kind(names: Mapping[str, Any], chapter: str) -> Kind:
    """Return books with these properties, whose chapters have a name under *chapter*."""
    chapters = schemas.listed(schemas.closed({"key": schemas.key("c"), chapter: schemas.NAME}, ["key", chapter]), 10)
    return Kind(name="book", title="Book", letter="k", parts={"chapter": "chapters"},
                schema=schemas.closed({**names, "chapters": chapters}, [*names, "chapters"]))


class Books(Component):
    """Version 1: a title, and chapters with a title."""

    name, title, kinds = "books", "Books", (kind({"title": schemas.NAME}, "title"),)


def with_name(document: Document) -> Document:
    """Lift a book of version 1: titles are names, and there are pages."""
    chapters = [{"key": one["key"], "name": one["title"]} for one in document.body["chapters"]]
    body = {"name": document.body["title"], "pages": 0, "chapters": chapters}
    return Document(kind=document.kind, key=document.key, body=body, position=document.position)


class NewBooks(Books):
    """Version 2: a name, pages, and chapters with a name."""

    version, kinds = 2, (kind({"name": schemas.NAME, "pages": schemas.whole(0, 10_000)}, "name"),)
    upgrades: ClassVar[Any] = {1: with_name}


def brings(component: type[Component]) -> Entry:
    """Return the plugin that brings a component."""
    return plugin("library", register_component=lambda: component())


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, home: Path, url: str, *entries: Entry) -> Iterator[Flask]:
    """Start a server that has these plugins, and open the organization."""
    with installed(monkeypatch, *entries), started(home, url, backup_interval_s=0) as flask:
        ensure_schema()
        yield flask


def old_book(**more: Any) -> Document:
    """Return a book as version 1 has it."""
    return Document(kind="book", key="k_1111111111", body={"title": "Old", "chapters": [CHAPTER], **more}, position=0)


def new_book(name: str = "Old", pages: int = 0) -> Document:
    """Return the book as version 2 has it."""
    return Document(kind="book", key="k_1111111111", position=0,
                    body={"name": name, "pages": pages, "chapters": [{"key": CHAPTER["key"], "name": CHAPTER["title"]}]})


@pytest.fixture
def place(engine: str, home: Path, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A home and a database without a stranger's documents."""
    return home, database(engine, home, request)


class Before:
    """What version 1 left: an app, its backup, the backup's file; the organization."""

    def __init__(self) -> None:
        with made_organization("Example") as organization, transaction():
            self.organization, self.app_id = organization, apps.create("Library", "system").id
            documents.put(apps.find(self.app_id), old_book(), "system")
        with self.opened() as app:
            backup = direct.back_up(app)
            self.backup_id, self.file, self.content_id = backup.id, direct.file_of(backup), backup.content_id

    @contextmanager
    def opened(self) -> Iterator[App]:
        """Open the organization and give the app."""
        with apps.opened(self.app_id) as app:
            yield app

    @property
    def backup(self) -> Backup:
        """The backup that version 1 made."""
        return find_backup(self.backup_id)


def stored() -> list[tuple[str, str, int, str]]:
    """Return (key, component, version, body) of the books as they are stored."""
    with as_server():
        return [tuple(row) for row in db.session.execute(text(
            "SELECT key, component, version, body FROM document WHERE kind = 'book' ORDER BY app_id, key"))]


def test_live_documents_are_lifted_and_older_backups_stay_good(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 to 2 with a live app: lifted once; backups of before and after are restored, copied, deep-checked, files accepted."""
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
    with serving(monkeypatch, *place, brings(NewBooks)):
        assert [("books", 2)] == [(component, version) for _, component, version, _ in stored()]
        with before.opened() as app:
            assert new_book() == documents.get(app, BOOK)
            after = direct.back_up(app)
            after_id, after_content = after.id, after.content_id
            for backup_id in (before.backup_id, after_id):
                app, backup = apps.find(before.app_id), find_backup(backup_id)
                assert {"same": True} == {k: v for k, v in direct.check(backup, deep=True)["trial"].items() if k == "same"}
                with transaction():
                    documents.put(apps.find(app.id), new_book("Changed", 7), "system")
                plan = direct.plan(app, backup)
                assert [BOOK] == [one["document"] for one in plan["components"]["books"]["documents"]["changed"]]
                lifted = [{"component": "books", "from": 1, "to": 2}] if backup_id == before.backup_id else []
                assert lifted == plan.get("upgrades", [])
                direct.restore(app, backup)
                assert new_book() == documents.get(app, BOOK)
                assert after_content == direct.content_id(apps.find(before.app_id))
                copy = direct.restore_as_new(find_backup(backup_id))
                assert new_book() == documents.get(copy, BOOK)
            app = apps.find(before.app_id)
            ingest.upload(io.BytesIO(before.file), app, "system")
            assert {"unchanged": 1} == {k: v for k, v in direct.plan(app, before.backup)["components"]["books"]["documents"].items() if v}


def test_what_lies_in_the_bin_is_lifted_too(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hidden document, and a hidden part of one: brought back, both have today's shape."""
    other = Document(kind="book", key="k_2222222222", body={"title": "Hidden", "chapters": []}, position=1)
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
        with before.opened() as app, transaction():
            documents.put(app, other, "system")
            documents.hide(app, other.address, "system")
            documents.hide(app, f"{BOOK}/chapter/{CHAPTER['key']}", "system")
    with serving(monkeypatch, *place, brings(NewBooks)), before.opened() as app:
        with transaction():
            app = apps.find(app.id)
            documents.bring_back(app, other.address, "system")
            documents.bring_back(app, f"{BOOK}/chapter/{CHAPTER['key']}", "system")
        assert {"name": "Hidden", "pages": 0, "chapters": []} == documents.get(app, other.address).body
        assert new_book() == documents.get(app, BOOK)


def test_a_restore_of_before_is_undone_after(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal of a restore holds version 1; undone under version 2, the app is what it was before, lifted."""
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
        with before.opened() as app:
            with transaction():
                documents.put(apps.find(app.id), old_book(title="Edited", chapters=[]), "system")
            direct.restore(app, before.backup, safety_backup=True)
            run_id = last_run(app).id
    with serving(monkeypatch, *place, brings(NewBooks)), before.opened() as app:
        direct.undo(app, run_id)
        assert {"name": "Edited", "pages": 0, "chapters": []} == documents.get(app, BOOK).body


def refusing(document: Document) -> Document:
    """Fail at one book."""
    if document.key == "k_2222222222":
        raise ValueError("a mistake")
    return with_name(document)


def unfitting(document: Document) -> Document:
    """Make what the schema refuses."""
    return Document(kind=document.kind, key=document.key, body={"name": "A"}, position=document.position)


def another(document: Document) -> Document:
    """Make another document of it."""
    return Document(kind=document.kind, key="k_9999999999", body=with_name(document).body, position=0)


@pytest.mark.parametrize("upgrade", [refusing, unfitting, another, lambda document: None, lambda document: document.body])
def test_an_upgrade_that_fails_changes_nothing(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, upgrade: Any) -> None:
    """The plugin is left out and says why; what it wrote stays in version 1, is backed up, and lifted by a version that can."""
    broken = type("Broken", (NewBooks,), {"upgrades": {1: upgrade}})
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
        with before.opened() as app, transaction():
            documents.put(app, Document(kind="book", key="k_2222222222", body=old_book().body, position=1), "system")
        was = stored()
    with serving(monkeypatch, *place, brings(broken)):
        assert "lifted" in server().registry.broken["library"] and was == stored()
        with before.opened() as app:
            between = direct.back_up(app)
            assert 1 == json_content(between)["books"]["version"]
            assert between.content_id != before.content_id  # the second book
    with serving(monkeypatch, *place, brings(NewBooks)), before.opened() as app:
        assert new_book() == documents.get(app, BOOK)
        direct.check(find_backup(between.id), deep=True)


def last_run(app: App) -> Run:
    """Return the run of an app that was asked for last."""
    return db.session.scalars(select(Run).where(Run.app_id == app.id).order_by(Run.requested_at.desc())).first()


def json_content(backup: Backup) -> Any:
    """Return what a backup holds by component."""
    return json.loads(backup.content)["components"]


def test_an_older_plugin_is_left_out(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 wrote; version 1 cannot read that, says so, and touches nothing."""
    with serving(monkeypatch, *place, brings(NewBooks)), made_organization("Example"), transaction():
        app_id = apps.create("Library", "system").id
        documents.put(apps.find(app_id), new_book(), "system")
    with serving(monkeypatch, *place, brings(Books)):
        assert "version 2" in server().registry.broken["library"]
        with apps.opened(app_id) as app:
            assert 2 == json_content(direct.back_up(app))["books"]["version"]


def test_a_schema_that_refuses_what_is_there_is_refused_itself(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that changes its schema without a new version would make backups that cannot be restored."""
    narrower = type("Narrower", (Books,), {"kinds": (kind({"title": schemas.text(2)}, "title"),)})
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
    with serving(monkeypatch, *place, brings(narrower)):
        assert BOOK in server().registry.broken["library"]
        with before.opened() as app:
            assert before.content_id == direct.content_id(app)


@pytest.mark.parametrize("version", [1, 2])
def test_a_plugin_that_drops_a_kind(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """While apps have its documents, the plugin is left out and they are kept; later, backups that hold some say what to do."""
    shelf = Kind(name="shelf", title="Shelf", letter="sh", schema=schemas.closed({"name": schemas.NAME}, ["name"]))
    upgrades = {old: lambda document: document for old in range(1, version)}
    other = brings(type("Other", (Books,), {"kinds": (shelf,), "version": version, "upgrades": upgrades}))
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
    with serving(monkeypatch, *place, other):
        assert "does not bring the kind “book” any more" in server().registry.broken["library"]
        with before.opened() as app:
            assert before.content_id == direct.back_up(app).content_id
            direct.restore(app, before.backup)
    with serving(monkeypatch, *place, brings(Books)), before.opened() as app, transaction():
        documents.hide(app, BOOK, "system")
        documents.purge(app, BOOK, "system")
    with serving(monkeypatch, *place, other), before.opened() as app:
        assert not server().registry.broken
        for act in (lambda: direct.plan(app, before.backup), lambda: direct.check(before.backup), lambda: direct.restore(app, before.backup),
                    lambda: ingest.upload(io.BytesIO(before.file), app, "system")):
            with pytest.raises(AppkeepError, match=r"the kind “book”, which “Books” does not bring any more.*plugins remove library"):
                act()
        assert before.backup.check_error is None
    with serving(monkeypatch, *place), before.opened() as app:
        direct.restore(app, before.backup)
        assert direct.check(before.backup, deep=True)


def test_a_component_that_cannot_lift_is_refused(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 3 needs upgrades from 1 and 2."""
    with serving(monkeypatch, *place, brings(type("Third", (NewBooks,), {"version": 3}))):
        assert "no upgrade from version 2" in server().registry.broken["library"]


def test_two_servers_start_at_once_with_a_new_version(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each document is lifted once, whoever comes first; both serve version 2."""
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()

    def start(app: Flask, ready: threading.Barrier) -> tuple[dict[str, str], Any]:
        with app.app_context():
            ready.wait(30)
            ensure_schema()
            with before.opened() as found:
                seen = documents.get(found, BOOK)
            db.session.remove()
            db.engine.dispose()
            return server().registry.broken, seen

    with installed(monkeypatch, brings(NewBooks)), ThreadPoolExecutor(2) as pool:
        # Made one after the other: within one process, applications share what processes do not.
        made = [create_app(read_config({}, home=str(place[0]), database_url=place[1])) for _ in range(2)]
        barrier = threading.Barrier(2)
        for broken, seen in [one.result() for one in [pool.submit(start, app, barrier) for app in made]]:
            assert {} == broken and new_book() == seen
    with serving(monkeypatch, *place, brings(NewBooks)):
        assert [("books", 2)] == [(component, version) for _, component, version, _ in stored()]


def test_a_plugin_is_taken_out_and_put_back(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups before, between and after, restores, copies and undo beside: nothing of its documents is lost, nothing stops."""
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
        other = Document(kind="page", key="p_1111111111", body={"name": "Page", "blocks": []}, position=0)
        with before.opened() as app, transaction():
            documents.put(app, old_book(title="Edited"), "system")
        with before.opened() as app:
            edited = direct.content_id(app)
    with serving(monkeypatch, *place), before.opened() as app:
        assert {"books"} == set(server().registry.absent) and edited == direct.content_id(app)
        assert BOOK not in {d.address for d in documents.live(app)}
        between = direct.back_up(app)
        between_id = between.id
        assert edited == between.content_id
        assert {"books": 1} == report_of(last_run(app))[MISSING]
        assert {"absent": {"books": 1}} == {k: v for k, v in direct.check(between, deep=True)["trial"].items() if k == "absent"}
        with transaction():
            documents.put(apps.find(app.id), other, "system")
        report = direct.restore(app, before.backup, safety_backup=True)
        assert {"title": "Books", "version": 1, "in_backup": 1, "in_app": 1} == report["components"]["books"][MISSING]
        assert edited == direct.content_id(app), "the restore left the book alone"
        direct.undo(app, last_run(app).id)
        uploaded = ingest.upload(io.BytesIO(before.file), app, "system")
        assert before.content_id == uploaded.content_id
        copy_id = direct.restore_as_new(find_backup(between_id)).id
    with serving(monkeypatch, *place, brings(NewBooks)), before.opened() as app:
        assert "Edited" == documents.get(app, BOOK).body["name"]
        assert "Edited" == documents.get(apps.find(copy_id), BOOK).body["name"], "the copy has it, lifted"
        for backup_id, name in ((before.backup_id, "Old"), (between_id, "Edited")):
            direct.check(find_backup(backup_id), deep=True)
            app = apps.find(before.app_id)
            direct.restore(app, find_backup(backup_id))
            assert name == documents.get(app, BOOK).body["name"]
        with transaction():
            documents.hide(apps.find(app.id), BOOK, "system")
        direct.restore(app, find_backup(between_id))
        assert "Edited" == documents.get(app, BOOK).body["name"]


def test_a_file_of_a_plugin_that_was_never_here(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is accepted, restored without it, given out again byte for byte; a copy of it does not hold what nobody could judge."""
    with serving(monkeypatch, *place, brings(Books)):
        before = Before()
    with started(*place), as_server(), transaction():
        db.session.execute(text("DELETE FROM component_standing WHERE name = 'books'"))
        db.session.execute(text("DELETE FROM document WHERE kind = 'book'"))
    with serving(monkeypatch, *place), before.opened() as app:
        uploaded = ingest.upload(io.BytesIO(before.file), app, "system")
        assert before.content_id == uploaded.content_id
        assert {"in_backup": 1, "in_app": 0} == {k: v for k, v in direct.restore(app, uploaded, accept_origin=True)["components"][
            "books"][MISSING].items() if k.startswith("in_")}
        copy = direct.restore_as_new(uploaded)
        assert [] == [row for row in stored() if row[0] == copy.id]
        with pytest.raises(AppkeepError, match="neither a component"):
            direct.plan(app, uploaded, only=["books"])



class Counted(Component):
    """Keeps one line of data, which a version takes or not."""

    name, title, takes = "counted", "Counted", True

    def data_sections(self, app: App, snapshot: Any) -> Iterator[Section]:
        yield Section("records/n_1", [Segment(0, 1, b'{"n":1}\n')])

    def record_count(self, app: App, snapshot: Any) -> int:
        return 1

    def check_data(self, section: str, n: int, values: Any, context: Any) -> None:
        if list(values) and not self.takes:
            raise InvalidInput("There is no column n.")


def test_data_that_its_plugin_does_not_take_any_more(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A column was dropped and nothing lifts what was written: the backup of this server is whole, and the plugin is told to blame."""
    stricter = type("Stricter", (Counted,), {"takes": False})
    with serving(monkeypatch, *place, brings(Counted)), made_organization("Example"):
        with transaction():
            app_id = apps.create("Library", "system").id
        backup = direct.back_up(apps.find(app_id))
        backup_id, file = backup.id, direct.file_of(backup)
    with serving(monkeypatch, *place, brings(stricter)), apps.opened(app_id) as app:
        with pytest.raises(AppkeepError, match=r"plugin library does not take it any more .*records/n_1, segment 0.*no column n") as failed:
            direct.check(find_backup(backup_id))
        assert ("plugin_failed", None) == (failed.value.code, find_backup(backup_id).check_error)
        with pytest.raises(AppkeepError) as refused:  # of a file nobody knows who wrote it
            ingest.upload(io.BytesIO(file), app, "system")
        assert "archive_damaged" == refused.value.code
