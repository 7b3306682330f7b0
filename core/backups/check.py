"""Proving backups: every object present, its digest right, its lists true; before a restore, only what it needs.

By the clock a backup is read in turns: a bounded share a day, and what was read for another backup lately is not read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from core.apps.change_log import SEGMENT_ROWS
from core.archive.limits import LIMITS
from core.archive.manifest import IndexLine, PartEntry
from core.archive.reader import Use, segment_values
from core.backups import damage, look, proof
from core.backups.catalog import find_backup
from core.backups.content_check import ContentCheck
from core.backups.reader import BackupReader
from core.backups.selection import Selection
from core.backups.state import FILES, Description
from core.backups.trial_restore import RestoreDiffers, rehearse
from core.base.db import batched, transaction
from core.base.errors import AppkeepError, ObjectDamaged, ObjectLost
from core.base.refs import files_in_text
from core.base.time import now_us
from core.objects.index import (
    all_descriptors,
    in_packs,
    known_descriptors,
    lost_among,
    mark_found,
    mark_proven,
    picked,
    proofs_of,
)
from core.objects.packs import StoredDescriptor
from core.objects.reader import ObjectReader, note_lost, object_reader
from core.runs.context import RunContext
from core.server import server

UNSOUND = ("object_missing", "object_damaged", "archive_damaged", RestoreDiffers.code)
"""What says that a backup is not whole; anything else says that it could not be looked at."""
T = TypeVar("T")
THREADS = 2
BATCH = 256
NOTED_AT_ONCE = 5000


def verify_needed(saved: BackupReader, now: Description | None, run: RunContext, *, config: bool, data: bool, only: Selection,
                  proven: set[str] | None = None) -> set[str]:
    """Refuse a restore whose objects are not all there as they were stored, before anything is written; return those that are.

    Segments that the app has *now* as the backup has them are not needed. What the objects unpack to is proven when the merge reads
    them, in the transaction that then is rolled back.

    Args:
        now: The app's data; None where none is restored.
        proven: What was proven before, and is not read again; it is added to, as it may be large.

    Raises:
        ObjectMissing, ObjectDamaged: with the object.
    """
    held = {line.content for part in now.lines.values() for line in part} if now is not None else set()
    proven, needed = set() if proven is None else proven, list[IndexLine]()
    for (name, part), lines in saved.lines.items():
        if (config if part == "config" else data) and only.has(name):
            for line in _chosen(saved, name, lines, only) if part == "data" else lines:
                if line.content not in held and line.content not in proven:
                    proven.add(line.content)
                    needed.append(line)
    _verify(needed, run, quick=True)
    return proven


def _chosen(saved: BackupReader, name: str, lines: Sequence[IndexLine], only: Selection) -> list[IndexLine]:
    """Return the lines of a component's data that are read where only some of its records are restored."""
    component = server().registry.components.get(name)
    if component is None or not only.records or name in only.names:
        return list(lines)
    numbers = {section: None if (there := component.collection(section)) is None else only.numbers(name, there)
               for section in {line.section for line in lines}}
    chosen = [line for line in lines if line.section != FILES and _holds_some(line, numbers[line.section])]
    if any(there is None for section, there in numbers.items() if component.collection(section) is not None):
        return [*chosen, *(line for line in lines if line.section == FILES)]
    files = {file for line in chosen if numbers[line.section] for file in files_in_text(saved.read(line.content).decode())}
    return [*chosen, *(line for line in lines if line.section == FILES and line.content in files)]


