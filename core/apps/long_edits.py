"""Edits that take long: an app's document changes with all the data that hangs on it, done by a worker in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.apps import documents, service
from core.base.db import transaction
from core.runs.context import RunContext
from core.runs.models import Run
from core.runs.service import request
from core.server import server
from core.tenancy.models import App

KIND = "edit"
"""The kind of run."""


def done_later(app: App, edit: Mapping[str, Any], person: str) -> Run | None:
    """Have a worker do an edit for which a page would have to wait; None where it takes a moment, and is the caller's to do.

    *edit* is as a script has it: {"op": …, "document": …}. It is asked in the caller's transaction, and tried as it stands by then. A
    sentence that it answers as "told" stands on the run's page.
    """
    address = str(edit["document"]) + (f"/{edit['part']}/{edit['body']['key']}" if "part" in edit else "")
    component = server().registry.kind(address.partition("/")[0])[0]
    if not component.takes_long(app, str(edit["op"]), address):
        return None
    return request(KIND, app, {"edits": [edit]}, person, send=True)


def done(app: App, op: str, address: str, person: str) -> Run | None:
    """Hide, bring back or purge a document or part: now, or by a worker, whose run is returned. In the caller's transaction."""
    run = done_later(app, {"op": op, "document": address}, person)
    if run is None:
        {"hide": documents.hide, "bring_back": documents.bring_back, "purge": documents.purge}[op](app, address, person)
    return run


def work(run: RunContext) -> None:
    """Do a run of kind "edit": its edits and its end are one commit.

    Raises:
        AppRestoring: the app is closed; it is done later.
        AppkeepError: the app has changed so that an edit makes no sense any more.
    """
    run.step("edit.begun")
    with transaction():
        run.fence()
        answers = service.apply(service.find(str(run.app_id)), run.options["edits"], run.person)
        told = [answer["told"] for answer in answers if "told" in answer]
        run.succeed({"edits": len(answers), **({"told": told} if told else {})})
    run.step("edit.committed", ended=True)
