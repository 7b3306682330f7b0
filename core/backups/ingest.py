"""A backup file becomes a backup, once it has been proven whole. All of it is a stranger's until then."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from core.archive.canonical import canonical
from core.archive.reader import Archive, CheckSegment, Use, read, verify
from core.backups.content_check import ContentCheck
from core.backups.create import checked_name, default_name
from core.backups.models import Backup
from core.base.db import db
from core.base.ids import new_key
from core.base.text import straight
from core.base.time import now_us
from core.objects.writer import recording, writing_objects
from core.server import server
from core.tenancy.models import App

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""No file of this format is older."""
CLOCKS_APART_US = 24 * 3600 * 1_000_000
"""How far the clock of another server may be ahead."""
MAX_APP_NAME_CHARS = 200


def inspect(source: BinaryIO) -> dict[str, Any]:
    """Return what a file says it is, after all of it has been proven whole; nothing is stored.

    Raises:
        ArchiveError: it was refused.
    """
    archive = read(source)
    verify(archive, _meaning(archive).look_at)
    manifest = archive.manifest
    return {"content_id": manifest.content.content_id, "part": manifest.part, **manifest.content.as_dict(),
            "envelope": dict(manifest.envelope), "signer": archive.signer, "objects": manifest.objects,
            "raw_bytes": manifest.raw, "size_bytes": archive.container.size,
            "signed_here": archive.signer == server().signing_key.public_hex}


def upload(source: BinaryIO, app: App, person: str, name: str | None = None, *, finish: Callable[[Backup], None] = lambda backup: None,
           tick: Callable[[int, int, int], None] = lambda done, total, size: None) -> Backup:
    """Make a backup of type Uploaded out of a file, once all of it has been proven whole, and return its row.

    Args:
        finish: Called inside the transaction that makes it real.
        tick: Told how many segments were looked at, of how many objects, and their bytes.

    Raises:
        ArchiveError: the file was refused; nothing of it stays.
    """
    if name is not None:
        checked_name(name)
    started = now_us()
    archive = read(source)
    verify(archive, _told(_meaning(archive), archive.manifest.objects, tick))
    with writing_objects("backup", app.id) as writer:
        for descriptor, stream in archive.objects():
            writer.put_stored(descriptor, stream)
    with recording(writer):
        row = _row(archive, app, person, name, started)
        row.added_bytes, row.segments_added = writer.added_bytes, writer.added_count
        db.session.add(row)
        db.session.flush()
        finish(row)
    return row


def _meaning(archive: Archive) -> ContentCheck:
    manifest = archive.manifest
    return ContentCheck(manifest.content, whole=manifest.part == "both", files=archive.files)


def _told(meaning: ContentCheck, objects: int, tick: Callable[[int, int, int], None]) -> CheckSegment:
    """Return what looks at a segment and tells how many it has looked at."""
    done = itertools.count(1)

    def look_at(use: Use, values: Iterator[Any]) -> None:
        number = next(done)
        tick(number, max(objects, number), 0)
        meaning.look_at(use, values)

    return look_at


def _row(archive: Archive, app: App, person: str, name: str | None, started: int) -> Backup:
    manifest, now = archive.manifest, now_us()
    app_name = told_name(manifest.envelope["app_name"])
    zone = server().registry.hook.organization_time_zone(organization_id=app.organization_id) or "UTC"
    entries = [entry for _, _, entry in manifest.content.entries()]
    return Backup(
        id=new_key("b"), organization_id=app.organization_id, app_id=app.id, type="uploaded", part=manifest.part,
        name=name if name is not None else default_name("uploaded", app_name, now, zone),
        content=canonical(manifest.content.as_dict()).decode(), content_id=manifest.content.content_id,
        counters=canonical(manifest.counters).decode() if manifest.counters else None,
        plugins=canonical(manifest.envelope["plugins"]).decode(), app_name=app_name,
        raw_bytes=manifest.raw, size_bytes=manifest.size, segments=manifest.objects, segments_added=0, added_bytes=0,
        records=sum(entry.records for entry in entries), created_at=now, created_by=person, started_at=started,
        origin=origin_of(archive, app), signer=archive.signer, made_at=told_moment(manifest.envelope["created_at"], now),
        checked_at=now, quick_at=now, read_at=now)


def told_name(text: str) -> str:
    """Return the name that a file gives its app, as it can be shown: without control characters, not too long."""
    return "".join(char for char in straight(text) if unicodedata.category(char) not in ("Cc", "Zl", "Zp"))[:MAX_APP_NAME_CHARS]


def told_moment(text: str, now: int) -> int | None:
    """Return when a file says that it was made, in microseconds UTC; None where that cannot be.

    The reader has looked at its form only, and nobody but the file says so: it is shown and never reckoned with.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    made_at = int(moment.timestamp()) * 1_000_000
    return made_at if moment >= EARLIEST and made_at <= now + CLOCKS_APART_US else None


def origin_of(archive: Archive, app: App) -> str:
    """Return where a file was made: "here" (by this server for this app), "server" or "foreign"."""
    if archive.signer != server().signing_key.public_hex:
        return "foreign"
    envelope = archive.manifest.envelope
    return "here" if (envelope["app"], envelope["organization"]) == (app.id, app.organization_id) else "server"
