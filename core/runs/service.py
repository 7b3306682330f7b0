"""Verbs on runs: request, claim, work, cancel, recover. The row is the truth; the queue only wakes a worker."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from rq.timeouts import BaseTimeoutException
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from core.app import server
from core.apps.models import App
from core.archive.canonical import canonical
from core.db import after_commit, db, transaction
from core.errors import AppkeepError, NotFound, RunCancelled, RunInProgress, RunLost
from core.keys import new_key
from core.moment import iso, now_us
from core.objects import note_lost
from core.runs.context import SECOND_US, RunContext, heartbeat
from core.runs.kinds import HANDLERS, LOG
from core.runs.models import EXCLUSIVE, RESEND_AFTER_S, Run
from core.scope import as_server, as_tenant, tenant

__all__ = ["RunContext", "cancel", "claim", "find", "recover", "report_of", "request", "runs_of", "work"]

log = logging.getLogger(__name__)
_table = Run.__table__
_c = _table.c
ANNOUNCED_WITHIN_US = 10 * SECOND_US
RESEND_AFTER_US = RESEND_AFTER_S * SECOND_US
"""A queued run that nobody took up for this long is sent again: the queue may have lost it."""


def request(kind: str, app: App | None, options: Mapping[str, Any], person: str, *, send: bool) -> Run:
    """Make a run of the current organization; where *send*, a worker is woken after the commit.

    Raises:
        RunInProgress: the app has a backup or restore queued or running.
    """
    exclusive = app.id if app is not None and kind in EXCLUSIVE else None
    if exclusive is not None:
        check_free(exclusive)
    run = Run(id=new_key("n"), organization_id=tenant(), kind=kind, app_id=app.id if app else None,
              exclusive_app_id=exclusive, person=person, options=canonical(options).decode(), requested_at=now_us(),
              sent_at=now_us() if send else None)
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError as error:
        # Somebody was quicker between the question and the row: name that one, unless it has ended already.
        check_free(exclusive or "")
        raise RunInProgress("Another backup or restore of the app has just been started.") from error
    if send:
        run_id = run.id
        after_commit(lambda: _send(run_id))
    return run


def exclusive_run(app_id: str) -> Run | None:
    """Return the backup or restore of an app that is queued or running, None where there is none."""
    return db.session.scalar(select(Run).where(Run.exclusive_app_id == app_id))


def check_free(app_id: str) -> None:
    """Refuse a second backup or restore of an app.

    Raises:
        RunInProgress: with the one that is queued or running, and since when.
    """
    running = exclusive_run(app_id)
    if running is not None:
        since = iso(running.started_at or running.requested_at)
        raise RunInProgress(f"A {running.kind} of this app is {running.state} since {since}; wait until it has ended "
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
    query = select(Run).where(Run.state.in_(("queued", "running"))).order_by(Run.requested_at, Run.id)
    return list(db.session.scalars(query if app_id is None else query.where(Run.app_id == app_id)))


def report_of(run: Run) -> dict[str, Any]:
    """Return a run's report, {} as long as it has none."""
    return json.loads(run.report) if run.report else {}


def claim(run_id: str) -> RunContext | None:
    """Take a queued run up as its next attempt; None when it is not queued (any more)."""
    now = now_us()
    with as_server(), transaction():
        taken = db.session.connection().execute(
            update(_table).where(_c.id == run_id, _c.state == "queued").values(
                state="running", attempt=_c.attempt + 1, started_at=now,
                lease_until=now + server().config.lease_s * SECOND_US)).rowcount
        if not taken:
            return None
        row = db.session.connection().execute(select(_table).where(_c.id == run_id)).one()
    return RunContext(run_id=row.id, attempt=row.attempt, app_id=row.app_id, organization_id=row.organization_id,
                      person=row.person, options=json.loads(row.options), steps=[(name, at) for name, at in json.loads(row.steps)])


def work(run_id: str) -> Run | None:
    """Do a queued run from its claim to its end, and return it as it ended; None when somebody else has it."""
    context = claim(run_id)
    if context is None:
        return None
    with as_tenant(context.organization_id):
        try:
            with heartbeat(context):
                report: Mapping[str, Any] | None = _named(HANDLERS[find(run_id).kind])(context)
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
            _end(context, "failed", error)
        except (BaseTimeoutException, KeyboardInterrupt, SystemExit):
            _end(context, "failed", _problem("timed_out", "The run took too long, or its process was told to end."))
            raise
        except Exception as error:
            # The one place at the top: whatever a plugin or library raises, the run must end and the app be free.
            log.exception("Run %s failed", run_id)
            _end(context, "failed", _problem("internal_error", f"Something unexpected: {type(error).__name__}: {error}"))
        _announce(find(run_id))
        return find(run_id)


def _note_lost(error: AppkeepError) -> None:
    try:
        note_lost(error)
    except SQLAlchemyError:
        log.exception("What was found lost could not be noted")  # the next check finds it again


