"""Earlier versions of one record: what the backups have of it, and the way to restore just that."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import render_template, url_for

from core.apps import documents
from core.backups.models import Backup
from core.backups.record_lists import component_of
from core.backups.record_versions import versions_of
from core.backups.selection import RECORD
from core.base.errors import NotFound
from core.web.backups.blueprint import ROOT, app_args, pages
from core.web.gate import Needs
from core.web.visit import current_app_row, visit

MAX_NUMBER_DIGITS = 15


@pages.page(f"{ROOT}/records/<word>/<collection>/<record>", Needs.BACKUP)
def record_versions(organization_id: str, app_id: str, word: str, collection: str, record: str) -> str:
    """Show what the newest backups have of a record."""
    if not record.isascii() or not record.isdecimal() or len(record) > MAX_NUMBER_DIGITS:
        raise NotFound("Record not found.")
    app, address = current_app_row(), f"{word}/{collection}"
    component = component_of(address)
    found = versions_of(app, visit().person, component, address, int(record))
    names = {d.address: str(d.body.get("name", "")) for d in documents.live(app)}
    return render_template("backups/record_versions.html", found=found, number=int(record), name=names.get(address) or component.title,
                           restore_url=lambda backup: restore_one_url(backup, f"{address}/{RECORD}/{int(record)}"))


@pages.app_template_global()
def restore_one_url(backup: Backup, name: str) -> str:
    """Return the address of the plan that restores one thing of a backup: a record, or a document with its data."""
    parts = {"config": backup.part != "data" and f"/{RECORD}/" not in name, "data": backup.part != "config"}
    asked = urlencode({"asked": "1", **{part: "1" for part, wanted in parts.items() if wanted}, "some": "1", "safety": "1", "only": name})
    return f"{url_for('backups.restore', **app_args(backup_id=backup.id))}?{asked}"
