"""`appkeep up` with its real processes: a worker killed in the middle is noticed, replaced, and the run succeeds."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.api import apps, db, transaction
from core.base.config import read_config
from core.processes import supervisor, valkey
from core.runs.service import find
from tests.conftest import fresh_database, made_organization, opened_server
from tests.core.runs.making import ask, types_of_backups
from tests.core.runs.processes import alive, children, patience

NOTICED_S = 30
START_S = 5
"""A generous bound for a Python process to start."""
SLOW_PLUGIN = '''
    """Holds whoever reads the app for as long as a file is there."""

    import os
    import time
    from pathlib import Path

    from core.api import Component, hookimpl

    HOLD = Path(os.environ["APPKEEP_HOME"]) / "hold"


    class Slow(Component):
        name, title = "slow", "Slow"

        def serialize(self, app, snapshot):
            while HOLD.exists():
                HOLD.with_name("held").touch()
                time.sleep(0.05)
            return iter(())


    @hookimpl
    def register_component():
        return Slow()
'''


STARTED: dict[str, str] = {}
"""What `appkeep up` said: which process does what."""


def test_by_default_a_dead_worker_is_noticed_within_thirty_seconds() -> None:
    """At worst it dies right after a heartbeat and right after the clock's look; its successor starts meanwhile."""
    config = read_config({})
    handed_on_s = config.lease_s + config.clock_tick_s
    successor_s = supervisor.LOOK_S + supervisor.backoff_s(1) + START_S
    assert max(handed_on_s, successor_s) <= NOTICED_S
    assert 3 * config.clock_tick_s <= config.lease_s


def test_valkey_is_started_again_where_its_folder_is_gone(home: Path) -> None:
    """Nothing in it needs a copy, so that somebody may remove it: it is made anew at each start."""
    config = read_config({}, home=str(home))
    queue = supervisor._children(config)[0]
    for _ in range(2):
        process = queue.start()
        assert isinstance(process, subprocess.Popen)
        try:
            valkey.wait_for(config, process)
        finally:
            process.kill()
            process.wait()
        shutil.rmtree(config.queue_socket_path.parent)
        shutil.rmtree(home / "valkey", ignore_errors=True)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The environment of a server in the home, with the slow plugin installed beside it."""
    beside = home / "beside"
    info = beside / "slow-1.0.dist-info"
    info.mkdir(parents=True)
    (beside / "slow_plugin.py").write_text(textwrap.dedent(SLOW_PLUGIN))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[appkeep.plugins]\nslow = slow_plugin\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("APPKEEP_")}
    return {**own, "APPKEEP_HOME": str(home), "APPKEEP_WEB_PORT": str(port), "APPKEEP_LEASE_S": "3",
            "APPKEEP_CLOCK_TICK_S": "1", "PYTHONPATH": str(beside)}


@contextmanager
def up(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run `appkeep up` as long as the block does, and prove that it takes all its processes with it."""
    process = subprocess.Popen([sys.executable, "-m", "core.cli", "up"], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said = ""
        while "ready\n" not in said:
            line = process.stdout.readline() if process.stdout else ""
            assert line, f"it ended: {said}"
            said += line
        STARTED.clear()
        STARTED.update(re.findall(r"^(\w+)(?: \d+)?: process (\d+)$", said, re.M))
        yield process
        family = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(60)
        assert [] == [pid for pid in family if alive(pid)]
    finally:
        process.kill()
        process.wait()


def test_a_backup_whose_worker_is_killed_with_its_work_horse_succeeds(
        home: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> None:
    """Supervisor, clock, queue and a new worker do it without anybody's help."""
    url = fresh_database("sqlite", home, request)
    with up(environment) as process:
        for _ in opened_server(home, url):
            with made_organization("Example"):
                (home / "hold").touch()
                with transaction():
                    app = apps.create("Sales", "system")
                run_id = ask("backup", app, None)
                kill_both(process.pid, home)
                (home / "hold").unlink()
                wait_for_run(run_id)
                assert (2, "succeeded") == (find(run_id).attempt, find(run_id).state)
                assert ["manual"] == types_of_backups(app)


def test_a_second_one_in_the_same_folder_is_refused(home: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> None:
    """It would take the queue from the first, also on a port of its own; afterwards the folder is free."""
    url = fresh_database("sqlite", home, request)
    other = {**environment, "APPKEEP_WEB_PORT": str(int(environment["APPKEEP_WEB_PORT"]) + 1)}
    with up(environment) as process:
        refused = subprocess.run([sys.executable, "-m", "core.cli", "up"], env=other, text=True, capture_output=True, timeout=120)
        assert (1, True) == (refused.returncode, f"(process {process.pid}), whose queue lies there" in refused.stderr)
        for _ in opened_server(home, url):
            with made_organization("Example"):
                with transaction():
                    app = apps.create("Sales", "system")
                wait_for_run(ask("backup", app, None))
                assert ["manual"] == types_of_backups(app)
    with up(environment):
        pass


def wait_for_run(run_id: str) -> None:
    """Return once a run has ended."""
    for _ in patience("the run to end"):
        db.session.rollback()  # or the session goes on seeing the moment of its first look
        if find(run_id).state not in ("queued", "running"):
            return


def kill_both(supervisor_pid: int, home: Path) -> None:
    """Kill the worker and its work-horse once that is in the middle of a backup."""
    for _ in patience("the backup to be in the middle"):
        if (home / "held").exists():
            break
    worker = process_called("worker", supervisor_pid)
    lanes = children(worker)
    (horse,) = (pid for lane in lanes for pid in children(lane))
    assert not any(holds_open(pid, "appkeep.db") for pid in (worker, *lanes)), "a worker that forks may hold no SQLite database open"
    assert holds_open(horse, "appkeep.db")
    for pid in (worker, *lanes, horse):
        os.kill(pid, signal.SIGKILL)


def process_called(verb: str, parent: int) -> int:
    """Return the child that does a verb."""
    found = int(STARTED[verb])
    assert found in children(parent)
    return found


def holds_open(pid: int, name: str) -> bool:
    """Say whether a process has a file of that name open."""
    links: list[str] = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we look
            links.append(os.readlink(link))
    return any(re.search(rf"/{re.escape(name)}\b", link) for link in links)
