"""The process that does jobs one after another: when it does the next one, and when there is a new one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, db, transaction
from core.processes import work_horse
from core.runs.service import request
from tests.core.runs.faults import at_step, go_on, paused, pausing
from tests.core.runs.making import state_of
from tests.core.runs.processes import alive, children, patience, wait_for_end, worker
from tests.core.runs.test_queue import use_queue, wait_until_ended

BEGUN = "collect.begun"
_left: ContextVar[str] = ContextVar("_left", default="")


@pytest.fixture
def server(sqlite_server: Flask) -> Flask:
    """A server on SQLite: what is tried here are processes, and other tests of runs have them on both databases."""
    return sqlite_server


@pytest.fixture
def done_by(app: App, home: Path, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The processes that did runs, in order."""
    use_queue(queue_url)
    at_step(monkeypatch, BEGUN, lambda: note(home))

    def noted() -> list[int]:
        return [int(line) for line in (home / "done_by").read_text().split()]

    return noted


def note(home: Path) -> None:
    """Write this process down."""
    with (home / "done_by").open("a") as file:
        file.write(f"{os.getpid()}\n")


def asked(count: int = 1) -> list[str]:
    """Ask for so many runs."""
    with transaction():
        return [request("collect", None, {}, "system", send=True).id for _ in range(count)]


def work_all(count: int) -> None:
    """Have a worker do so many runs, and see that they went well."""
    runs = asked(count)
    with worker() as pid:
        wait_for_end(pid)
    db.session.remove()
    assert [("succeeded", None)] * count == [state_of(one) for one in runs]


def test_runs_that_follow_one_another_share_a_process(server: Flask, done_by: Callable[[], list[int]]) -> None:
    """It is no process of the worker's own, and is gone when the worker is."""
    work_all(4)
    assert 4 == len(done_by()) and 1 == len(set(done_by()))
    assert not alive(done_by()[0])


@pytest.mark.parametrize(("limit", "value"), [("LONG_S", -1), ("GROWN_BYTES", -1), ("MOST_JOBS", 1)])
def test_a_process_ends_after_a_run_that_asked_much_of_it(
        server: Flask, done_by: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """It took long, or much memory, or there were many before it."""
    monkeypatch.setattr(work_horse, limit, value)
    work_all(3)
    assert 3 == len(set(done_by()))


def test_two_runs_of_two_share_a_process_where_two_may(
        server: Flask, done_by: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The third is done by another."""
    monkeypatch.setattr(work_horse, "MOST_JOBS", 2)
    work_all(3)
    first, second, third = done_by()
    assert first == second != third


def test_a_process_for_which_nothing_comes_ends(
        server: Flask, done_by: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run has a new one, and the worker waits for none."""
    monkeypatch.setattr(work_horse, "LINGER_S", 0.05)
    with worker(burst=False):
        wait_until_ended(*asked())
        for _ in patience("the process to end"):
            if not alive(done_by()[0]):
                break
        (second,) = asked()
        wait_until_ended(second)
    assert ("succeeded", None) == state_of(second) and 2 == len(set(done_by()))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_killed_or_hangs_while_it_waits_is_replaced(
        server: Flask, done_by: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch, how: signal.Signals) -> None:
    """No run is lost to it, and it does not come back."""
    monkeypatch.setattr(work_horse, "ANSWER_S", 0.5)
    monkeypatch.setattr(work_horse.LastingWorker, "_told", lambda _: os.kill(os.getpid(), how))
    with worker(burst=False):
        wait_until_ended(*asked())
        (second,) = asked()
        wait_until_ended(second)
        assert ("succeeded", None) == state_of(second) and 2 == len(set(done_by()))
        assert not alive(done_by()[0])


def test_a_process_that_dies_in_a_run_does_not_take_the_next_one_along(
        server: Flask, done_by: Callable[[], list[int]], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker hears of its end at once, and has another do what comes."""
    at_step(monkeypatch, BEGUN, pausing(home))
    with worker(burst=False):
        asked()
        paused(home)
        os.kill(done_by()[0], signal.SIGKILL)
        (second,) = asked()
        wait_until_ended(second)
    assert ("succeeded", None) == state_of(second) and 2 == len(set(done_by()))


def test_a_worker_that_is_told_to_stop_ends_the_process_that_waits(server: Flask, done_by: Callable[[], list[int]]) -> None:
    """Neither is there afterwards."""
    with worker(burst=False) as pid:
        wait_until_ended(*asked())
        os.kill(pid, signal.SIGTERM)
        wait_for_end(pid)
        assert not alive(done_by()[0])


def test_a_process_ends_by_itself_when_its_worker_is_killed(
        server: Flask, done_by: Callable[[], list[int]], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is under way goes on to its end."""
    at_step(monkeypatch, BEGUN, pausing(home))
    runs = asked()
    with worker() as pid:
        paused(home)
        (horse,) = children(pid)
        os.kill(pid, signal.SIGKILL)
        wait_for_end(pid)
        go_on(home)
        wait_until_ended(*runs)
        for _ in patience("the process to end"):
            if not alive(horse):
                break
    assert ("succeeded", None) == state_of(runs[0])


def test_what_a_run_leaves_in_its_context_is_not_there_for_the_next(
        server: Flask, done_by: Callable[[], list[int]], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As little as if each had a process of its own."""
    def look() -> None:
        with (home / "left").open("a") as file:
            file.write(f"{_left.get()}.")
        _left.set("something")

    at_step(monkeypatch, BEGUN, look)
    work_all(3)
    assert "..." == (home / "left").read_text() and 1 == len(set(done_by()))


def test_a_program_that_a_run_has_left_behind_holds_nobody_up(
        server: Flask, done_by: Callable[[], list[int]], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the line to the worker open, which hears all the same that the process has ended."""
    def leave() -> None:
        (home / "left").write_text(str(os.fork() or os.execvp("sleep", ["sleep", "600"])))

    at_step(monkeypatch, BEGUN, leave)
    monkeypatch.setattr(work_horse, "LONG_S", -1)
    try:
        work_all(2)
        assert 2 == len(set(done_by()))
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((home / "left").read_text()), signal.SIGKILL)
