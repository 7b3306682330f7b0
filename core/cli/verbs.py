"""What all verbs share: the application around them, --json, errors as a sentence and a code, the exit status."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from typing import Any

import click

from core.app import create_app
from core.backups.inline import ended_well
from core.base.db import db, transaction
from core.base.errors import AppkeepError
from core.base.ids import SYSTEM
from core.base.time import iso
from core.cli.bar import Bar, bar
from core.extension.registry import load_plugins
from core.objects.reader import note_lost
from core.runs.lanes import waits_since
from core.runs.models import Run
from core.runs.service import find, report_of, work
from core.server import server
from core.tenancy.migrate import ensure_schema

POLL_S = 0.3
Result = Mapping[str, Any]
Show = Callable[[Any], Iterable[str]]


def plainly(result: Result) -> Iterable[str]:
    """Yield a result as lines of "name: value"."""
    for name, value in result.items():
        yield f"{name}: {value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)}"


def verb(group: click.Group, name: str, *, show: Show = plainly) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a verb: run inside the application, its result shown or given as JSON.

    An `AppkeepError` ends the process with status 1, its code and sentence on standard error and in the object.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(as_json: bool, **given: Any) -> None:
            try:
                with _own_output(as_json=as_json), create_app().app_context(), _noting_lost():
                    ensure_schema()
                    result = function(**given)
            except AppkeepError as error:
                _refuse(error, as_json=as_json)
            if as_json:
                click.echo(json.dumps(result, ensure_ascii=False))
            else:
                for line in show(result):
                    click.echo(line)

        flag = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
        return group.command(name, help=function.__doc__)(flag(run))

    return decorate


def _own_output(*, as_json: bool) -> AbstractContextManager[object]:
    """Send what plugins and libraries print to standard error, where standard output is to be one object."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


@contextmanager
def _noting_lost() -> Iterator[None]:
    try:
        yield
    except AppkeepError as error:
        note_lost(error)
        raise


def _refuse(error: AppkeepError, *, as_json: bool) -> None:
    click.echo(f"{error.code}: {error.message}", err=True)
    if as_json:
        click.echo(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    sys.exit(1)


def person_of(email: str | None) -> str:
    """Return the id of who acts: the person of that email, or the system itself."""
    return SYSTEM if email is None else server().registry.hook.find_person(email=email)


def as_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --as, the email of who acts."""
    return click.option("--as", "email", metavar="EMAIL", help="Act as this person (default: the system).")(function)


def worker_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --worker, which hands the work to a worker and waits."""
    return click.option("--worker", is_flag=True, help="Let a worker do it, and wait for it.")(function)


def done(ask: Callable[[bool], Run], *, worker: bool) -> dict[str, Any]:
    """Ask for a run, see it to its end here or in a worker, and return {"run", "state", "report"}.

    Args:
        ask: Makes the run; its argument says whether to wake a worker.

    Raises:
        AppkeepError: the run failed or was cancelled; with its code and sentence.
    """
    with transaction():
        run = ask(worker)
        run_id, kind = run.id, run.kind
    with bar(kind) as shown:
        ended = _wait(run_id, shown) if worker else work(run_id)
        if ended is None:
            ended = _wait(run_id, shown)
    ended_well(ended)
    return {"run": run_id, "state": ended.state, "report": report_of(ended)}


def _wait(run_id: str, drawn: Bar | None) -> Run:
    shown = ""
    while True:
        run = find(run_id)
        if drawn is not None and run.state == "running":
            drawn.show(run.phase, run.done, run.total)
        line = f"{run.state} {run.phase} {run.done}/{run.total}" if run.total else f"{run.state} {run.phase}"
        if (since := waits_since(run)) is not None:
            line = f"{run.state}, {waiting(iso(since))}"
        if line != shown and (drawn is None or run.state == "queued"):
            click.echo(line, err=True)
            shown = line
        if run.state not in ("queued", "running"):
            return run
        db.session.rollback()
        time.sleep(POLL_S)


def waiting(since: str | None) -> str:
    """Return what a queued run waits for, "" where it waits for no other."""
    return f"waiting for another job (started {since})" if since else ""


def registry_commands(main: click.Group) -> None:
    """Add the commands of plugins; a stranger's that takes the place of another is not taken."""
    manager = load_plugins().manager
    for one in manager.in_order(manager.hook.register_commands.get_hookimpls()):
        before = _commands_of(main)
        manager.call_one("register_commands", one, [main for _ in one.argnames])
        if one.plugin_name in manager.strangers:
            _put_back(before, one.plugin_name)


def _commands_of(group: click.Group) -> list[tuple[click.Group, dict[str, click.Command]]]:
    """Return the commands of a group and of those within it, as they are."""
    within = [found for one in group.commands.values() if isinstance(one, click.Group) for found in _commands_of(one)]
    return [(group, dict(group.commands)), *within]


def _put_back(before: list[tuple[click.Group, dict[str, click.Command]]], plugin: str) -> None:
    for group, commands in before:
        for name, command in commands.items():
            if group.commands.get(name) is not command:
                click.echo(f"The plugin {plugin} may not replace the command “{name}”.", err=True)
                group.commands[name] = command
