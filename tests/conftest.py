"""Fixtures: real servers, and a server of Appkeep on each engine. Databases are copies of a migrated template."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from core.api import App, apps, as_server, as_tenant, transaction
from core.app import create_app
from core.backups import state
from core.base.config import read_config
from core.base.db import db
from core.extension import registry
from core.imports import previews
from core.storage.s3 import S3Store
from core.tenancy.migrate import ensure_schema
from core.testing.postgresql import PostgreSQL, quick_place
from tenants import passwords

ENGINES = tuple(os.environ.get("APPKEEP_TEST_DATABASES", "sqlite,postgresql").split(","))
# What is drawn is the same each time, so that a red run can be run again, and not much of it; `make search` draws anew, and more.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=30)
settings.register_profile("search", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("APPKEEP_TEST_DRAWS", "same"))
OWNER = "owner@example.org"
ROOT = Path(__file__).resolve().parents[1]
_numbers = itertools.count()


# Which plugins are installed does not change while tests run: to look takes as long as to make an application.
registry.entry_points = cache(registry.entry_points)
# How long a page waits for a file to be looked through. On a busy machine the looking, and with it a test, would depend on time.
previews.AT_ONCE_S = 120
# Whatever tests back up, plan or restore: what the log of changes gives is what reading everything gives.
state.COMPARE = True


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--fast``: leave the browser out, and the modules that `tests/slow.txt` names."""
    parser.addoption("--fast", action="store_true", help="Leave the browser out, and the modules in tests/slow.txt.")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what is slow, where that is asked for."""
    if not config.getoption("--fast"):
        return None
    name = str(collection_path.relative_to(ROOT)) if collection_path.is_relative_to(ROOT) else ""
    return True if name == "tests/browser" or name in (ROOT / "tests/slow.txt").read_text().split("\n") else None


class Compiled(BytecodeCache):
    """Keeps templates as they were compiled, by what their source says."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


def made_engine(make: Callable[..., Engine], *args: Any) -> Engine:
    """Make an engine that compiles no statement which another engine of its database has compiled: it takes a sixth of all tests' time."""
    engine = make(*args)
    if engine._compiled_cache is not None:
        engine._compiled_cache = _statements.setdefault(type(engine.dialect), LRUCache(3000))
    return engine


# Every test has a server of its own, and all of them the same templates and statements: each is compiled once.
Flask.jinja_options = {"bytecode_cache": Compiled()}
_statements: dict[type, LRUCache[Any, Any]] = {}
for dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):  # a statement is kept by its dialect: all of a database are one
    dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
db._make_engine = partial(made_engine, db._make_engine)  # type: ignore[method-assign]
# Tests of this process keep passwords as weakly as can be: a strong hash takes a tenth of a second, thousands of times.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this test session's own."""
    with PostgreSQL.running() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy."""
    home = tmp_path_factory.mktemp("template")
    migrate(str(home), "")
    return home / "appkeep.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    url = postgresql.create("template_appkeep")
    migrate(str(tmp_path_factory.mktemp("pg-template")), url)
    return "template_appkeep"


def migrate(home: str, url: str) -> None:
    """Bring a new database to the newest schema and let go of it; a test that is first to need it may have plugins of strangers installed."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(registry, "entry_points", lambda group: [])
        app = create_app(read_config({}, home=home, database_url=url))
        with app.app_context():
            ensure_schema()
            db.engine.dispose()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each database engine in turn."""
    return str(request.param)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home folder, gone after the test."""
    folder = Path(tempfile.mkdtemp(prefix="appkeep-test-", dir=quick_place()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(engine: str, home: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database; empty for SQLite in the home."""
    return fresh_database(engine, home, request)


def fresh_database(engine: str, home: Path, request: pytest.FixtureRequest) -> str:
    """Make a migrated, empty database and return its URL; empty for SQLite in the home."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), home / "appkeep.db")
        return ""
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    request.addfinalizer(lambda: server.drop(name))
    return server.create(name, template)


@pytest.fixture
def server(database_url: str, home: Path) -> Iterator[Flask]:
    """A server on each engine, its application context open."""
    yield from opened_server(home, database_url)


@pytest.fixture
def sqlite_server(home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server on SQLite, for what does not depend on the engine."""
    yield from opened_server(home, fresh_database("sqlite", home, request))


def opened_server(home: Path, database_url: str, **settings: object) -> Iterator[Flask]:
    """Give a server with its application context open."""
    app = create_app(read_config({}, home=str(home), database_url=database_url, **settings))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a place in a new bucket, as APPKEEP_STORE_URL has it."""
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_DEFAULT_REGION", "us-east-1"),
                        ("APPKEEP_S3_ENDPOINT_URL", s3)):
        monkeypatch.setenv(name, value)
    store = S3Store(f"bucket-{os.getpid()}-{next(_numbers)}", "some/prefix")
    store.client.create_bucket(Bucket=store.bucket)
    return f"s3://{store.bucket}/{store.prefix.rstrip('/')}"


@pytest.fixture
def organization(server: Flask) -> Iterator[str]:
    """The id of an organization, seen as its tenant."""
    with made_organization("Example") as found:
        yield found


def made_organization(name: str):  # type: ignore[no-untyped-def]
    """Make an organization and give it as tenant."""
    from tenants import service

    with as_server(), transaction():
        found = service.create_organization(name, OWNER).id
    return _Opened(found)


class _Opened:
    def __init__(self, organization_id: str) -> None:
        self.organization_id, self.scope = organization_id, as_tenant(organization_id)

    def __enter__(self) -> str:
        self.scope.__enter__()
        return self.organization_id

    def __exit__(self, *error: object) -> None:
        self.scope.__exit__(*error)  # type: ignore[arg-type]


@pytest.fixture
def app(organization: str) -> App:
    """An app with what every app starts with."""
    with transaction():
        return apps.create("Sales", "system")
