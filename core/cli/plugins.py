"""What is installed: listing plugins, taking one out, bringing it back, writing a new one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from core.apps import plugins as installed
from core.base.errors import InvalidInput
from core.cli import new_plugin
from core.cli.verbs import verb

commands = click.Group()


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    for component in result["components"]:
        yield f"component {component['name']} (version {component['version']}): {', '.join(component['kinds'])}".rstrip(": ")
    yield f"field types: {', '.join(result['field_types'])}"
    yield f"importers: {', '.join(result['importers'])}"
    for plugin in result["plugins"]:
        yield f"plugin {plugin['name']} {plugin['version']}".rstrip()
        if "failures" in plugin:
            yield f"    failed {plugin['failures']} times, the last time at {plugin['failed_at']}: {plugin['error']}"
        if "switched_off_at" in plugin:
            yield f"    switched off at {plugin['switched_off_at']} in the process where it failed: restart the server once it is fixed"
    for name, error in result["broken"].items():
        yield f"left out: {name}: {error}"
    for one in result["absent"]:
        yield f"not here: {one['component']} (version {one['version']}) of the plugin {one['plugin']}: its documents are kept as they are"


class _Plugins(click.Group):
    """The group of `appkeep plugins`, which lists by itself: its option is that of the verb that does."""

    def __init__(self, listing: click.Command) -> None:
        super().__init__("plugins", help=listing.help, params=listing.params, invoke_without_command=True, callback=self._listed)
        self.listing = listing

    def _listed(self, **given: Any) -> None:
        context = click.get_current_context()
        if context.invoked_subcommand is None:
            context.invoke(self.listing, **given)


def _list() -> dict[str, Any]:
    """List installed components, field types, importers and plugins, and those that are left out, or gone."""
    return installed.listed()


group = _Plugins(verb(click.Group(), "plugins", show=_lines)(_list))
commands.add_command(group)


@verb(group, "remove")
@click.argument("name")
@click.option("--drop-tables", is_flag=True, help="Remove its tables and its documents in all apps, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before something is removed for good.")
def remove(name: str, drop_tables: bool, yes: bool) -> dict[str, Any]:
    """Take a plugin out: from their next start, no process loads it. Its tables and documents stay, unless told."""
    if drop_tables and not yes:
        if not sys.stdin.isatty():
            raise InvalidInput("This removes data for good: say --yes, or run it where you can be asked.")
        click.confirm(f"Remove all tables and documents of {name}, in all apps, for good?", abort=True, err=True)
    return installed.remove(name, drop_tables=drop_tables)


@verb(group, "restore")
@click.argument("name")
def restore(name: str) -> dict[str, Any]:
    """Bring a plugin back that was taken out; processes load it from their next start."""
    return installed.restore(name)


@verb(group, "new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(), show_default="here", help="Where to write it.")
@click.option("--table", is_flag=True, help="With a table of its own, beside documents.")
def new(name: str, folder: Path, table: bool) -> dict[str, Any]:
    """Write a new plugin that works: a component, its tests with all laws, a README."""
    return new_plugin.write(name, folder, table=table)
