"""Collecting garbage: what no backup and no app of an organization needs any more leaves the store, a grace after that was seen.

A pass condemns what nothing needs. From then on nobody may begin to rely on it (see `core.objects.index`); what somebody had begun
before is committed, and seen, by the next pass. What was condemned a grace ago and is still not needed goes then: rows first,
bytes afterwards. The one danger: a pass that does not see all that is needed; one that cannot read a backup's lists ends there.

Source: docs/ideas.md; docs/decisions/0012.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from core.backups.journal import forget_orphans
from core.backups.models import BackupUpload
from core.base.db import batched, db, reading, transaction
from core.base.errors import InvalidInput, ObjectDamaged, ObjectMissing
from core.base.ids import SYSTEM, new_key
from core.base.time import now_us
from core.gc.mark import Needed, NullProgress, needed
from core.objects.index import EmptiedPack, StoredObject, count_removed, in_packs, object_name
from core.objects.packs import Packing, StoredDescriptor, pack_name
from core.objects.reader import object_reader
from core.runs.context import SECOND_US, RunContext
from core.runs.models import Run
from core.runs.service import OPEN, request
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant, tenant

HOUR_S = 3600
SPARSE = 0.5
"""A pack of which less than this is still needed is written anew."""
BATCH = 500
FOLDERS = ("packs", "objects", "uploads", "marks")
"""Where this program's own names lie in the store; what lies elsewhere is not its to remove."""
_objects, _emptied = StoredObject.__table__, EmptiedPack.__table__
_condemned = _objects.c.condemned_at.is_not(None)
log = logging.getLogger(__name__)


@dataclass
class Collected:
    """What a pass did, or would do: numbers of objects and of names in the store; sizes in bytes as stored.

    `waits_for` is a run older than the grace that may still rely on what would go; as long as it runs nothing goes.
    """

    needed: int = 0
    condemned: int = 0
    condemned_bytes: int = 0
    brought_back: int = 0
    removed: int = 0
    removed_bytes: int = 0
    packs_removed: int = 0
    packs_written_anew: int = 0
    leftovers_removed: int = 0
    waits_for: str | None = None


def tick() -> str | None:
    """Ask for a pass over the organization that has waited longest, where one is due, and return the id of the run."""
    hours: int = server().config.collect_every_hours
    if not hours:
        return None
    with as_server():
        if db.session.scalar(select(Run.id).where(Run.kind == "collect", OPEN).limit(1)):
            return None
        now = now_us()
        since = now - hours * HOUR_S * SECOND_US
        # By apps, which are few: to ask the objects, of which there may be millions, took seconds a minute.
        added = select(App.organization_id, func.min(App.created_at).label("at")).group_by(App.organization_id).subquery()
        # The last pass of each by itself: to group all passes reads all of them. One in the future was noted by a clock that was wrong.
        last = select(Run.requested_at).where(
            Run.kind == "collect", Run.organization_id == added.c.organization_id, Run.requested_at <= now + HOUR_S * SECOND_US
        ).order_by(Run.requested_at.desc()).limit(1).scalar_subquery()
        waiting = [tuple(row) for row in db.session.execute(select(func.coalesce(last, added.c.at), added.c.organization_id))]
    due = min((one for one in waiting if one[0] <= since), default=None)
    if due is None:
        return None
    with as_tenant(due[1]), transaction():
        return request("collect", None, {}, SYSTEM, send=True).id


def collect(run: RunContext) -> dict[str, Any]:
    """Do a run of kind "collect": one pass over its organization."""
    run.step("collect.begun")
    return asdict(one_pass(least_grace_s(), run=run))


def least_grace_s() -> int:
    """Return the grace that the settings give: never less than a run may take."""
    grace_h: int = server().config.collect_grace_hours
    run_s: int = server().config.run_timeout_s
    return max(grace_h * HOUR_S, run_s)


