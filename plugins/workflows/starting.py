"""Workflows that people start, by a button or by hand, and those that are called from outside. The caller owns the transaction."""

from __future__ import annotations

import hashlib
import secrets as chance
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from core.api import (
    App,
    Conflict,
    Document,
    InvalidInput,
    NotFound,
    RecordsAsked,
    ask_records,
    author,
    db,
    documents,
    find_app,
    insert_once,
    locks,
    seal,
    unseal,
    wake,
)
from plugins.workflows import beginning
from plugins.workflows.listening import NAME
from plugins.workflows.models import WorkflowAddress, WorkflowCaller, WorkflowListener
from plugins.workflows.secrets import address_purpose
from plugins.workflows.step_edits import sheet_of

BY_PEOPLE = ("manual", "button")
TOKEN_BYTES = 24
Body = Mapping[str, Any]


def started(app: App, address: str, person: str, worksheet: str | None, seq: int | None) -> str | None:
    """Start the workflow of an address by hand, about a record or none, and return what to tell; None where there is none.

    Raises:
        InvalidInput: it is off, waits for something else, or needs a record.
    """
    if not address.startswith("workflow/"):
        return None
    try:
        document = documents.get(app, address)
    except NotFound:
        return None
    begin(app, document, person, worksheet, seq)
    return f"“{document.body['name']}” was started."


def pressed(app: App, worksheet: str, button: str, seq: int, person: str, target: str) -> list[str]:
    """Start what waits for a button, and the workflow that the button names; see the hook `button_pressed`."""
    mine = f"worksheet/{worksheet}/button/{button}"
    said = []
    for document in documents.live(app, "workflow"):
        waits = document.body["trigger"].get("button", {}).get("ref") == mine and is_on(app, document.key)
        if waits or document.address == target:
            begin(app, document, person, worksheet, seq)
            said.append(f"“{document.body['name']}” was started.")
    return said


def begin(app: App, document: Document, person: str, worksheet: str | None, seq: int | None) -> int:
    """Begin a run of a workflow that people start, and return its number.

    Raises:
        InvalidInput: it is off or lacks a secret, waits for something else, or is about another record.
    """
    trigger, name = document.body["trigger"], document.body["name"]
    if not is_on(app, document.key):
        raise InvalidInput(f"“{name}” is turned off.")
    if trigger["type"] not in BY_PEOPLE:
        raise InvalidInput(f"“{name}” is not started by people: it has another trigger.")
    wanted = sheet_of(trigger).partition("/")[2]
    if wanted and (worksheet != wanted or seq is None):
        raise InvalidInput(f"“{name}” is started for a record of another worksheet." if worksheet else f"Start “{name}” from a record.")
    locks.share(app)
    cause: dict[str, Any] = {"type": trigger["type"]}
    if worksheet is not None and seq is not None:
        given = ask_records(app, person, RecordsAsked(worksheet=f"worksheet/{worksheet}", seqs=(seq,), fields=(), limit=1))
        if given is None or not given.records:
            raise NotFound("This record does not exist, or you do not have access to it.")
        cause |= {"worksheet": worksheet, "seq": seq, "title": given.records[0].title}
    number = beginning.begin(app, document, cause, author(person))
    wake(app, NAME)
    return number


def is_on(app: App, workflow: str) -> bool:
    """Say whether a workflow is on and has the secrets that it needs."""
    return db.session.scalar(select(WorkflowListener.workflow).where(
        WorkflowListener.app_id == app.id, WorkflowListener.workflow == workflow)) is not None


def all_on(app: App) -> set[str]:
    """Return the workflows of an app that are on and have the secrets that they need."""
    return set(db.session.scalars(select(WorkflowListener.workflow).where(WorkflowListener.app_id == app.id)))


def token_of(app: App, workflow: str) -> str | None:
    """Return the token in the address at which a workflow is called; None where it has none."""
    sealed = db.session.scalar(select(WorkflowAddress.sealed).where(
        WorkflowAddress.app_id == app.id, WorkflowAddress.workflow == workflow))
    return None if sealed is None else unseal(sealed, address_purpose(app.id, workflow))


