"""Steps: what each does with good input, and what a run says of bad input. What a failed step wrote is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from core.api import App, apps, db, documents, now_us, transaction
from plugins.workflows import approvals
from plugins.workflows.models import WorkflowApproval, WorkflowRun
from plugins.worksheets import service
from tenants.notifications.models import Delivery, Notification
from tests.plugins.workflows.building import (
    DONE,
    DUE,
    NAME,
    OPEN,
    POINTS,
    STATE,
    TASKS,
    WHO,
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
from tests.web import make_member

STEP = "t_111111111{}"


def value(key: str, given: Any) -> dict[str, Any]:
    """Return what a step assigns to a field."""
    return {"field": ref(key), "value": given}


def result(step: int, path: str) -> dict[str, Any]:
    """Return the value that a step found."""
    return {"template": "{0}", "uses": [{"step": STEP.format(step), "path": path}]}


def done(app: App, *steps: dict[str, Any], trigger: dict[str, Any] | None = None, **values: Any) -> WorkflowRun:
    """Run steps on a new task, as far as they go, and return the run."""
    sheet(app)
    key = workflow(app, trigger or {"type": "record_created"}, steps)
    put(app, **(values or {"name": "One"}))
    work(app)
    return runs(app, key)[0]


def test_records_are_made_changed_and_deleted(app: App) -> None:
    """Values of every kind: fixed ones, of fields of the same type and of others, of earlier steps, days."""
    run = done(
        app,
        {"type": "create_record", **WORKSHEET, "values": [
            value(NAME, {"template": "{0} has {1}", "uses": [{"field": ref(NAME)}, {"field": ref(POINTS)}]}),
            value(STATE, use(STATE)), value(POINTS, use(POINTS)), value(DUE, {"template": "{0}", "uses": [{"about": "today"}]})]},
        {"type": "update_record", **WORKSHEET, "record": result(1, "record"), "values": [
            value(POINTS, 12), value(NAME, {"template": "{0}!", "uses": [{"field": ref(NAME), "step": STEP.format(1)}]})]},
        {"type": "update_record", **WORKSHEET, "values": [value(STATE, "Done"), value(POINTS, None)]},
        {"type": "create_record", **WORKSHEET, "values": [value(NAME, "Short-lived")]},
        {"type": "delete_record", **WORKSHEET, "record": result(4, "record")},
        name="One", state=OPEN, points=5)
    assert run.state == "succeeded", run.note
    found = tasks(app)
    assert found[1] == {NAME: "One", STATE: DONE}
    assert found[2].pop(DUE)[:2] == "20"
    assert found[2] == {NAME: "One has 5!", STATE: OPEN, POINTS: 12} and set(found) == {1, 2}
    row = service.store_of(app).row(TASKS, 2)
    assert row is not None and row.created_by == "system"


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("a number that is none", {"type": "update_record", **WORKSHEET, "values": [value(POINTS, "many")]}, "Points"),
    ("a record that is not there", {"type": "update_record", **WORKSHEET, "record": 99, "values": [value(POINTS, 1)]}, "does not exist"),
    ("no number of a record", {"type": "delete_record", **WORKSHEET, "record": "first"}, "not the number of a record"),
    ("no worksheet", {"type": "create_record", "values": []}, "Choose a worksheet"),
    ("a worksheet that is gone", {"type": "create_record", "worksheet": {"ref": "worksheet/w_9999999999"}, "values": []}, "deleted"),
    ("a field that is gone", {"type": "update_record", **WORKSHEET, "values": [value("f_9999999999", 1)]}, "no field"),
    ("a step that did not run", {"type": "update_record", **WORKSHEET, "record": result(9, "record"), "values": []}, "not the number"),
    ("nobody to notify", {"type": "notify", "to": [], "message": "x"}, "nobody to tell"),
    ("nobody to mail", {"type": "send_email", "to": [], "message": "x"}, "no recipient"),
    ("a bad address", {"type": "send_email", "to": ["a@b@c"], "message": "x"}, "email"),
    ("nobody to approve", {"type": "approval", "approvers": []}, "Nobody can approve"),
    ("no day to wait for", {"type": "delay", "until": "soon"}, "not a day"),
    ("no address to call", {"type": "webhook"}, "no address"),
    ("an own header", {"type": "webhook", "url": "http://x.example", "headers": [{"name": "Host", "value": "x"}]}, "not a header"),
    ("an address inside", {"type": "webhook", "url": "http://127.0.0.1:1/"}, "own network"),
    ("a variable without a name", {"type": "set_variable", "value": 1}, "a name"),
    ("an operator that nobody knows", {"type": "condition", "branches": [
        {"when": {"left": 1, "operator": "resembles", "right": 2}, "steps": []}]}, "not an operator"),
    ("a workflow that is gone", {"type": "run_workflow", "workflow": {"ref": "workflow/f_9999999999"}}, "This workflow does not exist"),
    ("a workflow that is not chosen", {"type": "run_workflow"}, "Choose a workflow"),
    ("a plugin that is not here", {"type": "plugin", "plugin_type": "zebra", "settings": {}}, "No plugin"),
]


@pytest.mark.parametrize(("step", "why"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_ends_the_run_and_is_told(app: App, step: dict[str, Any], why: str) -> None:
    """The message says what; what was done before stands, and nothing of the step that failed does."""
    sheet(app)
    key = "f_1111111119"
    steps = [{"type": "update_record", **WORKSHEET, "values": [value(NAME, "Before")]}, step,
             {"type": "update_record", **WORKSHEET, "values": [value(NAME, "After")]}]
    if step["type"] == "plugin":  # put as a restore would, since nobody may add it
        workflow(app, {"type": "record_created"}, [steps[0], {"type": "set_variable", "variable": "x"}, steps[2]], key=key)
        with transaction():
            row = documents.get(app, f"workflow/{key}")
            body = json.loads(json.dumps(row.body))
            body["steps"][1] = {"key": body["steps"][1]["key"], **step}
            documents.change(apps.find(app.id), "system", put=[type(row)(kind=row.kind, key=row.key, body=body, position=0)])
    else:
        workflow(app, {"type": "record_created"}, steps, key=key)
    put(app, name="One")
    work(app)
    run = runs(app, key)[0]
    assert run.state == "failed" and why in str(run.note), run.note
    assert tasks(app) == {1: {NAME: "Before"}}
    assert [one.state for one in steps_of(app, run.number)] == ["done", "failed"]


def test_records_are_found_and_gone_through(app: App) -> None:
    """By conditions with values, sorted, at most so many; a loop does its steps for each, and knows its record."""
    sheet(app)
    for name, points in (("A", 1), ("B", 5), ("C", 9), ("D", 7)):
        put(app, name=name, points=points, state=OPEN)
    key = workflow(app, {"type": "manual"}, [
        {"type": "set_variable", "variable": "least", "value": 4},
        {"type": "find_records", **WORKSHEET, "limit": 2, "sorts": [{"field": ref(POINTS), "descending": True}],
         "filter": {"all": [{"field": ref(POINTS), "operator": "greater", "value": {"template": "{0}", "uses": [{"variable": "least"}]}},
                            {"left": 1, "operator": "is", "right": 1}]}},
        {"type": "loop", "over": result(2, "records"), "steps": [
            {"key": STEP.format(8), "type": "update_record", **WORKSHEET, "record": {"template": "{0}", "uses": [
                {"step": STEP.format(3), "path": "item"}]}, "values": [
                value(NAME, {"template": "{0}{1}", "uses": [{"field": ref(NAME), "step": STEP.format(3)},
                                                            {"step": STEP.format(3), "path": "number"}]})]}]},
        {"type": "find_records", **WORKSHEET, "filter": {"left": 1, "operator": "is", "right": 2}},
        {"type": "loop", "over": result(4, "records"), "steps": [{"key": STEP.format(9), "type": "end"}]},
        {"type": "create_record", **WORKSHEET, "values": [value(NAME, {"template": "{0} and {1}", "uses": [
            {"step": STEP.format(2), "path": "count"}, {"step": STEP.format(4), "path": "count"}]})]}])
    start(app, key)
    assert {one[NAME] for one in tasks(app).values()} == {"A", "B", "C1", "D2", "2 and 0"}


def start(app: App, key: str, seq: int | None = None) -> WorkflowRun:
    """Start a workflow by hand, work, and return its run."""
    from plugins.workflows import starting

    person = admin(app)
    with transaction():
        number = starting.begin(apps.find(app.id), documents.get(app, f"workflow/{key}"), person, TASKS if seq else None, seq)
    work(app)
    return next(one for one in runs(app) if one.number == number)


@pytest.mark.parametrize(("points", "wanted"), [(9, "Many"), (5, "Some"), (1, "Few")])
def test_the_first_branch_that_fits_is_taken(app: App, points: int, wanted: str) -> None:
    """In their order; one without a condition takes what is left. Then the run goes on behind them."""
    def named(n: int, text: str) -> list[dict[str, Any]]:
        return [{"key": STEP.format(n), "type": "update_record", **WORKSHEET, "values": [value(NAME, text)]}]

    run = done(app, {"type": "condition", "branches": [
        {"name": "Many", "when": {"field": ref(POINTS), "operator": "greater", "value": 8}, "steps": named(5, "Many")},
        {"name": "Some", "when": {"left": use(POINTS), "operator": "greater_or_equal", "right": 5}, "steps": named(6, "Some")},
        {"name": "Few", "steps": named(7, "Few")}]},
        {"type": "update_record", **WORKSHEET, "values": [value(STATE, "Done")]}, name="One", points=points)
    assert (run.state, tasks(app)[1][NAME], tasks(app)[1][STATE]) == ("succeeded", wanted, DONE)


def test_the_end_is_the_end(app: App) -> None:
    """Steps behind it are not done, wherever it stands."""
    run = done(app, {"type": "condition", "branches": [{"steps": [{"key": STEP.format(5), "type": "end"}]}]},
               {"type": "update_record", **WORKSHEET, "values": [value(NAME, "No")]})
    assert run.state == "succeeded" and tasks(app)[1][NAME] == "One"


def test_people_are_told_and_mailed_once(app: App) -> None:
    """By what they are, by a field that names them, by their address; each once."""
    make_member(app.organization_id, "ann@example.org")
    ann = make_member(app.organization_id, "ann@example.org")
    run = done(app, {"type": "notify", "to": [{"org": f"user/{ann}"}, use(WHO)], "subject": "Hello {0}", "message": {
        "template": "{0} is new", "uses": [{"field": ref(NAME)}]}},
        {"type": "send_email", "to": ["out@example.com", {"org": f"user/{ann}"}, "out@example.com"], "subject": "S", "message": "M"},
        name="One", who=[{"org": f"user/{ann}"}])
    assert run.state == "succeeded", run.note
    told = db.session.scalars(select(Notification).where(Notification.kind == "message")).all()
    assert [(one.user_id, one.text) for one in told] == [(ann, "One is new")]
    sent = db.session.scalars(select(Delivery).where(Delivery.channel == "address")).all()
    assert sorted(json.loads(one.body)["to"] for one in sent) == ["ann@example.org", "out@example.com"]


def test_a_run_waits_for_a_time(app: App) -> None:
    """Minutes, or until a moment that a field names; it holds up no other run of the record."""
    run = done(app, {"type": "delay", "minutes": 5}, {"type": "delay", "until": use(DUE)},
               {"type": "update_record", **WORKSHEET, "values": [value(NAME, "Later")]}, name="One", due="2020-01-01")
    assert run.state == "waiting" and run.due_at is not None and 290e6 < run.due_at - now_us() < 300e6
    make_due(app, run.number)
    work(app)
    assert tasks(app)[1][NAME] == "Later" and runs(app)[0].state == "succeeded"


@pytest.fixture
def asked(app: App) -> list[str]:
    """Three members of the organization."""
    return [make_member(app.organization_id, f"{name}@example.org") for name in ("ann", "bob", "cat")]


def approving(app: App, people: list[str], **more: Any) -> WorkflowRun:
    """Begin a run that asks people for approval."""
    return done(app, {"type": "approval", "approvers": [{"org": f"user/{one}"} for one in people], "message": "May it?", **more},
                {"type": "update_record", **WORKSHEET, "values": [value(NAME, {"template": "{0} {1}", "uses": [
                    {"step": STEP.format(1), "path": "approved"}, {"step": STEP.format(1), "path": "comment"}]})]})


def say(app: App, person: str, said: str, comment: str = "") -> None:
    """Answer as somebody, and work."""
    with transaction():
        approvals.answer(apps.find(app.id), 1, 0, person, said, comment)
    work(app)


def test_one_who_approves_is_enough_or_all_have_to(app: App, asked: list[str]) -> None:
    """They are told, what they say is kept, and whoever is not asked, or too late, is refused."""
    run = approving(app, asked, needed="one")
    assert run.state == "waiting" and run.due_at is None
    assert {one.user_id for one in db.session.scalars(select(Notification).where(Notification.kind == "approval"))} == set(asked)
    with pytest.raises(Exception, match="not asked"):
        say(app, "u_9999999999", "yes")
    say(app, asked[1], "yes", "Fine")
    assert runs(app)[0].state == "succeeded" and tasks(app)[1][NAME] == "yes Fine"
    with pytest.raises(Exception, match="decided already"):
        say(app, asked[0], "no")


def test_all_have_to_approve(app: App, asked: list[str]) -> None:
    """The last yes decides."""
    approving(app, asked, needed="all")
    for n, person in enumerate(asked, 1):
        say(app, person, "yes", str(n))
        assert runs(app)[0].state == ("succeeded" if n == 3 else "waiting")
    assert tasks(app)[1][NAME] == "yes 3"


@pytest.mark.parametrize("on", [True, False])
def test_a_rejection_ends_the_run_or_is_a_result(app: App, asked: list[str], on: bool) -> None:
    """As the step says."""
    approving(app, asked, needed="all", if_rejected="go_on" if on else "end")
    say(app, asked[0], "no", "Never")
    run = runs(app)[0]
    assert run.state == "succeeded" and tasks(app)[1][NAME] == ("no Never" if on else "One")
    assert on or "Rejected by" in str(run.note)
    assert not db.session.scalars(select(WorkflowApproval).where(WorkflowApproval.closed_at.is_(None))).all()


def test_an_approval_reminds_and_runs_out(app: App, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not answered is told again; at the limit it counts as rejected."""
    run = approving(app, asked, remind_after_hours=1, limit_hours=3)
    assert run.state == "waiting" and run.due_at is not None
    from plugins.workflows import steps

    now = now_us()
    for hours, told, state in ((1.1, 2, "waiting"), (2.2, 3, "waiting"), (3.1, 3, "succeeded")):
        monkeypatch.setattr(steps, "now_us", lambda hours=hours: now + int(hours * 3600e6))
        make_due(app, 1)
        work(app)
        count = len(db.session.scalars(select(Notification).where(Notification.user_id == asked[0], Notification.kind == "approval")).all())
        assert (count, runs(app)[0].state) == (told, state)
    assert "in time" in str(runs(app)[0].note)


