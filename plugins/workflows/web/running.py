"""Pages on what runs: runs and their steps, tests, starting by hand, secrets, the secret address, approvals, calls from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for

from core.api import (
    APP,
    MANAGE,
    ORGANIZATION,
    App,
    AppkeepError,
    InvalidInput,
    Needs,
    NotFound,
    again,
    apps,
    ask_record,
    csrf,
    current_app_row,
    documents,
    find_app,
    limiter,
    locks,
    standing,
    transaction,
    visit,
)
from plugins.workflows import approvals, history, listening, secrets, starting, testing
from plugins.workflows.models import OPEN, WorkflowRun
from plugins.workflows.names import Names
from plugins.workflows.sentences import Speaker
from plugins.workflows.step_edits import sheet_of
from plugins.workflows.steps import results_of
from plugins.workflows.web.blueprint import ONE, pages
from tenants.service import opened_to_anybody

RUN = f"{ONE}/runs/<int:number>"
MOST_CALL = 256 * 1024
CALLS = "300/minute"
TITLES = {"queued": "Queued", "running": "Running", "waiting": "Waiting", "succeeded": "Done", "failed": "Failed", "stopped": "Stopped"}
TONES = {"succeeded": "good", "failed": "bad", "stopped": "warn", "running": "info", "waiting": "info", "queued": "info"}
STEP_TITLES = {"done": "Done", "failed": "Failed", "waiting": "Waiting", "calling": "Calling", "skipped": "Not done"}
CAUSES = {"record_created": "Record created", "record_updated": "Record changed", "record_deleted": "Record deleted",
          "date_reached": "Date reached", "schedule": "Schedule", "button": "Button", "webhook": "Call from outside",
          "form_submitted": "Form submitted", "manual": "Started manually", "workflow": "Started by a workflow"}


@pages.page(f"{ONE}/runs", Needs.APP_ADMIN)
def all_runs(organization_id: str, app_id: str, key: str) -> str:
    """List the runs of a workflow, newest first."""
    app, state = current_app_row(), request.args.get("state", "")
    found = history.listed(app, key, state or None, _number(request.args.get("before")))
    return render_template("workflows/runs.html", workflow=documents.get(app, f"workflow/{key}"), listed=found, state=state,
                           shown=[_shown(one) for one in found.runs], titles=TITLES, tones=TONES, open=history.has_open(app, key))


@pages.page(RUN, Needs.APP_ADMIN)
def one_run(organization_id: str, app_id: str, key: str, number: int) -> str:
    """Show a run: what triggered it, its steps with what they were given and what came of them."""
    app = current_app_row()
    row = _of(key, number)
    body, names = history.body_of(app, row), Names(app)
    speaker = Speaker(names, body)
    said = {step.key: step for step in _walk(speaker.steps())}
    steps = [{"row": one, "shown": said.get(one.step), "given": json.loads(one.given), "found": list(results_of(json.loads(one.found)))}
             for one in history.steps_of(app, number)]
    return render_template("workflows/run.html", workflow=documents.get(app, f"workflow/{key}"), run=row, shown=_shown(row), steps=steps,
                           titles=TITLES, tones=TONES, step_titles=STEP_TITLES, open=row.state in OPEN, changed=_changes(names, row))


@pages.page(f"{RUN}/again", Needs.APP_ADMIN, ("POST",))
def again_from_step(organization_id: str, app_id: str, key: str, number: int) -> Response:
    """Go on with a run from the step that failed."""
    _of(key, number)
    return _acted(lambda: history.run_again(current_app_row(), number), "The run continues from the step that failed.", key, number)


@pages.page(f"{RUN}/stop", Needs.APP_ADMIN, ("POST",))
def stop(organization_id: str, app_id: str, key: str, number: int) -> Response:
    """End a run."""
    _of(key, number)
    return _acted(lambda: history.stop(current_app_row(), number), "The run was stopped.", key, number)


@pages.page(f"{ONE}/runs/stop", Needs.APP_ADMIN, ("POST",))
def stop_all(organization_id: str, app_id: str, key: str) -> Response:
    """End all open runs of a workflow."""
    with transaction():
        stopped = history.stop_all(current_app_row(), key)
    flash(f"{stopped:,} {'run was' if stopped == 1 else 'runs were'} stopped.", "good")
    return redirect(_url("all_runs", key=key))  # type: ignore[return-value]


@pages.page(f"{ONE}/test", Needs.APP_ADMIN, ("POST",))
def test(organization_id: str, app_id: str, key: str) -> Response:
    """Test a workflow: nothing is written, and nothing goes outside."""
    try:
        with transaction():
            number = testing.try_out(current_app_row(), key, visit().person, _number(request.form.get("seq")))
    except AppkeepError as error:
        flash(error.message, "bad")
        return redirect(_url("workflow", key=key))  # type: ignore[return-value]
    return redirect(_url("one_run", key=key, number=number))  # type: ignore[return-value]


@pages.page(f"{ONE}/start", Needs.APP_ADMIN, ("POST",))
def start(organization_id: str, app_id: str, key: str) -> Response:
    """Start a workflow by hand, about a record where its trigger has a worksheet."""
    app = current_app_row()
    document = documents.get(app, f"workflow/{key}")
    sheet = sheet_of(document.body["trigger"]).partition("/")[2] or None
    try:
        with transaction():
            number = starting.begin(app, document, visit().person, sheet, _number(request.form.get("seq")))
    except AppkeepError as error:
        flash(error.message, "bad")
        return redirect(_url("workflow", key=key))  # type: ignore[return-value]
    return redirect(_url("one_run", key=key, number=number))  # type: ignore[return-value]


@pages.page(f"{APP}/workflow/<key>/start/<sheet>/<int:seq>", Needs.APP, ("POST",))
def start_for(organization_id: str, app_id: str, key: str, sheet: str, seq: int) -> Response:
    """Start a workflow from a record's page, as somebody who can open the record."""
    app = current_app_row()
    try:
        with transaction():
            said = starting.started(app, f"workflow/{key}", visit().person, sheet, seq)
        if said is None:
            raise NotFound("This workflow was deleted.")
        flash(said, "good")
    except InvalidInput as error:
        flash(error.message, "bad")
    return redirect(url_for("records.record", key=sheet, seq=seq, **_where()))  # type: ignore[return-value]


