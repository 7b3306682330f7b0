"""The main job, on the sample app and on real apps: in, backed up, wrecked, restored, and exactly what it was.

The folder of real apps is named by APPKEEP_TEST_APPS; without it only the sample is tried, and the run says so.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, direct, documents, import_file, transaction
from core.backups import ingest
from core.backups.create import state
from tests.conftest import ENGINES, fresh_database, made_organization, opened_server
from tests.wrecking import undo_new, wreck

FOLDER = os.environ.get("APPKEEP_TEST_APPS", "")
REAL = sorted(Path(FOLDER).glob("*.json")) if FOLDER else []
SOURCES = [Path("sample"), *REAL]


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request: pytest.FixtureRequest) -> Path:
    """The sample, then each real app."""
    found: Path = request.param
    return found


def brought_in(source: Path, organization: str) -> App:
    """Return the app that a source makes."""
    made = import_file(source, organization, "system", importer="sample" if source.name == "sample" else None)
    return apps.find(made["app"])


@pytest.mark.skipif(not FOLDER, reason="REAL APPS ARE NOT TRIED: set APPKEEP_TEST_APPS to a folder of exports")
def test_real_apps_are_tried() -> None:
    """Says loudly when they are not."""
    assert REAL


def test_a_wrecked_app_comes_back_exactly(server: Flask, organization: str, source: Path) -> None:
    """Import, backup with data, wreck, restore configuration and data: the same state, and a right report."""
    app = brought_in(source, organization)
    before = direct.content_id(app)
    backup = direct.back_up(app)
    assert before == backup.content_id
    assert direct.check(backup, deep=True)["trial"]["same"]
    done = wreck(app)
    assert before != direct.content_id(app)

    plan = direct.plan(apps.find(app.id), backup)
    report = direct.restore(apps.find(app.id), backup)
    without_notes = {name: {k: v for k, v in said.items() if k != "notes"} for name, said in report["components"].items()}
    assert plan["components"] == without_notes

    told = report["components"]["worksheets"]["data"]
    assert "references_not_restored" not in told, told.get("references_not_restored")
    for sheet in told["worksheets"]:
        assert len(done.added.get(sheet["worksheet"], ())) == sheet["new_since"]
        assert len(done.deleted.get(sheet["worksheet"], ())) <= sheet["brought_back"]
    undo_new(app, done)
    assert before == direct.content_id(app)
    assert [] == [a for a in done.hidden if a not in {d.address for d in documents.live(apps.find(app.id))}]


def test_a_copy_differs_only_where_it_must(server: Flask, organization: str, source: Path) -> None:
    """Restored as new: every component's digest is the same but for the name and workflows and the portal, which are switched off."""
    app = brought_in(source, organization)
    backup = direct.back_up(app, data=False)
    copy = direct.restore_as_new(backup)
    own, its = (state(apps.find(one.id), data=False).content.components for one in (app, copy))
    assert own.keys() == its.keys()
    assert {name for name in own if own[name] != its[name]} <= {"settings", "workflows", "portal"}
    bodies = {d.address: dict(d.body) for d in documents.live(apps.find(copy.id))}
    for document in documents.live(apps.find(app.id)):
        wanted = dict(document.body)
        if document.kind == "app":
            wanted["name"] = bodies["app/main"]["name"]
        if document.kind in ("workflow", "portal"):
            wanted["enabled"] = False
        assert wanted == bodies.pop(document.address)
    assert {} == bodies


@contextmanager
def other_server(engine: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Give a server of its own on the engine, in a folder of its own."""
    folder = home / f"other-{engine}"
    folder.mkdir()
    yield from opened_server(folder, fresh_database(engine, folder, request))


@pytest.mark.skipif(len(ENGINES) < 2, reason="only one engine is tried")
def test_a_file_goes_from_one_engine_to_the_other_and_back(home: Path, source: Path, request: pytest.FixtureRequest) -> None:
    """Backed up on SQLite, restored on PostgreSQL into an empty app, backed up there and restored on SQLite: one state."""
    with other_server("sqlite", home, request), made_organization("Here") as organization:
        app = brought_in(source, organization)
        backup = direct.back_up(app)
        first, content_id = direct.file_of(backup), backup.content_id
    with other_server("postgresql", home, request), made_organization("There"):
        second, there = _restored_from(first)
    (home / "back").mkdir()
    for _ in opened_server(home / "back", fresh_database("sqlite", home / "back", request)):
        with made_organization("Back"):
            _, back = _restored_from(second)
    assert content_id == there == back


def _restored_from(data: bytes) -> tuple[bytes, str]:
    """Restore a file into an empty app; return the file of a backup taken of it, and its state."""
    with transaction():
        app = apps.create("Empty", "system")
    uploaded = ingest.upload(io.BytesIO(data), app, "system")
    assert "foreign" == uploaded.origin
    direct.restore(apps.find(app.id), uploaded)
    backup = direct.back_up(apps.find(app.id))
    return direct.file_of(backup), direct.content_id(apps.find(app.id))


def test_another_organization_cannot_use_the_backup(server: Flask, organization: str) -> None:
    """A backup's id opens nothing behind the wall."""
    from core.api import NotFound
    from core.backups.catalog import find_backup

    app = brought_in(Path("sample"), organization)
    backup = direct.back_up(app)
    with as_tenant("o_9999999999"), pytest.raises(NotFound):
        find_backup(backup.id)
