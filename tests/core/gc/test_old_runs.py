"""Old runs leave; what something leads to stays."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import insert, select

from core.api import App, as_server, db, transaction
from core.backups.catalog import backups_of
from core.backups.log import acts_of
from core.base.time import moved, now_us
from core.gc import old_runs
from core.runs.models import Run
from core.runs.service import work
from tenants.notifications.models import Notification
from tests.core.runs.making import ask, change, fill
from tests.web import make_member

DAY_S = 24 * 3600


def left() -> set[str]:
    """Return the ids of all runs."""
    db.session.rollback()
    with as_server():
        return set(db.session.scalars(select(Run.id)))


def made(organization: str, count: int, **more: object) -> None:
    """Make runs that have ended now."""
    row = {"organization_id": organization, "kind": "check", "person": "system", "options": "{}", "state": "succeeded",
           "requested_at": now_us(), "ended_at": now_us(), "announced_at": now_us(), "lane": "general", "attempt": 1, "phase": "",
           "steps": "[]", "done": 0, "total": 0, "bytes": 0, "cancel_requested": False, "outages": 0}
    with transaction():
        db.session.execute(insert(Run), [{**row, "id": f"n_{n:010d}", **more} for n in range(count)])


def test_what_ended_long_ago_leaves_and_the_log_stays(app: App) -> None:
    """What a backup was made by, and what a restore changed, is led to by that backup; a check is led to by nothing."""
    app = fill(app)
    backup_run = ask("backup", app, None)
    work(backup_run)
    (backup,) = backups_of(app.id)
    check = ask("check", app, backup)
    work(check)
    change(app)
    restore = ask("restore", app, backup)
    work(restore)
    lines = len(acts_of(app.id))
    with moved(89 * DAY_S):
        assert 0 == old_runs.tick()
    with moved(91 * DAY_S):
        assert 1 == old_runs.tick()
        assert {backup_run, restore} == left()
        assert lines == len(acts_of(app.id))


def test_what_an_inbox_leads_to_stays(app: App, organization: str) -> None:
    """As long as the notification does."""
    made(organization, 2)
    person = make_member(organization, "reader@example.com", "member")
    with transaction():
        db.session.add(Notification(user_id=person, organization_id=organization, app_id=None, event="run/n_0000000001",
                                    kind="check_failed", title="", text="", path="", at=now_us()))
    with moved(91 * DAY_S):
        assert 1 == old_runs.tick()
    assert {"n_0000000001"} == left()


def test_runs_leave_some_at_a_time(app: App, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look goes on where the last one ended, passing what stays; after the last it rests for a day."""
    monkeypatch.setattr(old_runs, "AT_ONCE", 3)
    made(organization, 7)
    with moved(91 * DAY_S):
        assert [3, 3, 1, 0] == [old_runs.tick() for _ in range(4)]
        made(organization, 1)
    with moved(182.5 * DAY_S):
        assert 1 == old_runs.tick()


def test_a_run_that_has_not_ended_stays(app: App, organization: str) -> None:
    """However long it waits."""
    made(organization, 1, state="queued", ended_at=None)
    with moved(1000 * DAY_S):
        assert 0 == old_runs.tick()


def test_nothing_leaves_where_the_setting_says_never(sqlite_server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """No question is asked then."""
    from core.server import server

    monkeypatch.setitem(server().config.values, "keep_runs_days", 0)
    monkeypatch.setattr(old_runs, "_next", lambda *_: pytest.fail("It looked."))
    assert 0 == old_runs.tick()
