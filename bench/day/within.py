"""What is asked of the server from within, in a process with its settings: ``python -m bench.day.within make | end``."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from sqlalchemy import select, update

from bench.day.people import PASSWORD
from core.api import App, AppkeepError, Document, apps, as_server, as_tenant, db, direct, documents, transaction
from core.app import create_app
from core.backups.models import Backup
from core.runs.models import Run
from core.tenancy.migrate import ensure_schema
from plugins.worksheets import service as worksheets
from tenants import service as tenants
from tenants.models import Organization
from tenants.notifications import webhooks

SHEET, TEXT, NUMBER = "w_1111111111", "f_1111111111", "f_2222222222"
ORGANIZATIONS = {"busy": ("ann", "bob", "cleo", "dan", "eve"), "beside": ("fay", "gus"), "broken": ("hal",)}
RECORDS = {"busy": 20_000, "beside": 500, "broken": 500}
END_S = 180


def main() -> None:
    """Make what the day needs, or say how it ended."""
    app = create_app()
    with app.app_context():
        if sys.argv[1] == "make":
            ensure_schema()
            print(json.dumps({name: made(name, people) for name, people in ORGANIZATIONS.items()}))
        else:
            print(json.dumps(ended()))


def made(name: str, people: tuple[str, ...]) -> dict[str, str]:
    """Make an organization with its people, an app and a worksheet; return their ids."""
    with as_server(), transaction():
        for person in people:
            tenants.create_user(f"{person}@example.org", person.title(), PASSWORD)
        organization = tenants.create_organization(name.title(), f"{people[0]}@example.org").id
        owner = tenants.user_by_email(f"{people[0]}@example.org").id
    with as_tenant(organization), transaction():
        for person in people[1:]:
            tenants.add_member(tenants.user_by_email(f"{person}@example.org"), "owner")
        app = apps.create(f"App of {name}", owner)
        documents.change(app, owner, put=[Document(kind="worksheet", key=SHEET, position=0, body={"name": "Work", "views": [], "fields": [
            {"key": TEXT, "type": "text", "name": "Text", "options": {}},
            {"key": NUMBER, "type": "number", "name": "Number", "options": {}}]})])
        for person in people[1:]:
            tenants.name_admin(app, tenants.user_by_email(f"{person}@example.org").id)
        worksheets.put_records(app, SHEET, [{"values": {TEXT: f"text {n}", NUMBER: n}} for n in range(RECORDS[name])], owner)
        if name == "broken":
            webhooks.add("http://127.0.0.1:9/nobody", ["backup_failed", "restore_complete", "quota_full"], owner)
            db.session.execute(update(Organization).values(time_zone="Mars/Olympus"))
        found = {"organization": organization, "app": app.id, "worksheet": SHEET, "text": TEXT}
    return found


def ended() -> dict[str, Any]:
    """Wait for all runs to end; return how each kind ended, and what a deep check says of every backup."""
    until = time.monotonic() + END_S
    while unended() and time.monotonic() < until:
        time.sleep(1)
    with as_server():
        runs = Counter(f"{run.kind} {run.state} {run.error_code or ''}".strip() for run in db.session.scalars(select(Run)))
        failed = Counter(f"{run.kind}: {run.error_message}" for run in db.session.scalars(select(Run).where(Run.error_code.is_not(None))))
        still = unended()
        organizations = list(db.session.scalars(select(Organization.id)))
        restoring = [app.id for app in db.session.scalars(select(App)) if app.restoring_run_id]
    checks: Counter[str] = Counter()
    for organization in organizations:
        with as_tenant(organization):
            ids = list(db.session.scalars(select(Backup.id)))
            for one in ids:
                checks[verdict(one)] += 1
    return {"runs": dict(sorted(runs.items())), "failed": dict(failed),
            "not ended": still, "apps still closed": restoring, "checks": dict(checks)}


def verdict(backup_id: str) -> str:
    """Return what a check says of a backup."""
    try:
        found = direct.check(db.session.get_one(Backup, backup_id), deep=False)
    except AppkeepError as error:
        return "removed by retention meanwhile" if error.code == "not_found" else f"{error.code}: {error}"
    return "sound" if not found.get("missing") and not found.get("damaged") else json.dumps(found)[:200]


def unended() -> list[str]:
    """Return the runs that wait or work."""
    db.session.rollback()
    with as_server():
        live = db.session.scalars(select(Run).where(Run.state.in_(("queued", "running"))))
        found = [f"{run.id} {run.kind} {run.state}" for run in live]
    db.session.rollback()
    return found


if __name__ == "__main__":
    main()
