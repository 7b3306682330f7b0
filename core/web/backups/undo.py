"""Undoing a restore in the browser: what that would take back, what is left because it was changed since, who one is, and the start."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, redirect, render_template, request

from core.apps import documents, service
from core.backups.catalog import find_backup
from core.backups.log import noting
from core.backups.models import Backup
from core.backups.plan import plan_undo
from core.backups.reader import BackupReader
from core.backups.requests import request_undo
from core.backups.same_names import hints_by_kind
from core.base.db import transaction
from core.base.errors import AppkeepError
from core.runs.models import Run
from core.runs.service import check_free, exclusive_run, report_of
from core.server import server
from core.web.backups.blueprint import pages, redirect_to
from core.web.backups.plan_confirmation import PlanConfirmation, made
from core.web.backups.report_view import names_in, tell
from core.web.backups.run_page import RUN, asked_just_now, run_here
from core.web.gate import Needs
from core.web.visit import current_app_row, visit


@dataclass
class Sheet(PlanConfirmation):
    """What the page shows."""

    run: Run
    also_later: bool


@pages.page(f"{RUN}/undo", Needs.BACKUP)
def undo(organization_id: str, app_id: str, run_id: str) -> Response:
    """Show what undoing a restore would do, and ask who one is."""
    return _page(_planned(run_id, also_later=request.args.get("also_later") == "1"))


@pages.page(f"{RUN}/undo", Needs.BACKUP, ("POST",))
def begin_undo(organization_id: str, app_id: str, run_id: str) -> Response:
    """Begin to undo a restore, once it is proven who asks; what is refused is said beside its field."""
    also_later = request.form.get("also_later") == "1"
    if "look" in request.form:
        return redirect(f"{request.path}{'?also_later=1' if also_later else ''}", 303)  # type: ignore[return-value]
    if (again := _begun_just_now(app_id)) is not None:
        return redirect_to("backups.run", run_id=again)
    sheet = _planned(run_id, also_later=also_later)
    if sheet.found is None:
        return _page(sheet)
    try:
        _check(sheet, app_id)
        begun = _begin(sheet, app_id, run_id)
    except AppkeepError as refused:
        if (again := _begun_just_now(app_id)) is not None:
            return redirect_to("backups.run", run_id=again)
        visit().app = service.find(app_id)
        sheet.run = run_here(run_id)
        sheet.refuse(refused)
        return _page(sheet)
    return redirect_to("backups.run", run_id=begun)


def _begun_just_now(app_id: str) -> str | None:
    """Return the run of the undo that this one repeats: its plan was made of what the app was before that."""
    return asked_just_now(app_id, visit().person, "restore", plan=request.form.get("plan", ""))


def _planned(run_id: str, *, also_later: bool) -> Sheet:
    sheet = Sheet(run_here(run_id), also_later)
    sheet.plan(lambda: plan_undo(current_app_row(), sheet.run, visit().person, also_later=also_later))
    return sheet


def _check(sheet: Sheet, app_id: str) -> None:
    """Refuse what has to be put right first, then have the person prove who they are."""
    found, person = sheet.found or {}, visit().person
    with noting("restore", app_id, person, backup_id=found["backup"]):
        sheet.check_agreed()
        check_free(app_id)
    sheet.prove(app_id)


def _begin(sheet: Sheet, app_id: str, run_id: str) -> str:
    found, person = sheet.found or {}, visit().person
    with noting("restore", app_id, person, backup_id=found["backup"]), transaction():
        sheet.use_proof(app_id)
        return request_undo(service.find(app_id), run_here(run_id), person, also_later=sheet.also_later,
                            plan=request.form.get("plan", ""), send=True).id


def _page(sheet: Sheet) -> Response:
    app, found = current_app_row(), sheet.found
    safety: Backup | None = find_backup(found["backup"]) if found else None
    saved, live = [] if safety is None else list(BackupReader(safety).documents.values()), documents.live(app)
    told = tell(found["components"], names_in(saved, live), done=False, hints=hints_by_kind(live, saved)) if found else []
    page = render_template(
        "backups/undo.html", sheet=sheet, run=sheet.run, safety=safety, told=told, busy=exclusive_run(app.id),
        exact="undo" in (found or {}), report=report_of(sheet.run),
        method=server().registry.hook.identity_method(person=visit().person) or "password")
    return made(page, sheet.status)
