"""Verbs on runs: request, claim, work, cancel, recover. The row is the truth; the queue only wakes a worker."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError, SQLAlchemyError

from core.archive.canonical import canonical
from core.base.db import after_commit, database_now, db, is_outage, let_go, transaction
from core.base.errors import (
    AppkeepError,
    AppRestoring,
    DatabaseUnavailable,
    NotFound,
    RunCancelled,
    RunInProgress,
    RunLost,
    StoreUnavailable,
)
from core.base.ids import SYSTEM, new_key
from core.base.time import iso, now_us
from core.objects.reader import note_lost
from core.runs.context import SECOND_US, RunContext, heartbeat, lease_end
from core.runs.lanes import check_room, lane_of, waits_since
from core.runs.models import RESEND_AFTER_S, Run
from core.runs.workers import is_gone, this_process
from core.server import server
from core.tenancy.models import App
from core.tenancy.request_cache import keeping, remembered
from core.tenancy.wall import as_server, as_tenant, tenant

__all__ = ["RunContext", "cancel", "claim", "find", "recover", "report_of", "request", "runs_of", "work"]

log = logging.getLogger(__name__)
_table = Run.__table__
_c = _table.c
ANNOUNCED_WITHIN_US = 10 * SECOND_US
RESEND_AFTER_US = RESEND_AFTER_S * SECOND_US
"""A queued run that nobody took up for this long is sent again: the queue may have lost it."""
FAR_AHEAD_US = 3600 * SECOND_US
ABANDONED_TICKS = 2
"""A run whose lease has ended since so many looks of the clock is taken up by nobody: there is no clock."""
OUTAGE_PAUSES_S = (5, 15, 30, 60, 120, 300, 600, 1200)
"""How long a run waits after each outage that it met in a row of them; after the last it fails."""
OUTAGE = "outage"
ANNOUNCED_AT_ONCE = 50
UNHEARD_AGAIN_US = 60 * SECOND_US
OPEN = Run.ended_at.is_(None) & Run.state.in_(("queued", "running"))
"""Runs that have not ended; asked for like this so that an index has them alone."""
_unheard: dict[str, int] = {}
"""Runs whose end could not be told, and when it is tried again."""


def _due() -> ColumnElement[bool]:
    """Return the condition that a queued run need not wait any more."""
    return _c.not_before.is_(None) | (_c.not_before <= database_now())


def request(kind: str, app: App | None, options: Mapping[str, Any], person: str, *, send: bool, size_bytes: int | None = None) -> Run:
    """Make a run of the current organization; where *send*, a worker is woken after the commit.

    *size_bytes* is about how much content it has to read or write, as far as that is known: short runs have a lane of their own.

    Raises:
        RunInProgress: the app has a backup or restore queued or running.
        TooManyRuns: see `check_room`.
    """
    exclusive = app.id if app is not None and server().registry.run_kind(kind).exclusive else None
    if exclusive is not None and (rows := _open_rows(_c.exclusive_app_id == exclusive)):
        _end_left_of(rows)
        check_free(exclusive)
    if send and person != SYSTEM:
        check_room(kind)
    run = Run(id=new_key("n"), organization_id=tenant(), kind=kind, app_id=app.id if app else None,
              exclusive_app_id=exclusive, person=person, lane=lane_of(kind, size_bytes),
              options=canonical(options).decode(), requested_at=now_us(),
              sent_at=database_now() if send else None, worker=None if send else this_process())
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError as error:
        # Somebody was quicker between the question and the row: name that one, unless it has ended already.
        check_free(exclusive or "")
        raise RunInProgress("Another backup or restore of this app has just started.") from error
    if send:
        run_id, lane = run.id, run.lane
        after_commit(lambda: _send(run_id, lane))
    return run


def exclusive_run(app_id: str) -> Run | None:
    """Return the backup or restore of an app that is queued or running, None where there is none."""
    if keeping():
        return next((run for run in active_runs(app_id) if run.exclusive_app_id == app_id), None)
    return db.session.scalar(select(Run).where(Run.exclusive_app_id == app_id))


def check_free(app_id: str) -> None:
    """Refuse a second backup or restore of an app.

    Raises:
        RunInProgress: with the one that is queued or running, and since when.
    """
    running = exclusive_run(app_id)
    if running is not None:
        since = iso(running.started_at or running.requested_at)
        if running.state == "running" and is_gone(running.worker):
            raise RunInProgress(f"The worker of a {running.kind} of this app stopped. The {running.kind} continues within "
                                f"{server().config.lease_s} seconds. Wait for it, or cancel it.", run=running.id, kind=running.kind,
                                state="running", since=since)
        raise RunInProgress(f"A {running.kind} of this app has been {running.state} since {since}; wait until it has ended "
                            "or cancel it.", run=running.id, kind=running.kind, state=running.state, since=since)


def find(run_id: str) -> Run:
    """Return a run of the current organization.

    Raises:
        NotFound: there is none.
    """
    run = db.session.scalar(select(Run).where(Run.id == run_id).execution_options(populate_existing=True))
    if run is None:
        raise NotFound(f"There is no run “{run_id[:40]}”.")
    return run


def runs_of(app_id: str, most: int = 200) -> list[Run]:
    """Return an app's runs, those asked for last first."""
    query = select(Run).where(Run.app_id == app_id).order_by(Run.requested_at.desc(), Run.id).limit(most)
    return list(db.session.scalars(query))


