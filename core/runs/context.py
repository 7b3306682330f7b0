"""What a run's work holds in its hands: named steps, progress, cancelling, and the fence against lost attempts.

The one danger: a work-horse survives its killed worker and goes on. Whatever a run writes for good, it writes in a
transaction in which `fence()` was called, so that only the latest attempt of a running run can commit.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core.archive.canonical import canonical
from core.base.content import AUTOCOMMIT
from core.base.db import BUSY_TIMEOUT_S, database_now, db, driver, in_transaction
from core.base.errors import RunCancelled, RunLost
from core.base.time import now_us
from core.runs.models import Run
from core.server import server
from core.tenancy.wall import as_tenant

log = logging.getLogger(__name__)
PROGRESS_INTERVAL_US = 500_000
SECOND_US = 1_000_000
BRIEF_S = 0.25
"""After so long at most a step that was to be brief is told of."""
MAX_STEPS = 100
_table = Run.__table__
_c = _table.c
Watch = Callable[[str, int, int], object]
"""Hears of a phase, and how many of how many are done; 0 of 0 when it begins."""
_watcher: ContextVar[Watch | None] = ContextVar("appkeep_watcher", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let *watch* hear how far the runs are that the block does in this process."""
    token = _watcher.set(watch)
    try:
        yield
    finally:
        _watcher.reset(token)


def _tell_watcher(phase: str, done: int, total: int) -> None:
    watch = _watcher.get()
    if watch is not None:
        watch(phase, done, total)


@dataclass
class RunContext:
    """One attempt at one run. `options` is what was asked for, `steps` what was entered when, in earlier attempts too."""

    run_id: str
    kind: str
    attempt: int
    app_id: str | None
    organization_id: str
    person: str
    options: Mapping[str, Any]
    phase: str = ""
    steps: list[tuple[str, int]] = field(default_factory=list)
    _next_tick: int = field(default=0, repr=False)
    _untold: bool = field(default=False, repr=False)

    def step(self, name: str, *, ended: bool = False, brief: bool = False) -> None:
        """Enter a named step: look whether to go on, and say so in the row; not once the run has *ended*.

        Inside a transaction nothing is looked up: there `fence` does, and the end of the transaction is near. A *brief* step is told by
        the heartbeat, should it last: what most runs leave within milliseconds is not worth a transaction.

        Raises:
            RunCancelled: somebody asked to cancel.
            RunLost: another attempt took over.
        """
        self.phase = name
        self.steps.append((name, now_us()))
        _tell_watcher(name, 0, 0)
        self._untold = brief
        if not (ended or brief or in_transaction()):
            self._tell({"phase": name, "steps": self.steps_text})
        self._next_tick = now_us() + PROGRESS_INTERVAL_US
        _die_if_asked(name)

    def progress(self, phase: str, done: int, total: int, size: int) -> None:
        """Say how far the work is: records *done* of *total*, bytes. Cheap; the row is written twice a second at most.

        Inside a transaction nothing is written: only who watches in this process hears of it.

        Raises:
            RunCancelled, RunLost: see `step`.
        """
        _tell_watcher(phase, done, total)
        now = now_us()
        if now >= self._next_tick and not in_transaction():
            self._next_tick = now + PROGRESS_INTERVAL_US
            self._tell({"phase": phase, "done": done, "total": total, "bytes": size})

    def fence(self) -> None:
        """Make sure, inside the caller's transaction, that this attempt may write; until it ends nobody takes over.

        Raises:
            RunLost: the run was ended, or another attempt took it over.
            RunCancelled: somebody asked to cancel.
        """
        # The lease is renewed here as well: while this transaction holds the row, the heartbeat cannot.
        self._hold(lease_until=lease_end())

    def succeed(self, report: Mapping[str, Any]) -> None:
        """End the run with its report, inside the transaction that makes its work real.

        Raises:
            RunLost, RunCancelled: see `fence`.
        """
        self._hold(state="succeeded", exclusive_app_id=None, ended_at=now_us(), lease_until=None, report=canonical(report).decode(),
                   steps=self.steps_text)

    def _hold(self, **values: Any) -> None:
        """Write into the row, which is this attempt's until the caller's transaction ends, or raise what `fence` does."""
        connection = db.session.connection()
        if not connection.execute(update(_table).where(self._mine(), ~_c.cancel_requested).values(**values)).rowcount:
            self._judge(connection)
            raise self._lost()

    @property
    def steps_text(self) -> str:
        """The steps as a row keeps them."""
        return json.dumps(self.steps[-MAX_STEPS:])

    def renew(self) -> None:
        """Prolong the lease; a lost run stays lost."""
        self._tell_blindly({"lease_until": lease_end()})

    def catch_up(self) -> None:
        """Say in the row which brief step was entered and has lasted."""
        if self._untold:
            self._untold = False
            self._tell_blindly({"phase": self.phase, "steps": self.steps_text})

    def _tell_blindly(self, values: dict[str, Any]) -> None:
        """Write as `_tell` does, for a thread that does not do the work: whether to go on is for the one to see that does."""
        with suppress(OperationalError), _aside() as connection:
            self._write_aside(connection, values)

    def _mine(self) -> Any:
        return (_c.id == self.run_id) & (_c.attempt == self.attempt) & (_c.state == "running")

    def _tell(self, values: dict[str, Any]) -> None:
        """Write progress beside the work's own transactions; a busy database may miss one, never delay the work."""
        with suppress(OperationalError), _aside() as connection:
            told = self._write_aside(connection, values)
            if told is None or told.cancel_requested:
                self._judge(connection)

    def _write_aside(self, connection: Connection, values: dict[str, Any]) -> Any:
        """Write into the row, unless somebody holds it, and return whether it is to be cancelled; None where nothing was written."""
        free = select(_c.id).where(self._mine()).with_for_update(skip_locked=True).scalar_subquery()
        return connection.execute(update(_table).where(_c.id == free).values(**values).returning(_c.cancel_requested)).first()

    def _lost(self) -> RunLost:
        return RunLost(f"Run {self.run_id} was taken over or ended; attempt {self.attempt} stops.", run=self.run_id)

    def _judge(self, connection: Connection) -> None:
        found = connection.execute(select(_c.attempt, _c.state, _c.cancel_requested).where(_c.id == self.run_id)).first()
        if found is None or found.attempt != self.attempt or found.state != "running":
            raise self._lost()
        if found.cancel_requested:
            raise RunCancelled("The run was cancelled.", run=self.run_id)


