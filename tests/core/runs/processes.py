"""Workers as processes of their own: the real worker and its work-horse, forked from the test instead of started anew.

A fork costs no start of Python, and faults that a test has put into the program are in the worker too.
"""

from __future__ import annotations

import contextvars
import os
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.base.config import SETTINGS, Config, read_config
from core.base.db import db
from core.processes.worker import run_worker
from core.server import server

PATIENCE_S = 60
"""So long a test waits for what should happen soon; nothing depends on how long it takes."""


def work_in_a_process(**settings: object) -> None:
    """Let a worker, with this server's settings but for those given, take jobs until there are none."""
    with worker(**settings) as pid:
        wait_for_end(pid)


@contextmanager
def worker(*, burst: bool = True, **settings: object) -> Iterator[int]:
    """Start a worker that in a *burst* ends when there are no more jobs, and give its process id; killed when the block ends."""
    environment = environment_of(server().config, settings)
    # SQLite's locks do not survive a fork: nothing may be open.
    db.session.remove()
    db.engine.dispose()
    pid = os.fork()
    if pid == 0:
        contextvars.Context().run(_be_a_worker, environment, burst)
    try:
        yield pid
    finally:
        end(pid)


def environment_of(config: Config, changed: dict[str, object]) -> dict[str, str]:
    return {setting.variable: str(changed.get(setting.name, config.values[setting.name])) for setting in SETTINGS}


def _be_a_worker(environment: dict[str, str], burst: bool) -> None:
    try:
        os.setpgid(0, 0)
        os.environ.update(environment)
        run_worker(read_config(), burst=burst)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def wait_for_end(pid: int) -> None:
    """Return once a worker has ended."""
    for _ in patience(f"the worker {pid} to end"):
        if _ended(pid):
            return


def orphan(pid: int) -> None:
    """Kill a worker's process alone; those that it has started live on."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def end(pid: int) -> None:
    """Kill a worker's process and those that it has started, if it is still there, and return once they are gone."""
    if _ended(pid):
        return
    family = children(pid)
    for one in family:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    orphan(pid)
    for _ in patience("the worker's processes to be gone"):
        if not any(alive(one) for one in family):
            return


def _ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end while we look
            found += map(int, (task / "children").read_text().split())
    return found


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def patience(what: str) -> Iterator[None]:
    """Yield again and again until the caller has seen what it waits for.

    Raises:
        AssertionError: it did not come.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")
