"""What verbs share that have work done: here or by a worker, watched to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from core.backups.inline import ended_well
from core.base.db import db, transaction
from core.base.time import iso
from core.cli.bar import Bar, bar
from core.runs.lanes import waits_since
from core.runs.models import Run
from core.runs.service import find, report_of, work

POLL_S = 0.3


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