@pages.page(f"{ONE}/address", Needs.APP_ADMIN, ("POST",))
def new_address(organization_id: str, app_id: str, key: str) -> Response:
    """Give a workflow a new secret address; the one before stops working."""
    with transaction():
        starting.make_token(current_app_row(), key)
    flash("The address was created.", "good")
    return redirect(_url("workflow", key=key, _anchor="trigger-title"))  # type: ignore[return-value]


@pages.page(f"{ONE}/callers", Needs.APP_ADMIN, ("POST",))
def change_callers(organization_id: str, app_id: str, key: str) -> Response:
    """Let the workflows of another app start this one, or no more; one can name the apps that one sees."""
    on, caller = request.form.get("on") == "1", request.form.get("caller", "")
    if on and caller not in {one.id for one in callable_from()}:
        raise NotFound("This app no longer exists.")
    with transaction():
        starting.allow(current_app_row(), key, caller, on=on)
    flash("That app’s workflows can start this one." if on else "That app’s workflows can no longer start this one.", "good")
    return redirect(_url("workflow", key=key, _anchor="trigger-title"))  # type: ignore[return-value]


def callable_from() -> list[App]:
    """Return the other apps of the organization that the visitor sees."""
    return [one for one in apps.all_apps() if one.id != current_app_row().id and standing(one, visit().person).sees]


@pages.page(f"{MANAGE}/workflow-secrets", Needs.APP_ADMIN, ("GET", "POST"))
def all_secrets(organization_id: str, app_id: str) -> str | Response:
    """List secrets by name, and save one; none is ever shown."""
    app, error, name = current_app_row(), None, request.form.get("name", "")
    if request.method == "POST":
        try:
            with transaction():
                locks.take(app)
                secrets.put(app, name, request.form.get("value", ""), visit().person)
                listening.follow_secrets(app)
            flash(f"“{name.strip()}” was saved.", "good")
            return redirect(_url("all_secrets"))  # type: ignore[return-value]
        except InvalidInput as refused:
            error = refused.message
    used: dict[str, list[str]] = {}
    for document in documents.live(app, "workflow"):
        for one in secrets.named_in(document.body):
            used.setdefault(one, []).append(str(document.body["name"]))
    kept = secrets.listed(app)
    page = render_template("workflows/secrets.html", secrets=kept, used=used, error=error, name=name,
                           missing=sorted(used.keys() - {one.name for one in kept}))
    return again(page) if error else page


@pages.page(f"{MANAGE}/workflow-secrets/remove", Needs.APP_ADMIN, ("POST",))
def remove_secret(organization_id: str, app_id: str) -> Response:
    """Remove a secret; workflows that use it are off until there is one again."""
    app, name = current_app_row(), request.form.get("name", "")
    with transaction():
        locks.take(app)
        secrets.remove(app, name)
        listening.follow_secrets(app)
    flash(f"“{name}” was removed.", "good")
    return redirect(_url("all_secrets"))  # type: ignore[return-value]