def active_runs(app_id: str | None = None) -> list[Run]:
    """Return the queued and running runs of the current organization, or of one of its apps, the longest wait first."""
    query = select(Run).where(OPEN).order_by(Run.requested_at, Run.id)
    return list(remembered(("active runs", app_id), lambda: list(
        db.session.scalars(query if app_id is None else query.where(Run.app_id == app_id)))))


def report_of(run: Run) -> dict[str, Any]:
    """Return a run's report, {} as long as it has none."""
    return json.loads(run.report) if run.report else {}


def run_value(run: Run) -> dict[str, Any]:
    """Return a run's row as JSON, for programs."""
    since = waits_since(run)
    return {"run": run.id, "kind": run.kind, "app": run.app_id, "state": run.state, "phase": run.phase, "done": run.done,
            "total": run.total, "attempt": run.attempt, "requested_at": iso(run.requested_at),
            "ended_at": iso(run.ended_at) if run.ended_at else None, "error": run.error_code,
            "waits_since": iso(since) if since else None}


def claim(run_id: str) -> RunContext | None:
    """Take a queued run up as its next attempt; None when it is not queued (any more)."""
    with as_server(), transaction():
        row = db.session.connection().execute(
            update(_table).where(_c.id == run_id, _c.state == "queued", _due()).values(
                state="running", attempt=_c.attempt + 1, started_at=now_us(), not_before=None, error_message=None,
                worker=this_process(), lease_until=lease_end())
            .returning(_c.id, _c.kind, _c.attempt, _c.app_id, _c.organization_id, _c.person, _c.options, _c.steps)).first()
    if row is None:
        return None
    return RunContext(run_id=row.id, kind=row.kind, attempt=row.attempt, app_id=row.app_id, organization_id=row.organization_id,
                      person=row.person, options=json.loads(row.options), steps=[(name, at) for name, at in json.loads(row.steps)])


def work(run_id: str) -> Run | None:
    """Do a queued run from its claim to its end, and return it as it ended; None when somebody else has it."""
    context = claim(run_id)
    if context is None:
        return None
    with as_tenant(context.organization_id):
        try:
            return _worked(context)
        except (DBAPIError, PendingRollbackError) as error:
            if not is_outage(error):
                raise
            # The database is still away: the lease runs out, and the run is taken up again when there is one.
            log.warning("Run %s was left: the database cannot be reached", run_id)
            let_go()
            return None


def _worked(context: RunContext) -> Run | None:
    run_id = context.run_id
    try:
        with heartbeat(context):
            report: Mapping[str, Any] | None = named(server().registry.run_kind(context.kind).work)(context)
            if report is not None:
                with transaction():
                    context.succeed(report)
    except RunLost as error:
        log.warning("%s", error)
        return None
    except RunCancelled as error:
        _end(context, "cancelled", error)
    except AppkeepError as error:
        _note_lost(error)
        if _waits(context, error):
            return find(run_id)
        _end(context, "failed", error)
    except (_timed_out(), KeyboardInterrupt, SystemExit):
        _end(context, "failed", _problem("timed_out", "The run took too long, or its worker was shut down."))
        raise
    except Exception as error:
        # The one place at the top: whatever a plugin or library raises, the run must end and the app be free.
        told = _told(error, run_id)
        if _waits(context, told):
            return find(run_id)
        _end(context, "failed", told)
    return _announce(find(run_id))


