"""Taking a backup: one consistent moment of an app, objects first, then the manifest, then one row that makes it real."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import select, update

from core.apps import change_log
from core.apps.change_log import SEGMENT_ROWS
from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical
from core.archive.manifest import Descriptor
from core.backups.base import Base, Mark, base_of, is_whole, keep_mark, marked
from core.backups.models import TYPES, Backup
from core.backups.proof import READ
from core.backups.state import Description, Taker, describe
from core.base.config import Config
from core.base.db import batched, db, reading
from core.base.errors import AppkeepError, TooSoon
from core.base.ids import new_key
from core.base.text import checked_line
from core.base.time import iso, now_us
from core.objects.compact import Descriptors
from core.objects.index import any_lost, known_descriptors, lost_among, removals
from core.objects.writer import ObjectWriter, recording, writing_objects
from core.runs.context import SECOND_US, RunContext
from core.server import server
from core.tenancy.models import App
from core.tenancy.zones import zone_named

MAX_NAME_CHARS = 120
LOOKED_UP_AT_ONCE = 2000
FAR_AHEAD_S = 3600
FEW = 2000
"""Up to so many segments to read, what the store has of them is asked for by name; else all that it has is looked up."""
_content = attrgetter("content")
log = logging.getLogger(__name__)


def check_interval(app: App, config: Config, now: int) -> None:
    """Refuse a backup that comes too soon after the last successful one of the app.

    Raises:
        TooSoon: with the time from which the next may start.

    Source: docs/rules.md, “Making a backup”; running ones are refused by the one-run rule before.
    """
    started = db.session.scalar(
        select(Backup.started_at).where(
            Backup.app_id == app.id, Backup.type.in_(("manual", "scheduled")),
            # What started far ahead started by a clock that was wrong, and would refuse every backup until then.
            Backup.started_at <= now + max(config.backup_interval_s, FAR_AHEAD_S) * SECOND_US)
        .order_by(Backup.started_at.desc()).limit(1))
    if started is None:
        return
    free_at = started + config.backup_interval_s * SECOND_US
    if now < free_at:
        told = iso(free_at + SECOND_US - 1)  # rounded up: whoever comes at the second that was named is let in
        raise TooSoon(
            f"The last backup of “{app.name}” started at {iso(started)}. The next one can start at {told}. "
            f"Backups of an app must be {config.backup_interval_s} seconds apart.", next_at=told)


def default_name(type_: str, app_name: str, now: int, zone: str = "UTC") -> str:
    """Return the name of a backup that nobody named: "Manual Backup_Sales CRM_20261123_0930"."""
    moment = datetime.fromtimestamp(now // 1_000_000, zone_named(zone))
    return f"{TYPES[type_]}_{app_name}_{moment:%Y%m%d_%H%M}"[:MAX_NAME_CHARS]


def checked_name(name: str) -> str:
    """Return a backup's name as given.

    Raises:
        InvalidInput: it is empty, too long or has control characters.
    """
    return checked_line(name, MAX_NAME_CHARS, "a backup name")


def state(app: App, *, data: bool = True) -> Description:
    """Return the content of an app as it is now: the digests that a backup taken now would have."""
    with reading() as connection:
        return describe(app, Snapshot(app.id, connection), data=data)


def create(app: App, context: RunContext, *, data: bool, type_: str, name: str | None, person: str,
         finish: Callable[[Backup], None] = lambda backup: None, scan: dict[str, Any] | None = None) -> tuple[Backup, Description]:
    """Take a backup of an app and return its row and its content; *finish* is called inside the transaction that makes it real.

    *scan* is told how much of the data was read: {"read": segments, "of": segments}, or {"why": …} where all was (see `base.WHY`).
    What an earlier attempt of the same run left in the catalog is replaced.
    """
    started_at = now_us()
    with writing_objects("backup", app.id, look_up=False) as writer:
        context.step("backup.reading", brief=True)
        with reading() as connection:
            snapshot = Snapshot(app.id, connection).still()
            before = marked(connection, app.id)
            on = kept = base_of(snapshot) if data else (None, "")
            if kept[0] is not None and kept[0].is_due:
                on = None, "audit"
            total = _records(app, snapshot, on[0]) if data else 0
            if on[0] is not None:
                on[0].is_whole = is_whole(on[0].mark, connection)
            found = describe(app, snapshot, data=data, on=on, into=_Into(writer, on[0]),
                             tick=lambda records, size: context.progress("reading", records, total, size))
            if found.why == "audit":
                found.why = _audited(app, found, describe(app, snapshot, on=kept))
            counters = _counters(app, snapshot) if data else {}
            mark = _mark(app, snapshot, found) if data else None
            if scan is not None and data:
                scan |= _scan(found)
        context.step("backup.read", brief=True)
    context.step("backup.objects_stored", brief=True)
    with recording(writer):
        context.fence()
        if context.attempt > 1:
            db.session.execute(update(Backup).where(Backup.run_id == context.run_id).values(deleted_at=now_us()))
        backup = _row(app, found, writer, data=data, type_=type_, name=name, person=person, started_at=started_at)
        backup.run_id, backup.counters = context.run_id, canonical(counters).decode() if counters else None
        db.session.add(backup)
        db.session.flush()
        if data:
            keep_mark(db.session.connection(), app.id, backup.id, mark, before)
        finish(backup)
        context.step("backup.catalogued")
    context.step("backup.committed", ended=type_ != "pre_restore")
    return backup, found


class _Into(Taker):
    """Stores what it is given."""

    def __init__(self, writer: ObjectWriter, on: Base | None) -> None:
        self.writer = writer
        self.are_few = on is not None and sum(last - first + 1 for runs in on.touched.values() for first, last in runs) <= FEW

    def ready(self) -> None:
        if self.are_few:
            self.writer.ask()
        else:
            self.writer.look_up()

    def put(self, raws: Sequence[bytes]) -> list[str]:
        return self.writer.put_all(raws)

    def missing(self, contents: Iterable[str]) -> Collection[str]:
        return self.writer.look_up().missing(contents)

    def has(self, base: Base) -> bool:
        return base.is_whole


def _counters(app: App, snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Return what the components have given out, as the manifest has it."""
    found = {name: dict(component.counters(app, snapshot)) for name, component in server().registry.with_data.items()}
    return {name: given for name, given in found.items() if given}


