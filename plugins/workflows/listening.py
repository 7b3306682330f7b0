"""What workflows that are on wait for, and what happens to records meanwhile: both as rows, written with what they follow from.

A write asks one question, whether a workflow listens to its worksheet, and where one does it leaves one row a record: nobody who writes
waits for workflows, and none of what they wait for is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, text

from core.api import Acting, App, Document, NotFound, RecordChange, db, documents, locks, now_us, scratch, wake, zone_of
from plugins.workflows import beginning, secrets, times
from plugins.workflows.models import WorkflowHealth, WorkflowListener
from plugins.workflows.step_edits import sheet_of

NAME = "workflows"
"""What workers are woken for."""
LOOK_US = 300_000_000
"""So often are dates with a time looked at."""
_HEARD, _FORMS = "workflows_heard", "workflows_forms"
_chain: ContextVar[tuple[str, ...]] = ContextVar("appkeep_workflow_chain", default=())
_acting: ContextVar[str] = ContextVar("appkeep_workflow_person", default="")
_name: ContextVar[str] = ContextVar("appkeep_workflow_name", default="")
_COLUMNS = "app_id, at, worksheet, seq, before, after, form, person, chain"
_VALUES = ":app, :at, :worksheet, :seq, :before, :after, :form, :person, :chain"
_ADD = {
    "postgresql": text(f"INSERT INTO workflow_event ({_COLUMNS}) VALUES ({_VALUES})"),
    "sqlite": text(f"INSERT INTO workflow_event (id, {_COLUMNS}) SELECT coalesce(max(id), 0) + 1, {_VALUES} FROM workflow_event "
                   "WHERE app_id = :app"),
}
_KINDS = text("SELECT kind FROM workflow_listener WHERE app_id = :app AND worksheet = :worksheet")
Body = Mapping[str, Any]


@contextmanager
def acting(chain: tuple[str, ...], person: str, name: str) -> Iterator[None]:
    """Do what workflows do: *chain* are those that led here, the one that acts last, by its *name*; it acts on behalf of a person."""
    tokens = _chain.set(chain), _acting.set(person), _name.set(name)
    try:
        yield
    finally:
        _chain.reset(tokens[0])
        _acting.reset(tokens[1])
        _name.reset(tokens[2])


def acting_now() -> Acting | None:
    """Return the workflow that acts; see the hook."""
    return Acting(name=_name.get(), person=_acting.get()) if _chain.get() else None


def changed(app: App, worksheet: str, changes: Sequence[RecordChange], person: str) -> None:
    """Leave what happened to records for the workflows that listen to their worksheet; see the hook `record_changed`."""
    kinds = heard(app, worksheet)
    if not kinds:
        return
    rows = [_row(app, worksheet, one, person) for one in changes if _kind_of(one) in kinds]
    if "form_submitted" in kinds:
        scratch().setdefault(_FORMS, {}).update({(app.id, worksheet, one.seq): one.after for one in changes})
    _leave(app, rows)


def form_sent(app: App, worksheet: str, view: str, seq: int, person: str) -> None:
    """Leave that a form was sent in; see the hook `form_submitted`."""
    if "form_submitted" in heard(app, worksheet):
        after = scratch().get(_FORMS, {}).get((app.id, worksheet, seq))
        _leave(app, [{**_row(app, worksheet, RecordChange(seq=seq, before=None, after=after), person), "form": view}])


def heard(app: App, worksheet: str) -> frozenset[str]:
    """Return which triggers listen to a worksheet; asked once a transaction."""
    known: dict[tuple[str, str], frozenset[str]] = scratch().setdefault(_HEARD, {})
    place = app.id, worksheet
    if place not in known:
        rows = db.session.connection().execute(_KINDS, {"app": app.id, "worksheet": worksheet})
        known[place] = frozenset(row[0] for row in rows)
    return known[place]


def follow(app: App, before: Mapping[str, Document], after: Mapping[str, Document]) -> None:
    """Have listening follow documents that changed. One that lacks a secret does not listen."""
    for address in before.keys() | after.keys():
        listen(app, address.partition("/")[2], after.get(address), fresh=_was_off(before.get(address)))
    if locks.is_restore():
        beginning.stop_runs(app, {address.partition("/")[2] for address in before if before[address] != after.get(address)},
                            "A restore changed this workflow.")
    else:
        off = {address.partition("/")[2] for address in before if not _was_off(before[address]) and _was_off(after.get(address))}
        beginning.stop_runs(app, off, "The workflow was turned off before this run began.", states=("queued",))


def listen(app: App, key: str, document: Document | None, *, fresh: bool = False) -> None:
    """Listen as a workflow says that is on, and not at all for one that is off or gone; *fresh*: what failed before is forgotten."""
    due = db.session.execute(select(WorkflowListener.kind, WorkflowListener.due_at, WorkflowListener.seen_at).where(
        WorkflowListener.app_id == app.id, WorkflowListener.workflow == key)).first()
    db.session.execute(delete(WorkflowListener).where(WorkflowListener.app_id == app.id, WorkflowListener.workflow == key)
                       .execution_options(synchronize_session=False))
    scratch().pop(_HEARD, None)
    if document is None or not document.body["enabled"] or secrets.missing(app, document.body):
        return
    trigger = document.body["trigger"]
    seen = due.seen_at if due is not None and due.kind == trigger["type"] and not fresh else now_us()
    db.session.execute(WorkflowListener.__table__.insert().values(
        app_id=app.id, workflow=key, kind=trigger["type"], worksheet=sheet_of(trigger).partition("/")[2],
        due_at=next_look(app, trigger, now_us()), seen_at=seen if trigger["type"] == "date_reached" else None))
    if fresh:
        db.session.execute(delete(WorkflowHealth).where(WorkflowHealth.app_id == app.id, WorkflowHealth.workflow == key)
                           .execution_options(synchronize_session=False))


def follow_secrets(app: App) -> None:
    """Have the workflows that use secrets listen, or not, now that the app has others; the app's documents are locked."""
    for document in documents.live(app, "workflow"):
        if secrets.named_in(document.body):
            listen(app, document.key, document)