def _timed_out() -> type[BaseException]:
    """Return what a worker's alarm raises; asked for where something was raised, since few who know of runs are workers."""
    from rq.timeouts import BaseTimeoutException

    return BaseTimeoutException


def _told(error: Exception, run_id: str) -> AppkeepError:
    if is_outage(error):
        log.warning("Run %s met an outage of the database: %s", run_id, error)
        let_go()
        return DatabaseUnavailable("The database was unreachable or busy for too long. Nothing was changed. Try again.")
    log.exception("Run %s failed", run_id)
    return _problem("internal_error", f"Unexpected error: {type(error).__name__}: {error}")


def _waits(context: RunContext, error: AppkeepError) -> bool:
    """Put off a run that met an outage or a restore, each time for longer, unless somebody waits for its process; say whether it is."""
    if not isinstance(error, StoreUnavailable | DatabaseUnavailable | AppRestoring):
        return False
    mine = (_c.id == context.run_id) & (_c.attempt == context.attempt) & (_c.state == "running")
    with transaction():
        run = db.session.connection().execute(select(_c.outages, _c.sent_at, _c.cancel_requested).where(mine)).first()
        if run is None or run.sent_at is None or run.cancel_requested or run.outages >= len(OUTAGE_PAUSES_S):
            return False
        until = database_now() + OUTAGE_PAUSES_S[run.outages] * SECOND_US
        db.session.connection().execute(update(_table).where(mine).values(
            state="queued", lease_until=None, not_before=until, sent_at=until, outages=_c.outages + 1, phase=OUTAGE,
            steps=context.steps_text, error_message=error.message[:2000]))
        _open_app(context.run_id)
    log.warning("Run %s waits, and is tried again in %s s: %s", context.run_id, OUTAGE_PAUSES_S[run.outages], error.message)
    return True


def _note_lost(error: AppkeepError) -> None:
    try:
        note_lost(error)
    except SQLAlchemyError:
        log.exception("What was found lost could not be noted")  # the next check finds it again


def _announce(run: Run) -> Run:
    """Tell plugins and the log of a run's end, and return it as it is now.

    Plugins may hear of it twice; a process that dies here leaves it to the clock.
    """
    run_id = run.id
    try:
        server().registry.hook.run_finished(run=run)
    except Exception:
        # The run has ended and is committed: whoever listens cannot change that any more.
        log.exception("A plugin failed when it was told of the end of run %s", run_id)
    try:
        return _write_end(run_id)
    except Exception:
        # As above; nothing of it is committed, so that the clock tries again.
        log.exception("The end of run %s could not be written into the log", run_id)
        return find(run_id)


def _write_end(run_id: str) -> Run:
    """Write a run's end into the log, unless that was done already, and return the run."""
    with transaction():
        first = db.session.connection().execute(
            update(_table).where(_c.id == run_id, _c.announced_at.is_(None)).values(announced_at=now_us())).rowcount
        run = find(run_id)
        kind = server().registry.run_kinds.get(run.kind)  # of a plugin that is gone: nobody wants to be told
        if first and kind is not None and kind.ended:
            named(kind.ended)(run)
    return run


def announce_ended() -> None:
    """Tell plugins of the runs whose process died before it did, and of those that were ended by the clock."""
    now = now_us()
    ended = (_c.announced_at.is_(None) & _c.ended_at.is_not(None)
             & (_c.ended_at < now - ANNOUNCED_WITHIN_US) & (_c.ended_at > now - 24 * 3600 * SECOND_US))
    with as_server():
        silent = db.session.execute(select(_c.id, _c.organization_id).where(ended).order_by(_c.ended_at.desc())
                                    .limit(ANNOUNCED_AT_ONCE + len(_unheard))).all()
    for run_id, organization_id in [one for one in silent if _unheard.get(one[0], 0) <= now][:ANNOUNCED_AT_ONCE]:
        _unheard.pop(run_id, None)
        with as_tenant(organization_id):
            if _announce(find(run_id)).announced_at is None:  # whoever cannot hear of it now is told again later, and holds nobody up
                _unheard[run_id] = now + UNHEARD_AGAIN_US
    for run_id in [one for one, again in _unheard.items() if again < now - 24 * 3600 * SECOND_US]:
        del _unheard[run_id]


