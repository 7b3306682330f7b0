"""Checks by schedule."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from core.api import App, Conflict, db, direct, transaction
from core.backups import check_due
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.time import moved, now_us
from core.runs.models import Run
from core.runs.service import find, work
from tests.core.runs.making import fill

DAY_S = 24 * 3600
MONTH_S = 30 * DAY_S


def backup_of(run_id: str | None) -> str:
    """Return which backup a run looks at."""
    assert run_id is not None
    found: str = json.loads(find(run_id).options)["backup"]
    return found


def test_a_backup_is_checked_once_a_month_by_itself(app: App) -> None:
    """Not before, not twice at once, and again when another month has gone."""
    backup_id = direct.back_up(fill(app)).id
    assert check_due.tick() is None
    with moved(MONTH_S + 1):
        run_id = check_due.tick()
        assert backup_id == backup_of(run_id)
        assert check_due.tick() is None  # it is under way
        work(run_id or "")
        assert find_backup(backup_id).checked_at is not None
        assert check_due.tick() is None
    with moved(2 * MONTH_S + 2):
        assert backup_id == backup_of(check_due.tick())


def test_the_one_that_waited_longest_comes_first(app: App) -> None:
    """One after the other."""
    app = fill(app)
    first = direct.back_up(app).id
    with moved(600):
        second = direct.back_up(app).id
    with moved(MONTH_S + 700):
        found = []
        for _ in range(2):
            run_id = check_due.tick()
            found.append(backup_of(run_id))
            work(run_id or "")
        assert [first, second] == found
        assert check_due.tick() is None


def test_what_could_not_be_looked_at_waits_a_day(app: App, server: Flask) -> None:
    """A store that is away is not asked every few seconds."""
    backup_id = direct.back_up(fill(app)).id
    with moved(MONTH_S + 1):
        run_id = check_due.tick() or ""
        with transaction():
            db.session.get(Run, run_id).state = "failed"  # type: ignore[union-attr]
        assert check_due.tick() is None
    with moved(MONTH_S + DAY_S + 2):
        assert backup_id == backup_of(check_due.tick())


def test_it_can_be_switched_off(app: App, server: Flask) -> None:
    """No interval, no check."""
    direct.back_up(fill(app))
    server.extensions["appkeep"].config.values["check_every_days"] = 0
    with moved(10 * MONTH_S):
        assert check_due.tick() is None


def test_a_check_noted_by_a_clock_days_ahead_is_made_again(app: App) -> None:
    """A backup that seems to have been looked at on a day yet to come is looked at now."""
    backup_id = direct.back_up(fill(app)).id
    with transaction():
        find_backup(backup_id).checked_at = now_us() + 3 * DAY_S * 1_000_000
    assert backup_id == backup_of(check_due.tick())


def test_a_backup_that_cannot_be_asked_for_holds_up_no_other(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is checked."""
    app = fill(app)
    direct.back_up(app)
    with moved(600):
        second = direct.back_up(app).id
    ask = check_due.request_check

    def refusing(backup: Backup, *of: str, send: bool) -> Run:
        if backup.id != second:
            raise Conflict("Not now.")
        return ask(backup, *of, send=send)

    monkeypatch.setattr(check_due, "request_check", refusing)
    with moved(MONTH_S + 700):
        assert second == backup_of(check_due.tick())