def make_token(app: App, workflow: str) -> str:
    """Give a workflow a new address; the one before leads nowhere from now on."""
    locks.take(app)
    documents.get(app, f"workflow/{workflow}")
    token = chance.token_urlsafe(TOKEN_BYTES)
    db.session.execute(delete(WorkflowAddress).where(WorkflowAddress.app_id == app.id, WorkflowAddress.workflow == workflow)
                       .execution_options(synchronize_session=False))
    db.session.add(WorkflowAddress(app_id=app.id, workflow=workflow, digest=digest_of(token),
                                   sealed=seal(token, address_purpose(app.id, workflow))))
    db.session.flush()
    return token


def called(app: App, token: str, body: Any) -> int | None:
    """Begin a run of the workflow at a secret address with what was sent; None where no workflow that is on has that address."""
    workflow = db.session.scalar(select(WorkflowAddress.workflow).where(
        WorkflowAddress.app_id == app.id, WorkflowAddress.digest == digest_of(token)))
    if workflow is None or not is_on(app, workflow):
        return None
    document = documents.get(app, f"workflow/{workflow}")
    if document.body["trigger"]["type"] != "webhook":
        return None
    locks.share(app)
    number = beginning.begin(app, document, {"type": "webhook", "body": body}, "system")
    wake(app, NAME)
    return number


def called_by(app: App, workflow: str, person: str, body: Any) -> int:
    """Begin a run of a workflow that waits for calls, with what was sent on behalf of somebody, and return its number.

    Raises:
        NotFound: there is no such workflow.
        Conflict: it is off or lacks a secret, or has another trigger.
    """
    document = documents.get(app, f"workflow/{workflow}")
    name = document.body["name"]
    if document.body["trigger"]["type"] != "webhook":
        raise Conflict(f"“{name}” is not started by calls: it has another trigger.")
    if not is_on(app, workflow):
        raise Conflict(f"“{name}” is turned off, or a secret that it uses is missing.")
    locks.share(app)
    number = beginning.begin(app, document, {"type": "webhook", "body": body}, author(person))
    wake(app, NAME)
    return number


def called_from(app_id: str, workflow: str, caller: App, body: Any, person: str, chain: Sequence[str]) -> int:
    """Begin a run of a workflow of another app, which takes calls from *caller*, and return its number.

    Raises:
        InvalidInput: there is no such workflow, it is off, or an admin of its app has not allowed it. The same is said of all of these.
        AppRestoring: that app is being restored.
    """
    app = find_app(app_id)
    allowed = app is not None and app.id != caller.id and db.session.scalar(select(WorkflowCaller.caller).where(
        WorkflowCaller.app_id == app.id, WorkflowCaller.workflow == workflow, WorkflowCaller.caller == caller.id)) is not None
    if app is None or not allowed or not is_on(app, workflow):
        raise InvalidInput("That workflow of another app takes no calls from this app, is turned off, or was deleted. "
                           "An admin of that app can allow it.")
    document = documents.get(app, f"workflow/{workflow}")
    if document.body["trigger"]["type"] != "webhook":
        raise InvalidInput("That workflow of another app is not started by calls: it has another trigger.")
    locks.share(app)
    number = beginning.begin(app, document, {"type": "webhook", "body": body}, person, chain)
    wake(app, NAME)
    return number


def callers(app: App, workflow: str) -> list[App]:
    """Return the apps whose workflows may start a workflow, by name."""
    found = db.session.scalars(select(WorkflowCaller.caller).where(WorkflowCaller.app_id == app.id, WorkflowCaller.workflow == workflow))
    return sorted((one for key in found.all() if (one := find_app(key)) is not None), key=lambda one: one.name.casefold())


def allow(app: App, workflow: str, caller: str, *, on: bool) -> None:
    """Let the workflows of another app of the organization start a workflow, or no more.

    Raises:
        NotFound: there is no such workflow, or no such app.
    """
    locks.take(app)
    documents.get(app, f"workflow/{workflow}")
    if on:
        if find_app(caller) is None or caller == app.id:
            raise NotFound("This app no longer exists.")
        insert_once(WorkflowCaller.__table__, app_id=app.id, workflow=workflow, caller=caller)
    else:
        db.session.execute(delete(WorkflowCaller).where(
            WorkflowCaller.app_id == app.id, WorkflowCaller.workflow == workflow, WorkflowCaller.caller == caller,
        ).execution_options(synchronize_session=False))


def digest_of(token: str) -> str:
    """Return what a token is found by."""
    return hashlib.sha256(token.encode()).hexdigest()
