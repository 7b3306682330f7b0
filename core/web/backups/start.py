"""Making a backup by hand: a page that asks whether data is included, and says why where it may not be now."""

from __future__ import annotations

from datetime import datetime

from flask import Response, render_template, request

from core.backups.create import MAX_NAME_CHARS, check_interval
from core.backups.log import noting
from core.backups.requests import request_backup
from core.base.db import transaction
from core.base.errors import InvalidInput, RunInProgress, TooSoon
from core.base.time import now_us
from core.runs.service import check_free
from core.server import server
from core.tenancy.models import App
from core.web.backups.blueprint import ROOT, pages, redirect_to
from core.web.backups.run_page import asked_just_now
from core.web.gate import Needs
from core.web.visit import current_app_row, visit


@pages.page(f"{ROOT}/new", Needs.BACKUP)
def new(organization_id: str, app_id: str) -> str:
    """Ask whether data is included."""
    return _form(data=False, name="", refused=_hindrance(current_app_row()))


@pages.page(f"{ROOT}/new", Needs.BACKUP, ("POST",))
def begin(organization_id: str, app_id: str) -> Response | tuple[str, int]:
    """Begin a backup, and come to the list that shows how far it is."""
    app, person = current_app_row(), visit().person
    data, name = request.form.get("data") == "1", request.form.get("name", "").strip()
    try:
        with noting("backup", app.id, person), transaction():
            again = asked_just_now(app.id, person, "backup", data=data, name=name or None, type="manual")
            run_id = again or request_backup(app, person, data=data, name=name or None, send=True).id
    except InvalidInput as refused:
        return _form(data=data, name=name, name_error=refused.message), refused.status
    except (TooSoon, RunInProgress) as refused:
        return _form(data=data, name=name, refused=refused), refused.status
    return redirect_to("backups.show", run=run_id)


def _hindrance(app: App) -> TooSoon | RunInProgress | None:
    """Return why no backup could start right now, so that the form says so before it is filled in."""
    try:
        check_free(app.id)
        check_interval(app, server().config, now_us())
    except (TooSoon, RunInProgress) as refused:
        return refused
    return None


def _form(*, data: bool, name: str, name_error: str | None = None, refused: TooSoon | RunInProgress | None = None) -> str:
    next_at = datetime.fromisoformat(refused.details["next_at"]) if isinstance(refused, TooSoon) else None
    titles = [one.title.lower() for one in server().registry.ranked]
    parts = " and ".join(filter(None, [", ".join(titles[:-1]), *titles[-1:]]))
    return render_template("backups/new.html", parts=parts, data=data, name=name, name_error=name_error, refused=refused,
                           longest=MAX_NAME_CHARS,
                           next_at=int(next_at.timestamp()) * 1_000_000 if next_at else None,
                           wait_s=max(0, int(next_at.timestamp()) - now_us() // 1_000_000) if next_at else None,
                           interval_s=server().config.backup_interval_s)
