"""One backup: its page; giving it another name, pinning it, checking it, deleting it."""

from __future__ import annotations

import json

from flask import Response, flash, render_template, request

from core.backups import catalog
from core.backups.absent import not_installed, title_of
from core.backups.catalog import deleted_backup
from core.backups.create import MAX_NAME_CHARS
from core.backups.log import acts_of, noting
from core.backups.models import TYPES, Backup
from core.backups.proof import DEEP, QUICK, level_of
from core.backups.reader import BackupReader
from core.backups.requests import request_check
from core.base.db import transaction
from core.base.errors import Conflict, InvalidInput
from core.runs.models import Run
from core.runs.service import active_runs
from core.server import server
from core.web.backups.backup_list import HOLDS
from core.web.backups.blueprint import BACKUP, backup_here, pages, redirect_to
from core.web.gate import Needs
from core.web.visit import visit

ACTS_SHOWN = 10


@pages.page(BACKUP, Needs.BACKUP)
def details(organization_id: str, app_id: str, backup_id: str) -> str:
    """Show a backup, and all that can be done with it."""
    return _details(backup_here(backup_id))


@pages.page(f"{BACKUP}/rename", Needs.BACKUP, ("POST",))
def rename(organization_id: str, app_id: str, backup_id: str) -> Response | tuple[str, int]:
    """Give a backup another name."""
    backup, name = backup_here(backup_id), request.form.get("name", "").strip()
    try:
        with noting("rename", app_id, visit().person, backup_id=backup.id), transaction():
            catalog.rename(backup_id, name, visit().person)
    except InvalidInput as refused:
        return _details(backup_here(backup_id), name=name, name_error=refused.message), refused.status
    flash("Backup renamed.", "good")
    return redirect_to("backups.details", backup_id=backup_id)


@pages.page(f"{BACKUP}/pin", Needs.BACKUP, ("POST",))
def pin(organization_id: str, app_id: str, backup_id: str) -> Response:
    """Keep a backup from being removed, or let it go again."""
    backup_here(backup_id)
    pinned = request.form.get("pinned") == "1"
    with transaction():
        catalog.pin(backup_id, visit().person, pinned=pinned)
    flash("Backup pinned: retention will not remove it." if pinned else "Backup unpinned.", "good")
    return redirect_to("backups.details", backup_id=backup_id)


@pages.page(f"{BACKUP}/check", Needs.BACKUP, ("POST",))
def check(organization_id: str, app_id: str, backup_id: str) -> Response:
    """Have a backup checked; one that is being checked already is not checked twice."""
    with transaction():
        run_id = checking(backup_here(backup_id), level_of({name: request.form.get(name) == "1" for name in (DEEP, QUICK)})).id
    return redirect_to("backups.run", run_id=run_id)


def checking(backup: Backup, level: str) -> Run:
    """Return the run of a check that goes on, or that of a new one. The caller owns the transaction."""
    under_way = [run for run in active_runs(backup.app_id) if _checks(run, backup, level)]
    return under_way[0] if under_way else request_check(backup, visit().person, deep=level == DEEP, quick=level == QUICK, send=True)


def _checks(run: Run, backup: Backup, level: str) -> bool:
    """Say whether a run that goes on is this very check; one that is being cancelled, looks less closely or reads a turn is another."""
    if run.kind != "check" or run.cancel_requested:
        return False
    asked = json.loads(run.options)
    return (asked["backup"], level_of(asked)) == (backup.id, level) and not asked.get("turn")


@pages.page(f"{BACKUP}/delete", Needs.BACKUP)
def ask_delete(organization_id: str, app_id: str, backup_id: str) -> str:
    """Ask whether a backup shall really go; one that matters more than others is asked for twice."""
    return _ask_delete(backup_here(backup_id))


@pages.page(f"{BACKUP}/delete", Needs.BACKUP, ("POST",))
def delete(organization_id: str, app_id: str, backup_id: str) -> Response | tuple[str, int]:
    """Delete a backup; who asks twice is told that it is gone."""
    if (gone := deleted_backup(app_id, backup_id)) is not None:
        return _deleted(gone.name)
    backup = backup_here(backup_id)
    name, sure, unpin = backup.name, "sure" in request.form, request.form.get("sure") == "unpin"
    if not sure and not backup.pinned and catalog.reasons_to_keep(backup):
        return _ask_delete(backup, unsure=True), Conflict.status
    try:
        with noting("delete", app_id, visit().person, backup_id=backup_id), transaction():
            if unpin:
                catalog.pin(backup_id, visit().person, pinned=False)
            catalog.delete(backup_id, visit().person)
    except Conflict as refused:
        return _ask_delete(backup_here(backup_id), refused=refused), refused.status
    return _deleted(name)


def _ask_delete(backup: Backup, *, unsure: bool = False, refused: Conflict | None = None) -> str:
    return render_template("backups/delete.html", backup=backup, reasons=catalog.reasons_to_keep(backup), unsure=unsure, refused=refused)


def _deleted(name: str) -> Response:
    flash(f"“{name}” was deleted. Other backups stay complete.", "good")
    return redirect_to("backups.show")


def _details(backup: Backup, name: str | None = None, name_error: str | None = None) -> str:
    limit = server().config.download_limit_bytes
    return render_template("backups/details.html", backup=backup, types=TYPES, holds=HOLDS, name=backup.name if name is None else name,
                           name_error=name_error, longest=MAX_NAME_CHARS, contents=_contents(backup), absent=_absent(backup),
                           parts=_parts(backup), limit=limit, acts=acts_of(backup.app_id, backup=backup.id, most=ACTS_SHOWN))


def _contents(backup: Backup) -> list[tuple[str, int, int, int]]:
    """Return what a backup holds of each component: its title, documents, records, files."""
    found = []
    for name, entry in BackupReader(backup).content.components.items():
        title = title_of(name)
        present = [part for _, part in entry.present()]
        found.append((title, sum(p.documents for p in present), sum(p.records for p in present), sum(p.files for p in present)))
    return found


def _absent(backup: Backup) -> list[str]:
    """Return a sentence for each component of a backup that is not here."""
    return [not_installed(title_of(name), version) for name, version in BackupReader(backup).absent.items()]


def _parts(backup: Backup) -> list[tuple[str, str]]:
    """Return the files that a backup can be downloaded as: (part, words)."""
    every = [("config", "Configuration"), ("data", "Data"), ("both", "Configuration and data")]
    return every if backup.part == "both" else [one for one in every if one[0] == backup.part]
