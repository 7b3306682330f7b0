"""Restoring a backup in place: what it would do, the options, who one is, and the start. All on one page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request, url_for

from core.apps import documents, service
from core.backups.absent import title_of
from core.backups.catalog import backup_if_there
from core.backups.log import noting
from core.backups.models import ORIGINS, Backup
from core.backups.plan import Options, check_origin, origin_for, plan
from core.backups.reader import BackupReader
from core.backups.requests import request_restore
from core.backups.same_names import hints_by_kind
from core.base.db import transaction
from core.base.errors import AppkeepError, InvalidInput, OriginUnconfirmed
from core.runs.models import Run
from core.runs.service import check_free, exclusive_run, report_of
from core.server import server
from core.tenancy.models import App
from core.web.answers import status_within
from core.web.backups.blueprint import BACKUP, app_args, backup_here, pages, redirect_to
from core.web.backups.options_form import OptionsForm, chosen_of, parts_of, read_options
from core.web.backups.plan_confirmation import PlanConfirmation, made
from core.web.backups.record_lists import list_url
from core.web.backups.report_view import Told, names_in, tell
from core.web.backups.run_page import asked_just_now
from core.web.gate import Needs
from core.web.visit import current_app_row, visit


@dataclass
class Sheet(PlanConfirmation):
    """What the page shows."""

    backup: Backup
    asked: OptionsForm


@pages.page(f"{BACKUP}/restore", Needs.BACKUP)
def restore(organization_id: str, app_id: str, backup_id: str) -> Response:
    """Show what a restore with these options would do, and ask who one is."""
    return _page(planned(current_app_row(), backup_here(backup_id), read_options(request.args, backup_here(backup_id))))


@pages.page(f"{BACKUP}/restore", Needs.BACKUP, ("POST",))
def start(organization_id: str, app_id: str, backup_id: str) -> Response:
    """Start the restore that was planned, once it is proven who asks; what is refused is said beside its field."""
    backup = backup_here(backup_id)
    if "look" in request.form:
        return redirect(f"{request.path}?{urlencode(read_options(request.form, backup).as_args())}", 303)  # type: ignore[return-value]
    if (again := _begun_just_now(app_id, backup_id)) is not None:
        return redirect_to("backups.run", run_id=again)
    sheet = planned(current_app_row(), backup, read_options(request.form, backup))
    if sheet.found is None:
        return _page(sheet)
    try:
        options = _checked(sheet)
        sheet.prove(app_id)
        run_id = _begin(sheet, options)
    except AppkeepError as refused:
        if (again := _begun_just_now(app_id, backup_id)) is not None:
            return redirect_to("backups.run", run_id=again)
        # Proving who one is looks at people of all organizations, and leaves nothing of what was read before.
        visit().app, sheet.backup = service.find(app_id), backup_here(backup_id)
        if isinstance(refused, OriginUnconfirmed):
            sheet.errors["confirm"], sheet.status = f"Type {current_app_row().name} to confirm.", status_within(refused)
        else:
            sheet.refuse(refused)
        return _page(sheet)
    return redirect_to("backups.run", run_id=run_id)


def _begun_just_now(app_id: str, backup_id: str) -> str | None:
    """Return the run of the restore that this one repeats: of two clicks, or of two at once."""
    return asked_just_now(app_id, visit().person, "restore", backup=backup_id, plan=request.form.get("plan", ""))


def planned(app: App, backup: Backup, asked: OptionsForm) -> Sheet:
    """Return the page with its plan, or with why there is none."""
    def look() -> dict[str, Any]:
        if asked.some and not asked.only:
            raise InvalidInput("Select at least one part, or choose everything.")
        return plan(app, backup, visit().person, config=asked.config, data=asked.data, only=asked.wanted, bin_newer=asked.bin_newer)

    sheet = Sheet(backup, asked)
    sheet.plan(look)
    return sheet


def _checked(sheet: Sheet) -> Options:
    """Return what is to be restored; a code is not used up before all this is right.

    Raises:
        PlanChanged, OriginUnconfirmed, RunInProgress: with what has to be put right first.
    """
    app, asked = current_app_row(), sheet.asked
    options = Options(backup=sheet.backup.id, config=asked.config, data=asked.data, safety_backup=asked.safety,
                      accept_origin=_confirmed(app), plan=request.form.get("plan", ""), only=asked.wanted, bin_newer=asked.bin_newer)
    with noting("restore", app.id, visit().person, backup_id=sheet.backup.id):
        sheet.check_agreed()
        check_origin(app, sheet.backup, options)
        check_free(app.id)
    return options


def _confirmed(app: App) -> bool:
    """Say whether the app's name was typed: what a backup of another app needs to go over this one."""
    return request.form.get("confirm", "").strip().casefold() == app.name.strip().casefold()


def _begin(sheet: Sheet, options: Options) -> str:
    """Return the id of the run that restores.

    Raises:
        ProofNeeded: the proof is not good for this (any more).
        RunInProgress: another has begun meanwhile.
    """
    app_id, person = str((request.view_args or {})["app_id"]), visit().person
    with noting("restore", app_id, person, backup_id=options.backup), transaction():
        sheet.use_proof(app_id)
        return request_restore(service.find(app_id), backup_here(options.backup), options, person, send=True).id


def _page(sheet: Sheet) -> Response:
    return made(render_template("backups/restore.html", **shown(sheet)), sheet.status)


def shown(sheet: Sheet) -> dict[str, Any]:
    """Return what a page shows of a plan."""
    app, backup, asked = current_app_row(), sheet.backup, sheet.asked
    upgrades = [(title_of(one["component"]), one["from"], one["to"]) for one in (sheet.found or {}).get("upgrades", ())]
    return {"backup": backup, "upgrades": upgrades, "asked": asked, "sheet": sheet, "parts": parts_of(app, backup, asked.only),
            "chosen": chosen_of(app, backup, asked.only, visit().person), "origins": ORIGINS,
            "lists": partial(list_url, backup, asked) if asked.data else None, "told": _tell_plan(app, backup, sheet.found),
            "holds_config": backup.part != "data", "holds_data": backup.part != "config", "busy": exclusive_run(app.id),
            "origin": origin_for(app, backup), "empty": service.is_empty(app),
            "method": server().registry.hook.identity_method(person=visit().person) or "password"}


def _tell_plan(app: App, backup: Backup, found: dict[str, Any] | None) -> list[Told]:
    if found is None:
        return []
    saved, live = list(BackupReader(backup).documents.values()), documents.live(app)
    return tell(found["components"], names_in(saved, live), done=False, hints=hints_by_kind(live, saved))


@pages.app_template_global()
def restore_report(run: Run) -> dict[str, Any]:
    """Return a restore's report for people: what was done, and where it is undone."""
    report, app = report_of(run), service.find(run.app_id or "")
    saved, live = _documents(report.get("backup", "")), documents.live(app)
    safety = backup_if_there(report.get("safety_backup", ""))
    undo = url_for("backups.undo", **app_args(run_id=run.id)) if safety else None
    return {"told": tell(report.get("components", {}), names_in(saved, live), done=True, hints=hints_by_kind(live, saved)),
            "safety": safety, "undo_url": undo}


def _documents(backup_id: str) -> list[Any]:
    """Return the documents of a backup as far as it is there and can be read: they only lend their names."""
    backup = backup_if_there(backup_id)
    try:
        return [] if backup is None else list(BackupReader(backup).documents.values())
    except AppkeepError:
        return []
