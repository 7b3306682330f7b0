"""Pages on workflows: their list, one as a numbered list of sentences, and forms for its trigger and single steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from core.api import (
    AppkeepError,
    Editing,
    InvalidInput,
    Needs,
    NotFound,
    RecordsAsked,
    Targets,
    again,
    ask_records,
    current_app_row,
    digest,
    documents,
    locks,
    seen_another,
    server,
    transaction,
    visit,
)
from plugins.workflows import secrets, service, starting, step_edits, tokens
from plugins.workflows.form_fields import narrow
from plugins.workflows.names import Names
from plugins.workflows.schema import WORKFLOW
from plugins.workflows.sentences import Speaker
from plugins.workflows.web.blueprint import ALL, ONE, STEP, pages
from plugins.workflows.web.running import callable_from

Body = Mapping[str, Any]
STALE = "Somebody else changed this workflow. Nothing was saved; the current version is shown below."


@pages.page(ALL, Needs.APP_ADMIN, ("GET", "POST"))
def all_workflows(organization_id: str, app_id: str) -> str | Response:
    """List the app's workflows, and make one."""
    app, name, error = current_app_row(), request.form.get("name", ""), None
    if request.method == "POST":
        try:
            with transaction():
                made = service.create(app, name, visit().person)
            return _to(made.key)
        except InvalidInput as refused:
            error = refused.message
    page = render_template("workflows/list.html", workflows=service.listed(app), name=name, error=error)
    return again(page) if error else page


@pages.page(ONE, Needs.APP_ADMIN, ("GET", "POST"))
def workflow(organization_id: str, app_id: str, key: str) -> str | Response:
    """Show a workflow in sentences, and change its name and description."""
    app = current_app_row()
    found, error = documents.get(app, f"workflow/{key}"), None
    if request.method == "POST":
        try:
            if seen_another(request.form, found.body):
                raise InvalidInput(STALE)
            name, description = service.checked_name(request.form.get("name", "")), request.form.get("description", "").strip()
            with transaction():
                service.change(app, key, visit().person, name=name, description=description or None)
            return _to(key)
        except InvalidInput as refused:
            error = refused.message
    lacking = secrets.missing(app, found.body)
    page = render_template("workflows/workflow.html", workflow=found, said=Speaker(Names(app), found.body), error=error,
                           steps=service.offered_steps(), seen=digest(found.body), trigger=found.body["trigger"], missing=lacking,
                           sheet=step_edits.sheet_of(found.body["trigger"]),
                           on=found.body["enabled"] and not lacking, address=_address(key), example=_example(found.body["trigger"]),
                           callers=starting.callers(app, key), others=callable_from())
    return again(page) if error else page


@pages.page(f"{ONE}/switch", Needs.APP_ADMIN, ("POST",))
def switch(organization_id: str, app_id: str, key: str) -> Response:
    """Switch a workflow on or off."""
    documents.get(current_app_row(), f"workflow/{key}")
    with transaction():
        service.change(current_app_row(), key, visit().person, enabled=request.form.get("on") == "1")
    return _to(key) if request.form.get("back") == "workflow" else _to_list()


@pages.page(f"{ONE}/remove", Needs.APP_ADMIN, ("POST",))
def remove(organization_id: str, app_id: str, key: str) -> Response:
    """Move a workflow to the recycle bin."""
    name = documents.get(current_app_row(), f"workflow/{key}").body["name"]
    with transaction():
        documents.hide(current_app_row(), f"workflow/{key}", visit().person)
    flash(f"“{name}” was moved to the recycle bin.", "good")
    return _to_list()


@pages.page(f"{ONE}/trigger", Needs.APP_ADMIN, ("GET", "POST"))
def trigger(organization_id: str, app_id: str, key: str) -> str | Response:
    """Edit what starts a workflow: its type first, then what makes sense for the type."""
    now = documents.get(current_app_row(), f"workflow/{key}").body["trigger"]
    kind = request.args.get("type", now["type"])
    if kind not in step_edits.TRIGGERS:
        raise NotFound("Unknown trigger type. Choose one from the list.")
    asked = step_edits.TRIGGERS[kind][1]
    form = Form(key, service.trigger_schema(kind), {name: value for name, value in now.items() if name in asked}, None)
    if form.saved(lambda body, value: {**body, "trigger": {"type": kind, **value}}):
        return _to(key)
    return form.shown("workflows/trigger.html", kind=kind)


@pages.page(f"{ONE}/steps", Needs.APP_ADMIN, ("POST",))
def add_step(organization_id: str, app_id: str, key: str) -> Response:
    """Add a step, and go on to its form."""
    sent, made = request.form, ""

    def added(body: Body) -> Body:
        nonlocal made
        changed, made = service.add_step(body, sent.get("where", ""), sent.get("after", ""), sent.get("type", ""))
        return changed

    _change(key, added)
    return _to(key, f"step-{made}") if sent.get("type") in ("condition", "end") else _to_step(key, made)


@pages.page(STEP, Needs.APP_ADMIN, ("GET", "POST"))
def step(organization_id: str, app_id: str, key: str, step: str) -> str | Response:
    """Edit one step."""
    found = step_edits.find(documents.get(current_app_row(), f"workflow/{key}").body, step)
    schema = service.step_schema(found)
    names = frozenset(schema["properties"])
    form = Form(key, schema, {name: value for name, value in found.items() if name in names}, step)
    if form.saved(lambda body, value: step_edits.replace(body, step, value, names)):
        return _to(key, f"step-{step}")
    return form.shown("workflows/step.html", step=found, title=service.step_title(found))


