"""The quick look at backups: is all that they name in the catalogue, and in the store in its right size? Nothing but lists is read.

The clock has all backups of an organization looked at together: the store lists what it has, a thousand names a request on S3, and each
list of contents is read once, however many backups have it in common. Files that apps hold and no backup has yet are looked for, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any

from sqlalchemy import func, select, update

from core.archive.manifest import own_lines
from core.backups import damage, proof
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.base.db import batched, db, transaction
from core.base.errors import ObjectLost, ObjectMissing
from core.base.ids import SYSTEM
from core.base.time import now_us
from core.objects.index import known_descriptors, lost_among
from core.objects.presence import losses_among, losses_of_all
from core.objects.reader import note_lost, read_object
from core.runs.context import SECOND_US, RunContext
from core.runs.models import Run
from core.runs.service import OPEN, request
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant

HOUR_US = 3600 * SECOND_US
BATCH = 500
NAMED_AT_MOST = 100


def tick() -> str | None:
    """Ask for a look at the backups of the organization that has waited longest, where one is due, and return the id of the run."""
    hours: int = server().config.quick_check_every_hours
    if not hours:
        return None
    now = now_us()
    with as_server():
        if db.session.scalar(select(Run.id).where(Run.kind == "look", OPEN).limit(1)):
            return None
        having = select(App.organization_id, func.min(App.created_at).label("at")).group_by(App.organization_id).subquery()
        # One in the future was asked for by a clock that was wrong.
        last = select(Run.requested_at).where(
            Run.kind == "look", Run.organization_id == having.c.organization_id, Run.requested_at <= now + HOUR_US
        ).order_by(Run.requested_at.desc()).limit(1).scalar_subquery()
        waiting = [tuple(row) for row in db.session.execute(select(func.coalesce(last, having.c.at), having.c.organization_id))]
    due = min((one for one in waiting if one[0] <= now - hours * HOUR_US), default=None)
    if due is None:
        return None
    with as_tenant(due[1]), transaction():
        return request("look", None, {}, SYSTEM, send=True).id


def look(run: RunContext) -> dict[str, Any]:
    """Do a run of kind "look": look at all backups of its organization, and write into their rows what was found."""
    run.step("look.begun")
    began, before = now_us(), _finders()
    losses = losses_of_all()
    db.session.rollback()
    lost = note_lost(*losses)
    run.step("look.listed")
    found = damage.lost_parts(run)
    with transaction():
        run.fence()
        fresh = damage.mark(run, proof.QUICK, found, began)
        looked_at = _note_sound(found.keys(), began, before)
    return {"backups": looked_at + len(found), "damaged": len(found), "newly_damaged": fresh[:NAMED_AT_MOST],
            "newly_damaged_count": len(fresh), "lost": lost}


def _finders() -> dict[str, str | None]:
    """Return the damaged backups of the current organization, each with the run that found it to be."""
    rows = db.session.execute(select(Backup.id, Backup.check_run_id).where(
        Backup.check_error.is_not(None), Backup.deleted_at.is_(None)))
    return {row.id: row.check_run_id for row in rows}


def _note_sound(damaged: AbstractSet[str], began: int, before: Mapping[str, str | None]) -> int:
    """Write into the rows of all backups that lack nothing that they were looked at, and return how many those are."""
    rows = db.session.execute(select(Backup.id, Backup.check_run_id, Backup.failed_level, Backup.lost_parts).where(
        Backup.deleted_at.is_(None), Backup.created_at <= began)).all()
    sound = [row for row in rows if row.id not in damaged]
    # What another check found while this one looked stays as that one says.
    lacking = [row for row in sound if before.get(row.id, "") == row.check_run_id]
    cleared = [row.id for row in lacking if row.failed_level == proof.QUICK]
    # What was lost has been stored again: the clock reads these first, see `core.backups.check_due`.
    mended = [row.id for row in lacking if row.failed_level != proof.QUICK and row.lost_parts]
    clear = {"check_error": None, "failed_level": None, "check_run_id": None, "lost_parts": None}
    for ids, values in (([row.id for row in sound], {"quick_at": began}), (cleared, clear), (mended, {"lost_parts": 0})):
        for some in batched(ids, BATCH):
            db.session.execute(update(Backup).where(Backup.id.in_(some)).values(**values),
                               execution_options={"synchronize_session": False})
    db.session.expire_all()
    return len(sound)


def look_at(saved: BackupReader, run: RunContext) -> dict[str, int]:
    """Look at one backup, and return how many contents it names and how many bytes of the store they take.

    Raises:
        ObjectMissing, ObjectDamaged: something that it names is not there; all that is has been marked as lost.
    """
    lists = {entry.index for _, _, entry in saved.content.entries()}
    losses, contents = list[ObjectLost](), set(lists)
    for one in sorted(lists):
        try:
            contents |= {line.content for line in own_lines(read_object(one))}
        except ObjectLost as error:
            losses.append(error)
    known = known_descriptors(contents)
    run.progress("verifying", len(known), len(contents), 0)
    losses += chain(losses_among(known.values()), _unknown(contents, known.keys()))
    db.session.rollback()
    if losses:
        note_lost(*losses)
        first, count = losses[0], len(losses)
        raise first if count == 1 else type(first)(f"{count} objects are lost or damaged. {first.message}", objects=count)
    return {"objects": len(contents), "stored_bytes": sum(one.size for one in known.values())}


def _unknown(contents: AbstractSet[str], known: AbstractSet[str]) -> list[ObjectLost]:
    missing = [ObjectMissing(f"The object {one} is not in the catalogue.") for one in sorted(contents - known)]
    return [*missing, *(ObjectMissing(f"The object {one} is lost or damaged.") for one in sorted(lost_among(contents)))]
