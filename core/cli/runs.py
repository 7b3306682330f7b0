"""Verbs on runs: those of an app, and cancelling one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from sqlalchemy import select

from core.apps import service
from core.base.db import db, transaction
from core.base.errors import NotFound
from core.cli.verbs import verb
from core.cli.working import waiting
from core.runs.models import Run
from core.runs.service import cancel, end_lost_of, find, run_value, runs_of
from core.tenancy.wall import as_server, as_tenant

commands = click.Group()


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    for run in result["runs"]:
        error = f" ({run['error']})" if run["error"] else ""
        now = waiting(run["waits_since"]) or run["phase"]
        yield f"{run['run']}  {run['requested_at']}  {run['kind']:15} {run['state']}{error}  {now}"


@verb(commands, "runs", show=_lines)
@click.argument("app_id", metavar="APP")
def runs(app_id: str) -> dict[str, Any]:
    """List the backups, restores and checks of APP, newest first."""
    with service.opened(app_id) as app:
        end_lost_of(app.id)
        return {"runs": [run_value(run) for run in runs_of(app.id)]}


@verb(commands, "cancel", show=lambda result: (f"{result['run']}: {result['state']}",))
@click.argument("run_id", metavar="RUN")
def cancel_(run_id: str) -> dict[str, Any]:
    """Cancel RUN: at once if it is queued or its worker is gone, otherwise at its next step."""
    with as_server():
        organization_id = db.session.scalar(select(Run.organization_id).where(Run.id == run_id))
    if organization_id is None:
        raise NotFound(f"There is no run “{run_id[:40]}”.")
    with as_tenant(organization_id), transaction():
        run = find(run_id)
        cancel(run)
        return {"run": run.id, "state": run.state, "cancel_requested": run.cancel_requested}
