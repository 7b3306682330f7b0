"""The page on how well an organization's apps are backed up: what needs attention first, for owners and admins.

They see the health of every app; the way into an app's backups is there only where they are its admin.
"""

from __future__ import annotations

from flask import render_template, request

from core.api import ORGANIZATION, Needs, Pages, backup_health, backup_health_counts, backup_health_overall, visit
from tenants import service
from tenants.web.forms import number

pages = Pages("backup_health", __name__)
PAGE_APPS = 100


@pages.page(f"{ORGANIZATION}/backup-health", Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """Show the apps with how they are backed up, the worst first, a page at a time."""
    apps = backup_health()
    last = max((len(apps) - 1) // PAGE_APPS + 1, 1)
    page = min(max(number(request.args.get("page")) or 1, 1), last)
    return render_template(
        "tenants/backup_health.html", apps=apps[(page - 1) * PAGE_APPS:page * PAGE_APPS], all_apps=len(apps),
        counts=backup_health_counts(apps), overall=backup_health_overall(apps),
        mine=service.apps_managed(organization_id, visit().person), page=page, last=last)
