"""Plan, restore in place, restore as a new app. A plan and a restore are one walk; only the second writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.app import server
from core.apps import documents, locks, service
from core.apps.models import App
from core.archive.canonical import canonical
from core.backups.merging import Only, RestoreContext, meet, merge
from core.backups.models import ORIGINS, Backup
from core.backups.saved import Saved, find_backup
from core.backups.take import take
from core.backups.verifying import verify_needed
from core.component import Document
from core.db import db, reading, transaction
from core.errors import InvalidInput, OriginUnconfirmed, PlanChanged
from core.runs.context import RunContext

WRITING = "restoring_run"
"""Where the session says which restore it belongs to, so that it may write to an app that others may not."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a restore shall do. `plan` is the digest of the plan that was looked at, where one was."""

    backup: str
    config: bool
    data: bool
    safety_backup: bool = True
    accept_origin: bool = False
    plan: str | None = None
    only: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a run keeps them."""
        return {name: getattr(self, name) for name in self.__slots__} | {"only": sorted(self.only)}


def plan(app: App, backup: Backup, person: str, *, config: bool, data: bool, only: Iterable[str] = ()) -> dict[str, Any]:
    """Return what a restore would do to the app, with a digest of its own; nothing is touched.

    Args:
        only: Names of components and addresses of documents to restore; all of it without.

    Raises:
        InvalidInput: the backup does not hold what is asked for.
    """
    saved, part = _holding(backup, config=config, data=data), _only(only)
    with reading() as connection:
        told = merge(meet(app, saved, connection, person, config=config, data=data, writing=False, only=part))
    found = {"app": app.id, "backup": backup.id, "content_id": backup.content_id, "config": config, "data": data,
             "only": sorted(part.names), "components": told}
    return {**found, "plan": hashlib.sha256(canonical(found)).hexdigest()}


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
    """Do a run of kind "restore": plan again, verify, back up, then merge all in one transaction, or nothing."""
    options = Options(**run.options)
    app, backup = service.find(run.app_id or ""), find_backup(options.backup)
    check_origin(app, backup, options)
    saved = _holding(backup, config=options.config, data=options.data)
    if options.plan is not None:
        _check_plan(app, backup, run.person, options)
    run.step("restore.planned")
    verify_needed(app, saved, run, config=options.config, data=options.data, only=_only(options.only))
    run.step("restore.verified")
    report: dict[str, Any] = {"backup": backup.id, "app": app.id, "config": options.config, "data": options.data,
                              "only": sorted(options.only)}
    if options.safety_backup:
        report["safety_backup"] = take(app, run, data=options.data, type_="pre_restore", name=None, person=run.person).id
    run.step("restore.safety_backup_taken")
    with _closed(app.id, run):
        run.step("restore.app_closed")
        with transaction():
            run.fence()
            report["components"] = _merge_in(service.find(app.id), saved, run, options)
            run.step("restore.merged")
            locks.mark(app.id, None)
            run.succeed(report)
            run.step("restore.before_commit")
    run.step("restore.committed", ended=True)


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
        raise InvalidInput("Say what to restore: the configuration, the data, or both.")
    if config and backup.part == "data":
        raise InvalidInput(f"The backup “{backup.name}” holds data only; restore its data.")
    if data and backup.part == "config":
        raise InvalidInput(f"The backup “{backup.name}” holds no data; restore its configuration.")
    return Saved(backup)


def _only(names: Iterable[str]) -> Only:
    found = Only(frozenset(names))
    found.check()
    return found


def _check_plan(app: App, backup: Backup, person: str, options: Options) -> None:
    now = plan(app, backup, person, config=options.config, data=options.data, only=options.only)
    if now["plan"] != options.plan:
        raise PlanChanged("The app has changed since the plan was made; look at the plan again.", plan=now["plan"])


def _merge_in(app: App, saved: Saved, run: RunContext, options: Options) -> dict[str, Any]:
    """Merge within the caller's transaction, as the one that may write to the closed app."""
    db.session.info[WRITING] = run.run_id
    try:
        connection = db.session.connection()
        context: RestoreContext = meet(app, saved, connection, run.person, config=options.config, data=options.data,
                                       writing=True, only=_only(options.only))
        return merge(context)
    finally:
        db.session.info.pop(WRITING, None)


@contextmanager
def _closed(app_id: str, run: RunContext) -> Iterator[None]:
    """Let others read the app and not write it. A run that dies here leaves it closed until it is recovered."""
    with transaction():
        run.fence()
        locks.mark(app_id, run.run_id)
    with transaction():
        run.fence()
        locks.wait_for_writers(app_id)
    yield
