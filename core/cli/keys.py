"""Verbs on the keys of the home folder: keys rotate."""

from __future__ import annotations

from typing import Any

import click

from core.base.db import transaction
from core.cli.verbs import verb
from core.server import server
from core.tenancy.sealing import add_key
from core.tenancy.wall import as_server

commands = click.Group()


keys = click.Group("keys", help="Keys that encrypt secrets in the database.")
commands.add_command(keys)


@verb(keys, "rotate")
def rotate() -> dict[str, Any]:
    """Create a new key and encrypt all secrets in the database with it. The previous key can still decrypt."""
    made = add_key()
    with as_server(), transaction():
        counts = server().registry.hook.secrets_resealed()
    return {"key": made, "resealed": sum(done for done, _ in counts), "lost": sum(lost for _, lost in counts)}
