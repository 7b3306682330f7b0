"""The verb on retention: prune."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from core.apps import service
from core.backups.retention import service as retention
from core.backups.retention.policy import EmptyPolicy, Judgement
from core.base.time import iso
from core.cli.verbs import as_option, person_of, verb

commands = click.Group()


def _told(one: Judgement) -> dict[str, Any]:
    return {"backup": one.backup.id, "created_at": iso(one.backup.created_at), "keep": one.keep, "reasons": list(one.reasons)}


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["backups"]:
        going = "would be removed" if result["dry_run"] else "removed" if one["backup"] in result["removed"] else "in use, kept"
        yield f"{one['backup']}  {one['created_at']}  {'kept' if one['keep'] else going}: {'; '.join(one['reasons'])}"
    if not result["backups"]:
        yield "There are no backups."


@verb(commands, "prune", show=_lines)
@click.argument("app_id", metavar="APP")
@click.option("--dry-run", is_flag=True, help="Show what would be removed and why; remove nothing.")
@as_option
def prune(app_id: str, dry_run: bool, email: str | None) -> dict[str, Any]:
    """Remove the backups of APP that its retention does not keep. The clock does this daily."""
    with service.opened(app_id) as app:
        policy = retention.policy_of(app.id)
        if policy.empty:
            raise EmptyPolicy(f"“{app.name}” has no retention: all of its backups are kept. App admins set one on the Schedule page.")
        judged = [_told(one) for one in retention.judge(app, policy)]
        gone = set() if dry_run else {backup.id for backup in retention.apply(app, person_of(email))}
        return {"app": app_id, "dry_run": dry_run, "policy": asdict(policy), "removed": sorted(gone), "backups": judged}
