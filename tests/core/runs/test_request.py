"""Asking for runs: one an app at a time, not too soon after the last, and sent only once it is committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select

from core.api import App, apps, as_tenant, db, direct, tenant, transaction
from core.backups import requests
from core.backups.catalog import backups_of
from core.backups.create import check_interval
from core.base.errors import RunInProgress, TooSoon
from core.base.time import iso, moved
from core.runs import service
from core.runs.models import EXPRESS, Run
from core.runs.queue import queue
from core.server import server as current
from tests.core.runs.faults import at_step
from tests.core.runs.making import ask, state_of, types_of_backups

INTERVAL_S = 300


@pytest.fixture
def seldom(server: Flask) -> None:
    """Five minutes lie between two backups, as they do by default."""
    current().config.values["backup_interval_s"] = INTERVAL_S  # type: ignore[index]  # a dict, for tests


@pytest.mark.parametrize("second", ["backup", "restore"])
def test_a_second_run_is_refused_with_what_runs_and_since_when(server: Flask, app: App, second: str) -> None:
    """The message and its details name the kind, the state, the time and the run."""
    backup = direct.back_up(app)
    run_id = ask("backup", app, None)
    since = iso(service.find(run_id).requested_at)
    with pytest.raises(RunInProgress) as refused:
        ask(second, app, backup)
    assert f"A backup of this app has been queued since {since}; wait until it has ended or cancel it." == refused.value.message
    assert {"run": run_id, "kind": "backup", "state": "queued", "since": since} == refused.value.details


def test_copies_and_checks_may_run_beside(server: Flask, app: App) -> None:
    """They write nothing to the app, so that any number may run."""
    backup = direct.back_up(app)
    ask("backup", app, None)
    for kind in ("check", "restore_as_new", "check"):
        ask(kind, app, backup)


def test_of_two_at_the_same_moment_one_is_refused(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked before either has written: the database decides, and the loser is told who won."""
    meet_after_looking(monkeypatch)
    answers = at_once(lambda: ask("backup", app, None), 2)
    won = [a for a in answers if isinstance(a, str)]
    lost = [a for a in answers if isinstance(a, RunInProgress)]
    assert (1, 1) == (len(won), len(lost))
    assert {"run": won[0], "kind": "backup", "state": "queued"} == {k: v for k, v in lost[0].details.items() if k != "since"}
    assert lost[0].details["since"] in lost[0].message
    assert 1 == db.session.scalar(select(func.count()).select_from(Run))


def meet_after_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two threads wait for each other once they have looked whether something runs; in vain where one is kept out."""
    looked, barrier = service.check_free, threading.Barrier(2)

    def refuse(app_id: str) -> None:
        looked(app_id)
        with suppress(threading.BrokenBarrierError):
            barrier.wait(1)

    monkeypatch.setattr(service, "check_free", refuse)


def at_once(act: Callable[[], object], times: int) -> list[object]:
    """Do something in so many threads at once and return the answers, errors among them."""
    app, organization = current_app._get_current_object(), tenant()  # type: ignore[attr-defined]

    def run(_: int) -> object:
        with app.app_context(), as_tenant(organization):
            try:
                return act()
            except RunInProgress as error:
                return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_a_backup_too_soon_is_told_when_it_may_start(server: Flask, app: App, seldom: None) -> None:
    """Whoever comes at the moment that the refusal named is let in; nothing of the refused run stays."""
    direct.back_up(app)
    with pytest.raises(TooSoon) as refused:
        ask("backup", app, None)
    next_at = refused.value.details["next_at"]
    assert next_at in refused.value.message
    assert 1 == db.session.scalar(select(func.count()).select_from(Run))
    check_interval(app, current().config, microseconds(next_at))
    with moved(INTERVAL_S - 30), pytest.raises(TooSoon):
        ask("backup", app, None)
    with moved(INTERVAL_S):
        ask("backup", app, None)


def test_the_interval_is_kept_to_the_microsecond(server: Flask, app: App, seldom: None) -> None:
    """It is counted from the start of the last backup."""
    free_at = direct.back_up(app).started_at + INTERVAL_S * 1_000_000
    check_interval(app, current().config, free_at)
    with pytest.raises(TooSoon):
        check_interval(app, current().config, free_at - 1)


def microseconds(moment: str) -> int:
    """Return a time as microseconds."""
    return round(datetime.fromisoformat(moment).timestamp()) * 1_000_000


def test_safety_backups_neither_wait_nor_make_others_wait(server: Flask, app: App, seldom: None) -> None:
    """A restore starts right after a backup, and a backup right after a restore."""
    backup = direct.back_up(app)
    with moved(INTERVAL_S):
        direct.restore(apps.find(app.id), backup, safety_backup=True)
        assert ["manual", "pre_restore"] == types_of_backups(app)
        direct.back_up(apps.find(app.id))


def test_failed_backups_do_not_count(
        server: Flask, app: App, seldom: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one that failed, the next may start at once."""
    run_id = ask("backup", app, None, send=False)
    with monkeypatch.context() as here:
        at_step(here, "backup.objects_stored", lambda: 1 // 0)
        service.work(run_id)
    assert ("failed", "internal_error") == state_of(run_id)
    direct.back_up(app)


def test_a_deleted_backup_counts(server: Flask, app: App, seldom: None) -> None:
    """Deleting the last backup does not let the next start earlier."""
    direct.back_up(app)
    with transaction():
        backups_of(app.id)[0].deleted_at = 1
    with pytest.raises(TooSoon):
        ask("backup", app, None)


def test_another_app_need_not_wait(server: Flask, app: App, seldom: None) -> None:
    """The rules are an app's own."""
    direct.back_up(app)
    ask("restore", app, backups_of(app.id)[0])
    with transaction():
        other = apps.create("Other", "system")
    direct.back_up(other)


def test_a_run_is_sent_after_the_commit_and_never_without_one(server: Flask, app: App) -> None:
    """What was asked for in a transaction that rolled back is not sent, then or later."""
    waiting = queue(current().config, EXPRESS)
    with pytest.raises(ZeroDivisionError), transaction():
        requests.request_backup(apps.find(app.id), "system", data=True, name=None, send=True)
        raise ZeroDivisionError
    with transaction():
        requests.request_backup(apps.find(app.id), "system", data=True, name=None, send=True)
        assert 0 == waiting.count
    assert 1 == waiting.count
