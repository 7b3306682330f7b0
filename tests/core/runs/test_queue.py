"""The queue: it may lose everything, be away, or hold what somebody planted there; runs are done all the same."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from core.api import App, apps, db, direct, transaction
from core.base.config import read_config
from core.base.time import moved
from core.processes import valkey
from core.runs import queue as sending
from core.runs.models import EXPRESS, RESEND_AFTER_S
from core.runs.queue import FUNCTION, QUEUE, queue
from core.runs.service import recover
from core.server import server as current
from tests.core.runs.faults import at_step, go_on, paused, pausing
from tests.core.runs.making import ask, fill, state_of, types_of_backups
from tests.core.runs.processes import alive, patience, work_in_a_process, worker

MARK = "APPKEEP_TEST_MARK"


def use_queue(url: str) -> None:
    """Let this server use another queue."""
    current().config.values["redis_url"] = url  # type: ignore[index]  # a dict, for tests


def test_runs_survive_a_queue_that_is_gone_with_all_it_holds(server: Flask, app: App, home: Path) -> None:
    """The row stays queued, and is sent again once it has waited for too long."""
    own = read_config({}, home=str(home))
    use_queue(own.queue_url)
    with valkey.running(own) as process:
        run_id = ask("backup", app, None)
        assert 1 == queue(current().config, EXPRESS).count
        process.kill()
        process.wait()
    shutil.rmtree(home / "valkey")
    assert ("queued", None) == state_of(run_id)
    with valkey.running(own):
        assert (0, []) == (queue(current().config, EXPRESS).count, recover())
        with moved(RESEND_AFTER_S + 1):
            assert [run_id] == recover()
        work_in_a_process()
    assert ("succeeded", None) == state_of(run_id)


def test_the_queue_keeps_what_it_holds_when_it_is_killed(server: Flask, app: App, home: Path) -> None:
    """Its file is written as jobs come, so that after a crash nothing has to wait for the clock."""
    own = read_config({}, home=str(home))
    use_queue(own.queue_url)
    with valkey.running(own) as process:
        run_id = ask("backup", app, None)
        process.kill()
        process.wait()
    with valkey.running(own):
        work_in_a_process()
    assert ("succeeded", None) == state_of(run_id)


def test_asking_succeeds_while_the_queue_cannot_be_reached(server: Flask, app: App, home: Path, queue_url: str) -> None:
    """The request is kept, and sent when there is a queue."""
    use_queue(f"unix://{home}/nobody.sock")
    run_id = ask("backup", app, None)
    assert ("queued", None) == state_of(run_id)
    with moved(RESEND_AFTER_S + 1):
        assert [run_id] == recover()
    use_queue(queue_url)
    with moved(2 * (RESEND_AFTER_S + 1)):
        assert [run_id] == recover()
    work_in_a_process()
    assert ("succeeded", None) == state_of(run_id)


def test_a_run_sent_twice_is_done_once(server: Flask, app: App) -> None:
    """The second job finds nothing to do."""
    run_id = ask("backup", app, None)
    with moved(RESEND_AFTER_S + 1):
        assert [run_id] == recover()
    assert 2 == queue(current().config, EXPRESS).count
    work_in_a_process()
    assert (("succeeded", None), ["manual"]) == (state_of(run_id), types_of_backups(app))


def test_a_run_that_takes_too_long_is_ended(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's own alarm passes through whatever the run is doing; the run has failed and its app is free."""
    run_id = ask_with_timeout(app, 5)  # long enough for a slow machine to begin
    with monkeypatch.context() as here:
        at_step(here, "backup.reading", lambda: time.sleep(600))
        work_in_a_process()
    assert (("failed", "timed_out"), []) == (state_of(run_id), types_of_backups(app))
    direct.back_up(app)


def ask_with_timeout(app: App, timeout_s: int) -> str:
    """Ask for a backup that may take so long."""
    current().config.values["run_timeout_s"] = timeout_s  # type: ignore[index]  # a dict, for tests
    return ask("backup", app, None)


class Pickled:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f'touch "${MARK}"',)


def mark(*given: object) -> None:
    """Leave a mark: what no job may reach."""
    Path(os.environ[MARK]).touch()


HERE = f"{__name__}.mark"
CALLBACKS = {f"{when}_callback_name": HERE for when in ("success", "failure", "stopped")}
COMMAND = [f'touch "${MARK}"']


def call(name: object, *args: object, instance: object = None, **named: object) -> bytes:
    """Return a job's data as JSON."""
    return json.dumps([name, instance, args, named]).encode()


