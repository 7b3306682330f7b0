"""The command line: one group; each verb is a plain function that returns what it did."""

from __future__ import annotations

import click

from core.cli import apps, backups, collecting, retention, runs, servers
from core.cli.verbs import registry_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Appkeep: no-code apps that can always be brought back.

    Settings are APPKEEP_… environment variables; APPKEEP_HOME (default ./var) holds all data. Every verb that
    answers takes --json and then writes one JSON object to standard output.
    """


apps.register(main)
backups.register(main)
retention.register(main)
collecting.register(main)
runs.register(main)
servers.register(main)
registry_commands(main)