def _mark(app: App, snapshot: Snapshot, found: Description) -> Mark | None:
    """Return how far this moment sees the log; None where the database does not say."""
    seen, before = change_log.mark(snapshot.connection, app.id), found.base.mark if found.base is not None else None
    if seen is None:
        return None
    return Mark(seen, found.whole_files and (before is None or before.whole_files), now_us() if before is None else before.scanned_at,
                removals(snapshot.connection), found.sections)


def _scan(found: Description) -> dict[str, Any]:
    if found.base is None:
        return {"why": found.why}
    return {"read": found.segments_read, "of": found.segments}


def _audited(app: App, whole: Description, from_log: Description) -> str:
    """See that the log would have given what reading everything gave, which is the truth; return why everything was read."""
    if whole.content_id == from_log.content_id:
        return "audit"
    log.error("The log of changes of the app %s missed something. Everything was read, and what was found is backed up", app.id)
    return "audit_differs"


def _records(app: App, snapshot: Snapshot, base: Base | None) -> int:
    """Return about how many records will be read, for a progress bar."""
    if base is not None:
        held = sum(entry.data.records for entry in base.content.components.values() if entry.data is not None)
        return min(held, sum((last - first + 1) * SEGMENT_ROWS for runs in base.touched.values() for first, last in runs))
    return sum(component.record_estimate(app, snapshot) for component in server().registry.with_data.values())


def _row(app: App, found: Description, writer: ObjectWriter, *, data: bool, type_: str, name: str | None,
         person: str, started_at: int) -> Backup:
    count, raw_bytes, size_bytes, lost = _sums(found, writer.stored)
    now = now_us()
    zone = server().registry.hook.organization_time_zone(organization_id=app.organization_id) or "UTC"
    return Backup(
        id=new_key("b"), organization_id=app.organization_id, app_id=app.id, type=type_,
        name=checked_name(name) if name is not None else default_name(type_, app.name, now, zone),
        part="both" if data else "config", content=canonical(found.content.as_dict()).decode(),
        content_id=found.content_id, plugins=canonical(plugin_versions()).decode(), app_name=app.name,
        raw_bytes=raw_bytes, size_bytes=size_bytes, added_bytes=writer.added_bytes, segments=count,
        segments_added=writer.added_count, records=sum(e.records for e in _entries(found)),
        created_at=now, created_by=person, started_at=started_at, origin="here",
        signer=server().signing_key.public_hex,
        **({"checked_at": now, "check_error": _lost_text(lost), "failed_level": READ, "lost_parts": lost} if lost else {}),
    )