def cancel(run: Run) -> None:
    """Ask for a run to be cancelled; a queued one, and one whose worker is gone, is at once, a running one at its next step.

    One that has ended stays as it ended.
    """
    # What the row says now counts, not what was read of it: a worker may have taken it up or ended it since.
    for state, values in (("queued", {"state": "cancelled", "exclusive_app_id": None, "ended_at": now_us()}),
                          ("running", {})):
        db.session.connection().execute(
            update(_table).where(_c.id == run.id, _c.state == state).values(cancel_requested=True, **values))
    end_lost(_c.id == run.id)
    db.session.refresh(run)


def end_lost(*which: ColumnElement[bool]) -> list[str]:
    """End those runs of the current organization whose worker is gone and that nobody takes up; return their ids.

    Whoever meets a run may do so, in their own transaction. A run that a worker was sent for is left to the clock for a while, unless
    somebody wants it cancelled; the process that one was to be done by is gone for good.
    """
    return _end_left_of(_open_rows(*which))


def _end_left_of(rows: list[Any]) -> list[str]:
    return [row.id for row in rows if _is_left(row) and _end_left(row)]


def _open_rows(*which: ColumnElement[bool]) -> list[Any]:
    """Return the rows of those runs of the current organization that have not ended, each with what `_is_left` asks."""
    mine = (_c.organization_id == tenant(), _c.ended_at.is_(None), *which)
    expired = (_c.lease_until < database_now()).label("expired")
    abandoned = (_c.lease_until < database_now() - ABANDONED_TICKS * server().config.clock_tick_s * SECOND_US).label("abandoned")
    return list(db.session.connection().execute(select(_table, expired, abandoned).where(*mine)))


def _is_left(row: Any) -> bool:
    """Say whether a run is lost, and nobody's to take up."""
    return (is_gone(row.worker) or row.expired) and (
        row.sent_at is None or (row.state == "running" and (row.cancel_requested or row.abandoned)))


def _end_left(row: Any) -> bool:
    """End a run that was left by its worker, unless somebody was quicker; those who are told of ends are told after the commit."""
    if row.cancel_requested:
        values: dict[str, Any] = {"state": "cancelled"}
    else:
        values = {"state": "failed", "error_code": "worker_died",
                  "error_message": "The process stopped before the run was complete. Nothing was changed; try again."}
    same = (_c.id == row.id) & (_c.attempt == row.attempt) & (_c.state == row.state)
    taken = db.session.connection().execute(update(_table).where(same).values(
        exclusive_app_id=None, ended_at=now_us(), lease_until=None, **values)).rowcount
    if not taken:
        return False
    _open_app(row.id)
    log.warning("Run %s was left by its worker and has ended: %s", row.id, values["state"])
    after_commit(lambda: _announce_as(row.id, row.organization_id))
    return True


def _announce_as(run_id: str, organization_id: str) -> None:
    with as_tenant(organization_id):
        _announce(find(run_id))


def end_lost_of(app_id: str) -> bool:
    """End the lost runs of an app, as `end_lost` does, in a transaction of its own where there are any; say whether there were.

    For whoever looks at them.
    """
    if not any(map(_is_left, _open_rows(_c.app_id == app_id))):
        return False
    with transaction():
        return bool(end_lost(_c.app_id == app_id))


def closes(run_id: str) -> bool:
    """Say whether a run still keeps its app closed; one that is lost or over does not, and the app is opened. In a transaction."""
    end_lost(_c.id == run_id)
    if db.session.connection().execute(select(_c.id).where(_c.id == run_id, _c.ended_at.is_(None))).first() is not None:
        return True
    _open_app(run_id)
    return False


def recover() -> list[str]:
    """Take up again what a dead worker left and what the queue lost; return the ids of runs sent.

    Any number of processes may do this at once. Nothing is written, and nobody waited for, where there is nothing to do.
    """
    with as_server():
        found = db.session.connection().execute(
            select(_c.id).where(_expired()).union_all(select(_c.id).where(_forgotten())).limit(1)).first() or _wrongly_closed()
        db.session.rollback()
        if not found:
            return []
        with transaction():
            sent = _requeue_expired() + _resend_forgotten()
            _free_apps()
            for run_id, lane in _lanes_of(sent):
                after_commit(lambda run_id=run_id, lane=lane: _send(run_id, lane))  # type: ignore[misc]
    return sent