def lease_end() -> ColumnElement[int]:
    """Return until when a lease lasts that is given now, by the database's clock: a machine whose own is wrong keeps its runs."""
    until: ColumnElement[int] = database_now() + server().config.lease_s * SECOND_US
    return until


@contextmanager
def heartbeat(context: RunContext) -> Iterator[None]:
    """Renew the lease from a thread of its own as long as the block runs."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy is of no use in a thread
    ended = threading.Event()

    def beat() -> None:
        with app.app_context(), as_tenant(context.organization_id):
            pause_s = server().config.lease_s / 3
            renew_at = time.monotonic() + pause_s
            while not ended.wait(min(pause_s, BRIEF_S)):
                try:
                    context.catch_up()
                    if time.monotonic() >= renew_at:
                        renew_at = time.monotonic() + pause_s
                        context.renew()
                except SQLAlchemyError as error:
                    log.warning("The lease of run %s could not be renewed: %s", context.run_id, error)

    thread = threading.Thread(target=beat, name=f"lease of {context.run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _aside() -> Iterator[Connection]:
    """Give a connection of its own for one short write that waits for nobody for long; on SQLite each statement is a transaction."""
    engine = db.engine
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            yield connection
            connection.commit()
        return
    with engine.connect().execution_options(**{AUTOCOMMIT: True}) as connection:
        lent = driver(connection)
        lent.execute("PRAGMA busy_timeout=200")
        try:
            yield connection
        finally:
            lent.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")


def _die_if_asked(step: str) -> None:
    """Kill this process at the step that the tests of faults named, once a home."""
    config = server().config
    if config.die_at != step:
        return
    marker = config.home_path / f"died_at_{step}"
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
