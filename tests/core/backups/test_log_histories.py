"""The law of the log over random histories: what stands on a mark is what reading everything gives.

Writers beside one another that commit early, late or never, undo a part, or are killed; backups that overlap, overtake one another,
or come to nothing; cuts; crashes of the database. ``APPKEEP_TEST_LOGS=0:20000`` tries that many instead of a few.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, literal, null, select, text
from sqlalchemy.exc import DBAPIError

from core.api import App, apps, as_server, as_tenant, db, direct
from core.apps import change_log
from core.backups import base
from core.backups.models import Backup as BackupRow
from core.base.db import reading, transaction
from core.base.ids import new_key
from core.tenancy.migrate import ensure_schema
from core.testing.postgresql import PostgreSQL
from plugins.worksheets.records import SEGMENT_RECORDS, Row, open_store
from tests.conftest import opened_server
from tests.web import make_organization

W, SECTION = "w_1111111111", "records/w_1111111111"
FIRST, _, LAST = os.environ.get("APPKEEP_TEST_LOGS", "0:12").rpartition(":")
STEPS, WRITERS, SEGMENTS = 25, 3, 4
_backup = BackupRow.__table__
Content = dict[int, tuple[tuple[int, str], ...]]
RULES = {
    "above the snapshot's end": "SELECT section, first, last FROM change_log WHERE app_id = :app AND xid >= pg_snapshot_xmax(CAST(:mark AS pg_snapshot))",
    "above the snapshot's beginning, but those that were open": "SELECT section, first, last FROM change_log WHERE app_id = :app "
                                                                "AND xid > pg_snapshot_xmax(CAST(:mark AS pg_snapshot))",
    "nothing": "SELECT section, first, last FROM change_log WHERE app_id = :app AND CAST(:mark AS text) IS NULL"}


@pytest.fixture
def server(database_url: str, home: Path) -> Iterator[Flask]:
    """A server on which backups may follow one another at once."""
    yield from opened_server(home, database_url, backup_interval_s=0)


class Differs(AssertionError):
    """What stood on a mark is not what is there."""


@dataclass
class Backup:
    """A backup under way: its place in the list of backups, what it stood on, what it saw."""

    id: str
    before: str | None
    mark: base.Mark
    content: Content
    reader: ExitStack


@dataclass
class History:
    """One history of an app, step by step."""

    app: App
    like: str
    """A backup whose row those of the history are copies of."""
    draw: random.Random
    several: bool
    crashes: bool = False
    """Whether the database may crash."""
    writers: dict[int, Connection] = field(default_factory=dict)
    under_way: list[Backup] = field(default_factory=list)
    kept: dict[str, Content] = field(default_factory=dict)
    compared: int = 0

    def run(self) -> int:
        """Take all steps, end what is open, compare once more; return how often something stood on a mark."""
        acts = {"write": 10, "begin": 4, "end": 4, "forget": 1, "cut": 1, "commit": 4, "rollback": 2,
                **({"undo": 2, "kill": 1} if self.several else {}), **({"crash": 2} if self.crashes else {})}
        try:
            for _ in range(STEPS):
                getattr(self, self.draw.choices([*acts], [*acts.values()])[0])()
            while self.writers:
                self.commit()
            while self.under_way:
                self.end()
            for _ in range(2):
                self.begin()
                self.end()
        finally:
            for connection in self.writers.values():
                connection.close()
            for one in self.under_way:
                one.reader.close()
        return self.compared

    def write(self) -> None:
        """Write some records of one's own, in an open transaction where several can be open."""
        number = self.draw.randrange(WRITERS) if self.several else 0
        connection = self._writer(number)
        self._put(connection, number)
        if not self.several:
            self.draw.choice((self.commit, self.rollback))()

    def undo(self) -> None:
        """Write something and take just that back."""
        number = self.draw.randrange(WRITERS)
        nested = self._writer(number).begin_nested()
        self._put(self.writers[number], number)
        nested.rollback()

    def commit(self) -> None:
        """Commit one of the writers."""
        if self.writers:
            connection = self.writers.pop(self.draw.choice(sorted(self.writers)))
            connection.commit()
            connection.close()

    def rollback(self) -> None:
        """Give one of the writers up."""
        if self.writers:
            connection = self.writers.pop(self.draw.choice(sorted(self.writers)))
            connection.rollback()
            connection.close()

    def kill(self) -> None:
        """End a writer's process in the server, as a crash of it would."""
        if self.writers:
            connection = self.writers.pop(self.draw.choice(sorted(self.writers)))
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            with db.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.invalidate()
            connection.close()

    def crash(self) -> None:
        """Kill a process of the database: it ends all others, and recovers from its log what was written there."""
        connection = self._writer(0)
        connection.execute(text("SELECT pg_current_xact_id()"))  # a number that no log has heard of
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with db.engine.connect() as other:
            other.execute(text("SELECT 1"))
            os.kill(pid, signal.SIGKILL)
            with suppress(DBAPIError):  # until the server has noticed, it still lets others in, and ends them with the rest
                other.execute(text("SELECT pg_sleep(60)"))
            other.invalidate()
        for lost in self.writers.values():
            lost.invalidate()
            lost.close()
        self.writers.clear()
        while self.under_way:
            with suppress(DBAPIError):  # its connection is gone
                self.under_way.pop().reader.close()
        with suppress(DBAPIError):
            db.session.rollback()
        db.engine.dispose()
        until = time.monotonic() + 60
        while not _is_up() and time.monotonic() < until:
            time.sleep(0.02)

    def begin(self) -> None:
        """Begin a backup: at one moment read everything, and what stands on the mark; compare."""
        if len(self.under_way) == 2:
            return
        stack = ExitStack()
        connection = stack.enter_context(reading())
        content = self._all(connection)
        before = base.marked(connection, self.app.id)
        if before is not None:
            seen = base.Mark.of(connection.execute(text("SELECT mark FROM backup WHERE id = :id"), {"id": before}).scalar_one()).seen
            touched = change_log.since(connection, self.app.id, seen)
            if touched is not None:
                runs = touched.get(SECTION, [])
                stood = {n: rows for n, rows in self.kept[before].items() if change_log.lying_outside(runs, n)}
                stood |= {n: rows for n, rows in content.items() if not change_log.lying_outside(runs, n)}
                self.compared += 1
                if stood != content:
                    raise Differs(f"{stood} instead of {content}, touched {runs}")
        seen_now = change_log.mark(connection, self.app.id)
        assert seen_now is not None
        self.under_way.append(Backup(new_key("b"), before, base.Mark(seen_now, True, 0), content, stack))

    def end(self) -> None:
        """Make one of the backups real."""
        if self.under_way:
            one = self.under_way.pop(self.draw.randrange(len(self.under_way)))
            one.reader.close()
            with transaction():
                columns = [literal(one.id) if c.name == "id" else null() if c.name in ("mark", "run_id") else c for c in _backup.columns]
                db.session.execute(_backup.insert().from_select(
                    [c.name for c in _backup.columns], select(*columns).where(_backup.c.id == self.like)))
                base.keep_mark(db.session.connection(), self.app.id, one.id, one.mark, one.before)
            self.kept[one.id] = one.content

    def forget(self) -> None:
        """Let one of the backups come to nothing."""
        if self.under_way:
            self.under_way.pop(self.draw.randrange(len(self.under_way))).reader.close()

    def cut(self) -> None:
        """Cut the log, as the clock does where it has grown too long."""
        with transaction():
            change_log.cut(db.session.connection(), self.app.id)

    def _writer(self, number: int) -> Connection:
        if number not in self.writers:
            self.writers[number] = db.engine.connect()
        return self.writers[number]

    def _put(self, connection: Connection, number: int) -> None:
        seqs = {self.draw.randrange(SEGMENTS) * SEGMENT_RECORDS + 10 * (number + 1) + self.draw.randrange(3)
                for _ in range(self.draw.randrange(1, 4))}
        store = open_store(connection, self.app.id)
        if self.draw.random() < 0.2:
            store.purge(W, sorted(seqs))
        else:
            store.write(W, [Row(seq, f'{{"f":{self.draw.randrange(10**6)}}}', None, 1, "system", 1, "system", None) for seq in sorted(seqs)])

    def _all(self, connection: Connection) -> Content:
        found: dict[int, list[tuple[int, str]]] = {}
        for row in open_store(connection, self.app.id).rows(W, 0, SEGMENTS * SEGMENT_RECORDS):
            found.setdefault(row.seq // SEGMENT_RECORDS, []).append((row.seq, row.vals))
        return {n: tuple(rows) for n, rows in found.items()}


def _is_up() -> bool:
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True


def histories(app: App, seeds: range, *, crashes: bool = False) -> int:
    """Run histories, each from where the one before left the app, and return how often something stood on a mark."""
    several = db.engine.dialect.name == "postgresql"
    like = direct.back_up(apps.find(app.id)).id
    compared = 0
    with as_server():
        mine: Any = apps.find(app.id)
        for seed in seeds:
            with transaction():
                db.session.execute(_backup.delete().where(_backup.c.id != like))
                db.session.execute(_backup.update().values(mark=None))
                change_log.cut(db.session.connection(), app.id)
            db.session.rollback()
            if crashes:  # what a history begins with must not get lost
                with db.engine.connect() as connection:
                    connection.execute(text("CHECKPOINT"))
            compared += History(mine, like, random.Random(seed), several, crashes).run()
            db.session.rollback()
    return compared


def test_what_stands_on_a_mark_is_what_is_there(server: Flask, app: App) -> None:
    """Whatever writers and backups do beside one another."""
    seeds = range(int(FIRST or 0), int(LAST))
    assert histories(app, seeds) > len(seeds)


@pytest.fixture
def crashing(home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server whose database is of a PostgreSQL of its own, which may crash."""
    with PostgreSQL.running() as own:
        for served in opened_server(home, own.create("crashing"), backup_interval_s=0):
            ensure_schema()
            yield served


def test_crashes_of_the_database_lose_nothing_of_it(crashing: Flask) -> None:
    """Whoever was committed and not yet in the database's own log is gone with what it wrote; numbers of transactions come again."""
    organization = make_organization("Crashes", "owner@example.org")
    with as_tenant(organization):
        with transaction():
            app = apps.create("Sales", "system")
        seeds = range(int(FIRST or 0), int(LAST))
        assert histories(app, seeds, crashes=True) > len(seeds)


@pytest.mark.parametrize("rule", RULES)
def test_every_other_rule_of_the_mark_is_noticed(server: Flask, app: App, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison of transactions in another way loses somebody within some histories; of numbers, see `test_change_log`."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    monkeypatch.setitem(change_log._SINCE, "postgresql", text(RULES[rule]))
    with pytest.raises(Differs):
        histories(app, range(200))
