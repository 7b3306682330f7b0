"""The API on workflows: which there are, calling one that waits for calls, and how far a run is.

For admins of the app, as the pages on workflows are: they see the secret addresses that anybody could call, and the runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.api import API_APP, Answer, Needs, Operations, current_app_row, documents, iso, object_schema, once, visit
from plugins.workflows import history, starting
from plugins.workflows.models import WorkflowRun, WorkflowStep
from plugins.workflows.schema import TRIGGER
from plugins.workflows.steps import results_of
from plugins.workflows.web.running import CAUSES, MOST_CALL, STEP_TITLES

api = Operations("workflows_api", __name__)
ALL = f"{API_APP}/workflows"
SUBJECT = "Workflows"
TEXT, WHOLE, MAYBE = {"type": "string"}, {"type": "integer"}, {"type": ["string", "null"]}
MOMENT = {**MAYBE, "description": "RFC 3339, UTC; null where it has not come yet."}
NOTE = {**MAYBE, "description": "Why it stands so, for people."}
MOST_STEPS = 500
WORKFLOW = object_schema({
    "workflow": TEXT, "name": TEXT, "trigger": {"enum": TRIGGER["properties"]["type"]["enum"]},
    "on": {"type": "boolean", "description": "Whether it runs: it is turned on, and has the secrets that it uses."}})
STEP = object_schema({
    "n": {**WHOLE, "description": "Counts the steps that the run has begun."},
    "step": {**TEXT, "description": "Key of the workflow’s step (`t_…`); in a loop it comes again."},
    "state": {"enum": list(STEP_TITLES)}, "note": NOTE, "tries": WHOLE, "began_at": TEXT, "ended_at": MOMENT,
    "given": {"type": "object", "additionalProperties": TEXT, "description": "What it was given, as people read it."},
    "results": {"type": "object", "additionalProperties": TEXT, "description": "What it found, as people read it, shortened."}})
RUN = object_schema({
    "run": WHOLE, "workflow": TEXT, "state": {"enum": list(history.STATES)}, "test": {"type": "boolean"},
    "cause": {"enum": list(CAUSES)},
    "person": {**MAYBE, "description": "On whose behalf; null for nobody’s."}, "note": NOTE, "asked_at": TEXT, "started_at": MOMENT,
    "ended_at": MOMENT, "steps": {
        "type": "array", "items": STEP, "description": f"In their order; of very many, the last {MOST_STEPS}."}})


@api.operation("GET", ALL, Needs.APP_ADMIN, name="list_workflows", scope="read", subject=SUBJECT, summary="The workflows of an app",
               answer=object_schema({"items": {"type": "array", "items": WORKFLOW}}))
def list_workflows(app_id: str) -> dict[str, Any]:
    """List workflows, in the order of their page."""
    app = current_app_row()
    on = starting.all_on(app)
    return {"items": [{"workflow": one.key, "name": one.body["name"], "trigger": one.body["trigger"]["type"], "on": one.key in on}
                      for one in documents.live(app, "workflow")]}


@api.operation("POST", f"{ALL}/<workflow>/call", Needs.APP_ADMIN, name="call_workflow", scope="write", subject=SUBJECT,
               summary="Start a workflow whose trigger is a webhook", status=202, max_bytes=MOST_CALL, refusals=(409, 413),
               repeatable=True, parts={"workflow": "Key of a workflow (`f_…`)."},
               about="As a call at its secret address does, on behalf of the token’s person.",
               body=object_schema({"body": {"description": "What its steps find as what was sent: any JSON."}}),
               answer=object_schema({"run": WHOLE}))
def call_workflow(app_id: str, workflow: str, body: dict[str, Any]) -> Any:
    """Begin a run with what was sent."""
    def act() -> Answer:
        number = starting.called_by(current_app_row(), workflow, visit().person, body["body"])
        return Answer({"run": number}, headers={"Location": f"{ALL}/runs/{number}".replace("<app_id>", app_id)})

    return once(act)


@api.operation("GET", f"{ALL}/runs/<int:number>", Needs.APP_ADMIN, name="get_workflow_run", scope="read", subject=SUBJECT,
               summary="How far a run of a workflow is, and what its steps did", answer=RUN,
               parts={"number": "Number of a run, which counts the app’s runs."})
def get_workflow_run(app_id: str, number: int) -> dict[str, Any]:
    """Show a run, as long as it is kept and its workflow is there."""
    app = current_app_row()
    row = history.find(app, number)
    documents.get(app, f"workflow/{row.workflow}")
    return {**_run(row), "steps": [_step(one) for one in history.steps_of(app, number, MOST_STEPS)]}


def _run(row: WorkflowRun) -> dict[str, Any]:
    return {"run": row.number, "workflow": row.workflow, "state": row.state, "test": row.test, "cause": json.loads(row.cause)["type"],
            "person": None if row.person == "system" else row.person, "note": row.note, "asked_at": iso(row.asked_at),
            "started_at": _moment(row.started_at), "ended_at": _moment(row.ended_at)}


def _step(row: WorkflowStep) -> dict[str, Any]:
    return {"n": row.n, "step": row.step, "state": row.state, "note": row.note, "tries": row.tries, "began_at": iso(row.began_at),
            "ended_at": _moment(row.ended_at), "given": _texts(json.loads(row.given)), "results": dict(results_of(json.loads(row.found)))}


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if text is None else str(text) for name, text in given.items()}


def _moment(time_us: int | None) -> str | None:
    return None if time_us is None else iso(time_us)
