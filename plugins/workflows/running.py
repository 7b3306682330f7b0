"""Runs are done here: taken up by one worker at a time, step by step, each step's effect and its mark in one commit.

Steps that only touch the database go on within one transaction, a few at a time. A step to the outside is noted first, then called with
no transaction open, then settled; a worker that is killed in between leaves a run that is taken up again once its time has passed, and
calls again with the same key. A run that waits is a row with a time, and nobody sleeps for it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from core.api import App, AppkeepError, AppRestoring, db, is_passing, locks, now_us, transaction, wake
from plugins.workflows import approvals, beginning, matching, service, steps
from plugins.workflows.call import AGAIN_S, Call, CallAgain, send
from plugins.workflows.listening import NAME, acting
from plugins.workflows.models import BEFORE_OTHERS, OPEN, WorkflowRun, WorkflowStep, WorkflowVersion
from plugins.workflows.step_edits import lists_of
from plugins.workflows.world import RunWorld
from tenants.notifications.notify import Notice, admins_of, tell

SLICE_S = 10
"""A worker looks after one app for so long before others have their turn."""
TOGETHER, TOGETHER_S = 25, 1.0
"""So many steps, and for so long, share a transaction."""
TEST_S = 8
"""So long a test goes on: somebody waits for it, and other writers of the app do on SQLite."""
MOST_STEPS = 20_000
MOST_MEMORY = 512 * 1024
MOST_FAILURES = 10
LEASE_US = 90_000_000
SECOND_US = 1_000_000
TAKEN_AT_ONCE = 100
log = logging.getLogger(__name__)
_run, _c = WorkflowRun.__table__, WorkflowRun.__table__.c
_step = WorkflowStep.__table__
_MINE = (_c.app_id == bindparam("of_app"), _c.number == bindparam("of_number"))
# Made once: to make a statement takes longer than to run it.
_TAKE = select(_run).where(*_MINE, _c.due_at <= bindparam("now"), _c.state.in_(OPEN)).with_for_update(skip_locked=True)
_TAKE_AGAIN = select(_run).where(*_MINE, _c.attempt == bindparam("of_attempt"), _c.state == "running").with_for_update(skip_locked=True)
_EARLIER = select(_c.number).where(_c.app_id == bindparam("of_app"), _c.subject == bindparam("of_subject"),
                                   _c.number < bindparam("of_number"), BEFORE_OTHERS).limit(1)
_SAVE = update(_run).where(*_MINE)
_NOTE = insert(_step)


def work_off(app: App) -> None:
    """Match and do what is due in an app, until nothing is or its slice of time is over; see the hook `work_off`."""
    ends = time.monotonic() + SLICE_S
    try:
        while True:
            matched = matching.match(app)
            done, numbers = 0, _due(app)
            if len(numbers) == TAKEN_AT_ONCE:
                wake(app, NAME)  # there is enough for another worker
            for number in numbers:
                done += _run_or_give_up(app, number)
                if time.monotonic() > ends:
                    wake(app, NAME)
                    return
            if not matched and not done:
                return
    except AppRestoring:
        log.info("Workflows of app %s wait until its restore has ended", app.id)


def _run_or_give_up(app: App, number: int) -> bool:
    """Do one run; one that raises what nobody expected fails, so that it is not in the way of others for ever."""
    try:
        return run(app, number)
    except AppRestoring:
        raise
    except Exception as error:
        if is_passing(error):
            raise
        log.exception("Run %s of app %s failed", number, app.id)
        db.session.rollback()
        with transaction():
            locks.share(app)
            note = f"Unexpected error: {type(error).__name__}: {str(error)[:500]}"
            db.session.connection().execute(update(_run).where(
                _c.app_id == app.id, _c.number == number, _c.state.in_(OPEN)).values(
                state="failed", note=note, due_at=None, ended_at=now_us(), attempt=_c.attempt + 1))
        return True


def run(app: App, number: int) -> bool:
    """Do one run as far as it goes now, and say whether it was there to be done."""
    held, asked = _advance(app, number)
    if held is None:
        return False
    while asked is not None:
        _look_after(held)
        held, asked = _called(app, asked)
        if held is None:
            return True
    _look_after(held)
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that a run waits for: as which attempt of the run, and as which of its steps."""

    number: int
    attempt: int
    n: int
    call: Call


