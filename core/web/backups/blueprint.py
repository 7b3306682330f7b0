"""The blueprint that all pages of Backup & Restore hang on, and what they share: addresses, tabs, the backup that is meant."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, redirect, request, url_for

from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.errors import NotFound
from core.web.gate import MANAGE, Pages

ROOT = f"{MANAGE}/backups"
"""What the addresses of Backup & Restore begin with."""
BACKUP = f"{ROOT}/<backup_id>"
"""What the addresses of one backup begin with."""
TABS = (("backups.show", "Backups"), ("backups.schedule", "Schedule"), ("backups.logs", "Logs"))
pages = Pages("backups", __name__)


def app_args(**names: Any) -> dict[str, Any]:
    """Return what `url_for` needs for a page of the app that the address names."""
    address = request.view_args or {}
    return {"organization_id": address["organization_id"], "app_id": address["app_id"], **names}


def redirect_to(endpoint: str, **names: Any) -> Response:
    """Answer by sending the browser on to a page of the app."""
    return redirect(url_for(endpoint, **app_args(**names)), 303)  # type: ignore[return-value]


def backup_here(backup_id: str) -> Backup:
    """Return a backup of the app that the address names.

    Raises:
        NotFound: the app has none of that id, whoever else has.
    """
    backup = find_backup(backup_id)
    if backup.app_id != (request.view_args or {}).get("app_id"):
        raise NotFound("Backup not found. It may have been deleted.")
    return backup


@pages.app_template_global()
def backup_tabs() -> list[tuple[str, str, str]]:
    """Return the tabs of Backup & Restore: endpoint, address, title."""
    there = [(endpoint, title) for endpoint, title in TABS if endpoint in current_app.view_functions]
    return [(endpoint, url_for(endpoint, **app_args()), title) for endpoint, title in there]
