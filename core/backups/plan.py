"""Plans: what a restore would do, named, so that it can be agreed to. A plan and a restore are one walk; only the second writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from core.apps import service
from core.backups import agreement, journal
from core.backups.catalog import backup_if_there, find_backup
from core.backups.merge import Progress, data_reports, meet, merge
from core.backups.models import ORIGINS, Backup
from core.backups.needs import needs_of
from core.backups.reader import BackupReader
from core.backups.restore_context import RestoreContext
from core.backups.selection import Selection, component_named
from core.backups.state import Description
from core.backups.undo import undo
from core.base.db import reading
from core.base.errors import Conflict, InvalidInput, OriginUnconfirmed
from core.base.time import iso
from core.runs.models import Run
from core.runs.service import report_of
from core.server import server
from core.tenancy.models import App


@dataclass(frozen=True, slots=True)
class Options:
    """What a restore shall do. `plan` names the plan that was looked at, where one was.

    With `bin_newer` records made since the backup go to the recycle bin. `undo` is the run that is undone, `backup` then the backup
    made before it; with `also_later` what was changed since goes back too.
    """

    backup: str
    config: bool
    data: bool
    safety_backup: bool = True
    accept_origin: bool = False
    plan: str | None = None
    only: tuple[str, ...] = ()
    bin_newer: bool = False
    undo: str | None = None
    also_later: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a run keeps them."""
        return {name: getattr(self, name) for name in self.__slots__} | {"only": sorted(self.only)}


def asked_or_all(backup: Backup, *, config: bool, data: bool) -> tuple[bool, bool]:
    """Return what to restore: configuration and data as they were asked for, or else all that the backup holds."""
    return (config, data) if config or data else (backup.part != "data", backup.part != "config")


def plan(app: App, backup: Backup, person: str, *, config: bool, data: bool, only: Iterable[str] = (), bin_newer: bool = False,
         described: Description | None = None) -> dict[str, Any]:
    """Return what a restore would do to the app, with a name of its own (see `agreement`); nothing is touched.

    Args:
        only: Names of components and addresses of documents to restore; all of it without.
        bin_newer: Whether records that the backup does not have go to the recycle bin.
        described: The app's data as it is now, where it was described already.

    Raises:
        InvalidInput: the backup does not hold what is asked for.
    """
    options = Options(backup=backup.id, config=config, data=data, only=tuple(only), bin_newer=bin_newer)
    return plan_of(app, backup, person, options, described)


def plan_of(app: App, backup: Backup, person: str, options: Options, described: Description | None = None) -> dict[str, Any]:
    """Return what a restore with these options would do; see `plan`."""
    saved = holding(backup, config=options.config, data=options.data)
    with reading() as connection:
        told = apply(app, saved, connection, person, options, described, writing=False)
        needed = [] if options.undo is not None or not options.only else needs_of(
            context_of(app, saved, connection, person, options), told)
    asked = asked_of(app, backup, options)
    more = {"needs": needed, "upgrades": upgrades_of(saved), "another_app": _another_app(app, backup)}
    return {**asked, "components": told, "plan": agreement.token(asked, told, data_reports(told)),
            **{name: found for name, found in more.items() if found}}


def context_of(app: App, saved: BackupReader, connection: Connection, person: str, options: Options) -> RestoreContext:
    """Return the context in which a plan with these options sees the backup and the app; nothing is written in it."""
    return meet(app, saved, connection, person, config=options.config, data=options.data, writing=False,
                only=selection(options.only), bin_newer=options.bin_newer)


def upgrades_of(saved: BackupReader) -> list[dict[str, Any]]:
    """Return which components wrote the backup in an older version than is here: what they wrote is lifted, one version at a time."""
    known = server().registry.components
    return [{"component": name, "from": entry.version, "to": known[name].version}
            for name, entry in sorted(saved.content.components.items()) if name in known and entry.version < known[name].version]


def plan_undo(app: App, run: Run, person: str, *, also_later: bool) -> dict[str, Any]:
    """Return what undoing a restore would do.

    Raises:
        Conflict: it cannot be undone (any more).
    """
    options = undo_options(run, also_later=also_later)
    return plan_of(app, find_backup(options.backup), person, options)


