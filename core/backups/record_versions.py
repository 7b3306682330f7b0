"""What backups have of one record: how each would differ from the record as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.apps import documents
from core.backups.compare import LiveSide
from core.backups.models import Backup
from core.backups.needs import saved_record
from core.backups.reader import BackupReader
from core.base.db import db, reading
from core.base.errors import AppkeepError, NotFound
from core.extension.component import Component
from core.extension.data_report import RecordPair, RecordTold
from core.tenancy.models import App

MAX_BACKUPS = 30


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """A record in a backup: what differs from now; None where it is as it is now. `trouble` says why it cannot be read."""

    backup: Backup
    told: RecordTold | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class RecordVersions:
    """A record now, and in the newest backups that have it; `titled` is what it is called, `looked` how many backups were looked at."""

    titled: str
    there: bool
    versions: list[RecordVersion]
    looked: int


def versions_of(app: App, person: str, component: Component, collection: str, number: int) -> RecordVersions:
    """Return what the newest backups with data have of a record, newest first; of each only the segment with the record is read.

    Raises:
        NotFound: neither the app nor any of these backups has it.
    """
    now = _now(app, component, collection, number)
    backups = list(db.session.scalars(select(Backup).where(
        Backup.app_id == app.id, Backup.deleted_at.is_(None), Backup.part != "config").order_by(
            Backup.created_at.desc(), Backup.id).limit(MAX_BACKUPS)))
    live = {d.address: d for d in documents.live(app)}
    versions, titled = [], ""
    for backup in backups:
        saved = BackupReader(backup)
        try:
            found = saved_record(saved, collection, number)
            if found is None:
                continue
            there = saved.documents if backup.part == "both" else live
            pair = RecordPair(number=number, before=now, after=found[1])
            told = component.tell_records(app, person, collection, [pair], {**there, **live}, {**live, **there})[0]
            titled = titled or told.title
            versions.append(RecordVersion(backup, None if now == found[1] else told))
        except AppkeepError as error:
            versions.append(RecordVersion(backup, None, error.message))
    if now is not None:
        told = component.tell_records(app, person, collection, [RecordPair(number=number, before=None, after=now)], live, live)[0]
        titled = told.title
    elif not versions:
        raise NotFound("Neither the app nor one of its newest backups has this record.")
    return RecordVersions(titled, now is not None, versions, len(backups))


def _now(app: App, component: Component, collection: str, number: int) -> Mapping[str, Any] | None:
    """Return the values of a live record; None where there is none."""
    with reading() as connection:
        return LiveSide(app, connection).record(component, collection, number)
