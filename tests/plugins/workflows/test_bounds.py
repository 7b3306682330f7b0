"""Bounds of what runs: workflows that trigger themselves or one another, floods, failures one after another, restores, copies."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, db, documents, locks, transaction
from plugins.workflows import beginning, history, listening, running, secrets, starting
from plugins.workflows.models import WorkflowRun
from tenants.notifications.models import Notification
from tests.plugins.workflows.building import (
    NAME,
    OPEN,
    POINTS,
    STATE,
    WORKSHEET,
    admin,
    make_due,
    put,
    ref,
    runs,
    sheet,
    steps_of,
    tasks,
    use,
    work,
    workflow,
)
from tests.writing import at_once

COPY = {"type": "create_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": use(NAME)}]}
SET = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": 1}]}
FAILS = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": "many"}]}


def test_a_workflow_does_not_trigger_itself(app: App) -> None:
    """One entry an hour says so, and counts; others go on."""
    sheet(app)
    key, other = workflow(app, {"type": "record_created"}, [COPY]), workflow(app, {"type": "record_created"}, [SET])
    for name in ("A", "B", "C"):
        put(app, name=name)
    work(app)
    assert [one.state for one in runs(app, key)].count("succeeded") == 3
    told = [one for one in runs(app, key) if one.state == "stopped"]
    assert [one.skipped for one in told] == [3] and "does not trigger itself" in str(told[0].note)
    assert [one.state for one in runs(app, other)] == ["succeeded"] * 6
    assert len(tasks(app)) == 6


def test_a_ring_of_three_goes_round_once(app: App) -> None:
    """Each one's change triggers the next, as people expect; the first is not begun again."""
    sheet(app)
    states = ("f_1111111111", "f_2222222222", "f_3333333333")
    for n, key in enumerate(states):
        workflow(app, {"type": "record_updated", "when": {"field": ref(POINTS), "operator": "is", "value": n}}, [
            {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": (n + 1) % 3}]}], key=key, name=f"Ring {n}")
    put(app, name="One", points=7)
    put(app, 1, points=0)
    work(app)
    assert [(one.workflow, one.state) for one in runs(app)] == [*((key, "succeeded") for key in states), (states[0], "stopped")]
    assert [json.loads(one.chain) for one in runs(app)][2] == list(states[:2]) and tasks(app)[1][POINTS] == 0


def test_a_chain_is_no_longer_than_ten(app: App) -> None:
    """Eleven workflows, each of which starts the next."""
    sheet(app)
    for n in range(12):
        workflow(app, {"type": "record_updated", "when": {"field": ref(POINTS), "operator": "is", "value": n}}, [
            {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": n + 1}]}], name=f"Link {n}")
    put(app, name="One", points=99)
    put(app, 1, points=0)
    work(app)
    assert [one.state for one in runs(app)] == ["succeeded"] * 10 + ["stopped"] and tasks(app)[1][POINTS] == 10


def test_a_flood_waits_and_then_stops(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many a minute are begun, the others later; where too many wait, one entry counts the rest, and other workflows go on."""
    monkeypatch.setattr(beginning, "A_MINUTE", 5)
    monkeypatch.setattr(beginning, "MOST_WAITING", 7)
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [SET])
    for n in range(20):
        put(app, name=str(n))
    other = workflow(app, {"type": "record_updated", "fields": [ref(NAME)]}, [SET])
    put(app, 1, name="Changed")
    work(app)
    mine = runs(app, key)
    assert [one.state for one in mine].count("succeeded") == 5
    waiting = [one for one in mine if one.state == "queued"]
    assert len(waiting) == 2 and all(one.due_at is not None for one in waiting)  # seven waited when the eighth came
    assert [one.skipped for one in mine if one.state == "stopped"] == [13]
    assert [one.state for one in runs(app, other)] == ["succeeded"]


def test_one_that_fails_ten_times_is_turned_off(app: App) -> None:
    """Its admins are told; a success between, or turning it on again, begins the count anew."""
    sheet(app)
    person = admin(app)
    key = workflow(app, {"type": "record_created"}, [FAILS])
    for n in range(9):
        put(app, name=str(n))
    work(app)
    assert documents.get(apps.find(app.id), f"workflow/{key}").body["enabled"] is True
    workflow(app, {"type": "record_created"}, [SET], key=key)
    put(app, name="Good")
    work(app)
    workflow(app, {"type": "record_created"}, [FAILS], key=key)
    for n in range(12):
        put(app, name=str(n))
    work(app)
    assert documents.get(apps.find(app.id), f"workflow/{key}").body["enabled"] is False
    told = db.session.scalars(select(Notification).where(Notification.kind == "workflow_stopped")).all()
    assert [one.user_id for one in told] == [person] and "10 times in a row" in told[0].text
    assert [one.state for one in runs(app, key)].count("failed") >= 19
    put(app, name="Later")
    work(app)
    assert not [one for one in runs(app, key) if one.state == "queued"]


def test_a_run_goes_on_from_the_step_that_failed(app: App) -> None:
    """Run again, it does that step and the rest, and none that was done."""
    sheet(app)
    workflow(app, {"type": "record_created"}, [
        {"type": "create_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": "Made"}]},
        {"type": "update_record", **WORKSHEET, "record": 7, "values": [{"field": ref(STATE), "value": "Open"}]}, SET])
    put(app, name="One")
    work(app)
    assert runs(app)[0].state == "failed"
    for n in range(5):
        put(app, name=str(n))
    with transaction():
        history.run_again(apps.find(app.id), 1)
    work(app)
    run = runs(app)[0]
    assert run.state == "succeeded", run.note
    assert [one.state for one in steps_of(app, 1)] == ["done", "failed", "done", "done"]
    assert tasks(app)[7][STATE] == OPEN and tasks(app)[1][POINTS] == 1


def test_turned_off_what_has_not_begun_ends(app: App) -> None:
    """What is under way goes on."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}, SET])
    put(app, name="One")
    work(app)
    with transaction():
        locks.share(apps.find(app.id))
        beginning.begin(app, documents.get(app, f"workflow/{key}"), {"type": "manual"}, "system")
    workflow(app, {"type": "record_created"}, [SET], key=key, enabled=False)
    assert [one.state for one in runs(app)] == ["waiting", "stopped"] and "turned off" in str(runs(app)[1].note)
    make_due(app, 1)
    work(app)
    assert runs(app)[0].state == "succeeded"


def test_a_run_keeps_to_the_workflow_as_it_began(app: App) -> None:
    """An edit counts for later runs."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}, SET])
    put(app, name="One")
    work(app)
    rename = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": "New"}]}
    workflow(app, {"type": "record_created"}, [rename], key=key)
    make_due(app, 1)
    work(app)
    assert tasks(app)[1] == {NAME: "One", POINTS: 1}


def test_one_that_lacks_a_secret_stays_off(app: App) -> None:
    """It is on in its document, and does not listen until the secret is there."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [SET, {"type": "webhook", "url": "https://x.example", "headers": [
        {"name": "A", "value": {"secret": "token"}}]}])
    put(app, name="One")
    work(app)
    assert runs(app) == [] and not starting.is_on(app, key)
    with transaction():
        secrets.put(apps.find(app.id), "token", "x", "system")
        listening.follow_secrets(apps.find(app.id))
    assert starting.is_on(app, key)


def test_two_workers_at_once_begin_and_do_each_run_once(server: Flask, app: App) -> None:
    """Changes of two writers, matched and done by two workers at the same time."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, [{"type": "update_record", **WORKSHEET, "values": [
        {"field": ref(STATE), "value": "Open"}]}])
    app_id = app.id

    def write() -> None:
        for n in range(15):
            put(apps.find(app_id), name=str(n))

    def look() -> None:
        for _ in range(8):
            running.work_off(apps.find(app_id))

    assert at_once(server, app.organization_id, write, write, look, look) == []
    work(apps.find(app_id))
    mine = runs(apps.find(app_id), key)
    assert len(mine) == 30 == len({one.subject for one in mine}) and {one.state for one in mine} == {"succeeded"}
    assert all(one[STATE] == OPEN for one in tasks(apps.find(app_id)).values())
    assert len({one.number for one in db.session.scalars(select(WorkflowRun))}) == 30


def test_two_who_answer_at_once(server: Flask, app: App) -> None:
    """One answer decides; the other is told that it came too late, or is kept beside it."""
    from plugins.workflows import approvals
    from tests.web import make_member

    sheet(app)
    people = [make_member(app.organization_id, f"{name}@example.org") for name in ("ann", "bob")]
    workflow(app, {"type": "record_created"}, [{"type": "approval", "approvers": [{"org": f"user/{one}"} for one in people]}, SET])
    put(app, name="One")
    work(app)
    app_id = app.id

    def say(person: str, said: str) -> None:
        with transaction():
            approvals.answer(apps.find(app_id), 1, 0, person, said, "")
        running.work_off(apps.find(app_id))

    raised = at_once(server, app.organization_id, lambda: say(people[0], "yes"), lambda: say(people[1], "yes"))
    assert all("decided already" in str(one) for one in raised)
    assert [one.state for one in runs(apps.find(app_id))] == ["succeeded"] and tasks(apps.find(app_id))[1][POINTS] == 1


def test_an_answer_waits_for_who_holds_the_run(server: Flask, app: App) -> None:
    """Nobody holds a question while they wait for its run: who holds the run closes its questions, and neither waits for the other."""
    from plugins.workflows import approvals
    from tests.web import make_member

    sheet(app)
    person = make_member(app.organization_id, "ann@example.org")
    workflow(app, {"type": "record_created"}, [{"type": "approval", "approvers": [{"org": f"user/{person}"}]}, SET])
    put(app, name="One")
    work(app)
    app_id, held, begun = app.id, threading.Event(), threading.Event()

    def stop() -> None:
        with transaction():
            history._held(apps.find(app_id), 1)
            held.set()
            begun.wait(30)
            time.sleep(0.3)
            history.stop(apps.find(app_id), 1)

    def answer() -> None:
        held.wait(30)
        begun.set()
        with transaction():
            approvals.answer(apps.find(app_id), 1, 0, person, "yes", "")

    raised = at_once(server, app.organization_id, stop, answer)
    assert ["This was decided already, or is no longer asked."] == [str(one) for one in raised]
    assert [one.state for one in runs(apps.find(app_id))] == ["stopped"]


def test_a_test_shows_what_would_happen_and_writes_nothing(app: App) -> None:
    """Its steps are told with what they would find; no record, notification or other run is there, and it counts for nothing."""
    from plugins.workflows import testing

    sheet(app)
    person = admin(app)
    put(app, name="One", points=5)
    key = workflow(app, {"type": "record_updated"}, [
        COPY, {"type": "notify", "to": [{"org": f"user/{person}"}], "message": "x"}, {"type": "delay", "minutes": 5},
        {"type": "webhook", "url": "http://x.example"}, SET, FAILS], enabled=False)
    with transaction():
        number = testing.try_out(apps.find(app.id), key, person, 1)
    work(app)
    assert [one.state for one in steps_of(app, number)] == ["done", "done", "skipped", "skipped", "done", "failed"]
    run = runs(app)[0]
    assert (run.test, run.state, len(runs(app))) == (True, "failed", 1)
    assert tasks(app) == {1: {NAME: "One", POINTS: 5}}
    assert not db.session.scalars(select(Notification)).all()
    assert put(app, name="Two") == 2


def test_old_runs_are_forgotten_as_the_plan_says(app: App) -> None:
    """Those that ended longer ago than its days, with their steps; open ones never."""
    from sqlalchemy import update as change

    from core.api import now_us
    from plugins.workflows import clock
    from tenants.models import Organization

    sheet(app)
    key = workflow(app, {"type": "record_created"}, [SET])
    workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}])
    put(app, name="One")
    work(app)
    number = runs(app, key)[0].number
    day = 86_400_000_000
    with transaction():
        db.session.execute(change(WorkflowRun).values(ended_at=WorkflowRun.ended_at - 40 * day))
    app_id = app.id
    assert clock.forget_old(now_us()) == 0 and len(runs(apps.find(app_id))) == 2
    with transaction():
        db.session.execute(change(Organization).values(plan="standard"))
    assert clock.forget_old(now_us()) == 1
    assert [one.state for one in runs(apps.find(app_id))] == ["waiting"] and steps_of(apps.find(app_id), number) == []


def test_what_nobody_expected_is_in_nobody_s_way(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that cannot even be taken up fails, a condition that cannot be asked holds of nothing; others have their turn."""
    from plugins.workflows.values import Values

    sheet(app)
    bad = workflow(app, {"type": "record_created"}, [SET])
    odd = workflow(app, {"type": "record_created", "when": {"left": 1, "operator": "is", "right": 1}}, [SET])
    good = workflow(app, {"type": "record_created"}, [SET])
    execution = running.execution

    def breaks(app: App, row: Any, *, dry: bool = False) -> Any:
        if row.workflow == bad:
            raise ZeroDivisionError("taken up")
        return execution(app, row, dry=dry)

    def asks(self: Values, condition: Any, depth: int = 0) -> bool:
        raise ZeroDivisionError("asked")

    monkeypatch.setattr(running, "execution", breaks)
    monkeypatch.setattr(Values, "holds", asks)
    put(app, name="One")
    work(app)
    assert {one.workflow: one.state for one in runs(app)} == {bad: "failed", good: "succeeded"} and runs(app, odd) == []
    assert "ZeroDivisionError" in str(runs(app, bad)[0].note) and tasks(app)[1][POINTS] == 1


def test_whether_a_run_is_behind_another_is_asked_of_an_index(sqlite_server: Flask) -> None:
    """However many runs wait: the condition of the index stands in the question, word by word."""
    from core.api import as_server

    with as_server():
        said = str(running._EARLIER.compile(dialect=db.engine.dialect))
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", ("a", "s", 5, 1, 0))
        assert "ix_workflow_run_subject" in str(plan.all())
        db.session.rollback()