def one_pass(grace_s: int, *, dry_run: bool = False, run: RunContext | None = None) -> Collected:
    """Collect the garbage of the current organization and return what was done. Not inside a transaction.

    Args:
        grace_s: How long something must have been needless before it goes; longer than any run and any page stays open.
        run: The run that does this, where one does; it does not wait for itself.

    Raises:
        ObjectMissing, ObjectDamaged: what a backup holds cannot be read, so that nothing may go; with the backup.
    """
    if grace_s < 0:
        raise InvalidInput("The grace cannot be less than nothing.")
    if not dry_run:
        with transaction():
            forget_orphans()
            _put_right(now_us())
    now, done, watch = now_us(), Collected(), run or NullProgress()
    before_us = now - grace_s * SECOND_US
    seen = needed(watch)
    done.needed = len(seen)
    if dry_run:
        return _told(done, seen, before_us)
    if _condemn(done, seen, before_us, now):
        seen = needed(watch)  # who began to rely on something while we looked is committed now, or is seen next time
    _bring_back(done, seen)
    watch.step("collect.condemned")
    done.waits_for = _elder_run(before_us, watch.run_id)
    if done.waits_for is None:
        thinned = _remove(done, seen, before_us)
        watch.step("collect.rows_removed")
        _tidy_packs(done, thinned, now)
        watch.step("collect.packs_tidied")
        _remove_emptied(done, before_us)
        _remove_leftovers(done, grace_s)
    return done


def _put_right(now: int) -> None:
    """Set moments that a wrong clock wrote far ahead to now: a grace counted from there would end too late."""
    for column in (_objects.c.added_at, _objects.c.condemned_at, _emptied.c.emptied_at):
        db.session.connection().execute(update(column.table).where(
            column.table.c.organization_id == tenant(), column > now + HOUR_S * SECOND_US).values({column: now}))


def _told(done: Collected, seen: Needed, before_us: int) -> Collected:
    """Say what a pass would condemn and remove now."""
    for row in _rows_of_index():
        if row.content in seen:
            done.brought_back += row.condemned_at is not None
        elif row.condemned_at is None and row.added_at <= before_us:
            done.condemned, done.condemned_bytes = done.condemned + 1, done.condemned_bytes + row.size
        elif row.condemned_at is not None and row.condemned_at <= before_us:
            done.removed, done.removed_bytes = done.removed + 1, done.removed_bytes + row.size
    return done


def _rows_of_index(*conditions: ColumnElement[bool]) -> Iterator[Any]:
    c = _objects.c
    with reading() as connection:
        yield from connection.execute(select(c.content, c.size, c.pack, c.added_at, c.condemned_at).where(
            c.organization_id == tenant(), *conditions).execution_options(yield_per=5000))


def _of(contents: list[str]) -> Any:
    return (_objects.c.organization_id == tenant()) & _objects.c.content.in_(contents)


def _condemn(done: Collected, seen: Needed, before_us: int, now: int) -> bool:
    """Condemn what is not needed, but nothing that came within the grace: a file is sent before its record is saved."""
    found = [row for row in _rows_of_index(~_condemned, _objects.c.added_at <= before_us) if row.content not in seen]
    for some in batched((row.content for row in found), BATCH):
        with transaction():
            done.condemned += db.session.connection().execute(
                update(_objects).where(_of(some), ~_condemned).values(condemned_at=now)).rowcount
    done.condemned_bytes = sum(row.size for row in found)
    return bool(found)


def _bring_back(done: Collected, seen: Needed) -> None:
    found = [row.content for row in _rows_of_index(_condemned) if row.content in seen]
    for some in batched(found, BATCH):
        with transaction():
            done.brought_back += db.session.connection().execute(
                update(_objects).where(_of(some)).values(condemned_at=None)).rowcount


def _elder_run(before_us: int, run_id: str) -> str | None:
    """Return a run of any organization that began before a moment and has not ended."""
    with as_server():
        return db.session.scalar(select(Run.id).where(
            Run.state == "running", Run.started_at <= before_us, Run.id != run_id).limit(1))


def _remove(done: Collected, seen: Needed, before_us: int) -> set[str]:
    """Remove rows that were condemned a grace ago, and return the packs that they lay in."""
    c, thinned, store = _objects.c, set[str](), server().store
    doomed = [row.content for row in _rows_of_index(c.condemned_at <= before_us) if row.content not in seen]
    for some in batched(doomed, BATCH):
        with transaction():
            gone = db.session.connection().execute(
                delete(_objects).where(_of(some), c.condemned_at <= before_us).returning(c.content, c.size, c.pack)).all()
            count_removed(len(gone))
        done.removed, done.removed_bytes = done.removed + len(gone), done.removed_bytes + sum(row.size for row in gone)
        thinned |= {row.pack for row in gone if row.pack}
        for row in gone:
            if not row.pack:
                store.delete(object_name(tenant(), row.content))
    return thinned