@dataclass
class Execution:
    """A run that is held by the current transaction."""

    app: App
    row: Row[Any]
    body: Mapping[str, Any]
    world: RunWorld
    dry: bool = False
    place: dict[str, Any] = field(init=False)
    lists: dict[str, list[Any]] = field(init=False)
    state: str = "running"
    note: str | None = None
    due_at: int | None = None
    tries: int = 0
    too_often: bool = False
    """Whether it was the last of so many failures that the workflow is turned off."""

    def __post_init__(self) -> None:
        self.place = json.loads(self.row.place)
        self.lists = dict(lists_of(self.body["steps"]))
        self.tries = self.row.tries

    @property
    def chain(self) -> tuple[str, ...]:
        """The workflows that led to this run."""
        return tuple(json.loads(self.row.chain))

    def go_on(self) -> Asked | None:
        """Do steps until the run ends, waits, has to call outside, or others should have their turn."""
        ends = time.monotonic() + (TEST_S if self.dry else TOGETHER_S)
        for count in range(10**9):
            if time.monotonic() > ends or (count >= TOGETHER and not self.dry):
                self.due_at = now_us()
                return None
            step = self.next()
            if step is None:
                self.end("succeeded")
                return None
            if self.place["n"] >= MOST_STEPS:
                self.end("failed", f"Ended after {MOST_STEPS:,} steps.")
                return None
            found = self._do(step)
            if found is not None or self.state != "running":
                return found
        return None

    def end(self, state: str, note: str | None = None) -> None:
        """End the run."""
        self.state, self.note, self.due_at = state, note if note is None else note[:2000], None
        if any(one["type"] == "approval" for listed in self.lists.values() for one in listed):
            approvals.close(self.app, self.row.number)

    def next(self) -> Mapping[str, Any] | None:
        """Return the step that is next, None where all are done."""
        frames = self.place["frames"]
        while frames:
            frame, listed = frames[-1], self.lists.get(frames[-1]["where"], [])
            if frame["at"] < len(listed):
                found: Mapping[str, Any] = listed[frame["at"]]
                return found
            if frame["where"] and "items" in frame and frame["turn"] + 1 < len(frame["items"]):
                frame |= {"turn": frame["turn"] + 1, "at": 0}
                self._item(frame)
                continue
            frames.pop()
        return None

    def _item(self, frame: Mapping[str, Any]) -> None:
        key = str(frame["where"])
        self.world.memory["steps"][key] = {**self.world.memory["steps"].get(key, {}), "item": frame["items"][frame["turn"]],
                                           "number": frame["turn"] + 1}

    def _do(self, step: Mapping[str, Any]) -> Asked | None:
        """Do one step within a savepoint, and note what came of it; a failure takes back what the step wrote, and ends the run."""
        begun = self.place.get("begun")
        n = begun["n"] if begun else self.place["n"]
        self.world.forget()
        doing = steps.Doing(self.world, step, n, self.chain, begun["found"] if begun else None, self.dry)
        given: dict[str, Any] = {}
        try:
            given = steps.given(doing)
            with db.session.begin_nested(), acting(
                    (*self.chain, self.row.workflow), self.row.person, str(self.body.get("name", ""))):
                outcome = steps.do(doing)
        except AppRestoring:
            raise
        except AppkeepError as error:
            self.failed(step, n, given, error.message)
            return None
        except Exception as error:
            # Whatever a step, a field type or a plugin raises, the run must end and say so.
            if is_passing(error):
                raise
            log.exception("Step %s of run %s failed", step.get("key"), self.row.number)
            self.failed(step, n, given, f"Unexpected error: {type(error).__name__}: {error}")
            return None
        return self._went(step, n, given, outcome)

    def failed(self, step: Mapping[str, Any], n: int, given: Mapping[str, Any], why: str) -> None:
        self.enter(step, n, "failed", given, {}, why)
        self.place["begun"], self.place["n"] = None, max(self.place["n"], n + 1)
        self.end("failed", why)

    def _went(self, step: Mapping[str, Any], n: int, given: Mapping[str, Any], outcome: steps.Outcome) -> Asked | None:
        match outcome:
            case steps.Wait() if not self.dry:
                self.enter(step, n, "waiting", given, outcome.found, None)
                before = (self.place.get("begun") or {}).get("found", {})
                self.place |= {"begun": {"n": n, "found": {**before, **outcome.found}, "given": given}, "n": n + 1}
                self.state, self.due_at = "waiting", outcome.until
            case Call() if not self.dry:
                self.enter(step, n, "calling", given, {}, None)
                self.place |= {"begun": {"n": n, "found": {}, "given": given}, "n": n + 1}
                self.due_at = now_us() + LEASE_US
                return Asked(self.row.number, self.row.attempt + 1, n, outcome)
            case steps.End():
                self.passed(step, n, "done", given, {}, outcome.note or None)
                self.end("succeeded", outcome.note or None)
            case steps.Within():
                self.passed(step, n, "done", given, outcome.found, None)
                frame: dict[str, Any] = {"where": outcome.where, "at": 0}
                if outcome.items is not None:
                    frame |= {"items": outcome.items, "turn": 0}
                    self._item(frame)
                self.place["frames"].append(frame)
            case steps.Done():
                self.passed(step, n, "done", given, outcome.found, None, outcome.record)
            case _:
                self.passed(step, n, "skipped", given, {}, "Not done in a test.")
        return None

    def passed(self, step: Mapping[str, Any], n: int, state: str, given: Mapping[str, Any], found: Mapping[str, Any], note: str | None,
                record: str | None = None) -> None:
        """Note a step that is over, keep what it found, and stand before the next."""
        self.enter(step, n, state, given, found, note, record)
        self.place["begun"], self.place["n"] = None, max(self.place["n"], n + 1)
        self.place["frames"][-1]["at"] += 1
        memory = self.world.memory["steps"]
        memory[step["key"]] = dict(found)
        if len(json.dumps(self.world.memory, ensure_ascii=False)) > MOST_MEMORY:
            self.end("failed", "The steps of this run have found more than a run can hold. Find fewer records, or shorter answers.")

    def enter(self, step: Mapping[str, Any], n: int, state: str, given: Mapping[str, Any], found: Mapping[str, Any], note: str | None,
               record: str | None = None) -> None:
        now = now_us()
        ended = None if state in ("waiting", "calling") else now
        shown = json.dumps(found, ensure_ascii=False)
        values = {"state": state, "found": shown if len(shown) <= 20_000 else json.dumps({"count": found.get("count", "")}),
                  "note": None if note is None else note[:2000], "record": record, "ended_at": ended}
        connection = db.session.connection()
        if self.place.get("begun"):
            mine = (_step.c.app_id == self.app.id) & (_step.c.run == self.row.number) & (_step.c.n == n)
            if connection.execute(update(_step).where(mine).values(**values)).rowcount:
                return
        connection.execute(_NOTE, {"app_id": self.app.id, "run": self.row.number, "n": n, "step": step["key"], "tries": 1,
                                   "began_at": now, "given": json.dumps(given, ensure_ascii=False), **values})

    def save(self, attempt: int) -> None:
        """Write how the run stands now, in the transaction that holds it."""
        ended = self.state not in OPEN
        db.session.connection().execute(_SAVE, {
            "of_app": self.app.id, "of_number": self.row.number, "state": self.state, "attempt": attempt, "tries": self.tries,
            "place": json.dumps(self.place, ensure_ascii=False), "memory": json.dumps(self.world.memory, ensure_ascii=False),
            "note": self.note, "due_at": self.due_at, "started_at": self.row.started_at or now_us(),
            "ended_at": now_us() if ended else None})
        if ended and not self.row.test:
            failures = beginning.failed_in_a_row(self.app, self.row.workflow, failed=self.state == "failed")
            self.too_often = self.state == "failed" and failures >= MOST_FAILURES


