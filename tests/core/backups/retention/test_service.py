"""Retention applied: what is due is removed once, by the clock; what must stay stays; each removal is in the log."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, as_tenant, db, direct, transaction
from core.backups import catalog, requests
from core.backups.catalog import backups_of
from core.backups.log import acts_of
from core.backups.models import Backup
from core.backups.retention import service as retention
from core.backups.retention.policy import EmptyPolicy, Policy
from core.base.time import moved, now_us
from core.runs.service import work

DAY_S = 24 * 3600


def back_up(app: App, count: int, *, type_: str = "manual") -> list[str]:
    """Make backups, each a day after the one before, the newest a moment ago; return their ids, newest first."""
    made = []
    for number in range(count):
        with transaction():
            for backup in db.session.scalars(select(Backup)):
                backup.started_at = 1
            run = requests.request_backup(apps.find(app.id), "system", data=False, name=f"Backup {number}", send=False, type_=type_).id
        work(run)
        made.insert(0, backups_of(app.id)[0].id)
    with transaction():
        for age, one in enumerate(made):
            row = db.session.get(Backup, one)
            assert row is not None
            row.created_at = now_us() - age * DAY_S * 1_000_000 - 1
    return made


def keep(app: App, **policy: int) -> None:
    """Give the app a policy."""
    with transaction():
        retention.set_policy(apps.find(app.id), Policy(**policy), "system")


def there(app: App) -> list[str]:
    """Return the ids of the app's backups, newest first."""
    db.session.rollback()
    return [backup.id for backup in backups_of(app.id)]


def test_the_clock_removes_what_the_policy_does_not_keep(app: App) -> None:
    """At its next look, oldest first, each with its line in the log and why; what is kept still restores."""
    made = back_up(app, 4)
    assert [] == retention.tick()
    keep(app, last=2)
    assert list(reversed(made[2:])) == retention.tick()
    assert made[:2] == there(app)
    told = acts_of(app.id, act="expire")
    assert [("system", made[2]), ("system", made[3])] == [(act.person, act.backup_id) for act in told]
    assert all("not kept by any rule" in act.detail for act in told)
    direct.restore(apps.find(app.id), backups_of(app.id)[1], data=False)


def test_a_policy_is_applied_once_a_day(app: App) -> None:
    """Not at every look: what comes meanwhile waits."""
    back_up(app, 2)
    keep(app, last=1)
    assert 1 == len(retention.tick())
    back_up(app, 1)
    assert [] == retention.tick()
    with moved(DAY_S + 1):
        assert 1 == len(retention.tick())


def test_a_scheduled_backup_has_the_policy_applied_after_it(app: App) -> None:
    """So that a daily one keeps as many as were asked for."""
    back_up(app, 1)
    keep(app, last=1)
    assert [] == retention.tick()
    with moved(3600):
        with transaction():
            run = requests.request_backup(apps.find(app.id), "system", data=False, name=None, send=False, type_="scheduled").id
        work(run)
        assert 1 == len(retention.tick())
        assert [] == retention.tick()
    assert ["scheduled"] == [backup.type for backup in backups_of(app.id)]


def test_the_newest_good_one_a_pinned_one_and_a_young_pre_restore_backup_stay(app: App) -> None:
    """Whatever the policy says; after a week the pre-restore backup is one like others."""
    made = back_up(app, 6)
    with transaction():
        damaged, good, young, pinned, old, last = (db.session.get(Backup, one) for one in made)
        damaged.check_error = "The object is missing."
        young.type = "pre_restore"
        pinned.pinned = True
        for backup in (young, pinned):
            backup.created_at -= 10
    keep(app, last=1)
    retention.tick()
    assert [made[0], made[1], made[2], made[3]] == there(app)
    with moved(8 * DAY_S):
        retention.tick()
    assert [made[0], made[1], made[3]] == there(app)
    with transaction(), pytest.raises(Exception, match="pinned"):
        catalog.delete(made[3], "system")


def test_what_is_in_use_is_left_for_the_next_time(app: App) -> None:
    """A backup that is being checked does not go under its reader."""
    made = back_up(app, 3)
    with transaction():
        run = requests.request_check(db.session.get(Backup, made[1]), "system", send=False).id
    keep(app, last=1)
    assert [made[2]] == retention.tick()
    work(run)
    with moved(DAY_S + 1):
        assert [made[1]] == retention.tick()


def test_an_empty_policy_is_refused(app: App) -> None:
    """It would remove everything; and without a policy nothing goes."""
    back_up(app, 2)
    with pytest.raises(EmptyPolicy), transaction():
        retention.set_policy(apps.find(app.id), Policy(), "system")
    with pytest.raises(EmptyPolicy):
        retention.apply(apps.find(app.id), "system")
    keep(app, last=1)
    with transaction():
        retention.remove_policy(apps.find(app.id), "system")
    assert [] == retention.tick()
    assert 2 == len(there(app))


def test_looking_changes_nothing(app: App) -> None:
    """What is previewed is what goes then, and only then."""
    made = back_up(app, 3)
    judged = retention.judge(app, Policy(last=1))
    assert [(made[0], True), (made[1], False), (made[2], False)] == [(one.backup.id, one.keep) for one in judged]
    assert made == there(app)


def test_a_deleted_app_keeps_its_backups(app: App) -> None:
    """Nobody looks after it any more: nothing of it goes by itself."""
    back_up(app, 2)
    keep(app, last=1)
    with transaction():
        apps.delete(apps.find(app.id))
    assert [] == retention.tick()


def test_two_clocks_remove_once(server: Flask, organization: str, app: App) -> None:
    """Looking at the same moment; each backup goes once, with one line in the log."""
    back_up(app, 4)
    keep(app, last=1)
    app_id, gone, ready = app.id, [], threading.Barrier(2)

    def look() -> None:
        with server.app_context(), as_tenant(organization):
            ready.wait()
            gone.extend(retention.tick())

    clocks = [threading.Thread(target=look) for _ in range(2)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert 3 == len(gone) == len(set(gone)) == len(acts_of(app_id, act="expire"))


def test_a_policy_applied_by_a_clock_days_ahead_is_applied_again(app: App) -> None:
    """Not a day after that day."""
    keep(app, last=1)
    with moved(3 * DAY_S):
        assert [] == retention.tick()
    back_up(app, 2)
    assert 1 == len(retention.tick())
