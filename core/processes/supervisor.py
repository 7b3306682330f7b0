"""`appkeep up`: Valkey, web, workers and clock as children that live and die with this process.

All but Valkey are its forks: the program is loaded once, and its memory is shared.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from urllib.error import URLError

from core.base.config import Config
from core.base.errors import AppkeepError
from core.processes import valkey
from core.processes.children import LOOK_S, WELL_AFTER_S, backoff_s, start
from core.processes.crew import Fork
from core.processes.scheduler import run_clock
from core.processes.web import run_web
from core.processes.worker import run_worker

STOP_S = 20
READY_S = 30


@dataclass
class Child:
    """A process to keep running: *start* begins it."""

    name: str
    start: Callable[[], subprocess.Popen[bytes] | Fork]
    process: subprocess.Popen[bytes] | Fork | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = field(default=0.0)


def up(config: Config, say: Callable[[str], None], greeting: Callable[[], Iterable[str]] = tuple) -> None:
    """Start everything, say when it is ready, keep it running, and stop all of it on a signal.

    Args:
        config: The settings.
        say: Takes each line that people read.
        greeting: Gives lines to say after the address, once all is ready.

    Raises:
        AppkeepError: it does not come up; the message says which part.
    """
    _check_port(config)
    with nullcontext() if config.redis_url else valkey.held(config):
        _up(config, say, greeting)


def _up(config: Config, say: Callable[[str], None], greeting: Callable[[], Iterable[str]]) -> None:
    children = _children(config)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        for child in children:
            _launch(child)
            if isinstance(child.process, subprocess.Popen):
                valkey.wait_for(config, child.process)
            say(f"{child.name}: process {child.process.pid if child.process else '?'}")
        _wait_until_ready(config, children, stop)
        say("ready")
        for line in (f"Open {config.address} in a browser.", *greeting()):
            say(line)
        while not stop.wait(LOOK_S):
            for child in children:
                _keep(child, say)
    finally:
        _stop(children)


def _check_port(config: Config) -> None:
    """Refuse to start where somebody else answers already: their answer would be taken for ours."""
    with socket.socket(socket.AF_INET6 if ":" in config.web_host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.web_host, config.web_port))
        except OSError as error:
            raise AppkeepError(f"Port {config.web_port} of {config.web_host} cannot be used ({error.strerror}). "
                               "Set APPKEEP_WEB_PORT to another port.") from error


def _children(config: Config) -> list[Child]:
    children = [] if config.redis_url else [Child("valkey", lambda: start(valkey.command(config)))]  # whose folder may be gone
    works: dict[str, Callable[[Config], None]] = {"web": run_web}
    works |= {f"worker {n + 1}": run_worker for n in range(config.worker_processes)}
    works["clock"] = run_clock
    return [*children, *(Child(name, partial(Fork, partial(_work, run, config))) for name, run in works.items())]


def _work(run: Callable[[Config], None], config: Config) -> None:
    """Do a child's work as a process of its own would that was started by name."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        run(config)
    except (AppkeepError, OSError) as error:
        sys.exit(f"Error: {error}")


def _launch(child: Child) -> None:
    child.process, child.started = child.start(), time.monotonic()


def _keep(child: Child, say: Callable[[str], None]) -> None:
    """Start a child that ended again, waiting longer each time that it ends soon."""
    now = time.monotonic()
    if child.process is not None and (code := child.process.poll()) is not None:
        child.failures = 1 if now - child.started > WELL_AFTER_S else child.failures + 1
        child.next_start, child.process = now + backoff_s(child.failures), None
        say(f"{child.name} ended with status {code}; it is started again")
    if child.process is None and now >= child.next_start:
        _launch(child)


def _wait_until_ready(config: Config, children: list[Child], stop: threading.Event) -> None:
    deadline = time.monotonic() + READY_S
    while not stop.is_set():
        ended = next((c for c in children if c.process is not None and c.process.poll() is not None), None)
        if ended is not None:
            raise AppkeepError(f"{ended.name} did not start; see its output above.")
        try:
            with urllib.request.urlopen(f"http://{config.web_host}:{config.web_port}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
        if time.monotonic() > deadline:
            raise AppkeepError(f"The web server did not answer within {READY_S} seconds.")


def _stop(children: list[Child]) -> None:
    """Stop in the order opposite to starting; a worker may end its job first, within bounds."""
    for child in reversed(children):
        if child.process is None or child.process.poll() is not None:
            continue
        # Told twice, a worker ends its job's process too, which would outlive a worker that is killed.
        for wait_s in (STOP_S, 5):
            child.process.terminate()
            try:
                child.process.wait(wait_s)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            child.process.kill()
            child.process.wait()
