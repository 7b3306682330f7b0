"""The budget of a request: work counted, slow requests in few places, what is left shown. Pure, but for the statements of the database."""

from __future__ import annotations

import math

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from core.api import App, apps
from core.base import budget
from core.base.budget import Budget, BudgetSpent, ServerBusy, Slots
from core.base.db import db, transaction


def made(slots: Slots | None = None, *, work: int = 1000, time_s: float = math.inf, slow_s: float = math.inf) -> Budget:
    """Return a budget."""
    return Budget(work, slots or Slots(8), time_s=time_s, slow_s=slow_s)


def test_work_is_counted_and_stops_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the bound nothing happens; beyond it every further step is refused, until what was found is shown."""
    monkeypatch.setattr(budget, "LOOK", 0)
    mine = made()
    for _ in range(100):
        mine.spend(10)
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            mine.spend(1)
    mine.begin_showing()
    mine.spend(150)
    with pytest.raises(BudgetSpent):
        mine.spend(100)
    mine.begin_showing()
    with pytest.raises(BudgetSpent):
        mine.spend(1)


def test_an_organization_has_few_places_for_slow_requests_and_leaves_some_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight threads two are for one organization's slow requests, four for those of all; the third of one is cut short."""
    monkeypatch.setattr(budget, "LOOK", 0)
    slots = Slots(8)

    def slow(organization_id: str) -> Budget:
        mine = made(slots)
        mine.enter(organization_id)
        mine.spend(900)
        return mine

    first, second = slow("one"), slow("one")
    with pytest.raises(BudgetSpent):
        slow("one")
    slow("two")
    slow("two")
    with pytest.raises(BudgetSpent):
        slow("three")
    first.end()
    first.end()
    slow("three")
    second.end()
    slow("one")


def test_a_crowd_waiting_behind_slow_requests_of_its_own_is_sent_away() -> None:
    """Others' requests, and a few of the same organization, still come in."""
    slots = Slots(8)
    crowd = [made(slots) for _ in range(4)]
    for one in crowd:
        one.enter("one")
    assert crowd[0].hold() and crowd[1].hold() and not crowd[2].hold()
    with pytest.raises(ServerBusy):
        made(slots).enter("one")
    made(slots).enter("two")
    crowd[0].end()
    made(slots).enter("one")


def test_a_place_outlasts_the_request_while_its_answer_is_sent() -> None:
    """And is freed once, however often it is said."""
    slots = Slots(2)
    budget.begin(made(slots))
    free = budget.keep_place("the download")
    budget.end()
    assert not made(slots).hold()
    free()
    free()
    again = made(slots)
    assert again.hold()
    assert not made(slots).hold()
    budget.begin(made(slots))
    with pytest.raises(ServerBusy):
        budget.keep_place("the download")
    budget.end()


def test_without_a_request_nothing_is_counted() -> None:
    """Workers and commands have time."""
    assert budget.current() is None
    budget.spend(10**12)
    budget.tell("nothing")
    budget.hold_place("it", 1)
    budget.check_whole()


LONG = {"sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(1000)"}


def test_a_statement_ends_with_its_requests_time_and_the_connection_goes_on(
        server: Flask, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would run for ever is cut off in words; the next request on the same connection is not."""
    monkeypatch.setattr(budget, "SHOW_S", 0)
    db.session.execute(text("SELECT 1"))  # a connection lies ready
    db.session.rollback()
    budget.begin(made(time_s=1))
    with pytest.raises(BudgetSpent):
        db.session.execute(text(LONG[engine]))
    budget.end()
    db.session.rollback()
    budget.begin(made(time_s=3600))
    assert 1 == db.session.execute(text("SELECT 1")).scalar()
    budget.end()
    db.session.rollback()
    assert 200_000 == db.session.execute(text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT count(*) FROM n")).scalar()
    db.session.rollback()


def test_a_page_goes_on_reading_after_a_statement_was_cut_off(
        server: Flask, app: App, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is shown, by the same visitor behind the same walls, and what was loaded is still there."""
    monkeypatch.setattr(budget, "SHOW_S", 1)
    name, tenant = app.name, "SELECT current_user, current_setting('appkeep.tenant', true)"
    before = db.session.execute(text(tenant)).one() if engine == "postgresql" else None
    db.session.rollback()
    loaded = apps.find(app.id)
    budget.begin(made(time_s=1))
    db.session.rollback()
    with pytest.raises(BudgetSpent):
        db.session.execute(text(LONG[engine]))
    budget.begin_showing()
    assert (name, 1) == (loaded.name, db.session.scalar(select(func.count()).select_from(App)))
    if engine == "postgresql":
        assert before == db.session.execute(text(tenant)).one()
    budget.end()
    db.session.rollback()


def test_what_writes_is_not_cut_off(server: Flask) -> None:
    """A request that changes something is done, or fails, but does not end in between for want of time."""
    budget.begin(made(time_s=-1))
    with transaction():
        assert 200_000 == db.session.execute(text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT count(*) FROM n")).scalar()
    budget.end()


def test_who_waited_for_others_is_told_so() -> None:
    """Time is up and little was done: a database that hangs is no fault of the question."""
    waited = Budget(1_000_000, Slots(4), time_s=-1, slow_s=60)
    worked = Budget(1_000_000, Slots(4), time_s=60, slow_s=60)
    assert "takes longer than a page can wait" in waited.cut().message
    with pytest.raises(BudgetSpent, match="more work than one page can do"):
        for _ in range(100):
            worked.spend(20_001)
