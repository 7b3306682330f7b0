"""Calls to the outside: keys, headers, secrets, and what is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, now_us, transaction
from plugins.workflows import running, secrets
from tests.conftest import fresh_database, opened_server
from tests.plugins.workflows.building import NAME, POINTS, make_due, put, ref, runs, sheet, steps_of, tasks, work, workflow
from tests.plugins.workflows.test_steps import WORKSHEET, done, result, value
from tests.tenants.notifications import receiving


@pytest.fixture
def server(engine: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server that may call its own network."""
    yield from opened_server(home, fresh_database(engine, home, request), webhook_private_addresses=True)


@pytest.fixture
def receiver() -> Iterator[receiving.Receiver]:
    """A receiver of calls."""
    with receiving.receiver() as found:
        yield found


def test_a_call_carries_its_key_its_headers_and_a_secret(app: App, receiver: receiving.Receiver) -> None:
    """The answer is there for later steps; the secret is nowhere in the history."""
    sheet(app)
    with transaction():
        secrets.put(apps.find(app.id), "token", "s3cret", "system")
    key = workflow(app, {"type": "record_created"}, [
        {"type": "webhook", "url": receiver.url, "method": "POST", "body": {"template": '{"name": "{0}"}', "uses": [{"field": ref(NAME)}]},
         "headers": [{"name": "Authorization", "value": {"secret": "token"}}, {"name": "X-Kind", "value": "task"}]},
        {"type": "update_record", **WORKSHEET, "values": [value(POINTS, result(1, "status"))]}])
    put(app, name="One")
    work(app)
    run = runs(app, key)[0]
    assert (run.state, tasks(app)[1][POINTS]) == ("succeeded", 200), run.note
    _, headers, body = receiver.got[0]
    assert headers["Authorization"] == "s3cret" and headers["X-Kind"] == "task" and json.loads(body) == {"name": "One"}
    assert headers["Idempotency-Key"] == headers["webhook-id"] == f"{app.id}.{run.number}.0"
    kept = [run.place, run.memory, run.cause, *(one.given + one.found for one in steps_of(app, run.number))]
    assert "s3cret" not in "".join(kept)


def test_a_call_that_fails_is_tried_again_with_the_same_key(app: App, receiver: receiving.Receiver) -> None:
    """Later and later, then given up; a refusal is not tried again."""
    receiver.status = 503
    run = done(app, {"type": "webhook", "url": receiver.url}, {"type": "update_record", **WORKSHEET, "values": [value(NAME, "Called")]})
    assert run.state == "waiting" and run.due_at is not None and run.due_at > now_us()
    work(app)
    assert len(receiver.got) == 1
    make_due(app, run.number)
    receiver.status = 200
    work(app)
    assert len({headers["Idempotency-Key"] for _, headers, _ in receiver.got}) == 1 and len(receiver.got) == 2
    assert runs(app)[0].state == "succeeded" and tasks(app)[1][NAME] == "Called"
    receiver.status = 503
    put(app, name="Two")
    for _ in range(len(running.AGAIN_S) + 1):
        work(app)
        make_due(app, 2)
    work(app)
    assert runs(app)[1].state == "failed" and "tried" in str(runs(app)[1].note)
    receiver.status = 404
    put(app, name="Three")
    work(app)
    assert runs(app)[2].state == "failed" and "404" in str(runs(app)[2].note)
