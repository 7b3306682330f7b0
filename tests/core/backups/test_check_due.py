"""Checks by schedule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import App, Conflict, apps, as_tenant, db, direct, transaction
from core.backups import catalog, check_due, look
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.time import moved, now_us
from core.runs.models import Run
from core.runs.service import find, report_of, request, work
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

    def refusing(backup: Backup, *of: str, **more: Any) -> Run:
        if backup.id != second:
            raise Conflict("Not now.")
        return ask(backup, *of, **more)

    monkeypatch.setattr(check_due, "request_check", refusing)
    with moved(MONTH_S + 700):
        assert second == backup_of(check_due.tick())


def turn(seconds: float) -> dict[str, Any]:
    """Let the clock ask for a check so much later, do it, and return its report; {} where none is due."""
    with moved(seconds):
        run_id = check_due.tick()
        if run_id is None:
            return {}
        work(run_id)
        assert [] == [find(run_id).error_message] * (find(run_id).state != "succeeded")
        return report_of(find(run_id))


def test_what_was_read_for_one_backup_is_not_read_again_for_another_in_the_same_round(app: App) -> None:
    """Proving an object counts for all that name it; the second says since when all of it is proven."""
    filled = fill(app)
    first = direct.back_up(filled).id
    with moved(600):
        second = direct.back_up(filled).id
    one, two = turn(MONTH_S + 700), turn(MONTH_S + 800)
    assert [first, second] == [one["backup"], two["backup"]]
    assert "shared" not in one and two["shared"] > 0 and two.get("read_bytes", 0) < one["read_bytes"]
    rows = find_backup(first), find_backup(second)
    assert rows[1].read_at < rows[1].quick_at and rows[1].read_at <= rows[0].read_at + 100 * 1_000_000  # type: ignore[operator]


def test_whoever_asks_has_everything_read(app: App) -> None:
    """Whatever was read lately."""
    backup = direct.back_up(fill(app))
    direct.check(backup)
    assert "shared" not in direct.check(find_backup(backup.id))


def test_a_large_backup_is_read_over_several_days(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share a day; it counts as read once all of it is, since the day of the first share."""
    backup = direct.back_up(fill(app)).id
    monkeypatch.setattr(check_due, "LEAST_SHARE_BYTES", 1)
    monkeypatch.setattr(check_due, "SHARES", 0)
    days, left = 0, []
    while find_backup(backup).read_at is None:
        days += 1
        report = turn(MONTH_S + days * (DAY_S + 2))
        left.append(report.get("left_bytes", 0))
        assert {} == turn(MONTH_S + days * (DAY_S + 2) + 60)  # the share of the day is used up
        assert days < 20
    assert days > 2 and left == sorted(left, reverse=True) and left[-1] == 0
    assert find_backup(backup).check_error is None


def test_nothing_is_read_once_the_share_of_the_day_is_used_up(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups that are due together are read one after the other, as far as a day goes."""
    filled = fill(app)
    direct.back_up(filled)
    with moved(600):
        direct.back_up(filled)
    monkeypatch.setattr(check_due, "share_bytes", lambda days: 10)
    assert turn(MONTH_S + 700)
    assert {} == turn(MONTH_S + 800)
    assert turn(MONTH_S + DAY_S + 800)


def test_a_damaged_part_is_found_in_its_turn(app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each share is proven as a whole check would."""
    backup = direct.back_up(fill(app)).id
    for path in (home / "objects").rglob("packs/*.zst"):
        raw = bytearray(path.read_bytes())
        raw[::7] = bytes(byte ^ 1 for byte in raw[::7])
        path.write_bytes(raw)
    with moved(MONTH_S + 1):
        work(check_due.tick() or "")
    assert find_backup(backup).check_error is not None


def test_an_app_whose_backups_never_grow_old_has_its_newest_read(app: App) -> None:
    """Once a day has gone; where retention removes it, the next one a day after that at the earliest."""
    filled = fill(app)
    first = direct.back_up(filled).id
    with moved(DAY_S + 10):
        second = direct.back_up(apps.find(app.id)).id
    assert {} == turn(600)
    assert second == turn(DAY_S + 20)["backup"]
    assert {} == turn(2 * DAY_S + 30)
    with moved(2 * DAY_S), transaction():
        catalog.delete(second, "system")
    assert {} == turn(2 * DAY_S)
    assert first == turn(2 * DAY_S + 40)["backup"]


def test_the_newest_good_backup_of_each_app_is_restored_on_trial_once_a_month(app: App) -> None:
    """Not the older ones, not a damaged one, not one that holds data only; and not again when retention has removed it."""
    filled = fill(app)
    first = direct.back_up(filled).id
    with moved(600):
        newest = direct.back_up(apps.find(app.id)).id
    assert check_due.tick_deep() is None
    with transaction():
        find_backup(newest).check_error = "It is broken."
    with moved(MONTH_S + 700):
        run_id = check_due.tick_deep()
        assert (first, True) == (backup_of(run_id), json.loads(find(run_id or "").options)["deep"])
        work(run_id or "")
        assert find_backup(first).deep_at is not None
        assert check_due.tick_deep() is None
        with transaction():
            catalog.delete(first, "system")
        assert check_due.tick_deep() is None
        with transaction():
            find_backup(newest).check_error = None
    with moved(2 * MONTH_S + 800):
        assert newest == backup_of(check_due.tick_deep())


def test_nothing_is_restored_on_trial_by_itself_while_anything_else_goes_on(app: App, server: Flask) -> None:
    """Nor where the backup is too large for that, nor where it is switched off."""
    direct.back_up(fill(app))
    config = server.extensions["appkeep"].config
    with moved(MONTH_S + 700):
        with transaction():
            run_id = request("collect", None, {}, "system", send=True).id
        assert check_due.tick_deep() is None
        work(run_id)
        config.values["deep_check_limit_count"] = 8
        assert check_due.tick_deep() is None
        config.values["deep_check_limit_count"], config.values["deep_check_every_days"] = 9, 0
        assert check_due.tick_deep() is None
        config.values["deep_check_every_days"] = 30
        assert check_due.tick_deep() is not None


def test_all_backups_are_looked_at_once_a_day(app: App, server: Flask) -> None:
    """One organization after the other; not twice at once, not where it is switched off."""
    direct.back_up(fill(app))
    assert look.tick() is None
    server.extensions["appkeep"].config.values["quick_check_every_hours"] = 0
    with moved(DAY_S + 1):
        assert look.tick() is None
        server.extensions["appkeep"].config.values["quick_check_every_hours"] = 24
        run_id = look.tick()
        assert run_id is not None and look.tick() is None
        with as_tenant(app.organization_id):
            work(run_id)
        assert look.tick() is None
    with moved(2 * DAY_S + 2):
        assert look.tick() is not None
