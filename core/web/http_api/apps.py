"""The API on apps and runs, on whoever asks, and the document of it all."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app

from core.apps import service as apps
from core.apps.permissions import standing
from core.base.time import iso
from core.runs import service as runs
from core.runs.models import STATES, Run
from core.runs.service import report_of, run_value
from core.server import server
from core.tenancy.models import App
from core.web.apps import checked_name
from core.web.backups.run_page import cancelled
from core.web.bearer import SCOPES
from core.web.gate import Needs
from core.web.http_api.blueprint import api
from core.web.http_api.openapi import document
from core.web.http_api.operations import APP, APPS, JSON, ROOT, Answer, object_schema, operations_of
from core.web.http_api.repeats import once
from core.web.runs import visible
from core.web.visit import current_app_row, current_standing, visit

RUN = f"{ROOT}/runs/<run_id>"
DOCUMENT = "appkeep-openapi"
"""Under which an application keeps its document."""
NAME = {"type": "string", "minLength": 1, "maxLength": 100}
MOMENT = {"type": ["string", "null"], "description": "RFC 3339, UTC; null where it has not come yet."}
TEXT, WHOLE, FLAG, MAYBE = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": ["string", "null"]}
APP_VALUE = object_schema({"app": TEXT, "name": TEXT, "created_at": TEXT, "admin": {
    **FLAG, "description": "Whether the token’s person manages it."}})
RUN_VALUE = object_schema({
    "run": TEXT, "kind": TEXT, "app": MAYBE, "state": {"enum": list(STATES)}, "phase": TEXT, "done": WHOLE, "total": WHOLE,
    "attempt": WHOLE, "requested_at": TEXT, "ended_at": MOMENT, "error": MAYBE, "waits_since": MOMENT})
RUN_WHOLE = object_schema({**RUN_VALUE["properties"], "error_message": MAYBE, "report": {
    "type": "object", "description": "What came of it, as the command line’s --json says it."}})


@api.operation("GET", f"{ROOT}/openapi.json", Needs.NOTHING, name="openapi", scope="", subject="About the API",
               summary="This document", answer={"type": "object"})
def openapi() -> Response:
    """Give the document of the API."""
    made: bytes | None = current_app.extensions.get(DOCUMENT)
    if made is None:  # once: anybody may ask for it, and it stays the same as long as the process
        made = json.dumps(document(operations_of(current_app), server().config.address), ensure_ascii=False).encode()
        current_app.extensions[DOCUMENT] = made
    return Response(made, mimetype=JSON)


@api.operation("GET", f"{ROOT}/me", Needs.SIGNED_IN, name="me", scope="", subject="About the API",
               summary="Whose token this is, and what it is for", answer=object_schema({
                          "person": TEXT, "name": TEXT, "email": TEXT, "organization": TEXT, "role": MAYBE, "token": TEXT,
                          "token_name": TEXT, "scopes": {"type": "array", "items": {"enum": list(SCOPES)}}, "expires_at": TEXT}))
def me() -> dict[str, Any]:
    """Say who asks."""
    here, bearer = visit(), visit().bearer
    if bearer is None:
        raise RuntimeError("The gate lets nobody in without a token.")
    return {"person": here.person, "name": bearer.visitor.name, "email": bearer.visitor.email, "organization": bearer.organization_id,
            "role": here.role, "token": bearer.token_id, "token_name": bearer.token_name, "scopes": sorted(bearer.scopes),
            "expires_at": iso(bearer.expires_at)}


@api.operation("GET", APPS, Needs.MEMBER, name="list_apps", scope="read", subject="Apps",
               summary="The apps that the token’s person sees",
               answer=object_schema({"items": {"type": "array", "items": APP_VALUE}}))
def list_apps() -> dict[str, Any]:
    """List apps."""
    every = apps.all_apps()
    server().registry.hook.apps_listed(apps=every, person=visit().person)
    return {"items": [_value(app, admin=here.admin) for app in every if (here := standing(app, visit().person)).sees]}


@api.operation("POST", APPS, Needs.ORG_ADMIN, name="create_app", scope="write", subject="Apps", summary="Create an empty app",
               status=201, body=object_schema({"name": NAME}), answer=APP_VALUE, repeatable=True)
def create_app(body: dict[str, Any]) -> Any:
    """Make an app; whose token it is manages it."""
    def act() -> Answer:
        app = apps.create(checked_name(body["name"].strip()), visit().person)
        return Answer(_value(app, admin=True), headers={"Location": f"{APPS}/{app.id}"})

    return once(act)


@api.operation("GET", APP, Needs.APP, name="get_app", scope="read", subject="Apps", summary="One app", answer=APP_VALUE)
def get_app(app_id: str) -> dict[str, Any]:
    """Show an app."""
    return _value(current_app_row(), admin=current_standing().admin)


@api.operation("GET", f"{APP}/runs", Needs.BACKUP, name="list_runs", scope="read", subject="Runs",
               summary="The newest backups, restores, checks and uploads of an app",
               answer=object_schema({"items": {"type": "array", "items": RUN_VALUE}}))
def list_runs(app_id: str) -> dict[str, Any]:
    """List an app's runs, at most 200."""
    runs.end_lost_of(app_id)
    return {"items": [run_value(run) for run in runs.runs_of(app_id)]}


@api.operation("GET", RUN, Needs.MEMBER, name="get_run", scope="read", subject="Runs",
               summary="How far a run is, and how it ended", answer=RUN_WHOLE)
def get_run(run_id: str) -> dict[str, Any]:
    """Show a run."""
    return _whole(visible(run_id))


@api.operation("POST", f"{RUN}/cancel", Needs.MEMBER, name="cancel_run", scope="backup", subject="Runs", summary="Cancel a run",
               about="At once if it waits, otherwise at its next step; one that has ended stays as it is.", answer=RUN_WHOLE)
def cancel_run(run_id: str) -> dict[str, Any]:
    """Ask for a run to be cancelled."""
    return _whole(cancelled(lambda: visible(run_id)))


def started(run: Run) -> Answer:
    """Return the answer that names a run which was asked for."""
    return Answer(run_value(run), headers={"Location": f"{ROOT}/runs/{run.id}"})


def _value(app: App, *, admin: bool) -> dict[str, Any]:
    return {"app": app.id, "name": app.name, "created_at": iso(app.created_at), "admin": admin}


def _whole(run: Run) -> dict[str, Any]:
    return {**run_value(run), "error_message": run.error_message, "report": report_of(run)}