def next_look(app: App, trigger: Body, now: int) -> int | None:
    """Return when the clock looks at a trigger next, in microseconds; None for one that no time triggers."""
    after = datetime.fromtimestamp(now / 1_000_000, UTC)
    if trigger["type"] == "schedule":
        due = times.next_due(trigger.get("schedule", {"every": "day"}), after, zone(app))
        return None if due is None else int(due.timestamp() * 1_000_000)
    if trigger["type"] == "date_reached":
        if _is_day(app, trigger):
            due = times.next_due({"every": "day", **clock_of(trigger)}, after, zone(app))
            return None if due is None else int(due.timestamp() * 1_000_000)
        return (now // LOOK_US + 1) * LOOK_US
    return None


def clock_of(trigger: Body) -> dict[str, int]:
    """Return the time of day at which a date without a time counts as reached."""
    return {"hour": int(trigger.get("hour", times.EARLY_HOUR)), "minute": int(trigger.get("minute", 0))}


def _is_day(app: App, trigger: Body) -> bool:
    """Say whether a trigger's field holds days without a time: those need one look a day."""
    sheet, _, key = str(trigger.get("date_field", {}).get("ref", "")).partition("/field/")
    try:
        fields = documents.get(app, sheet).body.get("fields", ())
    except NotFound:
        return False
    return any(one["key"] == key and one["type"] == "date" for one in fields)


def zone(app: App) -> Any:
    """Return the time zone of an app's organization."""
    return zone_of(app.organization_id)


def _was_off(document: Document | None) -> bool:
    return document is None or not document.body["enabled"]


def _kind_of(change: RecordChange) -> str:
    if change.before is None:
        return "record_created" if change.after is not None else ""
    if change.after is None:
        return "record_deleted"
    return "record_updated" if change.before != change.after else ""


def _row(app: App, worksheet: str, change: RecordChange, person: str) -> dict[str, Any]:
    return {"app": app.id, "at": now_us(), "worksheet": worksheet, "seq": change.seq, "before": _text(change.before),
            "after": _text(change.after), "form": None, "person": _acting.get() or person, "chain": json.dumps(_chain.get())}


def _text(values: Body | None) -> str | None:
    return None if values is None else json.dumps(values, ensure_ascii=False)


def _leave(app: App, rows: Sequence[Body]) -> None:
    if not rows:
        return
    connection = db.session.connection()
    connection.execute(_ADD[connection.dialect.name], list(rows))
    if not _chain.get() and not locks.is_restore():
        wake(app, NAME)