def _tidy_packs(done: Collected, thinned: set[str], now: int) -> None:
    """Remove packs that hold nothing any more, and write those anew that hold little."""
    left = in_packs(thinned)
    for pack in sorted(thinned):
        name = pack_name(tenant(), pack)
        if pack not in left:
            server().store.delete(name)
            done.packs_removed += 1
        elif sum(row.size for row in left[pack]) < SPARSE * (server().store.size(name) or 0):
            done.packs_written_anew += _write_anew(pack, left[pack], now)


def _write_anew(pack: str, rows: list[StoredDescriptor], now: int) -> bool:
    """Put what a pack still holds into another one; the old one stays for those who are reading it."""
    reader, placed = object_reader(), list[StoredDescriptor]()
    try:
        with server().store.batch() as batch:
            packing = Packing(tenant(), batch)
            placed += [packing.add(row, b"".join(reader.stored(row))) for row in rows]
            packing.finish()
    except (ObjectMissing, ObjectDamaged) as error:
        log.warning("The pack %s of organization %s stays as it is: %s", pack, tenant(), error)
        return False
    c = _objects.c
    with transaction():
        connection = db.session.connection()
        for one in placed:
            connection.execute(update(_objects).where(c.organization_id == tenant(), c.content == one.content, c.pack == pack)
                               .values(pack=one.pack, place=one.place, proven_at=None))
        connection.execute(_emptied.insert().values(organization_id=tenant(), pack=pack, emptied_at=now))
    return True


def _remove_emptied(done: Collected, before_us: int) -> None:
    c = _emptied.c
    old = (c.organization_id == tenant()) & (c.emptied_at <= before_us)
    packs = set(db.session.execute(select(c.pack).where(old)).scalars())
    if not packs:
        return
    for pack in packs - in_packs(packs).keys():
        server().store.delete(pack_name(tenant(), pack))
        done.packs_removed += 1
    with transaction():
        db.session.connection().execute(delete(_emptied).where(old, c.pack.in_(packs)))


def _remove_leftovers(done: Collected, grace_s: int) -> None:
    """Remove names in the store that no row speaks of: what runs and uploads left behind that died before their commit."""
    store = server().store
    before = _store_time() - grace_s
    old = [name for folder in FOLDERS for name, stored_at in store.list(f"organizations/{tenant()}/{folder}") if stored_at <= before]
    # Asked after the names were listed: what is named by then was committed, and what is not never will be.
    spoken_of = _spoken_of()
    for name in old:
        if name not in spoken_of:
            store.delete(name)
            done.leftovers_removed += 1
    store.abandon(before)


def _store_time() -> float:
    """Return what the store's own clock says, by which the ages of its names are told; ours may differ."""
    store, folder = server().store, f"organizations/{tenant()}/marks"
    mark = f"{folder}/{new_key('k')}.mark"
    with store.batch() as batch:
        batch.put_if_absent(mark, b"now")
    try:
        return next(stored_at for name, stored_at in store.list(folder) if name == mark)
    finally:
        store.delete(mark)


def _spoken_of() -> set[str]:
    c = _objects.c
    mine = select(c.pack).where(c.organization_id == tenant(), c.pack != "").distinct()
    packs = {*db.session.execute(mine).scalars(), *db.session.scalars(select(EmptiedPack.pack))}
    alone = db.session.execute(select(c.content).where(c.organization_id == tenant(), c.pack == "")).scalars()
    parts = db.session.scalars(select(BackupUpload.parts)).all()
    found = {*(pack_name(tenant(), pack) for pack in packs), *(object_name(tenant(), content) for content in alone),
             *(name for listed in parts for name in json.loads(listed))}
    db.session.rollback()
    return found


def organizations() -> list[str]:
    """Return the ids of all organizations that have anything in the store."""
    with as_server():
        return sorted(db.session.scalars(select(StoredObject.organization_id).distinct()))
