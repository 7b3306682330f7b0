"""Small apps with workflows: a worksheet of tasks, a workflow of any trigger and steps, and a worker that works when told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from core.api import App, Document, apps, db, documents, new_key, now_us, transaction
from plugins.workflows import running
from plugins.workflows.models import WorkflowEvent, WorkflowRun, WorkflowStep
from plugins.worksheets import service
from tenants import service as tenants
from tests.web import make_member

TASKS = "w_1111111111"
SHEET = f"worksheet/{TASKS}"
WORKSHEET = {"worksheet": {"ref": SHEET}}
NAME, STATE, POINTS, DUE, WHO = (f"f_{n}111111111" for n in "12345")
FIELDS = [
    {"key": NAME, "type": "text", "name": "Name", "options": {}},
    {"key": STATE, "type": "single_select", "name": "State", "options": {"choices": [
        {"key": "o_1111111111", "name": "Open"}, {"key": "o_2222222222", "name": "Done"}]}},
    {"key": POINTS, "type": "number", "name": "Points", "options": {}},
    {"key": DUE, "type": "date", "name": "Due", "options": {}},
    {"key": WHO, "type": "member", "name": "Who", "options": {}},
]
OPEN, DONE = "o_1111111111", "o_2222222222"


def ref(key: str) -> dict[str, str]:
    """Return the pointer to a field of tasks."""
    return {"ref": f"{SHEET}/field/{key}"}


def use(key: str, **more: Any) -> dict[str, Any]:
    """Return the value of a field of tasks."""
    return {"template": "{0}", "uses": [{"field": ref(key), **more}]}


def sheet(app: App, key: str = TASKS, fields: Sequence[Mapping[str, Any]] = FIELDS, name: str = "Tasks") -> None:
    """Make the worksheet of tasks."""
    with transaction():
        title = {"ref": f"worksheet/{key}/field/{fields[0]['key']}"}
        body = {"name": name, "title_field": title, "fields": list(fields)}
        documents.put(app, Document(kind="worksheet", key=key, body=body, position=0), "system")


def workflow(app: App, trigger: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], *, enabled: bool = True, key: str | None = None,
             name: str = "Flow", sheeted: bool = True) -> str:
    """Make a workflow and return its key."""
    key = key or new_key("f")
    if sheeted and trigger["type"].startswith(("record", "form", "date")):
        trigger = {"worksheet": {"ref": SHEET}, **trigger}
    keyed = [{"key": f"t_{n:0>10}".replace("0", "1"), **step} for n, step in enumerate(steps, 1)]
    with transaction():
        body = {"name": name, "enabled": enabled, "trigger": dict(trigger), "steps": keyed}
        documents.put(app, Document(kind="workflow", key=key, body=body, position=0), "system")
    return key


def put(app: App, seq: int | None = None, person: str = "system", **values: Any) -> int:
    """Make or change a task: name, state, points, due, who."""
    keys = {"name": NAME, "state": STATE, "points": POINTS, "due": DUE, "who": WHO}
    with transaction():
        return service.put_record(app, TASKS, seq, {keys[name]: value for name, value in values.items()}, person)


def work(app: App) -> None:
    """Do what is due, as a worker does."""
    running.work_off(apps.find(app.id))


def runs(app: App, workflow: str | None = None) -> list[WorkflowRun]:
    """Return runs in their order."""
    db.session.rollback()
    query = select(WorkflowRun).where(WorkflowRun.app_id == app.id).order_by(WorkflowRun.number).execution_options(populate_existing=True)
    return list(db.session.scalars(query if workflow is None else query.where(WorkflowRun.workflow == workflow)))


def steps_of(app: App, number: int) -> list[WorkflowStep]:
    """Return the steps of a run in their order."""
    return list(db.session.scalars(select(WorkflowStep).where(WorkflowStep.app_id == app.id, WorkflowStep.run == number)
                                   .order_by(WorkflowStep.n).execution_options(populate_existing=True)))


def tasks(app: App) -> dict[int, dict[str, Any]]:
    """Return the values of all live tasks by number."""
    db.session.rollback()
    return {row.seq: service.loads(row.vals) for row in service.all_rows(app, TASKS)}


def events(app: App) -> int:
    """Return how many changes wait to be matched."""
    return len(list(db.session.scalars(select(WorkflowEvent.id).where(WorkflowEvent.app_id == app.id))))


def admin(app: App) -> str:
    """Return somebody who manages the app."""
    person = make_member(app.organization_id, "admin@example.org")
    with transaction():
        tenants.name_admin(apps.find(app.id), person)
    return person


def make_due(app: App, number: int) -> None:
    """Have a run that waits for a time be due."""
    with transaction():
        row = db.session.scalar(select(WorkflowRun).where(WorkflowRun.app_id == app.id, WorkflowRun.number == number))
        assert row is not None
        row.due_at = now_us()
