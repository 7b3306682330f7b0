"""Runs of an app's backups, in the app's own pages: how far one is, its steps, how it ended, cancelling it; the banner."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Response, flash, make_response, render_template, request, url_for
from sqlalchemy import select

from core.backups import uploads
from core.backups.catalog import backup_if_there
from core.backups.log import note
from core.backups.models import Backup
from core.base.db import db, transaction
from core.base.errors import NotFound
from core.base.time import now_us
from core.runs import service
from core.runs.models import Run
from core.runs.service import active_runs, end_lost_of, exclusive_run, report_of
from core.tenancy.models import App
from core.tenancy.request_cache import forget
from core.web.backups.blueprint import ROOT, app_args, backup_here, pages, redirect_to
from core.web.gate import APP, Needs
from core.web.runs import shown, shown_in_app
from core.web.visit import current_app_row, visit

RUN = f"{ROOT}/runs/<run_id>"
AGAIN_WITHIN_US = 10 * 1_000_000
STEPS = {
    "backup.reading": "Started reading the app", "backup.read": "App read", "backup.objects_stored": "Content stored",
    "backup.catalogued": "Backup listed", "backup.committed": "Backup saved", "restore.planned": "Compared with the app",
    "restore.verified": "Backup verified", "restore.safety_backup_taken": "Current version backed up",
    "restore.app_closed": "App locked for changes", "restore.merged": "Backup merged into the app",
    "restore.before_commit": "Changes saved", "copy.begun": "Started", "copy.put": "New app filled",
    "copy.before_commit": "New app saved", "check.begun": "Check started", "check.read": "Everything read and compared",
    "upload.begun": "File assembled", "upload.verifying": "File check started",
    "check.tried": "Trial restore compared", "upload.before_commit": "Backup listed",
}


@pages.page(RUN, Needs.BACKUP)
def run(organization_id: str, app_id: str, run_id: str) -> str:
    """Show a run by itself: its progress or its report, and its steps."""
    found = run_here(run_id)
    return render_template("backups/run.html", one=around(found), steps=steps_of(found), backup=_backup_of(found))


@pages.page(f"{RUN}/progress", Needs.BACKUP)
def progress(organization_id: str, app_id: str, run_id: str) -> Response:
    """Answer the part that changes while a run goes on; once it has ended, have the page loaded again."""
    one = around(run_here(run_id))
    response = make_response(render_template("runs/progress.html", **one) if one["live"] else "")
    if not one["live"]:
        response.headers["HX-Refresh"] = "true"
    return response


@pages.page(f"{RUN}/cancel", Needs.BACKUP, ("POST",))
def cancel(organization_id: str, app_id: str, run_id: str) -> Response:
    """Ask for a run to be cancelled."""
    if cancelled(lambda: run_here(run_id)).state not in ("running", "cancelled"):
        flash("It had already ended.", "warn")
    return redirect_to("backups.run", run_id=run_id)


def cancelled(find: Callable[[], Run]) -> Run:
    """Ask for the run that *find* gives to be cancelled, and return it."""
    with transaction():
        found = find()
        if found.app_id is not None and found.state in ("queued", "running"):
            note("cancel", found.app_id, visit().person, run_id=found.id, run=found.kind)
        service.cancel(found)
    found = find()
    if found.state == "cancelled" and found.kind == "upload":
        uploads.forget_cancelled(found)
    return found


@pages.page(f"{APP}/restoring", Needs.APP, guests=True)
def restoring(organization_id: str, app_id: str) -> str:
    """Answer the banner of a restore that goes on, or nothing."""
    return render_template("backups/banner.html")


@pages.app_template_global()
def restore_under_way() -> Run | None:
    """Return the restore of the app that goes on right now."""
    found = exclusive_run(current_app_row().id)
    return found if found is not None and found.kind == "restore" else None


def asked_just_now(app_id: str, person: str, kind: str, **options: Any) -> str | None:
    """Return the run of a kind that the same person asked for with these options a moment ago: who asks again has clicked twice.

    A run that failed or was cancelled, or is being cancelled, is no answer to a second click: who asks after that wants a new one.
    """
    query = select(Run).where(Run.app_id == app_id, Run.kind == kind, Run.person == person,
                              Run.requested_at > now_us() - AGAIN_WITHIN_US).order_by(Run.requested_at.desc())
    found = db.session.scalar(query)
    if found is None or found.cancel_requested or found.state in ("failed", "cancelled"):
        return None
    return found.id if options.items() <= json.loads(found.options).items() else None


def run_here(run_id: str) -> Run:
    """Return a run of the app that the address names.

    Raises:
        NotFound: the app has none of that id.
    """
    found = service.find(run_id)
    if found.app_id != current_app_row().id or not shown_in_app(found):
        raise NotFound("This run no longer exists.")
    return found


def around(found: Run) -> dict[str, Any]:
    """Return what the templates of runs need in the app's own pages."""
    where = app_args(run_id=found.id)
    return {**shown(found), "progress_url": url_for("backups.progress", **where), "cancel_url": url_for("backups.cancel", **where),
            "again_url": request.full_path.rstrip("?"), "page_url": url_for("backups.run", **where)}


def watched(app: App) -> list[dict[str, Any]]:
    """Return the runs that the list of backups shows on top: the one that the address asks for, and all that go on."""
    if active_runs(app.id) and end_lost_of(app.id):
        forget()
    live = [one for one in active_runs(app.id) if shown_in_app(one)]
    asked = request.args.get("run", "")
    named = [run_here(asked)] if asked and asked not in {one.id for one in live} else []
    return [around(one) for one in [*named, *live]]


def steps_of(found: Run) -> list[tuple[str, int]]:
    """Return a run's steps for people, each with its time."""
    entered = [(STEPS.get(name, name.replace("_", " ").replace(".", ": ")), at) for name, at in json.loads(found.steps)]
    begun = [("Started", found.started_at)] if found.started_at and not entered else []
    ended = {"succeeded": "Done", "failed": "Failed", "cancelled": "Cancelled"}.get(found.state)
    return [("Requested", found.requested_at), *begun, *entered, *([(ended, found.ended_at)] if ended and found.ended_at else [])]


def _backup_of(found: Run) -> Backup | None:
    """Return the backup that a run made or worked on, where it is still there."""
    named = report_of(found).get("backup") or json.loads(found.options).get("backup")
    backup = backup_if_there(named) if named else None
    return backup_here(backup.id) if backup is not None and backup.app_id == current_app_row().id else None
