"""From what happened to runs: changes of records, schedules and dates, each matched with the workflows that wait for it.

One process at a time matches for an app, so that runs are numbered in the order of the changes. A change is gone in the same transaction
in which its runs are there: it is matched once, whoever is killed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from core.api import (
    SYSTEM,
    App,
    AppkeepError,
    Document,
    NotFound,
    RecordsAsked,
    db,
    documents,
    is_passing,
    locks,
    now_us,
    server,
    transaction,
)
from plugins.workflows import beginning, times
from plugins.workflows.listening import clock_of, next_look, zone
from plugins.workflows.models import WorkflowEvent, WorkflowListener
from plugins.workflows.step_edits import sheet_of
from plugins.workflows.world import RunWorld, actor

AT_ONCE = 200
MOST_OF_A_DAY = 5000
MOST_DAYS = 32
SECOND_US = 1_000_000
Body = Mapping[str, Any]
log = logging.getLogger(__name__)


def match(app: App) -> int:
    """Match some of what happened in an app, and return how many changes and times that were; 0 where somebody else is at it."""
    return _changes(app) + _due(app)


def _changes(app: App) -> int:
    with transaction():
        locks.share(app)
        if not beginning.hold(app, skip=True):
            return 0
        events = list(db.session.execute(select(WorkflowEvent.__table__).where(
            WorkflowEvent.app_id == app.id).order_by(WorkflowEvent.id).limit(AT_ONCE)))
        if not events:
            return 0
        listening = _listening(app)
        for event in events:
            cause = _cause(event)
            for document in listening.get(event.worksheet, ()):
                if fires(app, document, cause):
                    beginning.begin(app, document, cause, event.person, json.loads(event.chain))
        db.session.execute(delete(WorkflowEvent).where(WorkflowEvent.app_id == app.id, WorkflowEvent.id.in_([one.id for one in events]))
                           .execution_options(synchronize_session=False))
        return len(events)


def _cause(event: Any) -> dict[str, Any]:
    before, after = (None if text is None else json.loads(text) for text in (event.before, event.after))
    kind = "record_updated" if before is not None and after is not None else "record_created" if after is not None else "record_deleted"
    if event.form is not None:
        kind = "form_submitted"
    return {"type": kind, "worksheet": event.worksheet, "seq": event.seq, "before": before, "after": after, "form": event.form,
            "at": event.at}


def _listening(app: App) -> dict[str, list[Document]]:
    """Return the workflows that listen to each worksheet, in their order."""
    on = set(db.session.scalars(select(WorkflowListener.workflow).where(WorkflowListener.app_id == app.id)))
    found: dict[str, list[Document]] = {}
    for one in documents.live(app, "workflow"):
        sheet = sheet_of(one.body["trigger"]).partition("/")[2]
        if one.key in on and sheet:
            found.setdefault(sheet, []).append(one)
    return found


def fires(app: App, document: Document, cause: Body) -> bool:
    """Say whether a change is one that a workflow waits for. A condition that makes no sense any more holds of nothing."""
    trigger = document.body["trigger"]
    if trigger["type"] != cause["type"]:
        return False
    if trigger["type"] == "form_submitted" and "view" in trigger and not trigger["view"]["ref"].endswith(f"/{cause['form']}"):
        return False
    if trigger["type"] == "record_updated" and trigger.get("fields") and not _touches(trigger["fields"], cause):
        return False
    return _holds(app, document, cause, snapshot=True)


def _touches(fields: Sequence[Body], cause: Body) -> bool:
    """Say whether one of the fields is different after a change; computed ones are told by what they are computed from."""
    before, after = cause["before"] or {}, cause["after"] or {}
    keys = {one["ref"].rpartition("/")[2] for one in fields}
    return any(before.get(key) != after.get(key) for key in keys)


def _due(app: App) -> int:
    """Begin what schedules and dates are due for; what was missed while nothing ran is begun once for a schedule, and for each date."""
    now = now_us()
    due = WorkflowListener.__table__.c
    waiting = db.session.execute(select(due.workflow).where(due.app_id == app.id, due.due_at <= now)).scalars().all()
    db.session.rollback()
    return sum(_look(app, workflow) for workflow in waiting)


def _look(app: App, workflow: str) -> int:
    with transaction():
        locks.share(app)
        if not beginning.hold(app, skip=True):
            return 0
        now = now_us()
        row = db.session.scalar(select(WorkflowListener).where(WorkflowListener.app_id == app.id, WorkflowListener.workflow == workflow)
                                .with_for_update().execution_options(populate_existing=True))
        if row is None or row.due_at is None or row.due_at > now:
            return 0
        due_at, seen_at = row.due_at, row.seen_at
        document = _document(app, workflow)
        values: dict[str, Any] = {"due_at": None}
        if document is not None:
            trigger = document.body["trigger"]
            if due_at == 0:  # it has never been looked at, see the migration
                values["seen_at"] = now
            elif trigger["type"] == "schedule":
                beginning.begin(app, document, {"type": "schedule", "at": due_at}, SYSTEM)
            elif trigger["type"] == "date_reached":
                _dates(app, document, seen_at or due_at, now)
                values["seen_at"] = now
            values["due_at"] = next_look(app, trigger, now)
        db.session.execute(update(WorkflowListener).where(
            WorkflowListener.app_id == app.id, WorkflowListener.workflow == workflow).values(**values))
        return 1


def _document(app: App, workflow: str) -> Document | None:
    try:
        return documents.get(app, f"workflow/{workflow}")
    except NotFound:
        return None


def _dates(app: App, document: Document, seen: int, now: int) -> None:
    """Begin a run for each record whose date was reached since the last look."""
    trigger, here = document.body["trigger"], zone(app)
    sheet, _, key = str(trigger.get("date_field", {}).get("ref", "")).partition("/field/")
    sheet = sheet.removeprefix("worksheet/")
    if not key:
        return
    clock, days = clock_of(trigger), int(trigger.get("days_before", 0))
    minute = clock["hour"] * 60 + clock["minute"]
    first, last = (datetime.fromtimestamp(at / SECOND_US, UTC) for at in (seen, now))
    day = max(first, last - timedelta(days=MOST_DAYS)).astimezone(here).date() + timedelta(days=days - 1)
    end = last.astimezone(here).date() + timedelta(days=days + 1)
    while day <= end:
        for seq, value in _of_day(app, document, sheet, key, day.isoformat()):
            at = times.reached(value, days, minute, here)
            if at is not None and first < at <= last:
                cause = {"type": "date_reached", "worksheet": sheet, "seq": seq, "date": value}
                if _holds(app, document, cause):
                    beginning.begin(app, document, cause, SYSTEM)
        day += timedelta(days=1)


def _of_day(app: App, document: Document, sheet: str, key: str, day: str) -> list[tuple[int, str]]:
    condition = {"field": {"ref": f"worksheet/{sheet}/field/{key}"}, "operator": "is", "value": day, "unit": "exact_date"}
    given = server().registry.hook.records_for(app=app, person=actor(app, document.key), asked=RecordsAsked(
        worksheet=f"worksheet/{sheet}", filter=condition, fields=(key,), limit=MOST_OF_A_DAY))
    return [] if given is None else [(one.seq, str(one.values[key])) for one in given.records if key in one.values]


def _holds(app: App, document: Document, cause: Body, *, snapshot: bool = False) -> bool:
    """Say whether the condition of a trigger holds. One that cannot be asked holds of nothing, and is in nobody's way."""
    when = document.body["trigger"].get("when")
    if not when:
        return True
    world = RunWorld(app, document.key, 0, SYSTEM, cause, {"steps": {}, "variables": {}}, snapshot=snapshot)
    try:
        with db.session.begin_nested():
            return world.values.holds(when)
    except AppkeepError as error:
        log.warning("The condition of workflow %s holds of nothing: %s", document.key, error.message)
    except Exception as error:
        # Field types are plugins: whatever one raises, the other workflows of the app have their turn.
        if is_passing(error):
            raise
        log.exception("The condition of workflow %s cannot be asked", document.key)
    return False