@pages.page(f"{ORGANIZATION}/approvals", Needs.MEMBER)
def all_approvals(organization_id: str) -> str:
    """List what waits for the visitor's decision."""
    found = [(one, app) for one in approvals.open_of(visit().person) if (app := find_app(one.app_id)) is not None]
    return render_template("workflows/approvals.html", asked=found)


@pages.page(f"{ORGANIZATION}/approvals/<of>/<int:number>/<int:n>", Needs.MEMBER, ("GET", "POST"))
def approval(organization_id: str, of: str, number: int, n: int) -> str | Response:
    """Show what is asked, and take the visitor's decision."""
    here, error = apps.find(of), None
    asked = approvals.find(here, number, n, visit().person)
    if request.method == "POST":
        try:
            with transaction():
                approvals.answer(here, number, n, visit().person, request.form.get("said", ""), request.form.get("comment", ""))
            flash("Your decision was saved.", "good")
            return redirect(request.path)  # type: ignore[return-value]
        except AppkeepError as refused:
            error = refused.message
            asked = approvals.find(here, number, n, visit().person)
    row = history.find(here, number)
    page = render_template("workflows/approval.html", asked=asked, of=here, error=error, run=row, about=_about(here, row))
    return again(page) if error else page


@pages.page("/in/<at>/<token>", Needs.NOTHING, ("POST",), max_bytes=MOST_CALL)
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF comes without types
@limiter.limit(CALLS)
def called(at: str, token: str) -> tuple[Mapping[str, Any], int]:
    """Take a call from outside at a workflow's secret address; what has none answers as what does not exist."""
    sent = request.get_data(cache=False)
    body = _body_of(sent)
    with opened_to_anybody(at) as app, transaction():
        number = starting.called(app, token, body)
    if number is None:
        abort(404)
    return {"run": number}, 202


def _body_of(sent: bytes) -> Any:
    text = sent.decode("utf-8", "replace").replace("\0", "")
    try:
        found = json.loads(text, parse_constant=lambda word: None)
    except (ValueError, RecursionError):
        return text
    return found


def _shown(row: WorkflowRun) -> dict[str, Any]:
    cause = json.loads(row.cause)
    return {"cause": CAUSES.get(cause["type"], cause["type"]), "worksheet": cause.get("worksheet"), "seq": cause.get("seq"),
            "person": row.person if row.person != "system" else "", "by": json.loads(row.chain)}


def _changes(names: Names, row: WorkflowRun) -> list[tuple[str, str, str]]:
    """Return (field, before, after) of what changed in the record that triggered a run."""
    cause = json.loads(row.cause)
    before, after = cause.get("before"), cause.get("after")
    if before is None or after is None:
        return []
    fields = dict(names.fields(f"worksheet/{cause['worksheet']}"))

    def text(key: str, value: Any) -> str:
        address = f"worksheet/{cause['worksheet']}/field/{key}"
        choices = dict(names.choices(address))
        items = value if isinstance(value, list) else [value]
        return ", ".join("" if one is None else str(choices.get(str(one), one)) for one in items)[:300]

    return [(fields.get(key, key), text(key, before.get(key)), text(key, after.get(key)))
            for key in sorted({*before, *after}, key=lambda one: fields.get(one, one)) if before.get(key) != after.get(key)]


def _about(app: Any, row: WorkflowRun) -> tuple[str, str] | None:
    """Return what a run's record is called and its address, for a visitor who can open it."""
    cause = json.loads(row.cause)
    if not cause.get("seq"):
        return None
    given = ask_record(app, visit().person, cause["worksheet"], cause["seq"])
    if given is None:
        return None
    url = url_for("records.record", organization_id=app.organization_id, app_id=app.id, key=cause["worksheet"], seq=cause["seq"])
    return given.title or f"Record {cause['seq']}", url


def _walk(steps: Any) -> Any:
    for step in steps:
        yield step
        yield from _walk(step.inside or ())
        for branch in step.branches:
            yield from _walk(branch.steps)


def _of(key: str, number: int) -> WorkflowRun:
    row = history.find(current_app_row(), number)
    if row.workflow != key:
        raise NotFound("This run does not exist, or is no longer kept.")
    return row


def _acted(act: Any, said: str, key: str, number: int) -> Response:
    try:
        with transaction():
            act()
        flash(said, "good")
    except AppkeepError as error:
        flash(error.message, "bad")
    return redirect(_url("one_run", key=key, number=number))  # type: ignore[return-value]


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _where() -> dict[str, Any]:
    return {"organization_id": current_app_row().organization_id, "app_id": current_app_row().id}


def _url(page: str, **names: Any) -> str:
    return url_for(f"workflows.{page}", **_where(), **names)

