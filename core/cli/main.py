"""The command line: one group; each verb is a plain function that returns what it did."""

from __future__ import annotations

import os

import click

from core.cli import apps, backups, gc, keys, plugins, retention, runs, servers
from core.cli.verbs import registry_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Appkeep: no-code apps that can always be brought back.

    Settings are APPKEEP_… environment variables; APPKEEP_HOME (default ./var) holds all data. Every verb that
    answers takes --json and then writes one JSON object to standard output.
    """
    os.umask(0o077)  # whatever a command writes is for this user alone


for module in (apps, backups, retention, gc, runs, keys, plugins, servers):
    for name, command in module.commands.commands.items():
        main.add_command(command, name)
registry_commands(main)
