"""The list of an app's backups: the newest first, what goes on right now on top."""

from __future__ import annotations

from flask import render_template, request

from core.backups.catalog import backup_if_there, backups_of
from core.backups.models import ORIGINS, TYPES, Backup
from core.backups.proof import NOT_PROVEN
from core.runs.service import active_runs
from core.web.backups.blueprint import ROOT, pages
from core.web.backups.run_page import watched
from core.web.gate import Needs
from core.web.visit import current_app_row

PAGE_BACKUPS = 50
HOLDS = {"both": "Configuration and data", "config": "Configuration", "data": "Data"}


@pages.page(ROOT, Needs.BACKUP)
def show(organization_id: str, app_id: str) -> str:
    """List the app's backups."""
    app = current_app_row()
    found = backups_of(app.id, before=_before(app.id), most=PAGE_BACKUPS + 1)
    listed = found[:PAGE_BACKUPS]
    return render_template("backups/list.html", tab="backups.show", backups=listed, runs=watched(app), types=TYPES, holds=HOLDS,
                           older=listed[-1].id if len(found) > PAGE_BACKUPS else None, first="before" not in request.args)


def _before(app_id: str) -> Backup | None:
    """Return the last backup of the page before; any other is as none."""
    asked = request.args.get("before", "")
    found = backup_if_there(asked) if asked else None
    return found if found is not None and found.app_id == app_id else None


@pages.app_template_global()
def backup_state(backup: Backup) -> tuple[str, str]:
    """Return how a backup is, as (colour of the tag, words)."""
    if any(f'"backup":"{backup.id}"' in run.options for run in active_runs(backup.app_id) if run.kind == "check"):
        return "info", "Being checked"
    if backup.check_error is not None:
        return "bad", "Damaged"
    return ("good", "Verified") if backup.read_at is not None else ("", NOT_PROVEN)


@pages.app_template_global()
def backup_origin(backup: Backup) -> str:
    """Return where a backup was made, empty for this app."""
    return "" if backup.origin == "here" else ORIGINS[backup.origin]
