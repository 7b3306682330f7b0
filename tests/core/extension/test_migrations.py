"""Tables of strangers' plugins: made, kept when the plugin goes, and never in the way of the server."""

from __future__ import annotations

import logging
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from core.api import Document, apps, direct, documents, transaction
from core.base.db import db
from core.base.errors import AppkeepError
from core.server import server
from core.tenancy import migrate
from core.tenancy.migrate import ensure_schema
from tests.conftest import made_organization
from tests.core.extension.strangers import database, installed, plugin, started, version

_numbers = count()
TABLE = "op.create_table('stranger_note', sa.Column('id', sa.Integer(), primary_key=True))"


def tables() -> set[str]:
    """Return the tables there are."""
    with db.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def revisions() -> set[str]:
    """Return the revisions that the database is at."""
    with db.engine.connect() as connection:
        return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def works() -> None:
    """Prove that an app can be made, backed up and restored."""
    with made_organization(f"Example {next(_numbers)}"):
        with transaction():
            app = apps.create("Sales", "system")
        backup = direct.back_up(app)
        with transaction():
            documents.put(apps.find(app.id), Document(kind="app", key="main", body={"name": "Other"}, position=0), "system")
        direct.restore(app, backup)


def test_a_version_as_alembic_writes_it_is_run(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In single quotes, with annotations; a second one after the first; again, there is nothing to do."""
    url, folder = database(engine, home, request), version(tmp_path / "versions", "1a2b3c4d5e6f", TABLE)
    with installed(monkeypatch, plugin("notes", register_migrations=lambda: str(folder))):
        with started(home, url):
            ensure_schema()
            assert "stranger_note" in tables() and "1a2b3c4d5e6f" in revisions()
        version(folder, "2b3c4d5e6f7a", "op.add_column('stranger_note', sa.Column('text', sa.Text()))", "('1a2b3c4d5e6f',)")
        for _ in range(2):
            with started(home, url):
                ensure_schema()
                assert {"2b3c4d5e6f7a"} == {one for one in revisions() if "_" not in one}
                works()


def test_a_plugin_that_was_taken_out_stops_nothing_and_comes_back(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table and what is in it stay; the server goes on without it."""
    url, folder = database(engine, home, request), version(tmp_path / "versions", "1a2b3c4d5e6f", TABLE)
    notes = plugin("notes", register_migrations=lambda: str(folder))
    with installed(monkeypatch, notes), started(home, url):
        ensure_schema()
        with db.engine.begin() as connection:
            connection.execute(text("INSERT INTO stranger_note (id) VALUES (7)"))
    with installed(monkeypatch), started(home, url):
        ensure_schema()
        works()
        assert "1a2b3c4d5e6f" in revisions()
    with installed(monkeypatch, notes), started(home, url):
        ensure_schema()
        with db.engine.connect() as connection:
            assert 7 == connection.execute(text("SELECT id FROM stranger_note")).scalar()


@pytest.mark.parametrize("body", ["raise ValueError('no')", f"{TABLE}\nraise SystemExit(3)", f"{TABLE}\nraise GeneratorExit", f"{TABLE}\nop.execute('SELECT nothing FROM nowhere')",
                                  "def (", "revision = open('nowhere')"])
def test_versions_that_fail_leave_their_plugin_out_and_nothing_behind(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture, body: str) -> None:
    """The server starts and does its work; another stranger's tables are made; it is told which plugin failed, and why."""
    url, bad = database(engine, home, request), version(tmp_path / "bad", "badbadbadbad", body)
    good = version(tmp_path / "good", "900d900d900d", TABLE.replace("stranger_note", "good_note"))
    if body.startswith("revision"):
        (bad / "badbadbadbad.py").write_text(body)
    with installed(monkeypatch, plugin("bad", register_migrations=lambda: str(bad)), plugin("good", register_migrations=lambda: str(good))):
        with started(home, url), caplog.at_level(logging.WARNING):
            ensure_schema()
            assert "stranger_note" not in tables() and "good_note" in tables()
            assert "migration" in server().registry.broken["bad"] and "bad" in caplog.text
            works()
        with started(home, url):  # made again by the same process, it is not tried again
            assert {"bad"} == set(server().registry.broken) and "good" in server().registry.versions


def test_a_database_of_a_newer_version_is_refused(home: Path, request: pytest.FixtureRequest) -> None:
    """Of the core, or of a built-in plugin: what it means is not known here."""
    url = database("sqlite", home, request)
    with started(home, url):
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'core_9999' WHERE version_num LIKE 'core_%'"))
        with pytest.raises(AppkeepError, match=r"newer version \(schema core_9999\)"):
            ensure_schema()


@pytest.mark.parametrize("error", [SystemExit(1), ImportError("no such thing"), RecursionError("deep")])
def test_a_plugin_that_cannot_be_loaded_is_left_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Also one that wants to end the process."""
    entry = plugin("bad")
    entry.given = error
    with installed(monkeypatch, entry), started(home, database("sqlite", home, request)):
        assert {"bad"} == set(server().registry.broken)
        works()


def test_a_version_that_depends_on_the_newest_of_the_core_does_not_take_its_place(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started again, with a second version, and without the plugin: nothing is run twice, nothing is missing."""
    url, folder = database(engine, home, request), version(tmp_path / "versions", "1a2b3c4d5e6f", TABLE)
    core = max(path.stem[:9] for path in (Path(migrate.FOLDER) / "versions").glob("core_*.py"))
    path = folder / "1a2b3c4d5e6f.py"
    path.write_text(path.read_text().replace("depends_on: Union[str, Sequence[str], None] = None", f"depends_on = '{core}'"))
    notes = plugin("notes", register_migrations=lambda: str(folder))
    for entries in ([notes], [notes], [], [notes]):
        with installed(monkeypatch, *entries), started(home, url):
            ensure_schema()
            assert {core, "1a2b3c4d5e6f"} <= revisions()
            works()
    version(folder, "2b3c4d5e6f7a", "op.add_column('stranger_note', sa.Column('text', sa.Text()))", "('1a2b3c4d5e6f',)")
    for entries in ([notes], [notes], []):
        with installed(monkeypatch, *entries), started(home, url):
            ensure_schema()
            assert {core, "2b3c4d5e6f7a"} <= revisions()
