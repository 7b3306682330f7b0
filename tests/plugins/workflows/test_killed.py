"""Workers that are killed: each effect on records is there once, each call outside carries one key, and nothing is left behind."""

from __future__ import annotations

import contextvars
import os
import random
import signal
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.api import App, apps, as_tenant, create_app, db, read_config, transaction
from plugins.workflows import running
from plugins.workflows.models import WorkflowEvent, WorkflowRun, WorkflowStep
from plugins.worksheets import service
from tests.conftest import fresh_database, opened_server
from tests.core.runs.processes import environment_of, patience
from tests.plugins.workflows.building import NAME, POINTS, STATE, TASKS, ref, sheet, workflow
from tests.plugins.workflows.test_steps import WORKSHEET, result, value
from tests.tenants.notifications import receiving

CHANGES = int(os.environ.get("APPKEEP_TEST_CHANGES", "40"))
"""How many records are made; 10,000 take some minutes."""


@pytest.fixture
def server(engine: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server that may call its own network."""
    yield from opened_server(home, fresh_database(engine, home, request), webhook_private_addresses=True)


def forked(environment: dict[str, str], organization: str, app_id: str) -> int:
    """Start a process that does what is due in an app, again and again, and return its number."""
    pid = os.fork()
    if pid == 0:
        contextvars.Context().run(_work_for_ever, environment, organization, app_id)
    return pid


def _work_for_ever(environment: dict[str, str], organization: str, app_id: str) -> None:
    try:
        os.environ.update(environment)
        running.LEASE_US = 300_000
        with create_app(read_config()).app_context(), as_tenant(organization):
            while True:
                running.work_off(apps.find(app_id))
                time.sleep(0.01)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def test_two_workers_of_which_one_is_killed_again_and_again(server: Flask, app: App) -> None:
    """Each record gets one companion, one number and one call, however often a worker was killed in between."""
    sheet(app)
    key = workflow(app, {"type": "record_created", "when": {"field": ref(STATE), "operator": "is_empty"}}, [
        {"type": "create_record", **WORKSHEET, "values": [
            value(NAME, {"template": "{0}", "uses": [{"field": ref(NAME)}]}), value(STATE, "Done")]},
        {"type": "webhook", "url": ""}, {"type": "update_record", **WORKSHEET, "values": [value(POINTS, result(2, "status"))]}])
    with receiving.receiver() as receiver:
        _call(app, key, receiver.url)
        for start in range(0, CHANGES, 500):
            with transaction():
                service.put_records(app, TASKS, [{"values": {NAME: f"Task {n}"}} for n in range(start, min(start + 500, CHANGES))], "system")
        organization, app_id, chance = app.organization_id, app.id, random.Random(1)
        environment = environment_of(_config(), {})
        db.session.remove()
        db.engine.dispose()
        steady, killed = forked(environment, organization, app_id), 0
        try:
            for _ in patience("all runs to end") if CHANGES < 1000 else iter(int, 1):
                victim = forked(environment, organization, app_id)
                time.sleep(chance.uniform(0.05, 0.6))
                os.kill(victim, signal.SIGKILL)
                os.waitpid(victim, 0)
                killed += 1
                if _all_ended(server, organization, app_id):
                    break
        finally:
            os.kill(steady, signal.SIGKILL)
            os.waitpid(steady, 0)
        found = [service.loads(row.vals) for row in service.all_rows(apps.find(app_id), TASKS)]
        companions, tasks = [one for one in found if STATE in one], [one for one in found if STATE not in one]
        assert len(tasks) == CHANGES == len(companions) and killed
        assert {one[NAME] for one in companions} == {one[NAME] for one in tasks}
        assert {one[POINTS] for one in tasks} == {200}
        calls = [headers["Idempotency-Key"] for _, headers, _ in receiver.got]
        assert len(set(calls)) == CHANGES
        steps = db.session.scalar(select(func.count()).select_from(WorkflowStep))
        assert steps == 3 * CHANGES


def _call(app: App, key: str, url: str) -> None:
    from core.api import Document, documents

    with transaction():
        found = documents.get(app, f"workflow/{key}")
        steps = [{**one, "url": url} if one["type"] == "webhook" else one for one in found.body["steps"]]
        documents.put(app, Document(kind="workflow", key=key, body={**found.body, "steps": steps}, position=0), "system")


def _config():  # type: ignore[no-untyped-def]
    from core.api import server as serves

    return serves().config


def _all_ended(server: Flask, organization: str, app_id: str) -> bool:
    """Say whether nothing is left to be matched or done."""
    db.session.rollback()
    left = db.session.scalar(select(func.count()).select_from(WorkflowEvent)) or 0
    begun = db.session.scalar(select(func.count()).select_from(WorkflowRun).where(WorkflowRun.state == "succeeded")) or 0
    return left == 0 and begun == CHANGES
