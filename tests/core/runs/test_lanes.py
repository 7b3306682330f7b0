"""The two lanes of the queue: short runs pass long ones, in processes of their own; what waits says for what."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from redis import Redis
from rq.serializers import JSONSerializer
from rq.utils import now
from sqlalchemy import update

from core.api import App, apps, db, direct, transaction
from core.backups import requests
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.backups.plan import Options
from core.backups.size_estimate import RECORD_BYTES, size_of_app
from core.base.config import read_config
from core.base.db import database_now
from core.base.errors import PluginFailed, TooManyRuns
from core.base.time import moved, now_us
from core.cli.main import main
from core.extension.run_kind import MIB
from core.processes import valkey
from core.processes.worker import PatientWorker, RunJob
from core.runs.lanes import lane_of, waits_since
from core.runs.models import EXPRESS, GENERAL, RESEND_AFTER_S, Run
from core.runs.queue import connection, queue
from core.runs.service import cancel, find, recover, request, work
from core.server import server as current
from tests.conftest import made_organization
from tests.core.runs.faults import at_step, go_on, paused, pausing
from tests.core.runs.making import ask, fill, state_of
from tests.core.runs.processes import alive, children, environment_of, patience, wait_for_end, work_in_a_process, worker
from tests.core.runs.test_queue import use_queue, wait_until_ended

STARTED = 1_790_000_520_000_000


@pytest.mark.parametrize(("kind", "size", "lane"), [
    ("backup", 0, EXPRESS), ("backup", 8 * MIB, EXPRESS), ("backup", 8 * MIB + 1, GENERAL), ("backup", None, GENERAL),
    ("restore", 0, EXPRESS), ("restore", 8 * MIB, GENERAL), ("restore_as_new", 0, EXPRESS),
    ("check", MIB, EXPRESS), ("check", None, GENERAL), ("check", 17 * MIB, GENERAL), ("upload", MIB, EXPRESS),
    ("upload", 8 * MIB, GENERAL), ("import", 0, GENERAL), ("import_preview", 0, GENERAL), ("collect", 0, GENERAL)])
def test_the_lane_follows_from_the_kind_and_the_size(server: Flask, kind: str, size: int | None, lane: str) -> None:
    """Small ones are short; imports, and what nobody knows the size of, are long."""
    assert lane == lane_of(kind, size)


def test_a_run_of_a_kind_that_no_plugin_brings_fails_in_words(server: Flask, app: App) -> None:
    """It cannot be asked for; one that was asked for while its plugin was there ends, and frees its app."""
    with pytest.raises(PluginFailed, match="Nothing here does runs of the kind “polish”"):
        request("polish", app, {}, "system", send=False)
    run_id = ask("check", app, direct.back_up(app), send=False)
    with transaction():
        db.session.execute(update(Run).where(Run.id == run_id).values(kind="polish"))
    work(run_id)
    assert "failed" == state_of(run_id)[0] and "Install the plugin" in (find(run_id).error_message or "")
    assert find(run_id).announced_at is not None


def grown(backup: Backup, size: int) -> Backup:
    """Let a backup be as large as that."""
    with transaction():
        db.session.execute(update(Backup).where(Backup.id == backup.id).values(raw_bytes=size))
    return find_backup(backup.id)


def lane(run_id: str) -> str:
    """Return the lane that a run was given."""
    with transaction():
        found = find(run_id).lane
        db.session.execute(update(Run).where(Run.id == run_id).values(state="cancelled", exclusive_app_id=None, ended_at=now_us()))
    return found


def test_what_is_asked_for_has_the_lane_of_its_size(server: Flask, app: App) -> None:
    """The last backup tells how large the app is; of one without any, its records. Configuration alone is always short."""
    app = fill(app)
    assert RECORD_BYTES * 9 == size_of_app(app)
    assert EXPRESS == lane(ask("backup", app, None))
    backup = direct.back_up(app)
    assert [EXPRESS] * 4 == [lane(ask(kind, app, backup)) for kind in ("backup", "restore", "restore_as_new", "upload")]
    backup = grown(backup, 100 * MIB)
    assert [GENERAL] * 3 == [lane(ask(kind, app, backup)) for kind in ("backup", "restore", "check")]
    assert EXPRESS == lane(without_data(lambda live: requests.request_backup(live, "system", data=False, name=None, send=True), app))
    options = Options(backup=backup.id, config=True, data=False)
    assert EXPRESS == lane(without_data(lambda live: requests.request_restore(live, find_backup(backup.id), options, "system", send=True), app))


def without_data(asked: Callable[[App], Run], app: App) -> str:
    """Ask for a run of the app and return its id."""
    with transaction():
        return asked(apps.find(app.id)).id


def test_a_run_is_sent_and_sent_again_in_its_lane(server: Flask, app: App) -> None:
    """The clock, too, knows where it belongs."""
    run_id = ask("backup", app, None)
    with moved(RESEND_AFTER_S + 1):
        assert [run_id] == recover()
    assert (0, 2) == (queue(current().config).count, queue(current().config, EXPRESS).count)


def long_run() -> str:
    """Ask for something long."""
    with transaction():
        return request("collect", None, {}, "system", send=True).id


def test_a_short_run_is_done_while_a_long_one_is_under_way(
        server: Flask, app: App, home: Path, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By real processes; a second long one waits meanwhile, and says since when the first goes on."""
    use_queue(queue_url)
    at_step(monkeypatch, "collect.begun", pausing(home))
    with worker(burst=False):
        first = long_run()
        paused(home)
        second, short = long_run(), ask("backup", app, None)
        wait_until_ended(short)
        assert [("succeeded", None), ("running", None), ("queued", None)] == [state_of(one) for one in (short, first, second)]
        assert find(first).started_at == waits_since(find(second))
        go_on(home)
        wait_until_ended(second)
    assert ("succeeded", None) == state_of(first) == state_of(second)