HOSTILE: dict[str, dict[str, Any]] = {
    "pickle": {"data": pickle.dumps(Pickled())},
    "pickle, packed": {"data": zlib.compress(pickle.dumps(("os.system", None, COMMAND, {})))},
    "pickled result and meta": {"data": call(FUNCTION, "n_none"), "result": pickle.dumps(Pickled()),
                                "meta": pickle.dumps(Pickled())},
    "names another function": {"data": call("os.system", *COMMAND)},
    "names ours": {"data": call(HERE)},
    "names nothing": {"data": call(None)},
    "names a method": {"data": call(FUNCTION, "n_none", instance="os")},
    "name is no text": {"data": call(["os.system"], *COMMAND)},
    "callbacks of a job that does nothing": {"data": call(FUNCTION, "n_none"), **CALLBACKS},
    "callbacks of a job that fails": {"data": call(FUNCTION, 42), **CALLBACKS},
    "callbacks of a job that is not ours": {"data": call("os.system", *COMMAND), **CALLBACKS},
    "a number for an id": {"data": call(FUNCTION, 42)},
    "a list for an id": {"data": call(FUNCTION, ["n_none"])},
    "named arguments": {"data": call(FUNCTION, config=HERE)},
    "too many arguments": {"data": call(FUNCTION, "a", "b", "c")},
    "an object": {"data": b"{}"},
    "null": {"data": b"null"},
    "no JSON": {"data": b"\xff\xfe\x00"},
    "nothing": {"data": b""},
    "times that are none": {"data": call(FUNCTION, "n_none"), "created_at": "yesterday", "timeout": "never"},
    "a status that is none": {"data": call(FUNCTION, "n_none"), "status": "owned"},
    "a text for a number": {"data": call(FUNCTION, "n_none"), "result_ttl": "long"},
    "no data": {"origin": QUEUE},
}


def plant(connection: Any, job_id: str, fields: dict[str, Any]) -> None:
    """Put a job into the queue as somebody does who can write to Redis."""
    if fields:
        connection.hset(f"rq:job:{job_id}", mapping={"origin": QUEUE, "status": "queued", **fields})
    connection.rpush(f"rq:queue:{QUEUE}", job_id)


def test_planted_jobs_do_nothing_and_the_worker_goes_on(
        sqlite_server: Flask, home: Path, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickles, other functions, callbacks, addresses to call, wrong arguments, unreadable ones: then a good one is done."""
    from tests.conftest import made_organization

    monkeypatch.setenv(MARK, str(home / "mark"))
    use_queue(queue_url)
    connection = Redis.from_url(queue_url)
    connection.flushall()
    for number, fields in enumerate(HOSTILE.values()):
        plant(connection, f"planted-{number}", fields)
    plant(connection, "nothing-there", {})
    with socket.create_server(("127.0.0.1", 0)) as listener, made_organization("Example"):
        listener.setblocking(False)
        for status in ("finished", "failed"):
            plant(connection, f"hook-{status}", _with_webhook(status, listener.getsockname()[1]))
        with transaction():
            app = apps.create("Sales", "system")
        run_id = ask("backup", fill(app), None)
        work_in_a_process()
        assert ("succeeded", None) == state_of(run_id)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not (home / "mark").exists()
    assert 0 == connection.llen(f"rq:queue:{QUEUE}")


def _with_webhook(status: str, port: int) -> dict[str, Any]:
    """Return a job that has an address called at its end."""
    hook = {"url": f"http://127.0.0.1:{port}/", "job_status": status, "timeout": 1}
    return {"data": call(FUNCTION, "n_none" if status == "finished" else 42), "webhooks": json.dumps([hook])}


def test_a_worker_waits_for_a_queue_that_is_away(server: Flask, app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that starts before there is a queue, and one that is busy when the queue goes away, come back and go on."""
    own = read_config({}, home=str(home))
    use_queue(own.queue_url)
    app = fill(app)
    app_id = app.id
    at_step(monkeypatch, "backup.read", pausing(home))
    with worker(burst=False) as pid:
        with valkey.running(own) as process:
            run_id = ask("backup", app, None)
            paused(home)
            process.kill()
            process.wait()
        go_on(home)
        wait_until_ended(run_id)
        shutil.rmtree(home / "valkey")
        with valkey.running(own):
            again = ask("backup", apps.find(app_id), None)
            wait_until_ended(again)
            assert alive(pid)
    assert ("succeeded", None) == state_of(run_id) == state_of(again)


def wait_until_ended(run_id: str) -> None:
    """Return once a run has ended."""
    for _ in patience("the run to end"):
        db.session.rollback()
        if state_of(run_id)[0] not in ("queued", "running"):
            return


def test_a_queue_that_takes_all_and_answers_nothing_holds_up_nobody(
        sqlite_server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a run is answered, the run waits, and the queue is left alone for a while."""
    monkeypatch.setattr(sending, "ANSWER_S", 0.2)
    monkeypatch.setattr(sending, "_hung", {"until": 0.0})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_queue(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        run_id = ask("backup", app, None)
        silent.settimeout(5)
        silent.accept()
        assert ("queued", None) == state_of(run_id)
        with moved(RESEND_AFTER_S + 1):
            recover()
        silent.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent.accept()
