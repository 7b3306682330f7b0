"""The sample app: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable

import click

from core.api import Importer, hookimpl
from plugins.sample import account, commands
from plugins.sample.importer import Sample


@hookimpl
def register_importer() -> Importer:
    return Sample()


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def greet() -> Iterable[str]:
    return account.greeting()