def test_several_short_runs_pass_those_that_wait(
        server: Flask, app: App, home: Path, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes take short runs first: one that holds the express lane leaves the other free for them."""
    use_queue(queue_url)
    at_step(monkeypatch, "backup.reading", pausing(home))
    with transaction():
        other = apps.create("Other", "system")
    with worker(burst=False):
        held = ask("backup", app, None)
        paused(home)
        passing = ask("backup", other, None)
        wait_until_ended(passing)
        assert "running" == state_of(held)[0]
        go_on(home)
        wait_until_ended(held)
    assert ("succeeded", None) == state_of(passing) == state_of(held)


def hands(pid: int) -> list[int]:
    """Return the two processes of a worker once both are there."""
    for _ in patience("the worker's two processes"):
        if len(found := children(pid)) == 2:
            return found
    return []


def test_a_process_of_a_lane_that_is_killed_is_started_again(server: Flask, app: App, queue_url: str) -> None:
    """Whichever it is; the worker takes jobs afterwards as before."""
    use_queue(queue_url)
    with worker(burst=False) as pid:
        before = hands(pid)
        for one in before:
            os.kill(one, signal.SIGKILL)
        for _ in patience("both to be started again"):
            if len(now := [one for one in children(pid) if alive(one)]) == 2 and not set(now) & set(before):
                break
        run_id = ask("backup", app, None)
        wait_until_ended(run_id)
    assert ("succeeded", None) == state_of(run_id)


def test_a_worker_that_is_told_to_stop_ends_both_lanes_and_the_job_first(
        server: Flask, app: App, home: Path, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way is done; nothing stays behind."""
    use_queue(queue_url)
    at_step(monkeypatch, "backup.reading", pausing(home))
    with worker(burst=False) as pid:
        family = hands(pid)
        run_id = ask("backup", app, None)
        paused(home)
        os.kill(pid, signal.SIGTERM)
        for _ in patience("the idle one to end"):
            if 1 == len([one for one in family if alive(one)]):
                break
        assert alive(pid) and "running" == state_of(run_id)[0]
        go_on(home)
        wait_for_end(pid)
        assert [] == [one for one in family if alive(one)]
    db.session.rollback()
    assert ("succeeded", None) == state_of(run_id)


def test_both_lanes_end_when_their_worker_is_killed(server: Flask, queue_url: str) -> None:
    """They are told by the system, however it died."""
    use_queue(queue_url)
    with worker(burst=False) as pid:
        family = hands(pid)
        os.kill(pid, signal.SIGKILL)
        for _ in patience("both to end"):
            if not any(alive(one) for one in family):
                return


def under_way(lane_: str, started: int, **values: object) -> str:
    """Return a run that a worker is doing."""
    with transaction():
        run = request("collect", None, {}, "system", send=True)
        db.session.execute(update(Run).where(Run.id == run.id).values(
            **{"state": "running", "lane": lane_, "started_at": started, "lease_until": database_now() + 10**9, **values}))
        return run.id


def waits(lane_: str, **values: object) -> int | None:
    """Return since when the run goes on that a queued one of a lane waits for."""
    run_id = under_way(lane_, 0, state="queued", lease_until=None, started_at=None, **values)
    return waits_since(find(run_id))


def test_what_waits_knows_since_when_another_organizations_run_goes_on(server: Flask, app: App) -> None:
    """Of its own lane first; a long run waits for short ones too, never a short one for long ones, and none for a run that is lost."""
    assert (None, None) == (waits(GENERAL), waits(EXPRESS))
    with made_organization("Other"):
        under_way(GENERAL, STARTED - 5, lease_until=1)
        under_way(GENERAL, STARTED - 4, sent_at=None)
        under_way(EXPRESS, STARTED + 1)
    assert (STARTED + 1, STARTED + 1) == (waits(GENERAL), waits(EXPRESS))
    with made_organization("Third"):
        under_way(GENERAL, STARTED + 2)
    assert (STARTED + 2, STARTED + 1) == (waits(GENERAL), waits(EXPRESS))
    assert (None, None) == (waits(GENERAL, not_before=1), waits(GENERAL, sent_at=None))


def test_the_command_line_says_what_a_run_waits_for(server: Flask, app: App) -> None:
    """In words and as JSON, without anybody's name."""
    with made_organization("Somebody Else"):
        under_way(EXPRESS, STARTED)
    ask("backup", app, None)
    environment = environment_of(current().config, {})
    told = CliRunner().invoke(main, ["runs", app.id], env=environment)
    since = datetime.fromtimestamp(STARTED / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "")
    assert f"queued  waiting for another job (started {since}" in told.output
    assert "Somebody" not in told.output
    listed = json.loads(CliRunner().invoke(main, ["runs", app.id, "--json"], env=environment).stdout)
    assert listed["runs"][0]["waits_since"].startswith(since)


def test_a_worker_ends_when_it_is_told_so_while_the_queue_is_away(server: Flask, home: Path) -> None:
    """It does not wait for the queue to say good-bye to it."""
    own = read_config({}, home=str(home))
    use_queue(own.queue_url)
    with worker(burst=False) as pid:
        with valkey.running(own) as process:
            for _ in patience("both to listen"):
                if 2 == len(Redis.from_url(own.queue_url).smembers("rq:workers")):
                    break
            process.kill()
            process.wait()
        family = hands(pid)
        os.kill(pid, signal.SIGTERM)
        wait_for_end(pid)
        assert not any(alive(one) for one in family)


def test_a_worker_whose_end_was_lost_takes_no_job(server: Flask, app: App, queue_url: str) -> None:
    """What a signal raises is thrown away where it comes while Python tidies up; the worker looks again before it takes a job."""
    use_queue(queue_url)
    config = current().config
    run_id = ask("backup", app, None)
    idle = PatientWorker([queue(config, lane, job_class=RunJob) for lane in (EXPRESS, GENERAL)], connection=connection(config),
                         serializer=JSONSerializer, job_class=RunJob)
    idle._shutdown_requested_date = now()
    assert not idle.work(burst=True, logging_level="WARNING")
    assert "queued" == state_of(run_id)[0]
    work_in_a_process()
    assert "succeeded" == state_of(run_id)[0]


def test_an_organization_has_only_so_many_long_runs_at_once(server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait for the same workers. What the clock asks for is not counted, nor what a command does itself; ended ones make room."""
    monkeypatch.setattr("core.runs.service._send", lambda *_: None)
    person = "u_1111111111"

    def asked(by: str, *, send: bool = True) -> str:
        with transaction():
            return request("import", None, {}, by, send=send).id

    with made_organization("Busy"):
        first, *_ = [asked(person) for _ in range(server.extensions["appkeep"].registry.run_kinds["import"].most_open)]
        with pytest.raises(TooManyRuns, match="already has 10 imports waiting or running"):
            asked(person)
        asked("system")
        asked(person, send=False)
        with transaction():
            cancel(find(first))
            db.session.execute(update(Run).where(Run.person == "system").values(state="succeeded", ended_at=1))
        asked(person)
    with made_organization("Other"):
        asked(person)
