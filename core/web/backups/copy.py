"""Restoring a backup as a new app: its configuration only, seen by nobody but whoever does it."""

from __future__ import annotations

from flask import Response, render_template, request

from core.backups.log import noting
from core.backups.models import Backup
from core.backups.requests import request_copy
from core.base.db import transaction
from core.base.errors import Forbidden, InvalidInput
from core.server import server
from core.web.apps import checked_name
from core.web.backups.blueprint import BACKUP, backup_here, pages, redirect_to
from core.web.backups.run_page import asked_just_now
from core.web.gate import Needs
from core.web.visit import visit


@pages.page(f"{BACKUP}/copy", Needs.BACKUP)
def copy(organization_id: str, app_id: str, backup_id: str) -> str:
    """Ask what the new app shall be called."""
    backup = backup_here(backup_id)
    return _form(backup, f"{backup.app_name} (restored)"[:100])


@pages.page(f"{BACKUP}/copy", Needs.BACKUP, ("POST",))
def begin_copy(organization_id: str, app_id: str, backup_id: str) -> Response | tuple[str, int]:
    """Begin to make the new app."""
    backup, name = backup_here(backup_id), request.form.get("name", "").strip()
    try:
        with noting("restore_as_new", app_id, visit().person, backup_id=backup.id):
            run_id = _begin(backup, name)
    except InvalidInput as refused:
        return _form(backup_here(backup_id), name, refused.message), refused.status
    return redirect_to("backups.run", run_id=run_id)


def check_copy(backup: Backup) -> None:
    """Refuse where the visitor may make no app of a backup, or it holds none.

    Raises:
        Forbidden, InvalidInput: see above.
    """
    if not visit().manages_organization:
        raise Forbidden("Only owners and admins of the organization can create apps. Ask one of them, or restore into this app.")
    if backup.part == "data":
        raise InvalidInput("This backup has data only. A new app needs a configuration.")


def _begin(backup: Backup, name: str) -> str:
    check_copy(backup)
    with transaction():
        again = asked_just_now(backup.app_id, visit().person, "restore_as_new", backup=backup.id, name=name)
        return again or request_copy(backup_here(backup.id), visit().person, name=checked_name(name), send=True).id


def _form(backup: Backup, name: str, error: str | None = None) -> str:
    notes = [one.copy_note for one in server().registry.ranked if one.copy_note]
    return render_template("backups/copy.html", backup=backup, name=name, error=error, notes=notes)
