"""Tables of plugins in the log of what was touched: whoever writes them, a backup reads what changed, and never misses any."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update

from core.api import App, apps, direct, transaction
from core.backups import state
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.db import db
from core.runs.service import find, report_of
from core.tables import watching
from core.tenancy.migrate import ensure_schema
from core.tenancy.wall import as_server, as_tenant
from tests.conftest import made_organization
from tests.core.extension.strangers import Entry, database, installed, plugin, started, version
from tests.core.tables.test_standing import BODY, NOTES, Notes

ROWS = NOTES.table


@pytest.fixture
def begun(engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
          ) -> Iterator[Callable[..., Any]]:
    """Starts a server with the notes, again and again on one database; gives its app, of a thousand notes the first time."""
    url, folder, made = database(engine, home, request), tmp_path / "versions", list[str]()

    @contextmanager
    def start(body: str = "") -> Iterator[App]:
        version(folder, "noting_0001", BODY)
        if body:
            version(folder, "noting_0002", body, "'noting_0001'")
        entry: Entry = plugin("noting", register_component=lambda: Notes(), register_migrations=lambda: str(folder))
        with installed(monkeypatch, entry), started(home, url, backup_interval_s=0):
            ensure_schema()
            if not made:
                with made_organization("Example") as organization:
                    made.append(organization)
                    with transaction():
                        app = apps.create("Sales", "system")
                        db.session.connection().execute(insert(ROWS), [
                            {"app_id": app.id, "number": n, "text": f"Note {n}"} for n in range(1, 1001)])
                        NOTES.raise_number(app.id, db.session.connection(), 1000)
                    made.append(app.id)
            with as_tenant(made[0]):
                yield apps.find(made[1])

    yield start


def scan(app: App) -> tuple[Backup, dict[str, Any]]:
    """Back the app up, which compares with a reading of everything; return the backup and what was read."""
    made = direct.back_up(apps.find(app.id))
    return made, report_of(find(made.run_id or ""))["scan"]


def do(statement: Any) -> None:
    """Do a statement past the verbs."""
    with transaction():
        db.session.connection().execute(statement)


def test_whoever_writes_is_told_of(begun: Callable[..., Any], engine: str) -> None:
    """By the verbs, by statements of the plugin's own, by a restore."""
    with begun() as app:
        first, why = scan(app)
        kept = first.id
        assert {"why": "first"} == why
        assert {"read": 0, "of": 4} == scan(app)[1]
        with transaction():
            NOTES.change(app, 300, text="Changed")
        assert {"read": 1, "of": 4} == scan(app)[1]
        with transaction():
            NOTES.remove(app, 10)
            NOTES.add(app, text="New")
        assert {"read": 2, "of": 4} == scan(app)[1]
        do(update(ROWS).where(ROWS.c.app_id == app.id, ROWS.c.number.between(250, 260)).values(text="Past the verbs"))
        assert {"read": 2, "of": 4} == scan(app)[1]
        do(update(ROWS).where(ROWS.c.app_id == app.id, ROWS.c.number == 700).values(number=5000))
        assert {"read": 2, "of": 5} == scan(app)[1]
        do(delete(ROWS).where(ROWS.c.app_id == app.id, ROWS.c.number == 5000))
        assert {"read": 0, "of": 4} == scan(app)[1]
        direct.restore(apps.find(app.id), find_backup(kept))
        assert NOTES.get(app, 300)["text"] == "Note 300" and scan(app)[1]["read"] > 0
        assert {"read": 0, "of": 4} == scan(app)[1]
        if engine == "postgresql":
            with as_server():
                do(text("TRUNCATE stranger_note"))
            assert {"read": 0, "of": 0} == scan(app)[1]
        else:
            do(text(f"INSERT OR REPLACE INTO stranger_note (app_id, number, text) VALUES ('{app.id}', 513, 'Instead')"))
            assert {"read": 1, "of": 4} == scan(app)[1]