def _due(app: App) -> list[int]:
    """Return the numbers of runs that are due, in their order; whoever does one asks again."""
    found = db.session.connection().execute(select(_c.number).where(
        _c.app_id == app.id, _c.due_at <= now_us()).order_by(_c.number).limit(TAKEN_AT_ONCE)).scalars().all()
    db.session.rollback()
    return list(found)


def _advance(app: App, number: int) -> tuple[Execution | None, Asked | None]:
    """Take a run up and go on with it; give it, None where it is not there to be done, and the call that it waits for."""
    with transaction():
        locks.share(app)
        held = _hold(app, number)
        if held is None:
            return None, None
        asked = held.go_on()
        held.save(held.row.attempt + 1)
        return held, asked


def _hold(app: App, number: int, attempt: int | None = None) -> Execution | None:
    """Return a run that is due, held; None where somebody else does it, or an earlier one of the same record has not ended.

    With *attempt*, it is the run as this attempt of it left it, to be settled.
    """
    mine = {"of_app": app.id, "of_number": number}
    connection = db.session.connection()
    row = (connection.execute(_TAKE, {**mine, "now": now_us()}) if attempt is None
           else connection.execute(_TAKE_AGAIN, {**mine, "of_attempt": attempt})).first()
    if row is None or (row.subject and row.state == "queued" and _is_behind(app, row)):
        return None
    return execution(app, row)