def test_another_workflow_is_started(app: App) -> None:
    """About the same record, on behalf of the same person."""
    sheet(app)
    other = workflow(app, {"type": "manual"}, [{"type": "update_record", **WORKSHEET, "values": [value(NAME, "By the other")]}])
    key = workflow(app, {"type": "record_created"}, [{"type": "run_workflow", "workflow": {"ref": f"workflow/{other}"}}])
    put(app, name="One")
    work(app)
    assert [(one.workflow, one.state) for one in runs(app)] == [(key, "succeeded"), (other, "succeeded")]
    assert tasks(app)[1][NAME] == "By the other" and json.loads(runs(app)[1].chain) == [key]



def formula(text: str, *keys: str) -> dict[str, Any]:
    """Return the value of a formula over fields of the run's record."""
    return {"formula": text, "uses": [{"field": ref(key)} for key in keys]}


def test_values_are_calculated(app: App) -> None:
    """In the worksheets' language: numbers, texts, days; one that has no value ends the run and says why."""
    run = done(app, {"type": "update_record", **WORKSHEET, "values": [
        value(POINTS, formula("{f_0} * 2 + 1", POINTS)), value(NAME, formula('concat(upper({f_0}), "!")', NAME))]},
        name="One", points=4)
    assert run.state == "succeeded", run.note
    assert tasks(app)[1] == {NAME: "ONE!", POINTS: 9}
    key = workflow(app, {"type": "manual"}, [{"type": "set_variable", "variable": "x", "value": formula("1 / 0")}])
    broken = workflow(app, {"type": "manual"}, [{"type": "set_variable", "variable": "x", "value": formula("1 +")}])
    for one in (key, broken):
        assert start(app, one).state == "failed" and "formula" in str(runs(app, one)[0].note)
