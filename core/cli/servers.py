"""Verbs that run servers: up, web, worker, clock; and the list of settings."""

from __future__ import annotations

import logging
from typing import Any

import click

from core.app import create_app
from core.base.config import SETTINGS, Config, read_config
from core.base.db import db
from core.base.errors import AppkeepError
from core.base.whole_file import not_ours
from core.processes.schema import make_ready
from core.server import server

commands = click.Group()


def _greeting(config: Config) -> list[str]:
    with create_app(config).app_context():
        lines = [line for some in server().registry.hook.greet() for line in some]
        db.engine.dispose()
    return lines


def _prepared(*, waits: bool = True) -> Config:
    """Return the settings once the database has its schema; a process by itself *waits* for a database that is away."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    for name in ("rq", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        config = read_config()
        with create_app(config).app_context():
            make_ready(waits=waits)
    except PermissionError as error:
        raise click.ClickException(not_ours(error)) from error
    except AppkeepError as error:
        raise click.ClickException(_told(error)) from error
    return config


def _told(error: AppkeepError) -> str:
    return error.message if error.code == AppkeepError.code else f"{error.code}: {error.message}"


def _guarded(run: Any) -> None:
    try:
        run()
    except AppkeepError as error:
        raise click.ClickException(_told(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error


@commands.command("up")
def up() -> None:
    """Run everything in this terminal: queue, web, worker and clock."""
    from core.processes.supervisor import up as start_all

    config = _prepared(waits=False)
    _guarded(lambda: start_all(config, click.echo, lambda: _greeting(config)))


@commands.command("web")
def web() -> None:
    """Serve pages and the API."""
    from core.processes.web import run_web

    config = _prepared()
    _guarded(lambda: run_web(config))


@commands.command("worker")
def worker() -> None:
    """Run queued backups, restores, checks and imports."""
    from core.processes.worker import run_worker

    config = _prepared()
    _guarded(lambda: run_worker(config))


@commands.command("clock")
def clock() -> None:
    """Start scheduled work and recover runs whose worker died."""
    from core.processes.scheduler import run_clock

    config = _prepared()
    _guarded(lambda: run_clock(config))


@commands.command("settings")
def settings() -> None:
    """List the settings, each an environment variable."""
    for setting in SETTINGS:
        click.echo(f"{setting.variable:30} {setting.default!r:12} {setting.help}")
