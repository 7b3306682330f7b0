"""A queue of each test process's own, and a server that uses it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from core.base.config import read_config
from core.processes import valkey
from tests.conftest import opened_server


@pytest.fixture(scope="session")
def queue_url() -> Iterator[str]:
    """The URL of a running Valkey."""
    home = Path(tempfile.mkdtemp(prefix="appkeep-queue-"))
    config = read_config({}, home=str(home))
    with valkey.running(config):
        yield config.queue_url
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def server(database_url: str, home: Path, queue_url: str) -> Iterator[Flask]:
    """A server on each engine with an empty queue; backups may follow each other at once."""
    Redis.from_url(queue_url).flushall()
    yield from opened_server(home, database_url, redis_url=queue_url, backup_interval_s=0)