def _lanes_of(run_ids: list[str]) -> list[tuple[str, str]]:
    return [(one.id, one.lane) for one in db.session.execute(select(_c.id, _c.lane).where(_c.id.in_(run_ids)))] if run_ids else []


def _expired() -> ColumnElement[bool]:
    return _open("running") & (_c.lease_until < database_now())


def _open(state: str) -> ColumnElement[bool]:
    """Return the condition that a run is in this state; asked for like this so that an index has those that have not ended alone."""
    return _c.ended_at.is_(None) & (_c.state == state)


def _forgotten() -> ColumnElement[bool]:
    # A run that was never sent was to be done by the process that asked for it, and that process is gone.
    since = database_now() - RESEND_AFTER_US
    waited = (_c.sent_at < since) | (_c.sent_at.is_(None) & (_c.requested_at < since)) | (_c.not_before <= database_now())
    # What was sent at a moment that is yet to come was sent by a clock that was wrong.
    return _open("queued") & _due() & (waited | (_c.sent_at > database_now() + FAR_AHEAD_US))


def _requeue_expired() -> list[str]:
    now, attempts = now_us(), server().config.run_attempts
    expired = db.session.execute(select(_c.id, _c.attempt, _c.outages, _c.cancel_requested).where(
        # A row that is locked belongs to an attempt in the middle of its last transaction: alive.
        _expired()).with_for_update(skip_locked=True)).all()
    again = []
    for run_id, attempt, outages, cancelled in expired:
        mine = (_c.id == run_id) & (_c.attempt == attempt) & _expired()
        if cancelled:
            values: dict[str, Any] = {"state": "cancelled", "exclusive_app_id": None, "ended_at": now}
        elif attempt - outages >= attempts:
            values = {"state": "failed", "exclusive_app_id": None, "ended_at": now, "error_code": "worker_died",
                      "error_message": f"The worker died {attempt - outages} times during this run."}
        else:
            values = {"state": "queued", "sent_at": database_now()}
        taken = db.session.connection().execute(update(_table).where(mine).values(lease_until=None, **values)).rowcount
        if taken and values["state"] == "queued":
            log.warning("Run %s lost its worker and is taken up again", run_id)
            again.append(run_id)
    return again


def _resend_forgotten() -> list[str]:
    found = list(db.session.execute(select(_c.id).where(_forgotten())).scalars())
    if found:
        db.session.connection().execute(update(_table).where(_c.id.in_(found)).values(sent_at=database_now(), not_before=None))
    return found


def _wrongly_closed() -> bool:
    apps = App.__table__
    closed = db.session.execute(select(apps.c.restoring_run_id).where(apps.c.restoring_run_id.is_not(None))).scalars().all()
    if not closed:
        return False
    open_ = db.session.execute(select(_c.id).where(_c.id.in_(closed), _c.ended_at.is_(None))).all()
    return len(open_) < len(set(closed))


def _free_apps() -> None:
    """Open apps whose restore ended without saying so, or waits to be taken up again: it will close them itself."""
    apps = App.__table__
    active = select(_c.id).where(_c.state == "running")
    db.session.connection().execute(update(apps).where(
        apps.c.restoring_run_id.is_not(None), apps.c.restoring_run_id.not_in(active)).values(restoring_run_id=None))


def _end(context: RunContext, state: str, error: AppkeepError) -> None:
    """Write how the run ended, unless another attempt has it by now."""
    with transaction():
        db.session.connection().execute(update(_table).where(
            _c.id == context.run_id, _c.attempt == context.attempt, _c.state == "running").values(
                state=state, exclusive_app_id=None, ended_at=now_us(), lease_until=None, steps=context.steps_text,
                error_code=error.code, error_message=error.message[:2000]))
        _open_app(context.run_id)


def _open_app(run_id: str) -> None:
    """Open the app that a run keeps closed."""
    apps = App.__table__
    db.session.connection().execute(update(apps).where(apps.c.restoring_run_id == run_id).values(restoring_run_id=None))


def _problem(code: str, message: str) -> AppkeepError:
    error = AppkeepError(message)
    error.code = code  # type: ignore[misc]  # a class of its own would say no more
    return error


def named(text: str) -> Callable[..., Any]:
    """Return the function that a text such as "core.backups.requests:backup" names."""
    module, _, name = text.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _send(run_id: str, lane: str) -> None:
    from core.runs.queue import send  # the queue's library is loaded only where something is sent

    send(run_id, lane)