def _sums(found: Description, stored: Descriptors) -> tuple[int, int, int, int]:
    """Return how many contents there are, their bytes as given and as stored, and how many of them are lost.

    What was *stored* just now, and what is the same as in the backup that this one stands on, is not looked up.
    """
    base = found.base
    is_sound = base is not None and base.is_sound and not any_lost()
    if base is not None and is_sound and base.content == found.content:
        return base.contents_count, base.raw_bytes, base.size_bytes, 0
    if base is None or not is_sound:
        return _looked_up(found, stored)
    try:
        come, gone = _come_and_gone(found, base)
    except AppkeepError:  # a list of the backup before cannot be read: no reason for this one to fail
        return _looked_up(found, stored)
    sizes = _descriptors(come | gone, stored)
    if len(sizes) < len(come | gone):
        return _looked_up(found, stored)
    raw = base.raw_bytes + sum(sizes[one].raw for one in come) - sum(sizes[one].raw for one in gone)
    size = base.size_bytes + sum(sizes[one].size for one in come) - sum(sizes[one].size for one in gone)
    return base.contents_count + len(come) - len(gone), raw, size, 0


def _come_and_gone(found: Description, base: Base) -> tuple[set[str], set[str]]:
    """Return which contents a backup has that its base has not, and the other way round; of parts that are the same no list is made.

    Raises:
        AppkeepError: a list of the base cannot be read.
    """
    now = {(name, part): entry for name, part, entry in found.content.entries()}
    then = {(name, part): entry for name, part, entry in base.content.entries()}
    ours, theirs = set[str](), set[str]()
    for place in now.keys() | then.keys():
        if now.get(place) != then.get(place):
            if place in now:
                ours.update((now[place].index, *map(_content, found.lines_of(*place))))
            if place in then:
                theirs.update((then[place].index, *map(_content, base.listed(then[place]))))
    come, gone = ours - theirs, theirs - ours
    few = come | gone
    for place in now:
        if now[place] == then.get(place):  # a file may be in several parts
            elsewhere = few.intersection((now[place].index, *map(_content, found.lines_of(*place))))
            come, gone = come - elsewhere, gone - elsewhere
    return come, gone


def _looked_up(found: Description, stored: Descriptors) -> tuple[int, int, int, int]:
    """Return what `_sums` does; all that was *stored* is of this backup, and only the rest is looked up."""
    count, lost = len(stored), 0
    raw, size = stored.sums()
    for some in batched({content for content in _contents(found) if content not in stored}, LOOKED_UP_AT_ONCE):
        sizes = known_descriptors(some)
        count, lost = count + len(sizes), lost + len(lost_among(sizes))
        raw, size = raw + sum(d.raw for d in sizes.values()), size + sum(d.size for d in sizes.values())
    return count, raw, size, lost


def _contents(found: Description) -> Iterator[str]:
    """Yield all contents of a backup, its lists among them; one that is there twice comes twice."""
    yield from (line.content for part in found.lines.values() for line in part)
    yield from (entry.index for entry in _entries(found))


def _descriptors(contents: Collection[str], stored: Descriptors) -> dict[str, Descriptor]:
    """Return the descriptors of those of the contents that are there."""
    known = known_descriptors(one for one in contents if one not in stored)
    return {**{one: stored[one] for one in contents if one in stored}, **known}


def _lost_text(count: int) -> str:
    """Return what a backup says from its beginning that holds files whose only copy is lost: nobody could store them again."""
    what = "1 file of the app was" if count == 1 else f"{count} files of the app were"
    return f"{what} lost from the store before this backup was made, and is not in it; all else is."


def _entries(found: Description) -> list[Any]:
    return [part for entry in found.content.components.values() for part in (entry.config, entry.data) if part]


def plugin_versions() -> dict[str, str]:
    """Return the version of every component whose documents this server can hold."""
    from core.server import VERSION

    registry = server().registry
    return {name: registry.versions.get(name, VERSION) for name in registry.components}
