"""Plan, restore in place, restore as a new app. A plan and a restore are one walk; only the second writes.

The one danger: a write that somebody was told is saved, and that is neither in the restored app nor in the backup made before.
So the app is closed to writers first, and only what is read after that counts.

Source: SPEC.md 5; docs/decisions/0015.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from core.apps import documents, locks, service
from core.apps.snapshot import Snapshot
from core.backups import agreement, journal
from core.backups.content import Description, describe
from core.backups.merging import Only, meet, merge
from core.backups.models import ORIGINS, Backup
from core.backups.saved import Saved, backup_if_there, find_backup
from core.backups.take import take
from core.backups.undoing import undo
from core.backups.verifying import verify_needed
from core.base.db import db, reading, transaction
from core.base.errors import Conflict, InvalidInput, OriginUnconfirmed
from core.extension.component import Document
from core.runs.context import RunContext
from core.runs.models import Run
from core.runs.service import report_of
from core.server import server
from core.tenancy.models import App

WRITING = "restoring_run"
"""Where the session says which restore it belongs to, so that it may write to an app that others may not."""


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
    saved = _holding(backup, config=options.config, data=options.data)
    with reading() as connection:
        told = _effect(app, saved, connection, person, options, described, writing=False)
    asked = _asked(app, backup, options)
    return {**asked, "components": told, "plan": agreement.token(asked, told)}


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
    """Return what to take back out of the version before: the same parts; of a document that was not there, its component."""
    kinds, saved = server().registry.kinds, Saved(safety)
    return tuple(dict.fromkeys(name if "/" not in name or name in saved.documents else kinds[name.partition("/")[0]][0].name
                               for name in names))


def _effect(app: App, saved: Saved, connection: Connection, person: str, options: Options, described: Description | None, *,
            writing: bool) -> dict[str, Any]:
    """Do what the options say, or tell what that would do."""
    def merged(*, bin_newer: bool, writing: bool, described: Description | None) -> dict[str, Any]:
        return merge(meet(app, saved, connection, person, config=options.config, data=options.data, writing=writing,
                          only=_only(options.only), described=described, bin_newer=bin_newer))

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


def _asked(app: App, backup: Backup, options: Options) -> dict[str, Any]:
    """Return what a plan is the plan of."""
    asked = {"app": app.id, "backup": backup.id, "content_id": backup.content_id, "config": options.config, "data": options.data,
             "only": sorted(set(options.only))}
    more = {"bin_newer": options.bin_newer, "undo": options.undo, "also_later": options.also_later}
    return asked | {name: value for name, value in more.items() if value}


def check_origin(app: App, backup: Backup, options: Options) -> None:
    """Refuse a backup of another app or server over an app that holds something, unless that was confirmed.

    Raises:
        OriginUnconfirmed: with where the backup comes from.

    Source: DESIGN.md 7.
    """
    if backup.origin == "here" or options.accept_origin or service.is_empty(app):
        return
    raise OriginUnconfirmed(
        f"The backup “{backup.name}” comes from {ORIGINS[backup.origin]}. Restore it as a new app, or confirm that it "
        f"may overwrite “{app.name}”.", origin=backup.origin, signer=backup.signer)


def restore(run: RunContext) -> None:
    """Do a run of kind "restore": look and verify, close the app, back it up, merge all in one transaction, or nothing.

    What is slow and can be done while people work is done before the app is closed; what counts is done after.
    """
    options = Options(**run.options)
    app, backup = service.find(run.app_id or ""), find_backup(options.backup)
    check_origin(app, backup, options)
    saved = _holding(backup, config=options.config, data=options.data)
    proven = _look(app, saved, run, options)
    report: dict[str, Any] = {"backup": backup.id, "app": app.id, "config": options.config, "data": options.data,
                              "only": sorted(options.only)} | _told_options(options)
    _close(app.id, run)
    run.step("restore.app_closed")
    described = _keep(app, run, options, report)
    run.step("restore.safety_backup_taken")
    verify_needed(saved, described, run, config=options.config, data=options.data, only=_only(options.only), proven=proven)
    with transaction():
        run.fence()
        if options.safety_backup:
            journal.open_journal(app, run.run_id)
        report["components"] = _merge_in(service.find(app.id), saved, run, options, described)
        run.step("restore.merged")
        _check_agreed(app, backup, options, report)
        locks.mark(app.id, None)
        run.succeed(report)
        run.step("restore.before_commit")
    run.step("restore.committed", ended=True)


def _told_options(options: Options) -> dict[str, Any]:
    told = {"bin_newer": options.bin_newer, "undo": options.undo, "also_later": options.also_later}
    return {name: value for name, value in told.items() if value}


def _look(app: App, saved: Saved, run: RunContext, options: Options) -> set[str]:
    """Compare with the app as people use it, refuse what nobody agreed to, and return the objects that were proven."""
    described = _describe(app, options)
    if options.plan is not None:
        now = plan_of(app, saved.backup, run.person, options, described)
        agreement.check(options.plan, now["plan"])
    run.step("restore.planned")
    proven = verify_needed(saved, described, run, config=options.config, data=options.data, only=_only(options.only))
    run.step("restore.verified")
    return proven


def _keep(app: App, run: RunContext, options: Options, report: dict[str, Any]) -> Description | None:
    """Back the closed app up where that is asked for, and return its data as one reading of it gave it."""
    if not options.safety_backup:
        return _describe(app, options)
    kept, described = take(app, run, data=options.data, type_="pre_restore", name=None, person=run.person)
    report["safety_backup"] = kept.id
    return described if options.data else None


def _describe(app: App, options: Options) -> Description | None:
    if not options.data:
        return None
    with reading() as connection:
        return describe(app, Snapshot(app.id, connection), config=False)


def _check_agreed(app: App, backup: Backup, options: Options, report: dict[str, Any]) -> None:
    """Refuse, before anything is real, what is not what was agreed to; tell what is a little different.

    Raises:
        PlanChanged: see `agreement.check`.
    """
    if options.plan is None:
        return
    told = {name: {what: found for what, found in said.items() if what != "notes"} for name, said in report["components"].items()}
    now = agreement.token(_asked(app, backup, options), told)
    agreement.check(options.plan, now)
    if more := agreement.more_written(options.plan, now):
        report["records_more_than_planned"] = more


def restore_as_new(run: RunContext) -> None:
    """Do a run of kind "restore_as_new": the configuration of a backup becomes an app that only its maker sees."""
    backup = find_backup(run.options["backup"])
    saved = _holding(backup, config=True, data=False)
    name = run.options.get("name") or f"{backup.app_name} (restored)"[:100]
    run.step("copy.begun")
    with transaction():
        run.fence()
        app = service.create(name, run.person, empty=True)
        given = {d.address: d for c in server().registry.components.values() for d in c.starting_documents(name)}
        copies = {d.address: documents.component_of(d.kind).copied(d, name) for d in saved.documents.values()}
        documents.change(app, run.person, put=_singles(given, copies))
        run.step("copy.put")
        run.succeed({"app": app.id, "name": name, "documents": len(copies)})
        run.step("copy.before_commit")
    run.step("copy.committed", ended=True)


def _singles(given: Mapping[str, Document], copies: Mapping[str, Document]) -> list[Document]:
    """Return the copies, and of the documents that every app has exactly once those that the backup lacks."""
    kinds = server().registry.kinds
    missing = [d for address, d in given.items() if address not in copies and kinds[d.kind][1].single]
    return [*copies.values(), *missing]


def _holding(backup: Backup, *, config: bool, data: bool) -> Saved:
    """Return the backup's content where it holds what is asked for."""
    if not (config or data):
        raise InvalidInput("Choose what to restore: the configuration, the data, or both.")
    if config and backup.part == "data":
        raise InvalidInput(f"The backup “{backup.name}” holds data only; restore its data.")
    if data and backup.part == "config":
        raise InvalidInput(f"The backup “{backup.name}” holds no data; restore its configuration.")
    return Saved(backup)


def _only(names: Iterable[str]) -> Only:
    found = Only(frozenset(names))
    found.check()
    return found


def _merge_in(app: App, saved: Saved, run: RunContext, options: Options, described: Description | None) -> dict[str, Any]:
    """Merge within the caller's transaction, as the one that may write to the closed app."""
    db.session.info[WRITING] = run.run_id
    try:
        return _effect(app, saved, db.session.connection(), run.person, options, described, writing=True)
    finally:
        db.session.info.pop(WRITING, None)


def _close(app_id: str, run: RunContext) -> None:
    """Close the app to all writers but this run, and return once those under way have ended; reads go on.

    Two transactions: a mark that turns newcomers away, then a lock that nobody who came before can still be under. However the
    run ends the app is opened again; where it just dies, by whoever finds that out.
    """
    with transaction():
        run.fence()
        locks.mark(app_id, run.run_id)
    with transaction():
        run.fence()
        locks.wait_for_writers(app_id)
