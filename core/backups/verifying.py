"""Proving backups whole: every object present, its digest right, its lists true; before a restore, only what it needs."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.apps.models import App
from core.apps.state import Snapshot
from core.archive.manifest import IndexLine, PartEntry
from core.backups.content import describe
from core.backups.merging import Only
from core.backups.rehearsing import RestoreDiffers, rehearse
from core.backups.saved import Saved, find_backup
from core.catalogue import known_descriptors, picked
from core.db import reading, transaction
from core.errors import AppkeepError, ObjectDamaged
from core.moment import now_us
from core.objects import Shelf, shelf
from core.packs import Placed
from core.runs.context import RunContext

UNSOUND = ("object_missing", "object_damaged", "archive_damaged", RestoreDiffers.code)
"""What says that a backup is not whole; anything else says that it could not be looked at."""
THREADS = 2
BATCH = 256


def verify_needed(app: App, saved: Saved, run: RunContext, *, config: bool, data: bool, only: Only) -> None:
    """Refuse a restore whose objects are not all there and sound, before anything is written.

    Segments that the app has now as the backup has them are not needed.

    Raises:
        ObjectMissing, ObjectDamaged: with the object.
    """
    held: set[str] = set()
    if data:
        with reading() as connection:
            now = describe(app, Snapshot(app.id, connection), config=False)
        held = {line.content for part in now.lines.values() for line in part}
    needed = {line.content: line for (name, part), lines in saved.lines.items()
              if (config if part == "config" else data) and only.has(name) for line in lines if line.content not in held}
    _verify(needed.values(), run)


def check(run: RunContext) -> dict[str, Any]:
    """Do a run of kind "check": read every object of the backup, and write into its row what was found.

    A deep one restores it on trial as well.
    """
    backup = find_backup(run.options["backup"])
    run.step("check.begun")
    error: AppkeepError | None = None
    report: dict[str, Any] = {"backup": backup.id, "sound": True}
    try:
        saved = Saved(backup)
        report |= _check_whole(saved, run)
        run.step("check.read")
        if run.options.get("deep"):
            report["trial"] = _tried(saved, run)
    except AppkeepError as found:
        if found.code not in UNSOUND:
            raise
        error = found
    with transaction():
        run.fence()
        row = find_backup(backup.id)
        row.checked_at, row.check_error = now_us(), error.message if error else None
    if error is not None:
        raise error
    return report


def _tried(saved: Saved, run: RunContext) -> dict[str, Any]:
    run.progress("restoring on trial", 0, saved.backup.records, 0)
    with transaction():
        run.fence()
        found = rehearse(saved, run.person)
        run.fence()  # renews the lease, which the heartbeat could not meanwhile
    run.step("check.tried")
    return found


def _check_whole(saved: Saved, run: RunContext) -> dict[str, int]:
    if saved.content.content_id != saved.backup.content_id:
        raise ObjectDamaged(f"The catalogue's row of backup {saved.backup.id} does not fit its content.")
    found: dict[str, IndexLine] = {}
    for name, part, entry in saved.content.entries():
        lines = saved.lines[name, part]
        counted = PartEntry(
            entry.index, entry.raw,
            documents=sum(x.count for x in lines if x.section == "documents") if part == "config" else 0,
            records=sum(x.count for x in lines if x.section.startswith("records/")) if part == "data" else 0,
            files=sum(x.section == "files" for x in lines))
        if counted != entry:
            raise ObjectDamaged(f"The index of {name}, {part}, counts other things than the backup.")
        found |= {line.content: line for line in lines}
    _verify(found.values(), run)
    return {"objects": len(found), "raw_bytes": sum(line.raw for line in found.values())}


def _verify(lines: Iterable[IndexLine], run: RunContext) -> None:
    """Read and prove objects in threads, in batches, so that a cancel is noticed and memory stays flat."""
    wanted, place = list(lines), shelf()
    total, done, size = len(wanted), 0, 0
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, total, BATCH):
            batch = wanted[start:start + BATCH]
            known = known_descriptors({line.content for line in batch})
            work = [(line, picked(known, line.content)) for line in batch]
            size += sum(pool.map(lambda item: _prove(place, *item), work))
            done += len(batch)
            run.progress("verifying", done, total, size)


def _prove(place: Shelf, line: IndexLine, descriptor: Placed) -> int:
    place.verify(descriptor)
    if line.raw != descriptor.raw:
        raise ObjectDamaged(f"The object {line.content} has another size than its index says.")
    return descriptor.raw