@pytest.mark.parametrize("seed", range(3))
def test_random_histories(begun: Callable[..., Any], seed: int) -> None:
    """What stands on the log is what reading everything gives, whatever was written between."""
    draw = random.Random(seed)
    with begun() as app:
        wild: list[Callable[[int], Any]] = [
            lambda n: NOTES.change(app, n, text=str(draw.random())), lambda n: NOTES.remove(app, n), lambda n: NOTES.bring_back(app, n),
            lambda n: NOTES.purge(app, n), lambda n: NOTES.add(app, text="new"),
            lambda n: do(delete(ROWS).where(ROWS.c.app_id == app.id, ROWS.c.number.between(n, n + 300))),
            lambda n: do(update(ROWS).where(ROWS.c.app_id == app.id, ROWS.c.number == n).values(number=n + 100_000))]
        for _ in range(8):
            for _ in range(draw.randrange(4)):
                try:
                    with transaction():
                        draw.choice(wild)(draw.randrange(1, 1001))
                        if draw.random() < 0.2:
                            raise ValueError
                except Exception:
                    db.session.rollback()
            assert state.COMPARE
            scan(app)


def test_a_table_that_lost_its_triggers_is_read_whole(begun: Callable[..., Any], engine: str) -> None:
    """Until the next start, which gives them back and has everything read once."""
    on = " ON stranger_note" if engine == "postgresql" else ""
    name = "touch_n_update" if engine == "postgresql" else "touch_n_stranger_note_update"
    with begun() as app:
        scan(app)
        with as_server():
            do(text(f"DROP TRIGGER {name}{on}"))
        do(update(ROWS).where(ROWS.c.number == 300).values(text="Unseen"))
        assert {"read": 4, "of": 4} == scan(app)[1]
        do(update(ROWS).where(ROWS.c.number == 300).values(text="Unseen again"))
    with begun() as app:
        assert {"why": "other_database"} == scan(app)[1]
        do(update(ROWS).where(ROWS.c.number == 300).values(text="Seen"))
        assert {"read": 1, "of": 4} == scan(app)[1]


def test_a_migration_has_everything_read(begun: Callable[..., Any]) -> None:
    """It may write by ways that no trigger sees."""
    with begun() as app:
        scan(app)
    with begun("op.add_column('stranger_note', sa.Column('more', sa.Text()))") as app:
        assert {"why": "other_database"} == scan(app)[1]
        assert {"read": 0, "of": 4} == scan(app)[1]


def test_rows_go_with_their_app(begun: Callable[..., Any]) -> None:
    """The log, which goes too, is not in the way."""
    with begun() as app:
        scan(app)
        with as_server(), transaction():
            connection = db.session.connection()
            for table in ("backup_act", "backup", "run"):
                connection.execute(text(f"DELETE FROM {table} WHERE app_id = '{app.id}'"))
            connection.execute(text(f"DELETE FROM app WHERE id = '{app.id}'"))
            for table in ("stranger_note", "change_log"):
                assert 0 == connection.execute(text(f"SELECT count(*) FROM {table} WHERE app_id = '{app.id}'")).scalar_one()


def test_a_start_does_not_wait_for_a_writer(begun: Callable[..., Any], engine: str, monkeypatch: pytest.MonkeyPatch,
                                            caplog: pytest.LogCaptureFixture) -> None:
    """Two connections at once: the table is read whole until a start finds nobody writing."""
    if engine == "sqlite":
        pytest.skip("SQLite has one writer: a start waits for it as anybody does.")
    monkeypatch.setattr(watching, "LOCK_TIMEOUT_S", 1)
    with begun() as app:
        with as_server():
            do(text("DROP TRIGGER touch_n_insert ON stranger_note"))
        scan(app)
        with db.engine.connect() as other:
            other.execute(text("SET LOCAL ROLE none"))
            other.execute(insert(ROWS).values(app_id=app.id, number=4000, text="Under way"))
            watching.install([NOTES])
            assert "is read whole by every backup" in caplog.text
            assert {"read": 4, "of": 4} == scan(app)[1]
            other.commit()
        watching.install([NOTES])
        assert {"why": "other_database"} == scan(app)[1]
        assert {"read": 0, "of": 5} == scan(app)[1]
