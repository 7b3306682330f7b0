"""Backups and restores done in the calling process, from the asking to the end: for scripts, tests and the demo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.apps import service
from core.backups import export, requests
from core.backups.catalog import find_backup
from core.backups.create import state
from core.backups.models import Backup
from core.backups.plan import Options, plan_undo
from core.backups.plan import plan as plan_of
from core.base.db import transaction
from core.base.errors import AppkeepError
from core.base.ids import SYSTEM
from core.runs.models import Run
from core.runs.service import find, report_of, work
from core.tenancy.models import App


def finished(run_id: str) -> Run:
    """Do a queued run here and return its row.

    Raises:
        AppkeepError: it failed or was cancelled; with its own code and sentence.
    """
    run = work(run_id)
    if run is None:
        raise AppkeepError(f"Run {run_id} is done by somebody else.", run=run_id)
    return ended_well(run)


def ended_well(run: Run) -> Run:
    """Return a run that succeeded.

    Raises:
        AppkeepError: it did not; with its own code and sentence.
    """
    if run.state != "succeeded":
        error = AppkeepError(run.error_message or f"The run was {run.state}.", run=run.id, state=run.state)
        error.code = run.error_code or run.state  # type: ignore[misc]
        raise error
    return run


def back_up(app: App, *, data: bool = True, name: str | None = None, person: str = SYSTEM) -> Backup:
    """Return a fresh backup of the app."""
    with transaction():
        run = requests.request_backup(app, person, data=data, name=name, send=False).id
    return find_backup(report_of(finished(run))["backup"])


def restore(app: App, backup: Backup, *, config: bool = True, data: bool = True, safety_backup: bool = False,
            accept_origin: bool = False, person: str = SYSTEM, only: Iterable[str] = (), bin_newer: bool = False) -> dict[str, Any]:
    """Restore the app in place and return the report."""
    options = Options(backup=backup.id, config=config, data=data, safety_backup=safety_backup,
                      accept_origin=accept_origin, only=tuple(only), bin_newer=bin_newer)
    with transaction():
        run = requests.request_restore(app, backup, options, person, send=False).id
    return report_of(finished(run))


def undo(app: App, run_id: str, *, also_later: bool = False, plan: str | None = None, person: str = SYSTEM) -> Run:
    """Undo a restore of the app and return the run that did."""
    with transaction():
        run = requests.request_undo(app, find(run_id), person, also_later=also_later, plan=plan, send=False).id
    return finished(run)


def undo_plan(app: App, run_id: str, *, also_later: bool = False) -> dict[str, Any]:
    """Return what undoing a restore would do."""
    return plan_undo(app, find(run_id), SYSTEM, also_later=also_later)


def check(backup: Backup, *, deep: bool = False, person: str = SYSTEM) -> dict[str, Any]:
    """Prove a backup whole and return the report; a *deep* check restores it on trial."""
    with transaction():
        run = requests.request_check(backup, person, deep=deep, send=False).id
    return report_of(finished(run))


def restore_as_new(backup: Backup, *, name: str | None = None, person: str = SYSTEM) -> App:
    """Return a new app made of the backup's configuration."""
    with transaction():
        run = requests.request_copy(backup, person, name=name, send=False).id
    return service.find(report_of(finished(run))["app"])


def plan(app: App, backup: Backup, *, config: bool = True, data: bool = True, only: Iterable[str] = (),
         bin_newer: bool = False) -> dict[str, Any]:
    """Return what a restore would do."""
    return plan_of(app, backup, SYSTEM, config=config, data=data, only=only, bin_newer=bin_newer)


def content_id(app: App, *, data: bool = True) -> str:
    """Return the name of the state that the app is in."""
    return state(service.find(app.id), data=data).content_id


def file_of(backup: Backup, part: str | None = None) -> bytes:
    """Return a backup as a file."""
    return b"".join(export.download(backup, part or backup.part).chunks())
