"""What goes wrong in the course of the day, one after the other; each says when it began and when all was well again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from bench.day.machine import Machine, family

AWAY_S = 8
FROZEN_S = 25
AGAIN_S = 20
"""So long after a part is back a page may still say that it is away: a web server starts, connections are made anew."""
CALM_S = 8


def faults(machine: Machine, stop: threading.Event) -> Iterator[tuple[str, float, float]]:
    """Do one fault after the other and yield its name, its beginning and its end with the time to recover."""
    every = list(_every(machine))
    while not stop.is_set():
        for name, begin, end in every:
            if stop.wait(CALM_S):
                return
            began = time.time()
            begin()
            stop.wait(FROZEN_S if "frozen" in name else AWAY_S if end is not None else 0)
            if end is not None:
                end()
            yield name, began, time.time() + AGAIN_S


def _every(machine: Machine) -> Iterator[tuple[str, Callable[[], None], Callable[[], None] | None]]:
    for part, way in machine.ways.items():
        yield f"{part} away", lambda way=way: way.be("away"), lambda way=way: way.be("open")
        yield f"{part} hung", lambda way=way: way.be("hung"), lambda way=way: way.be("open")
        yield "worker killed", lambda: _kill(machine, "worker-1"), None
    yield "database restarted", machine.restart_database, None
    yield "queue killed", lambda: machine.processes["valkey"].tell(signal.SIGKILL), None
    yield "work-horse killed", lambda: _kill_horse(machine, "worker-2"), None
    yield "worker frozen", lambda: _freeze(machine, "worker-1", signal.SIGSTOP), lambda: _freeze(machine, "worker-1", signal.SIGCONT)
    yield "clock killed", lambda: machine.processes["clock-1"].tell(signal.SIGKILL), None
    yield "web killed", lambda: machine.processes["web"].tell(signal.SIGKILL), None


def _kill(machine: Machine, name: str) -> None:
    running = machine.processes[name].running
    for pid in [running.pid, *family(running.pid)] if running else []:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _kill_horse(machine: Machine, name: str) -> None:
    """Kill what does the work; the youngest of a worker's family."""
    running = machine.processes[name].running
    for pid in (family(running.pid) if running else [])[-1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _freeze(machine: Machine, name: str, number: int) -> None:
    running = machine.processes[name].running
    for pid in [running.pid, *family(running.pid)] if running else []:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