@pages.page(f"{STEP}/move", Needs.APP_ADMIN, ("POST",))
def move_step(organization_id: str, app_id: str, key: str, step: str) -> Response:
    """Move a step up or down in its list."""
    _change(key, lambda body: step_edits.move(body, step, -1 if request.form.get("by") == "-1" else 1))
    return _to(key, f"step-{step}")


@pages.page(f"{STEP}/remove", Needs.APP_ADMIN, ("POST",))
def remove_step(organization_id: str, app_id: str, key: str, step: str) -> Response:
    """Take a step out, with all that is in it."""
    _change(key, lambda body: step_edits.remove(body, step))
    return _to(key, "steps")


@pages.page(f"{STEP}/branches", Needs.APP_ADMIN, ("POST",))
def add_branch(organization_id: str, app_id: str, key: str, step: str) -> Response:
    """Add a branch to a condition."""
    _change(key, lambda body: step_edits.add_branch(body, step))
    return _to(key, f"step-{step}")


@pages.page(f"{STEP}/branch/<int:n>", Needs.APP_ADMIN, ("GET", "POST"))
def branch(organization_id: str, app_id: str, key: str, step: str, n: int) -> str | Response:
    """Edit the name and condition of a branch."""
    found = step_edits.branch(documents.get(current_app_row(), f"workflow/{key}").body, step, n)
    form = Form(key, service.branch_schema(), {name: value for name, value in found.items() if name != "steps"}, step)
    if form.saved(lambda body, value: step_edits.replace_branch(body, step, n, value)):
        return _to(key, f"step-{step}")
    return form.shown("workflows/branch.html", step=step, n=n)


@pages.page(f"{STEP}/branch/<int:n>/remove", Needs.APP_ADMIN, ("POST",))
def remove_branch(organization_id: str, app_id: str, key: str, step: str, n: int) -> Response:
    """Take a branch out, with its steps."""
    _change(key, lambda body: step_edits.remove_branch(body, step, n))
    return _to(key, f"step-{step}")


class Form:
    """The form of a trigger, step or branch: its values are texts with tokens for what is there at that point."""

    def __init__(self, key: str, schema: dict[str, Any], value: Body, step: str | None) -> None:
        app = current_app_row()
        self.key, self.schema, self.old = key, schema, value
        self.body = documents.get(app, f"workflow/{key}").body
        self.names = Names(app)
        self.tokens = tokens.tokens_of(self.body, step, self.names.fields, Speaker(self.names, self.body).numbers)
        shown = tokens.each(dict(value), schema, WORKFLOW.schema, lambda one, _: self.tokens.written(one))
        of = step_edits.sheet_of(value if step is not None and "worksheet" in schema["properties"] else self.body["trigger"])
        self.editing = Editing(app, tokens.asked(schema), shown, root=tokens.asked(WORKFLOW.schema),
                               targets=Targets(app, visit().person, own=f"workflow/{key}"),
                               narrow=narrow(self.names, of, "worksheet" in schema["properties"], self.tokens))

    def saved(self, change: Callable[[Body, Body], Body]) -> bool:
        """Save what was sent, where it was sent whole, and say whether it was taken; a refusal is shown in the form."""
        if request.method != "POST" or not self.editing.receive(request.form, request.files):
            return False
        try:
            value = tokens.each(self.editing.value, self.schema, WORKFLOW.schema, self.tokens.read, self.old)
            _change(self.key, lambda body: change(body, value))
        except AppkeepError as error:
            self.editing.refuse(error)
            return False
        flash("Saved.", "good")
        return True

    def shown(self, template: str, **more: Any) -> Response:
        """Return the page with the form."""
        found = documents.get(current_app_row(), f"workflow/{self.key}")
        return make_response(render_template(template, form=self.editing, workflow=found, editing=step_edits, tokens=self.tokens, **more),
                             self.editing.status)


def _address(key: str) -> str | None:
    """Return the secret address at which a workflow is called, None where it has none."""
    token = starting.token_of(current_app_row(), key)
    return None if token is None else server().config.address + url_for("workflows.called", at=current_app_row().id, token=token)


def _example(trigger: Body) -> int | None:
    """Return the number of a record to test with: the last one there is."""
    sheet = step_edits.sheet_of(trigger)
    given = ask_records(current_app_row(), visit().person, RecordsAsked(worksheet=sheet, fields=(), limit=1)) if sheet else None
    return given.records[0].seq if given is not None and given.records else None


def _change(key: str, change: Callable[[Body], Body]) -> None:
    app = current_app_row()
    with transaction():
        locks.take(app)
        body = change(documents.get(app, f"workflow/{key}").body)
        service.change(app, key, visit().person, **body)


def _where() -> dict[str, Any]:
    return {"organization_id": current_app_row().organization_id, "app_id": current_app_row().id}


def _to(key: str, anchor: str | None = None) -> Response:
    return redirect(url_for("workflows.workflow", key=key, _anchor=anchor, **_where()))  # type: ignore[return-value]


def _to_list() -> Response:
    return redirect(url_for("workflows.all_workflows", **_where()))  # type: ignore[return-value]


def _to_step(key: str, step: str) -> Response:
    return redirect(url_for("workflows.step", key=key, step=step, **_where()))  # type: ignore[return-value]
