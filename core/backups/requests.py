"""What runs do: backup, restore, restore as new, check; and how each is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.apps import service
from core.backups.absent import MISSING
from core.backups.catalog import find_backup
from core.backups.check import Turn, check
from core.backups.create import check_interval, checked_name, create
from core.backups.log import note
from core.backups.models import Backup
from core.backups.plan import Options, check_origin, undo_options
from core.backups.reader import BackupReader
from core.backups.restore import restore, restore_as_new
from core.backups.size_estimate import size_of_app, size_of_restore
from core.backups.trial_restore import check_possible
from core.base.errors import InvalidInput, NotFound
from core.base.time import now_us
from core.runs.context import RunContext
from core.runs.models import Run
from core.runs.service import request
from core.server import server
from core.tenancy.models import App

__all__ = ["backup", "check", "request_backup", "request_check", "request_copy", "request_restore", "restore",
           "restore_as_new"]


def request_backup(app: App, person: str, *, data: bool, name: str | None, send: bool, type_: str = "manual") -> Run:
    """Ask for a backup of an app, *type_* "manual" or "scheduled".

    Raises:
        TooSoon: the last one is too recent.
        RunInProgress: the app has a backup or restore queued or running.
    """
    if name is not None:
        checked_name(name)
    # The one-run rule comes first: a running backup is a better reason than a timer.
    run = request("backup", app, {"data": data, "name": name, "type": type_}, person, send=send,
                  size_bytes=size_of_app(app) if data else 0)
    check_interval(app, server().config, now_us())
    return _noted(run, app.id, data=data)


def request_restore(app: App, backup: Backup, options: Options, person: str, *, send: bool) -> Run:
    """Ask for a restore of an app in place.

    Raises:
        OriginUnconfirmed: the backup comes from elsewhere and nobody confirmed it.
        RunInProgress: the app has a backup or restore queued or running.
    """
    check_origin(app, backup, options)
    run = request("restore", app, options.as_dict(), person, send=send, size_bytes=size_of_restore(app, backup, options))
    return _noted(run, app.id, backup_id=backup.id, config=options.config, data=options.data, only=sorted(options.only))


def request_undo(app: App, undone: Run, person: str, *, also_later: bool, plan: str | None = None, send: bool) -> Run:
    """Ask for a restore of an app to be undone.

    Raises:
        NotFound: the run is of another app.
        Conflict: it cannot be undone (any more).
        RunInProgress: the app has a backup or restore queued or running.
    """
    if undone.app_id != app.id:
        raise NotFound(f"There is no run “{undone.id}” of this app.")
    options = undo_options(undone, also_later=also_later, plan=plan)
    return request_restore(app, find_backup(options.backup), options, person, send=send)


def request_copy(backup: Backup, person: str, *, name: str | None, send: bool) -> Run:
    """Ask for a new app made of a backup's configuration."""
    if name is not None:
        checked_name(name)
    run = request("restore_as_new", service.find_app(backup.app_id), {"backup": backup.id, "name": name}, person, send=send,
                  size_bytes=0)  # of the configuration only
    return _noted(run, backup.app_id, backup_id=backup.id)


def request_check(backup: Backup, person: str, *, deep: bool = False, quick: bool = False, turn: Turn | None = None, send: bool) -> Run:
    """Ask for a check of a backup; a *deep* one restores it on trial as well, a *quick* one reads nothing of it but its lists.

    Args:
        turn: How much of it is read, by the clock; without one, everything.

    Raises:
        InvalidInput: it cannot be restored by itself; or both were asked for.
    """
    if deep and quick:
        raise InvalidInput("A check is quick or deep, not both.")
    if deep:
        check_possible(backup)
    options = {"backup": backup.id, "deep": deep, **({"quick": True} if quick else {}), **({"turn": asdict(turn)} if turn else {})}
    run = request("check", service.find_app(backup.app_id), options, person, send=send, size_bytes=_size_of_check(backup, options, turn))
    return _noted(run, backup.app_id, backup_id=backup.id, deep=deep, **({"quick": True} if quick else {}))


def _size_of_check(backup: Backup, options: Mapping[str, Any], turn: Turn | None) -> int | None:
    if options["deep"]:
        return None
    if options.get("quick"):
        return 0  # a few requests
    return backup.raw_bytes if turn is None else min(backup.raw_bytes, turn.most_bytes)


def _noted(run: Run, app_id: str, *, backup_id: str | None = None, **detail: Any) -> Run:
    """Return a run that was asked for, once the log has it."""
    note(run.kind, app_id, run.person, result="asked", backup_id=backup_id, run_id=run.id, **detail)
    return run


def backup(run: RunContext) -> None:
    """Do a run of kind "backup"; its end and the backup's row are one commit."""
    app = service.find(run.app_id or "")
    started = now_us()

    def finish(made: Backup) -> None:
        run.succeed(report_of_backup(made, started, scan))

    scan: dict[str, Any] = {}
    create(app, run, data=run.options["data"], type_=run.options["type"], name=run.options["name"], person=run.person, finish=finish,
           scan=scan)


def _not_held() -> dict[str, int]:
    """Return the absent components whose data is in no backup, as only their own plugin reads it, each with its version."""
    registry = server().registry
    return {name: registry.absent[name].version for name in registry.unreadable if name in registry.absent}


def report_of_backup(made: Backup, started_us: int, scan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a backup's run reports; *scan* says how much of the data was read, see `create`."""
    return {"backup": made.id, "name": made.name, "content_id": made.content_id, "size_bytes": made.size_bytes,
            "added_bytes": made.added_bytes, "raw_bytes": made.raw_bytes, "records": made.records,
            "segments": made.segments, "segments_added": made.segments_added, **({"scan": dict(scan)} if scan else {}),
            "milliseconds": (now_us() - started_us) // 1000,
            **({MISSING: absent} if (absent := {**_not_held(), **BackupReader(made).absent}) else {}),
            **({"check_error": made.check_error} if made.check_error else {})}
