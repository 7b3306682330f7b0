"""The command line: one group; each verb is a plain function that returns what it did.

A verb's module is imported when the verb is called for; what all are called, and what each is for, is written down in
`core.cli.listed`, so that the help needs none of them. Where other plugins are installed, the help asks them for their verbs.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import entry_points

import click

from core.cli.listed import LISTED

MODULES = ("apps", "content", "backups", "health", "retention", "gc", "runs", "keys", "plugins", "servers")
"""Where the core's own verbs are, below `core.cli`; all others are plugins'."""
ENTRY_POINTS = "appkeep.plugins"


class Verbs(click.Group):
    """A group that imports what a verb needs when it is asked for."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        self.is_whole = False

    def whole(self) -> Verbs:
        """Import everything, plugins too, so that `commands` has all verbs; return the group itself."""
        if not self.is_whole:
            from core.cli.verbs import registry_commands  # it imports the whole program

            for module in MODULES:
                self._add(module)
            registry_commands(self)
            self.is_whole = True
        return self

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.whole().commands) if self.is_whole or entry_points(group=ENTRY_POINTS) else sorted(LISTED)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if not self.is_whole and (module := LISTED.get(cmd_name, ("", ""))[0]):
            self._add(module)
        found = self.commands.get(cmd_name)
        return self.whole().commands.get(cmd_name) if found is None else found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if any(name not in LISTED for name in self.list_commands(ctx)):
            super().format_commands(ctx, formatter)
            return
        widest = max(map(len, LISTED))
        rows = [(name, shortened(text, formatter.width - 6 - widest)) for name, (_, text) in sorted(LISTED.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _add(self, module: str) -> None:
        """Take over the verbs of one of the core's modules."""
        for name, command in import_module(f"core.cli.{module}").commands.commands.items():
            self.commands.setdefault(name, command)


def shortened(text: str, width: int) -> str:
    """Return what a verb's help says in one line, as click has it."""
    return click.Command("", help=text).get_short_help_str(width)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Appkeep: no-code apps that can always be brought back.

    Settings are APPKEEP_… environment variables; APPKEEP_HOME (default ./var) holds all data. Every verb that
    answers takes --json and then writes one JSON object to standard output.
    """
    os.umask(0o077)  # whatever a command writes is for this user alone