def _holds_some(line: IndexLine, numbers: frozenset[int] | None) -> bool:
    return numbers is None or line.n in {number // SEGMENT_ROWS for number in numbers}


@dataclass(frozen=True, slots=True)
class Turn:
    """How the clock has a backup read: what was proven since a moment counts, and of the rest so many stored bytes are read."""

    since_us: int
    most_bytes: int


def check(run: RunContext) -> dict[str, Any]:
    """Do a run of kind "check": prove the backup at the level that was asked for, and write into its row what was found.

    Where content is lost, all other backups that need it are told to be damaged, too.
    """
    backup = find_backup(run.options["backup"])
    run.step("check.begun")
    level, reached = proof.level_of(run.options), list[str]()
    error: AppkeepError | None = None
    report: dict[str, Any] = {"backup": backup.id, "level": level, "sound": True}
    try:
        for one in (proof.QUICK,) if level == proof.QUICK else proof.LEVELS[1:proof.LEVELS.index(level) + 1]:
            reached.append(one)
            report |= _at_level(one, BackupReader(backup), run)
    except AppkeepError as found:
        if found.code not in UNSOUND:
            raise
        error = found
    if error is not None:
        _note_damage(run, backup.id, reached, error)
        raise error
    oldest_us = report.pop("oldest_us", None)
    with transaction():
        run.fence()
        if not report.get("left_bytes"):
            proof.passed(find_backup(backup.id), level, now_us(), oldest_us=oldest_us)
    return report


def _at_level(level: str, saved: BackupReader, run: RunContext) -> dict[str, Any]:
    if level == proof.QUICK:
        return look.look_at(saved, run)
    if level == proof.DEEP:
        return {"trial": _tried(saved, run)}
    found = _check_whole(saved, run)
    run.step("check.read")
    return found


def _note_damage(run: RunContext, backup_id: str, reached: list[str], error: AppkeepError) -> None:
    """Write what a check found into the backup's row, and into those of all others that need what is lost."""
    began = now_us()
    lost = damage.lost_parts(run) if isinstance(error, ObjectLost) else {}
    with transaction():
        run.fence()
        row, now = find_backup(backup_id), now_us()
        for level in reached[:-1]:
            proof.passed(row, level, now)
        proof.failed(row, reached[-1], now, error.message, run.run_id, lost.get(backup_id))
        damage.mark(run, reached[-1], lost, began, but=backup_id)


def _tried(saved: BackupReader, run: RunContext) -> dict[str, Any]:
    run.progress("restoring on trial", 0, saved.backup.records, 0)
    with transaction():
        run.fence()
        found = rehearse(saved, run.person)
        run.fence()  # renews the lease, which the heartbeat could not meanwhile
    run.step("check.tried")
    return found


def _check_whole(saved: BackupReader, run: RunContext) -> dict[str, int]:
    if saved.content.content_id != saved.backup.content_id:
        raise ObjectDamaged(f"The catalogue's row of backup {saved.backup.id} does not fit its content.")
    found: dict[str, IndexLine] = {}
    unread: list[ObjectLost] = []
    for name, part, entry in saved.content.entries():
        try:
            found |= _listed(saved, name, part, entry)
        except ObjectLost as error:
            unread.append(error)  # the others are looked at all the same, so that all that is lost is stored again
    share = _share(found, run)
    _verify((found[one] for one in share.read), run, unread)
    # Bytes that are what they were mean what they meant: by the clock, lines are judged once, as soon as all of them are proven.
    if share.oldest_us is None or (saved.backup.read_at is None and not share.left_bytes):
        _look_at_lines(saved, run)
    indexes = known_descriptors({entry.index for _, _, entry in saved.content.entries()}).values()
    _note_found(object_reader(), indexes, [], quick=False)
    _note_proven([*share.read, *(one.content for one in indexes)])
    return {"objects": len(found), "raw_bytes": sum(line.raw for line in found.values()), **share.told()}


def _listed(saved: BackupReader, name: str, part: str, entry: PartEntry) -> dict[str, IndexLine]:
    """Return what an index lists, which must be as much as the backup says."""
    lines = saved.lines_of(entry, part)
    counted = PartEntry(
        entry.index, entry.raw,
        documents=sum(x.count for x in lines if x.section == "documents") if part == "config" else 0,
        records=sum(x.count for x in lines if x.section.startswith("records/")) if part == "data" else 0,
        files=sum(x.section == "files" for x in lines))
    if counted != entry:
        raise ObjectDamaged(f"The index of {name}, {part}, counts other things than the backup.")
    return {line.content: line for line in lines}


@dataclass(frozen=True, slots=True)
class Share:
    """What one check reads of a backup's contents: all, or its turn. `oldest_us` is the oldest proof by others that counts."""

    read: Collection[str]
    read_bytes: int = 0
    left_bytes: int = 0
    shared: int = 0
    oldest_us: int | None = None

    def told(self) -> dict[str, int]:
        """Return what the report says of a turn; of a check of all, nothing."""
        told = {"read_bytes": self.read_bytes, "left_bytes": self.left_bytes, "shared": self.shared}
        return {name: value for name, value in told.items() if value} | ({} if self.oldest_us is None else {"oldest_us": self.oldest_us})


def _share(found: Mapping[str, IndexLine], run: RunContext) -> Share:
    """Return what is to be read now: when somebody asked, everything; by the clock a turn."""
    turn = Turn(**run.options["turn"]) if run.options.get("turn") else None
    if turn is None:
        return Share(found.keys())
    proofs, read, size, left, oldest, shared = proofs_of(found), list[str](), 0, 0, now_us(), 0
    for content in found:
        weight, proven_at = proofs.get(content, (0, 0))
        if proven_at >= turn.since_us:
            oldest, shared = min(oldest, proven_at), shared + 1
        elif read and size + weight > turn.most_bytes:
            left += weight
        else:
            read.append(content)
            size += weight
    return Share(read, size, left, shared, oldest)


def _note_proven(contents: Iterable[str]) -> None:
    now = now_us()
    for some in batched(contents, NOTED_AT_ONCE):
        with transaction():
            mark_proven(some, now)


def _look_at_lines(saved: BackupReader, run: RunContext) -> None:
    """Read every line as strictly as those of a file from elsewhere: what is stored as it was written may have been written wrong.

    Raises:
        ArchiveDamaged: a segment holds what its component could not restore; with the segment and the line.
    """
    def files(name: str, part: str) -> set[str]:
        return {line.content for line in saved.lines[name, part] if line.section == "files"}

    meaning, reader = ContentCheck(
        saved.content, whole=saved.backup.part == "both", files=files, own=saved.backup.origin == "here"), object_reader()
    uses = [(Use(name, part, line.section, line.n), line) for name, part, _ in saved.content.entries()
            for line in saved.lines[name, part] if line.section != "files"]
    done = 0
    for start in range(0, len(uses), BATCH):
        some = uses[start:start + BATCH]
        known = known_descriptors({line.content for _, line in some})
        for use, line in some:
            where = f"The segment {use.n} of {use.component}, {use.section}"
            values = segment_values(iter((reader.read(picked(known, line.content)),)), line.count, where, LIMITS.line_bytes)
            meaning.look_at(use, values)
            deque(values, maxlen=0)  # what the component did not ask for is read all the same
        done += len(some)
        run.progress("reading the lines", done, len(uses), 0)


def _verify(lines: Iterable[IndexLine], run: RunContext, unread: Iterable[ObjectLost] = (), *, quick: bool = False) -> None:
    """Read and prove objects in threads, in batches, so that a cancel is noticed and memory stays flat.

    All of them are looked at, and what is lost is noted, before the first that is lost is told. Where *quick*, only their stored bytes
    are compared with what was stored.
    """
    wanted, reader, lost = lines if isinstance(lines, list) else list(lines), object_reader(), list(unread)
    total, done, size = len(wanted), 0, 0
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, total, BATCH):
            batch = wanted[start:start + BATCH]
            proven = _prove_batch(pool, reader, batch, lost, quick=quick)
            size += sum(descriptor.raw for descriptor in proven)
            _note_found(reader, proven, lost, quick=quick)
            done += len(batch)
            run.progress("verifying", done, total, size)
        if lost:
            _prove_beside(pool, reader, lost, run, everything=bool(unread))
    if lost:
        note_lost(*lost)
        first, count = lost[0], len(lost)
        raise first if count == 1 else type(first)(f"{count} objects are lost or damaged. {first.message}", objects=count)