def undo_options(run: Run, *, also_later: bool, plan: str | None = None) -> Options:
    """Return the options of the restore that undoes another one; what was restored before there were journals is undone by its backup.

    Raises:
        Conflict: the run restored nothing, or the backup of the version before is not there (any more).
    """
    report = report_of(run)
    if run.kind != "restore" or run.state != "succeeded":
        raise Conflict(f"Run {run.id} restored nothing that could be undone.")
    safety = backup_if_there(report.get("safety_backup", ""))
    if safety is None:
        raise Conflict("The version before this restore was not backed up, or its backup was deleted. It cannot be undone.")
    kept = journal.is_kept(run.app_id or "", run.id)
    return Options(backup=safety.id, config=bool(report.get("config")), data=bool(report.get("data")) and safety.part != "config",
                   only=_still_named(report.get("only", ()), safety), undo=run.id if kept else None, also_later=also_later and kept,
                   plan=plan)


def _still_named(names: Iterable[str], safety: Backup) -> tuple[str, ...]:
    """Return what to take back out of the version before: the same documents; of one that was not there, its component.

    Of a part or a record, the document that it is of: more than the restore changed goes back only where people ask for that.
    """
    saved = BackupReader(safety)
    documents = (name if "/" not in name else "/".join(name.split("/")[:2]) for name in names)
    return tuple(dict.fromkeys(name if "/" not in name or name in saved.documents else component_named(name.partition("/")[0]) or name
                               for name in documents))


def apply(app: App, saved: BackupReader, connection: Connection, person: str, options: Options, described: Description | None, *,
            writing: bool, progress: Progress = lambda records, size: None) -> dict[str, Any]:
    """Do what the options say, or tell what that would do."""
    def merged(*, bin_newer: bool, writing: bool, described: Description | None) -> dict[str, Any]:
        return merge(meet(app, saved, connection, person, config=options.config, data=options.data, writing=writing,
                          only=selection(options.only), described=described, bin_newer=bin_newer, progress=progress))

    if options.undo is None:
        return merged(bin_newer=options.bin_newer, writing=writing, described=described)
    kept = journal.Journal(app.id, options.undo, connection)
    if not options.also_later:
        return undo(app, kept, saved.documents, connection, person, force=False, writing=writing)
    told = merged(bin_newer=True, writing=False, described=described)
    if writing:
        undo(app, kept, saved.documents, connection, person, force=True, writing=True)
        merged(bin_newer=True, writing=True, described=None)
    return told


def asked_of(app: App, backup: Backup, options: Options) -> dict[str, Any]:
    """Return what a plan is the plan of."""
    asked = {"app": app.id, "backup": backup.id, "content_id": backup.content_id, "config": options.config, "data": options.data,
             "only": sorted(set(options.only))}
    more = {"bin_newer": options.bin_newer, "undo": options.undo, "also_later": options.also_later}
    return asked | {name: value for name, value in more.items() if value}


def check_origin(app: App, backup: Backup, options: Options) -> None:
    """Refuse a backup of another app or server over an app that holds something, unless that was confirmed.

    Raises:
        OriginUnconfirmed: with where the backup comes from.

    Source: docs/rules.md, “Restoring”.
    """
    origin = origin_for(app, backup)
    if origin == "here" or options.accept_origin or service.is_empty(app):
        return
    raise OriginUnconfirmed(
        f"The backup “{backup.name}” comes from {ORIGINS[origin]}. Restore it as a new app, or confirm that it "
        f"may overwrite “{app.name}”.", origin=origin, signer=backup.signer)


def origin_for(app: App, backup: Backup) -> str:
    """Return where a backup comes from as the app sees it that it is restored into: a key of `ORIGINS`."""
    return "server" if backup.origin == "here" and backup.app_id != app.id else backup.origin


def _another_app(app: App, backup: Backup) -> dict[str, Any]:
    """Return what a plan says of the app that the backup is of, where that is another one; also where nothing would be overwritten."""
    origin = origin_for(app, backup)
    return {} if origin == "here" else {"name": backup.app_name, "origin": origin, "made_at": iso(backup.made_at or backup.created_at)}


def holding(backup: Backup, *, config: bool, data: bool) -> BackupReader:
    """Return the backup's content where it holds what is asked for."""
    if not (config or data):
        raise InvalidInput("Choose what to restore: the configuration, the data, or both.")
    if config and backup.part == "data":
        raise InvalidInput(f"The backup “{backup.name}” holds data only; restore its data.")
    if data and backup.part == "config":
        raise InvalidInput(f"The backup “{backup.name}” holds no data; restore its configuration.")
    return BackupReader(backup)


def selection(names: Iterable[str]) -> Selection:
    """Return what is chosen by name.

    Raises:
        InvalidInput: a name means nothing here.
    """
    found = Selection(frozenset(names))
    found.check()
    return found