def _announce(run: Run) -> None:
    """Tell plugins and the log of a run's end. Plugins may hear of it twice; a process that dies here leaves it to the clock."""
    run_id = run.id
    try:
        server().registry.hook.run_finished(run=run)
    except Exception:
        # The run has ended and is committed: whoever listens cannot change that any more.
        log.exception("A plugin failed when it was told of the end of run %s", run_id)
    try:
        _write_end(run_id)
    except Exception:
        # As above; nothing of it is committed, so that the clock tries again.
        log.exception("The end of run %s could not be written into the log", run_id)


def _write_end(run_id: str) -> None:
    """Write a run's end into the log, unless that was done already."""
    with transaction():
        first = db.session.connection().execute(
            update(_table).where(_c.id == run_id, _c.announced_at.is_(None)).values(announced_at=now_us())).rowcount
        if first:
            _named(LOG)(find(run_id))


def announce_ended() -> None:
    """Tell plugins of the runs whose process died before it did, and of those that were ended by the clock."""
    now = now_us()
    with as_server():
        silent = db.session.execute(select(_c.id, _c.organization_id).where(
            _c.announced_at.is_(None), _c.ended_at < now - ANNOUNCED_WITHIN_US, _c.ended_at > now - 24 * 3600 * SECOND_US)
            .limit(50)).all()
    for run_id, organization_id in silent:
        with as_tenant(organization_id):
            _announce(find(run_id))


def cancel(run: Run) -> None:
    """Ask for a run to be cancelled; a queued one is at once, a running one at its next step, an ended one stays."""
    # What the row says now counts, not what was read of it: a worker may have taken it up or ended it since.
    for state, values in (("queued", {"state": "cancelled", "exclusive_app_id": None, "ended_at": now_us()}),
                          ("running", {})):
        db.session.connection().execute(
            update(_table).where(_c.id == run.id, _c.state == state).values(cancel_requested=True, **values))
    db.session.refresh(run)


def recover() -> list[str]:
    """Take up again what a dead worker left and what the queue lost; return the ids of runs sent.

    Any number of processes may do this at once.
    """
    with as_server(), transaction():
        sent = _requeue_expired() + _resend_forgotten()
        _free_apps()
        for run_id in sent:
            after_commit(lambda run_id=run_id: _send(run_id))  # type: ignore[misc]
    return sent


def _requeue_expired() -> list[str]:
    now, attempts = now_us(), server().config.run_attempts
    expired = db.session.execute(select(_c.id, _c.attempt, _c.cancel_requested).where(
        # A row that is locked belongs to an attempt in the middle of its last transaction: alive.
        _c.state == "running", _c.lease_until < now).with_for_update(skip_locked=True)).all()
    again = []
    for run_id, attempt, cancelled in expired:
        mine = (_c.id == run_id) & (_c.attempt == attempt) & (_c.state == "running") & (_c.lease_until < now)
        if cancelled:
            values: dict[str, Any] = {"state": "cancelled", "exclusive_app_id": None, "ended_at": now}
        elif attempt >= attempts:
            values = {"state": "failed", "exclusive_app_id": None, "ended_at": now, "error_code": "worker_died",
                      "error_message": f"The worker died {attempt} times while it worked on this."}
        else:
            values = {"state": "queued", "sent_at": now}
        taken = db.session.connection().execute(update(_table).where(mine).values(lease_until=None, **values)).rowcount
        if taken and values["state"] == "queued":
            log.warning("Run %s lost its worker and is taken up again", run_id)
            again.append(run_id)
    return again


def _resend_forgotten() -> list[str]:
    now = now_us()
    # A run that was never sent was to be done by the process that asked for it, and that process is gone.
    forgotten = (_c.state == "queued") & (func.coalesce(_c.sent_at, _c.requested_at) < now - RESEND_AFTER_US)
    found = list(db.session.execute(select(_c.id).where(forgotten)).scalars())
    if found:
        db.session.connection().execute(update(_table).where(_c.id.in_(found)).values(sent_at=now))
    return found


def _free_apps() -> None:
    """Let apps be written again whose restore has ended without saying so."""
    apps = App.__table__
    active = select(_c.id).where(_c.state.in_(("running", "queued")))
    db.session.connection().execute(update(apps).where(
        apps.c.restoring_run_id.is_not(None), apps.c.restoring_run_id.not_in(active)).values(restoring_run_id=None))


def _end(context: RunContext, state: str, error: AppkeepError) -> None:
    """Write how the run ended, unless another attempt has it by now."""
    with transaction():
        db.session.connection().execute(update(_table).where(
            _c.id == context.run_id, _c.attempt == context.attempt, _c.state == "running").values(
                state=state, exclusive_app_id=None, ended_at=now_us(), lease_until=None, steps=context.steps_text,
                error_code=error.code, error_message=error.message[:2000]))
        apps = App.__table__
        db.session.connection().execute(update(apps).where(apps.c.restoring_run_id == context.run_id)
                                        .values(restoring_run_id=None))


def _problem(code: str, message: str) -> AppkeepError:
    error = AppkeepError(message)
    error.code = code  # type: ignore[misc]  # a class of its own would say no more
    return error


def _named(text: str) -> Callable[..., Any]:
    """Return the function that a text such as "core.backups.jobs:backup" names."""
    module, _, name = text.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _send(run_id: str) -> None:
    from core.runs.queue import send  # the queue's library is loaded only where something is sent

    send(run_id)