def _prove_batch(pool: ThreadPoolExecutor, reader: ObjectReader, batch: Iterable[IndexLine],
                 lost: list[ObjectLost], *, quick: bool) -> list[StoredDescriptor]:
    """Return the descriptors of those that are whole; what is wrong with the others is added to *lost*."""
    known = known_descriptors({line.content for line in batch})
    verify = reader.verify_stored if quick else reader.verify
    return _whole(pool, lambda line: _prove(verify, line, picked(known, line.content)), batch, lost)


def _prove_beside(pool: ThreadPoolExecutor, reader: ObjectReader, lost: list[ObjectLost], run: RunContext, *, everything: bool) -> None:
    """Add to *lost* what else is wrong in the packs in which something was damaged; in all, where a list could not be read.

    What a list named that cannot be read is known to nobody: without this the next backup would rely on it.
    """
    packs = {error.lost.descriptor.pack for error in lost if error.lost is not None and not error.lost.whole_pack}
    told = {error.lost.descriptor.content for error in lost if error.lost is not None}
    rows = all_descriptors() if everything else chain.from_iterable(in_packs(packs).values())
    for number, batch in enumerate(batched((row for row in rows if row.content not in told), BATCH), start=1):
        _whole(pool, lambda row: _prove_row(reader, row), batch, lost)
        run.progress("verifying", number * BATCH, 0, 0)


def _prove_row(reader: ObjectReader, row: StoredDescriptor) -> StoredDescriptor:
    reader.verify(row)
    return row


def _whole(pool: ThreadPoolExecutor, prove: Callable[[T], StoredDescriptor], batch: Iterable[T],
           lost: list[ObjectLost]) -> list[StoredDescriptor]:
    def tried(one: T) -> StoredDescriptor | ObjectLost:
        try:
            return prove(one)
        except ObjectLost as error:
            return error

    found = list(pool.map(tried, batch))
    lost += [one for one in found if isinstance(one, ObjectLost)]
    return [one for one in found if not isinstance(one, ObjectLost)]


def _note_found(reader: ObjectReader, proven: Iterable[StoredDescriptor], lost: list[ObjectLost], *, quick: bool) -> None:
    """Mark what counted as lost and was just read as found, once it is proven whole."""
    by_content = {descriptor.content: descriptor for descriptor in proven}
    again = set(lost_among(by_content))
    for content in sorted(again) if quick else ():
        try:
            reader.verify(by_content[content])
        except ObjectLost as error:
            again.remove(content)
            lost.append(error)
    if again:
        with transaction():
            mark_found(by_content[content] for content in sorted(again))


def _prove(verify: Callable[[StoredDescriptor], None], line: IndexLine, descriptor: StoredDescriptor) -> StoredDescriptor:
    verify(descriptor)
    if line.raw != descriptor.raw:
        raise ObjectDamaged(f"The object {line.content} has another size than its index says.")
    return descriptor
