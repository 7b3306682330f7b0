"""Wakes: a worker does what waits in rows of a plugin's own; one that is lost, wrong or sent twice does no harm."""

from __future__ import annotations

import pytest
from flask import Flask
from redis import Redis
from rq.job import Job

from core.api import App, server, transaction, wake
from core.runs import wakes
from core.runs.models import EXPRESS
from core.runs.queue import queue
from tests.core.runs.processes import work_in_a_process
from tests.plugins.workflows.building import NAME, POINTS, put, ref, runs, sheet, tasks, workflow
from tests.plugins.workflows.test_steps import WORKSHEET

SET = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": 1}]}


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is asked, whatever another test of this process found of its own."""
    monkeypatch.setitem(wakes._hung, "until", 0.0)


def waiting() -> list[Job]:
    """Return the jobs of the express lane."""
    return list(queue(server().config, EXPRESS).jobs)


def test_a_change_wakes_a_worker_that_does_what_follows(app: App) -> None:
    """Through the queue, in a process of its own; while a wake waits, no other is sent."""
    sheet(app)
    workflow(app, {"type": "record_created"}, [SET])
    for name in ("One", "Two", "Three"):
        put(app, name=name)
    assert [job.args for job in waiting()] == [[f"wake/workflows/{app.organization_id}/{app.id}"]]
    work_in_a_process()
    assert {one[POINTS] for one in tasks(app).values()} == {1} and [one.state for one in runs(app)] == ["succeeded"] * 3
    assert waiting() == []
    put(app, name="Four")
    assert len(waiting()) == 1


def test_nothing_is_sent_for_what_is_not_committed(app: App) -> None:
    """And nothing where no workflow listens."""
    sheet(app)
    put(app, name="Nobody listens")
    workflow(app, {"type": "record_created"}, [SET])
    with pytest.raises(ZeroDivisionError), transaction():
        put(app, name="Taken back")
        raise ZeroDivisionError
    assert waiting() == [] and NAME in tasks(app)[1]


def test_a_queue_that_is_away_stops_no_write(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked again for a while; the clock finds what waits."""
    from plugins.workflows import clock

    sheet(app)
    workflow(app, {"type": "record_created"}, [SET])
    asked = []

    def away(url: str) -> Redis:
        asked.append(url)
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(wakes, "_client", away)
        patch.setitem(wakes._hung, "until", 0.0)
        put(app, name="One")
        put(app, name="Two")
        assert len(asked) == 1
    monkeypatch.setitem(wakes._hung, "until", 0.0)
    clock.tick()
    assert len(waiting()) == 1
    work_in_a_process()
    assert [one.state for one in runs(app)] == ["succeeded"] * 2


def test_a_wake_that_names_nothing_is_let_go(app: App, server: Flask) -> None:
    """Whoever can write to the queue can have what is due looked at, and nothing else."""
    sheet(app)
    wakes.work(f"wake/nothing/{app.organization_id}/{app.id}")
    wakes.work(f"wake/workflows/o_9999999999/{app.id}")
    wakes.work(f"wake/workflows/{app.organization_id}/a_9999999999")
    for text in ("wake/workflows/x/y", "wake/os.system/o_9999999999/a_9999999999", "wake/"):
        with pytest.raises(ValueError, match="cannot be read"):
            wakes.work(text)
    wake(app, "workflows")
    assert len(waiting()) == 1
