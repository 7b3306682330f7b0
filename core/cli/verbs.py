"""What all verbs share: the application around them, --json, errors as a sentence and a code, the exit status."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from core.app import create_app
from core.base.db import is_outage, unavailable
from core.base.errors import AppkeepError
from core.base.ids import SYSTEM
from core.base.whole_file import not_ours
from core.extension.registry import load_plugins
from core.server import server
from core.tenancy.migrate import ensure_schema

Result = Mapping[str, Any]
AILING = ("disk I/O error", "disk is full", "readonly database", "unable to open database")
"""What SQLite says where the machine is at fault: a disk that is full, a folder that is not this user's."""
Show = Callable[[Any], Iterable[str]]


def plainly(result: Result) -> Iterable[str]:
    """Yield a result as lines of "name: value"."""
    for name, value in result.items():
        yield f"{name}: {value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)}"


def verb(group: click.Group, name: str, *, show: Show = plainly, bare: bool = False) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a verb: run inside the application, its result shown or given as JSON.

    An `AppkeepError` ends the process with status 1, its code and sentence on standard error and in the object. A *bare* verb only
    looks something up, and knows of components no more than it asks for; see `create_app`.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(as_json: bool, **given: Any) -> None:
            try:
                with _own_output(as_json=as_json), create_app(pages=False, bare=bare).app_context(), _noting_lost():
                    ensure_schema(bare=bare)
                    result = function(**given)
                    lines = [] if as_json else list(show(result))
            except AppkeepError as error:
                _refuse(error, as_json=as_json)
            except PermissionError as error:
                _refuse(AppkeepError(not_ours(error)), as_json=as_json)
            except DBAPIError as error:
                if not (is_outage(error) or any(word in str(error.orig) for word in AILING)):
                    raise
                _refuse(unavailable(error), as_json=as_json)
            if as_json:
                click.echo(json.dumps(result, ensure_ascii=False))
            else:
                for line in lines:
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
        from core.objects.reader import note_lost

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


def organization(name_or_id: str) -> str:
    """Return the id of an organization."""
    found: str = server().registry.hook.find_organization(name_or_id=name_or_id)
    return found


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
