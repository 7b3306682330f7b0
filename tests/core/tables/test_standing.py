"""Tables whose plugin is not here: their rows are in backups, their files stay in the store, and nothing writes to them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

from core.api import Component, Json, TableComponent, TableData, apps, direct, put_file, transaction
from core.backups.catalog import find_backup
from core.backups.reader import BackupReader
from core.base.db import db
from core.base.errors import PluginFailed
from core.base.time import moved
from core.gc.sweep import one_pass
from core.objects.reader import read_file
from core.server import server
from core.tables.standing import TableStanding
from core.tenancy import plugin_states
from core.tenancy.migrate import ensure_schema
from core.tenancy.wall import as_server
from tests.conftest import made_organization
from tests.core.extension.strangers import database, installed, plugin, started, version

NOTES = TableData(
    type("Note", (), {"__table__": Table("stranger_note", MetaData(), Column("app_id", String(16), primary_key=True),  # type: ignore[arg-type]
                                         Column("number", BigInteger, primary_key=True), Column("deleted_at", BigInteger),
                                         Column("text", Text), Column("files", Json()))}),
    section="n", noun="Notes", files=("files",))
BODY = """op.create_table("stranger_note", sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False), sa.Column("deleted_at", sa.BigInteger()),
    sa.Column("text", sa.Text()), sa.Column("files", sa.Text()))"""


class Notes(TableComponent):
    """Notes in a table."""

    name, title, tables = "notes_of_strangers", "Notes of strangers", (NOTES,)


class OwnCode(Component):
    """Keeps files in a way that nobody else knows."""

    name, title = "secretive", "Secretive"
    seen: ClassVar[list[str]] = []

    def kept_files(self, app: Any, snapshot: Any) -> Iterator[str]:
        return iter(())


def noting(folder: Path) -> Any:
    """Return a plugin that brings the notes."""
    return plugin("noting", register_component=lambda: Notes(), register_migrations=lambda: str(version(folder, "noting_0001", BODY)))


def value_of(content: bytes, app_id: str) -> dict[str, Any]:
    """Keep a file and return its value."""
    digest, size = put_file(io.BytesIO(content), app_id)
    return {"file": digest, "name": "a.txt", "size": size, "type": "text/plain"}


def test_rows_and_files_of_a_plugin_that_is_not_here(
        engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A backup taken meanwhile holds them as they are; a restore meanwhile leaves them alone; the plugin restores from all of them."""
    url, entry = database(engine, home, request), noting(tmp_path / "versions")
    with installed(monkeypatch, entry), started(home, url, backup_interval_s=0):
        ensure_schema()
        with made_organization("Example"):
            with transaction():
                app = apps.create("Sales", "system")
            app_id = app.id
            file = value_of(b"what it says", app_id)
            with transaction():
                for n, text in enumerate(("First", "Second", "Third"), start=1):
                    NOTES.add(apps.find(app_id), text=text, files=[file] if n == 1 else None)
            first = direct.back_up(apps.find(app_id)).id
            with transaction():
                only = value_of(b"only in a row", app_id)
                NOTES.change(apps.find(app_id), 2, text="Changed", files=[only])
                NOTES.remove(apps.find(app_id), 3)
    with installed(monkeypatch), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id):
            assert ["notes_of_strangers"] == list(server().registry.absent)
            for hours in (0, 50, 100):
                with moved(hours * 3600):
                    one_pass(24 * 3600)
            assert b"only in a row" == b"".join(read_file(only["file"]))
            second = find_backup(direct.back_up(apps.find(app_id)).id)
            assert 2 == second.records and {"notes_of_strangers": 1} == BackupReader(second).absent
            direct.check(second, deep=True)
            said = direct.plan(apps.find(app_id), find_backup(first))["components"]["notes_of_strangers"]["plugin_missing"]
            assert (3, 2) == (said["in_backup"], said["in_app"])
            direct.restore(apps.find(app_id), find_backup(first))
            second_id = second.id
    with installed(monkeypatch, entry), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id):
            assert ["First", "Changed"] == [row["text"] for row in NOTES.rows(apps.find(app_id))]
            assert find_backup(second_id).content_id == direct.back_up(apps.find(app_id)).content_id
            with transaction():
                NOTES.change(apps.find(app_id), 2, text="Later")
            direct.restore(apps.find(app_id), find_backup(second_id))
            assert ["First", "Changed"] == [row["text"] for row in NOTES.rows(apps.find(app_id))]
            direct.restore(apps.find(app_id), find_backup(first))
            assert ["First", "Second", "Third"] == [row["text"] for row in NOTES.rows(apps.find(app_id))]


