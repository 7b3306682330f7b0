"""The deep check: a backup is restored into an app that nobody sees, compared with itself, and the app undone.

All of it happens in the caller's transaction, within a savepoint that is rolled back: a worker that dies leaves nothing to clean
up, and at no moment is there an app that somebody could see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.apps import documents, locks
from core.apps.snapshot import Snapshot
from core.archive.manifest import ComponentEntry, Content
from core.backups.merge import data_reports, meet, merge
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.backups.state import describe, described_part, document_sections, file_section
from core.base.db import db
from core.base.errors import AppkeepError, InvalidInput
from core.base.ids import new_key
from core.base.time import now_us
from core.extension.component import Component, Section, Segment
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import tenant


class RestoreDiffers(AppkeepError):
    """A backup, restored on trial, gives another state than the one that it holds."""

    code, status, title = "restore_differs", 500, "The restore on trial differs"


def check_possible(backup: Backup) -> None:
    """Refuse a backup that cannot be restored by itself.

    Raises:
        InvalidInput: it holds data only.
    """
    if backup.part == "data":
        raise InvalidInput(f"The backup “{backup.name}” holds data only, which cannot be restored without its configuration; "
                           "check it without the restore on trial.")


def rehearse(saved: BackupReader, person: str) -> dict[str, Any]:
    """Restore a backup on trial and return how it went: {"same", "content_id", "references_not_restored"}.

    Another state is no damage where references are the reason: what they point to lies outside the backup.

    Raises:
        RestoreDiffers: nothing explains that the state is another one.
        AppkeepError: it could not be restored at all.
    """
    nested = db.session.begin_nested()
    try:
        told, found = _restored(saved, person)
    finally:
        nested.rollback()
        db.session.expire_all()
    missing = sum(report.unlike for report in data_reports(told))
    other = sorted(name for name in {*found.components, *saved.content.components} - saved.absent.keys()
                   if found.components.get(name) != expected(saved, name))
    if other and not missing:
        raise RestoreDiffers(f"Restored on trial, the backup “{saved.backup.name}” does not give the state that it holds: "
                             f"{', '.join(other)} {'differs' if len(other) == 1 else 'differ'}.", components=other)
    return {"same": not other, "content_id": found.content_id, "references_not_restored": missing,
            **({"absent": saved.absent} if saved.absent else {})}


def expected(saved: BackupReader, name: str) -> ComponentEntry | None:
    """Return what a component's state is once a backup is restored: what the backup holds, lifted to today's shape."""
    entry = saved.content.components.get(name)
    component = server().registry.components.get(name)
    if entry is None or component is None or entry.version == component.version:
        return entry
    mine = [d for d in saved.documents.values() if documents.component_of(d.kind) is component]
    config = None if entry.config is None else described_part(document_sections(mine), name, "config")
    data = None if entry.data is None else described_part(_lifted_sections(saved, component), name, "data")
    return ComponentEntry(component.version, config, data)


def _lifted_sections(saved: BackupReader, component: Component) -> Iterator[Section]:
    """Yield the sections of a component's data as it would write them today."""
    lines = saved.data_lines(component.name)
    for section in dict.fromkeys(line.section for line in lines if line.section != "files"):
        yield Section(section, (
            Segment(line.n, line.count, saved.lifted(component.name, section, saved.read(line.content)))
            for line in lines if line.section == section))
    yield file_section(line.content for line in lines if line.section == "files")


def _restored(saved: BackupReader, person: str) -> tuple[Mapping[str, Any], Content]:
    data = saved.backup.part == "both"
    # Not by the service that makes apps: that tells plugins, and deleted_at keeps even this session's queries off it.
    app = App(id=new_key("a"), organization_id=tenant(), name=saved.backup.app_name, created_at=now_us(), created_by=person,
              revision=0, deleted_at=now_us())
    db.session.add(app)
    db.session.flush()
    locks.own(app)
    connection = db.session.connection()
    told = merge(meet(app, saved, connection, person, config=True, data=data, writing=True))
    db.session.flush()
    return told, describe(app, Snapshot(app.id, connection), data=data).content
