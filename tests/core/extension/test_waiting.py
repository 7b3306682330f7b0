"""Built-in plugins that wait have the hooks that their modules have; a command that only looks something up imports little."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from core.api import as_server, create_app, read_config, transaction
from core.app import OWN
from core.base.db import Base, db
from core.extension.hookspecs import PROJECT
from core.extension.registry import DEFAULT_PLUGINS, load_plugins
from core.extension.waiting import Waiting
from core.tenancy import row_security
from tenants import service

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("core.web", "core.backups.create", "plugins.worksheets.component", "plugins.pages.component", "rq", "redis", "jsonschema",
         "psycopg", "cryptography", "tenants.web", "alembic")


def hooks_of(names: tuple[str, ...], *, waiting: bool) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return what is registered: (module, hook) -> its arguments and how it is called."""
    manager = load_plugins(names, own=OWN, strangers=False, waiting=waiting).manager
    return {(one.plugin_name, caller.name): (one.argnames, one.tryfirst, one.trylast, one.wrapper)
            for plugin in manager.get_plugins() for caller in manager.get_hookcallers(plugin) or () for one in caller.get_hookimpls()}


def test_the_hooks_are_the_same() -> None:
    """Found in a module's text or in the module: all of them, with their arguments."""
    assert hooks_of(DEFAULT_PLUGINS, waiting=False) == hooks_of(DEFAULT_PLUGINS, waiting=True)


@pytest.mark.parametrize("name", DEFAULT_PLUGINS)
def test_the_migrations_lie_where_they_are_said_to_be(name: str) -> None:
    """What needs no module is told without it, and rightly."""
    waiting, module = Waiting(name), import_module(name)
    assert hasattr(waiting, "register_migrations") == hasattr(module, "register_migrations")
    if hasattr(module, "register_migrations"):
        assert module.register_migrations() == waiting.register_migrations()


def test_a_decorated_function_that_is_no_hook_is_none() -> None:
    """Only what is marked counts."""
    marked = [one for one in vars(Waiting("tenants.plugin")).values() if getattr(one, PROJECT + "_impl", None)]
    assert len(marked) > 10


def test_an_empty_database_is_made_whole_by_a_command_that_knows_little(engine: str, home: Path, request: pytest.FixtureRequest) -> None:
    """All tables of all plugins, and on PostgreSQL each of them behind the second wall."""
    url = "" if engine == "sqlite" else request.getfixturevalue("postgresql").create(f"bare_{os.getpid()}")
    ended = subprocess.run([sys.executable, "-m", "core.cli", "app", "list", "--org", "Acme"], cwd=ROOT, text=True, capture_output=True,
                           check=False, env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": url, "PATH": ""})
    assert ended.stderr.startswith("not_found: Unknown organization “Acme”."), ended.stderr
    app = create_app(read_config({}, home=str(home), database_url=url))
    with app.app_context(), as_server():
        there = set(inspect(db.engine).get_table_names())
        assert {mapper.local_table.description for mapper in Base.registry.mappers} <= there
        with db.engine.connect() as connection:
            assert {} == (row_security._unguarded(connection) if engine == "postgresql" else {})
        db.engine.dispose()


def test_the_list_of_apps_imports_little(sqlite_server: Flask, home: Path) -> None:
    """No page, no component, nothing of the queue: as much as a row's name needs."""
    with transaction():
        service.create_organization("Acme", "ada@example.org")
    db.session.remove()
    code = ("import json, sys; from core.cli.main import main; main(['app', 'list', '--org', 'Acme', '--json'], standalone_mode=False); "
            f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))")
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True,
                           env={"APPKEEP_HOME": str(home), "PATH": ""})
    assert ['{"apps": []}', "[]"] == ended.stdout.splitlines(), ended.stderr