def test_nothing_is_removed_while_a_component_with_code_of_its_own_is_away(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name files; who takes its plugin out with its tables lets go of them, and backups say what they do not hold."""
    url, entry = database("sqlite", home, request), plugin("secret", register_component=lambda: OwnCode())
    with installed(monkeypatch, entry), started(home, url, backup_interval_s=0):
        ensure_schema()
        with made_organization("Example"):
            with transaction():
                app_id = apps.create("Sales", "system").id
            one_pass(0)
    with installed(monkeypatch), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id), pytest.raises(PluginFailed, match=r"“secretive” keeps data of its own.*plugins remove secret --drop-tables"):
            one_pass(0)
        with as_server(), transaction():
            plugin_states.set_removed("secret", removed=True)
    with installed(monkeypatch), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id):
            one_pass(0)


@pytest.mark.parametrize(("body", "why"), [
    ("pass", "no table stranger_note"), (None, "there is no folder"),
    (BODY.replace(' sa.Column("files", sa.Text())', ""), "no column files in the table stranger_note")])
def test_tables_that_are_not_as_they_are_described_leave_their_plugin_out(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, body: str | None, why: str) -> None:
    """A migration was forgotten, or not packaged: apps are backed up all the same, and the reason is told."""
    def folder() -> str:
        return str(tmp_path / "nowhere" if body is None else version(tmp_path / "versions", "noting_0001", body))

    entry = plugin("noting", register_component=lambda: Notes(), register_migrations=folder)
    with installed(monkeypatch, entry), started(home, database(engine, home, request)), made_organization("Example"):
        ensure_schema()
        assert why in server().registry.broken["noting"] and "notes_of_strangers" not in server().registry.components
        with transaction():
            app = apps.create("Sales", "system")
        assert 0 == direct.back_up(app).records


def app_with_a_note() -> str:
    """Make an app that has a note in the plugin's table, and return its id."""
    ensure_schema()
    with transaction():
        app_id = apps.create("Sales", "system").id
        NOTES.add(apps.find(app_id), text="Call back")
    return app_id


def test_rows_stay_in_backups_while_their_table_lacks_a_column(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's next version names a column that no migration made: it is left out, and what it wrote is backed up as before."""
    url = database(engine, home, request)
    with installed(monkeypatch, noting(tmp_path / "versions")), started(home, url, backup_interval_s=0), made_organization("Example"):
        app_id = app_with_a_note()
    wider = type("Wider", (), {"__table__": NOTES.table.to_metadata(MetaData())})
    wider.__table__.append_column(Column("due", Text))  # type: ignore[attr-defined]
    wide = TableData(wider, section="n", noun="Notes", files=("files",))
    made = type("Notes", (TableComponent,), {"name": "notes_of_strangers", "title": "Notes of strangers", "tables": (wide,)})
    folder = str(tmp_path / "versions")
    again = plugin("noting", register_component=lambda: made(), register_migrations=lambda: folder)
    with installed(monkeypatch, again), started(home, url, backup_interval_s=0):
        ensure_schema()
        assert "no column due" in server().registry.broken["noting"]
        with apps.opened(app_id) as app:
            assert 1 == direct.back_up(app).records


def test_two_tables_with_one_section_of_before_stop_no_start(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier version let a plugin bring them; it is left out now, and of what was kept of its tables one is read."""
    url = database(engine, home, request)
    with installed(monkeypatch, noting(tmp_path / "versions")), started(home, url, backup_interval_s=0), made_organization("Example"):
        app_id = app_with_a_note()
        with as_server(), transaction():
            kept = db.session.get_one(TableStanding, "notes_of_strangers")
            kept.described = json.dumps({"tables": json.loads(kept.described)["tables"] * 2})
    with installed(monkeypatch), started(home, url, backup_interval_s=0):
        ensure_schema()
        with apps.opened(app_id) as app:
            assert 1 == direct.back_up(app).records
