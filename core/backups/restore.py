"""Restore in place, restore as a new app.

The one danger: a write that somebody was told is saved, and that is neither in the restored app nor in the backup made before.
So the app is closed to writers first, and only what is read after that counts.

Source: docs/rules.md, “Restoring”; docs/decisions/0015.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.apps import documents, locks, service
from core.apps.snapshot import Snapshot
from core.backups import agreement, journal
from core.backups.absent import MISSING, title_of
from core.backups.catalog import find_backup, names_of
from core.backups.check import verify_needed
from core.backups.create import create
from core.backups.merge import data_reports
from core.backups.models import Backup
from core.backups.plan import Options, apply, asked_of, check_origin, holding, plan_of, selection
from core.backups.reader import BackupReader
from core.backups.state import Description, Seen, describe_data
from core.base.db import db, reading, transaction
from core.extension.component import Document
from core.runs.context import RunContext
from core.runs.service import find as find_run
from core.runs.service import report_of
from core.server import server
from core.tenancy.models import App


def restore(run: RunContext) -> None:
    """Do a run of kind "restore": look and verify, close the app, back it up, merge all in one transaction, or nothing.

    What is slow and can be done while people work is done before the app is closed; what counts is done after.
    """
    options = Options(**run.options)
    app, backup = service.find(run.app_id or ""), find_backup(options.backup)
    check_origin(app, backup, options)
    saved = holding(backup, config=options.config, data=options.data)
    proven, seen = _look(app, saved, run, options)
    report: dict[str, Any] = {"backup": backup.id, "app": app.id, "config": options.config, "data": options.data,
                              "only": sorted(options.only)} | _told_options(options)
    _close(app.id, run)
    run.step("restore.app_closed")
    described = _keep(app, run, options, report, seen)
    run.step("restore.safety_backup_taken")
    verify_needed(saved, described, run, config=options.config, data=options.data, only=selection(options.only), proven=proven)
    del proven, seen  # they are large where the app is
    with transaction():
        run.fence()
        if options.safety_backup:
            journal.open_journal(app, run.run_id)
        journal.begin_act(_act(app, backup, run, options))
        report["components"] = _merge_in(service.find(app.id), saved, run, options, described)
        run.step("restore.merged")
        _check_agreed(app, backup, options, report)
        locks.mark(app.id, None)
        run.succeed(report)
        run.step("restore.before_commit")
    run.step("restore.committed", ended=True)


def _act(app: App, backup: Backup, run: RunContext, options: Options) -> journal.RestoreAct:
    """Return what the restore is called where it is told of later: an undo by the backup whose restore it undoes."""
    undone = str(report_of(find_run(options.undo)).get("backup", "")) if options.undo else ""
    name, _ = names_of([undone]).get(undone, (backup.name, True))
    return journal.RestoreAct(app.id, run.run_id, run.person, undone or backup.id, name, undo=bool(undone))


def _told_options(options: Options) -> dict[str, Any]:
    told = {"bin_newer": options.bin_newer, "undo": options.undo, "also_later": options.also_later}
    return {name: value for name, value in told.items() if value}


def _look(app: App, saved: BackupReader, run: RunContext, options: Options) -> tuple[set[str], Seen | None]:
    """Compare with the app as people use it, refuse what nobody agreed to; return the objects that were proven, and what was seen."""
    seen = _describe(app, options)
    described = None if seen is None else seen.description
    if options.plan is not None:
        now = plan_of(app, saved.backup, run.person, options, described)
        agreement.check(options.plan, now["plan"])
    run.step("restore.planned")
    proven = verify_needed(saved, described, run, config=options.config, data=options.data, only=selection(options.only))
    run.step("restore.verified")
    return proven, seen


def _keep(app: App, run: RunContext, options: Options, report: dict[str, Any], seen: Seen | None) -> Description | None:
    """Back the closed app up where that is asked for, and return its data as one reading of it gave it."""
    if not options.safety_backup:
        now = _describe(app, options, seen)
        return None if now is None else now.description
    kept, described = create(app, run, data=options.data, type_="pre_restore", name=None, person=run.person)
    report["safety_backup"] = kept.id
    return described if options.data else None


def _describe(app: App, options: Options, before: Seen | None = None) -> Seen | None:
    if not options.data:
        return None
    with reading() as connection:
        return describe_data(app, Snapshot(app.id, connection), before)


def _check_agreed(app: App, backup: Backup, options: Options, report: dict[str, Any]) -> None:
    """Refuse, before anything is real, what is not what was agreed to; tell what is a little different.

    Raises:
        PlanChanged: see `agreement.check`.
    """
    if options.plan is None:
        return
    told = {name: {what: found for what, found in said.items() if what != "notes"} for name, said in report["components"].items()}
    now = agreement.token(asked_of(app, backup, options), told, data_reports(told))
    agreement.check(options.plan, now)
    if more := agreement.more_written(options.plan, now):
        report["records_more_than_planned"] = more


def restore_as_new(run: RunContext) -> None:
    """Do a run of kind "restore_as_new": the configuration of a backup becomes an app that only its maker sees."""
    backup = find_backup(run.options["backup"])
    saved = holding(backup, config=True, data=False)
    name = run.options.get("name") or f"{backup.app_name} (restored)"[:100]
    run.step("copy.begun")
    with transaction():
        run.fence()
        app = service.create(name, run.person, empty=True)
        given = {d.address: d for c in server().registry.components.values() for d in c.starting_documents(name)}
        copies = {d.address: documents.component_of(d.kind).copied(d, name) for d in saved.documents.values()}
        documents.change(app, run.person, put=_singles(given, copies))
        kept = _keep_unread(app, saved, run.person)
        run.step("copy.put")
        run.succeed({"app": app.id, "name": name, "documents": len(copies)} | ({MISSING: kept} if kept else {}))
        run.step("copy.before_commit")
    run.step("copy.committed", ended=True)


def _keep_unread(app: App, saved: BackupReader, person: str) -> dict[str, Any]:
    """Give a copy the documents of absent components word for word, and return what is said of them.

    Only of a backup that this server made of its own app: there their component has judged them when they were written, and
    nobody can do so now.
    """
    said, trusted = {}, saved.backup.origin == "here" and saved.backup.type != "uploaded"
    for name, version in saved.absent.items():
        unread = [d for d in saved.unread(name) if d.kind not in server().registry.kinds] if trusted else []
        documents.keep_unread(app, name, version, unread, person)
        said[name] = {"title": title_of(name), "version": version, "documents": len(unread)}
    return said


def _singles(given: Mapping[str, Document], copies: Mapping[str, Document]) -> list[Document]:
    """Return the copies, and of the documents that every app has exactly once those that the backup lacks."""
    kinds = server().registry.kinds
    missing = [d for address, d in given.items() if address not in copies and kinds[d.kind][1].single]
    return [*copies.values(), *missing]


def _merge_in(app: App, saved: BackupReader, run: RunContext, options: Options, described: Description | None) -> dict[str, Any]:
    """Merge within the caller's transaction, as the one that may write to the closed app."""
    held = set() if described is None else {line.content for part in described.lines.values() for line in part}
    total = sum(line.count for (_, part), lines in saved.lines.items() if part == "data" and options.data
                for line in lines if line.content not in held)
    with locks.as_restore(run.run_id):
        return apply(app, saved, db.session.connection(), run.person, options, described, writing=True,
                     progress=lambda records, size: run.progress("merging", min(records, total), total, size))


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
