"""Triggers: for each a change that must begin a run, and ones that must not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from core.api import App, apps, db, documents, server, transaction
from plugins.workflows import starting
from plugins.workflows.models import WorkflowListener
from plugins.worksheets import service
from tests.plugins.workflows.building import (
    DONE,
    DUE,
    NAME,
    OPEN,
    POINTS,
    SHEET,
    STATE,
    TASKS,
    admin,
    put,
    ref,
    runs,
    sheet,
    work,
    workflow,
)

NOTHING = [{"type": "set_variable", "variable": "x", "value": 1}]
Change = Callable[[App], object]


def when(key: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """Return a condition on a field of tasks."""
    return {"field": ref(key), "operator": operator, **({} if value is None else {"value": value}), **more}


def begun(app: App, trigger: dict[str, Any], prepare: Change, change: Change, **more: Any) -> int:
    """Return how many runs a change begins, made once the workflow is on."""
    prepare(app)
    workflow(app, trigger, NOTHING, **more)
    change(app)
    work(app)
    return len([one for one in runs(app) if one.state == "succeeded"])


def nothing(app: App) -> None:
    """Prepare nothing."""


def one(app: App) -> None:
    """Prepare a task that is open and has 3 points."""
    put(app, name="One", state=OPEN, points=3)


def delete(app: App) -> None:
    """Delete the first task."""
    with transaction():
        service.delete_record(app, TASKS, 1, "system")


RECORDS: list[tuple[str, dict[str, Any], Change, Change, int]] = [
    ("created", {"type": "record_created"}, nothing, lambda app: put(app, name="A"), 1),
    ("created, not changed", {"type": "record_created"}, one, lambda app: put(app, 1, name="B"), 0),
    ("created, not deleted", {"type": "record_created"}, one, delete, 0),
    ("created, fits", {"type": "record_created", "when": when(STATE, "is", DONE)}, nothing, lambda app: put(app, state=DONE), 1),
    ("created, fits not", {"type": "record_created", "when": when(STATE, "is", DONE)}, nothing, lambda app: put(app, state=OPEN), 0),
    ("changed", {"type": "record_updated"}, one, lambda app: put(app, 1, name="B"), 1),
    ("changed, not created", {"type": "record_updated"}, nothing, lambda app: put(app, name="B"), 0),
    ("changed to the same", {"type": "record_updated"}, one, lambda app: put(app, 1, name="One"), 0),
    ("changed in a field", {"type": "record_updated", "fields": [ref(STATE)]}, one, lambda app: put(app, 1, state=DONE), 1),
    ("changed in another", {"type": "record_updated", "fields": [ref(STATE)]}, one, lambda app: put(app, 1, name="C"), 0),
    ("after", {"type": "record_updated", "when": when(POINTS, "greater", 5)}, one, lambda app: put(app, 1, points=6), 1),
    ("after not", {"type": "record_updated", "when": when(POINTS, "greater", 5)}, one, lambda app: put(app, 1, points=5), 0),
    ("before", {"type": "record_updated", "when": {"all": [when(POINTS, "is", 3, before=True), when(POINTS, "is", 4)]}}, one,
     lambda app: put(app, 1, points=4), 1),
    ("before not", {"type": "record_updated", "when": when(POINTS, "is", 4, before=True)}, one, lambda app: put(app, 1, points=4), 0),
    ("any of two", {"type": "record_updated", "when": {"any": [when(STATE, "is", DONE), when(POINTS, "is", 9)]}}, one,
     lambda app: put(app, 1, points=9), 1),
    ("two values", {"type": "record_updated", "when": {
        "left": {"template": "{0}", "uses": [{"field": ref(POINTS)}]}, "operator": "greater",
        "right": {"template": "{0}", "uses": [{"field": ref(POINTS), "before": True}]}}}, one, lambda app: put(app, 1, points=4), 1),
    ("two values not", {"type": "record_updated", "when": {
        "left": {"template": "{0}", "uses": [{"field": ref(POINTS)}]}, "operator": "greater",
        "right": {"template": "{0}", "uses": [{"field": ref(POINTS), "before": True}]}}}, one, lambda app: put(app, 1, points=2), 0),
    ("deleted", {"type": "record_deleted"}, one, delete, 1),
    ("deleted, not changed", {"type": "record_deleted"}, one, lambda app: put(app, 1, name="B"), 0),
    ("deleted, fits", {"type": "record_deleted", "when": when(POINTS, "is", 3)}, one, delete, 1),
    ("deleted, fits not", {"type": "record_deleted", "when": when(POINTS, "is", 4)}, one, delete, 0),
]


@pytest.mark.parametrize(("trigger", "prepare", "change", "wanted"), [case[1:] for case in RECORDS], ids=[case[0] for case in RECORDS])
def test_a_change_begins_a_run_or_none(app: App, trigger: dict[str, Any], prepare: Change, change: Change, wanted: int) -> None:
    """What happens to records, with conditions on what they were and what they are."""
    sheet(app)
    assert begun(app, trigger, prepare, change) == wanted


def test_one_that_is_off_or_of_another_worksheet_begins_nothing(app: App) -> None:
    """Nothing is kept for it either."""
    sheet(app)
    sheet(app, "w_2222222222", [{"key": NAME.replace("1", "2"), "type": "text", "name": "N", "options": {}}], "Others")
    workflow(app, {"type": "record_created"}, NOTHING, enabled=False)
    workflow(app, {"type": "record_created", "worksheet": {"ref": "worksheet/w_2222222222"}}, NOTHING)
    put(app, name="A")
    work(app)
    assert runs(app) == []


def test_what_happened_while_it_was_off_begins_nothing_later(app: App) -> None:
    """A workflow that is turned on looks forward."""
    sheet(app)
    key = workflow(app, {"type": "record_created"}, NOTHING, enabled=False)
    put(app, name="A")
    workflow(app, {"type": "record_created"}, NOTHING, key=key)
    work(app)
    assert runs(app) == []
    put(app, name="B")
    work(app)
    assert [one.subject for one in runs(app)] == [f"{TASKS}/2"]


def test_a_form_that_was_sent_in(app: App) -> None:
    """Only of the view that it names, and never for a record that came another way."""
    sheet(app)
    view = {"ref": f"{SHEET}/view/v_1111111111"}
    workflow(app, {"type": "form_submitted", "view": view, "when": when(NAME, "is", "By form")}, NOTHING, sheeted=False)
    hook = server().registry.hook
    put(app, name="By form")
    for name, sent in (("By form", "v_2222222222"), ("Another", "v_1111111111"), ("By form", "v_1111111111")):
        with transaction():
            seq = service.put_record(app, TASKS, None, {NAME: name}, "system")
            hook.form_submitted(app=app, worksheet=TASKS, view=sent, seq=seq, person="system")
    work(app)
    assert [one.subject for one in runs(app)] == [f"{TASKS}/4"]


def test_by_hand_and_by_a_button(app: App) -> None:
    """A button starts what waits for it and what it names; one that is off, or has another trigger, says so."""
    sheet(app)
    one(app)
    button = {"ref": f"{SHEET}/button/b_1111111111"}
    waits = workflow(app, {"type": "button", "button": button}, NOTHING, name="Waits")
    named = workflow(app, {"type": "manual"}, NOTHING, name="Named")
    other = workflow(app, {"type": "button", "button": {"ref": f"{SHEET}/button/b_2222222222"}}, NOTHING)
    off, changes = workflow(app, {"type": "manual"}, NOTHING, enabled=False), workflow(app, {"type": "record_created"}, NOTHING)
    person = admin(app)
    with transaction():
        said = starting.pressed(app, TASKS, "b_1111111111", 1, person, f"workflow/{named}")
    assert sorted(said) == ["“Named” was started.", "“Waits” was started."]
    work(app)
    assert {one.workflow for one in runs(app)} == {waits, named} and runs(app, other) == []
    for key, why in ((off, "turned off"), (changes, "another trigger")):
        with pytest.raises(Exception, match=why), transaction():
            starting.started(app, f"workflow/{key}", "system", None, None)


def test_a_call_from_outside(app: App) -> None:
    """At its secret address, with what was sent; not at another one, an old one, or while it is off."""
    sheet(app)
    key = workflow(app, {"type": "webhook"}, [{"type": "create_record", "worksheet": {"ref": SHEET}, "values": [
        {"field": ref(NAME), "value": {"template": "{0}", "uses": [{"step": "t_1111111119", "path": "nothing"}]}}]}])
    with transaction():
        first = starting.make_token(app, key)
    with transaction():
        token = starting.make_token(app, key)
    with transaction():
        assert starting.called(app, first, {}) is None
        assert starting.called(app, "guess", {}) is None
        assert starting.called(app, token, {"a": {"b": "x"}}) == 1
    workflow(app, {"type": "webhook"}, NOTHING, key=key, enabled=False)
    with transaction():
        assert starting.called(app, token, {}) is None


def due_at(app: App, key: str, at: datetime | None = None) -> datetime | None:
    """Return when the clock looks at a workflow next; set it where *at* says when."""
    if at is not None:
        with transaction():
            db.session.execute(update(WorkflowListener).where(WorkflowListener.workflow == key).values(
                due_at=int(at.timestamp() * 1e6), seen_at=int(at.timestamp() * 1e6) - 86_400_000_000))
    found = db.session.scalar(db.select(WorkflowListener.due_at).where(WorkflowListener.workflow == key))
    return None if found is None else datetime.fromtimestamp(found / 1e6, UTC)


def test_a_schedule(app: App) -> None:
    """Once when it is due, however late; then it is due again later, and nothing is begun before."""
    sheet(app)
    key = workflow(app, {"type": "schedule", "schedule": {"every": "day", "hour": 7}}, NOTHING)
    work(app)
    assert runs(app) == [] and due_at(app, key) is not None
    due_at(app, key, datetime(2026, 1, 1, tzinfo=UTC))
    work(app)
    work(app)
    assert len(runs(app)) == 1
    later = due_at(app, key)
    assert later is not None and later > datetime.now(UTC)


@pytest.mark.parametrize(("days", "wanted"), [(0, "Today"), (2, "In two days"), (-3, "Three days ago")])
def test_a_date_that_is_reached(app: App, days: int, wanted: str) -> None:
    """On the day, before it and after it; each record once, and none whose date is another."""
    sheet(app)
    for name, day in (("Today", "2026-03-10"), ("In two days", "2026-03-12"), ("Three days ago", "2026-03-07"), ("Far", "2027-01-01")):
        put(app, name=name, due=day)
    put(app, name="None")
    key = workflow(app, {"type": "date_reached", "date_field": ref(DUE), "days_before": days, "hour": 0}, NOTHING)
    with transaction():
        db.session.execute(update(WorkflowListener).where(WorkflowListener.workflow == key).values(due_at=1, seen_at=1))
    looked(app, key, "2026-03-09T12:00", "2026-03-10T12:00")
    looked(app, key, "2026-03-10T12:00", "2026-03-10T18:00")
    work(app)
    names = {row.seq: service.loads(row.vals)[NAME] for row in service.all_rows(app, TASKS)}
    assert [names[int(one.subject.partition("/")[2])] for one in runs(app)] == [wanted]


def looked(app: App, key: str, seen: str, now: str) -> None:
    """Look at dates as at a moment, having looked at another."""
    from plugins.workflows import beginning, matching

    at = [int(datetime.fromisoformat(one).replace(tzinfo=UTC).timestamp() * 1e6) for one in (seen, now)]
    with transaction():
        beginning.hold(app)
        matching._dates(app, documents.get(app, f"workflow/{key}"), *at)
        db.session.execute(update(WorkflowListener).where(WorkflowListener.workflow == key).values(due_at=None))


def test_workflows_that_were_on_before_they_could_run_listen(app: App) -> None:
    """From the moment on at which the server can run them: nothing that lies behind starts any, and one that needs a secret waits for it."""
    import importlib.util
    from pathlib import Path

    from sqlalchemy import delete

    path = Path(__file__).parents[3] / "plugins/workflows/migrations/workflows_0001_first_tables.py"
    spec = importlib.util.spec_from_file_location("first_tables", path)
    assert spec is not None and spec.loader is not None
    first = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(first)
    sheet(app)
    put(app, name="Before", due="2026-03-10")
    calls = [{"type": "webhook", "url": "https://x.example", "headers": [{"name": "A", "value": {"secret": "s"}}]}]
    keys = [workflow(app, {"type": "record_created"}, NOTHING), workflow(app, {"type": "schedule", "schedule": {"every": "day"}}, NOTHING),
            workflow(app, {"type": "date_reached", "date_field": ref(DUE)}, NOTHING)]
    workflow(app, {"type": "record_created"}, NOTHING, enabled=False)
    workflow(app, {"type": "record_created"}, calls)
    with transaction():
        db.session.execute(delete(WorkflowListener))
    with transaction():
        first.listen(db.session.connection())
    work(app)
    assert runs(app) == [] and set(db.session.scalars(db.select(WorkflowListener.workflow))) == set(keys)
    assert due_at(app, keys[1]) is not None and due_at(app, keys[2]) is not None
    put(app, name="After")
    work(app)
    assert [one.workflow for one in runs(app)] == keys[:1]


def test_runs_of_a_record_go_in_the_order_of_its_changes(app: App) -> None:
    """Each change of a record begins a run of its own, about what it was then."""
    sheet(app)
    workflow(app, {"type": "record_updated", "fields": [ref(STATE)]}, NOTHING)
    one(app)
    for state in (DONE, OPEN, DONE):
        put(apps.find(app.id), 1, state=state)
    work(app)
    import json

    assert [json.loads(run.cause)["after"][STATE] for run in runs(app)] == [DONE, OPEN, DONE]