def execution(app: App, row: Row[Any], *, dry: bool = False) -> Execution:
    """Return a run that is held, to go on with; *dry* is a test, which neither waits nor reaches outside."""
    world = RunWorld(app, row.workflow, row.number, row.person, json.loads(row.cause), json.loads(row.memory))
    return Execution(app, row, json.loads(_version(app.id, row.workflow, row.version)), world, dry)


@lru_cache(maxsize=256)
def _version(app_id: str, workflow: str, digest: str) -> str:
    """Return the body with which a run began; one of a digest never becomes another."""
    c = WorkflowVersion.__table__.c
    return str(db.session.connection().execute(select(c.body).where(
        c.app_id == app_id, c.workflow == workflow, c.digest == digest)).scalar_one())


def _is_behind(app: App, row: Row[Any]) -> bool:
    """Say whether an earlier run about the same record is still to be done; one that waits for a time or a person holds up nobody."""
    earlier = db.session.connection().execute(_EARLIER, {"of_app": app.id, "of_subject": row.subject, "of_number": row.number})
    return earlier.first() is not None


def _called(app: App, asked: Asked) -> tuple[Execution | None, Asked | None]:
    """Call outside with no transaction open, then settle the step and go on; as `_advance`."""
    found: dict[str, Any] | None = None
    again = why = ""
    try:
        found = send(app.id, asked.call)
    except CallAgain as error:
        again = str(error)
    except AppkeepError as error:
        why = error.message
    db.session.rollback()
    with transaction():
        locks.share(app)
        held = _hold(app, asked.number, asked.attempt)
        if held is None:  # it was stopped, or taken up by somebody else
            return None, None
        more = _settled(held, asked.n, found, again, why)
        held.save(asked.attempt + 1)
        return held, more


def _settled(held: Execution, n: int, found: dict[str, Any] | None, again: str, why: str) -> Asked | None:
    """Note what came of a call, and go on where it was taken; None where the run ends, waits, or lets others go first."""
    step, given = held.next(), held.place["begun"]["given"]
    if step is None:
        raise RuntimeError("The step of a call is gone.")
    if found is not None:
        held.tries = 0
        held.passed(step, n, "done", given, found, None)
        return held.go_on() if held.state == "running" else None
    if again and held.tries < len(AGAIN_S):
        held.enter(step, n, "waiting", given, {}, f"{again}. It is tried again.")
        held.state, held.due_at = "waiting", now_us() + AGAIN_S[held.tries] * SECOND_US
        held.tries += 1
        return None
    held.failed(step, n, given, why or f"{again}. It was tried {len(AGAIN_S) + 1} times.")
    return None


def _look_after(held: Execution) -> None:
    """Turn a workflow off that has failed too often, and tell its admins; in a transaction of its own, which waits for other writers."""
    if not held.too_often:
        return
    app, key, name = held.app, held.row.workflow, str(held.body.get("name", ""))
    with transaction():
        if service.stop(app, key):
            path = f"/o/{app.organization_id}/apps/{app.id}/manage/workflow/{key}"
            tell(Notice("workflow_stopped", f"workflow/{app.id}/{key}/{held.row.number}", f"The workflow “{name}” was turned off",
                        f"It failed {MOST_FAILURES} times in a row, the last time with: {held.note}", path, (app.id, app.name)),
                 admins_of(app.id))
