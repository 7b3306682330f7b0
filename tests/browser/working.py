"""What happens beside the browser: work that is waiting is done, mail is read."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from email import message_from_bytes, policy

from sqlalchemy import select

from core.api import App, as_server, as_tenant, db, find_app, server
from core.runs.models import Run
from core.runs.service import work
from tenants import mail
from tests.browser.conftest import Site


@contextmanager
def working(site: Site) -> Iterator[None]:
    """Let a thread do the runs that are asked for, and those of workflows, as a worker would; what it raises is raised at the end."""
    stop, failed = threading.Event(), list[BaseException]()

    def run() -> None:
        with site.app.app_context():
            while not stop.wait(0.05):
                try:
                    _work_off()
                except BaseException as error:
                    failed.append(error)
                    return

    thread = threading.Thread(target=lambda: Context().run(run))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert [] == failed


def _work_off() -> None:
    with as_server():
        waiting = db.session.execute(select(Run.id, Run.organization_id).where(Run.state == "queued")).all()
        db.session.rollback()
    for run_id, organization_id in waiting:
        with as_tenant(organization_id):
            work(run_id)
            db.session.rollback()
    with as_server():
        due = db.session.execute(select(App.id, App.organization_id).where(App.deleted_at.is_(None))).all()
        db.session.rollback()
    for app_id, organization_id in due:
        with as_tenant(organization_id):
            app = find_app(app_id)
            if app is not None:
                server().registry.hook.work_off(app=app, name="workflows")
            db.session.rollback()


def mailed_link(site: Site, kind: str, to: str) -> str:
    """Return the path of the link in the newest mail to somebody that has one of this kind ("invitation", "reset")."""
    mail.finish()
    for path in sorted((site.home / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns, reverse=True):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        found = re.search(rf"https?://[^/\s]+(/{kind}/[\w-]+)", message.get_content())
        if to in str(message["To"]) and found is not None:
            return found[1]
    raise AssertionError(f"no mail to {to} has a link of the kind {kind}")
