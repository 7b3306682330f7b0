"""Backup files: a backup written as one, and one read into a backup once it has been proven whole."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from core.archive.canonical import canonical, parse
from core.archive.compression import compress
from core.archive.container import Container
from core.archive.errors import ArchiveTooLarge
from core.archive.limits import LIMITS
from core.archive.manifest import Descriptor, Manifest, layout_bytes
from core.archive.reader import Archive, CheckSegment, Use, check_totals, read, verify
from core.backups.meaning import Meaning
from core.backups.models import Backup
from core.backups.saved import Saved
from core.backups.take import checked_name, default_name
from core.base.db import db
from core.base.errors import AppkeepError, InvalidInput
from core.base.ids import new_key
from core.base.time import iso, now_us
from core.objects.index import known_descriptors, picked
from core.objects.packs import StoredDescriptor
from core.objects.reader import ObjectReader, object_reader
from core.objects.writer import describe, recording, writing_objects
from core.server import VERSION, server
from core.tenancy.models import App

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""No file of this format is older."""
CLOCKS_APART_US = 24 * 3600 * 1_000_000
"""How far the clock of another server may be ahead."""
MAX_APP_NAME_CHARS = 200


class DownloadTooLarge(AppkeepError):
    """A file with data of this size is not offered for download."""

    code, status, title = "download_too_large", 413, "Too large to download"


@dataclass(frozen=True, slots=True)
class Download:
    """A backup file as it will be sent: its name, and its bytes in any range. `objects` says where each of them lies."""

    name: str
    container: Container
    reader: ObjectReader
    objects: Mapping[str, StoredDescriptor]

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.container.size

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the file's bytes from *start* up to *end*."""
        layout = compress(self.container.layout_raw)

        def fetch(descriptor: Descriptor) -> Iterator[bytes]:
            # The container knows what an object is, not where it lies.
            return iter((layout,)) if descriptor is self.container.layout else self.reader.stored(self.objects[descriptor.content])

        return self.container.chunks(fetch, start, end)


def download(backup: Backup, part: str) -> Download:
    """Return a backup as a file: "config", "data" or "both".

    Raises:
        InvalidInput: the backup does not hold that part.
        DownloadTooLarge: the file has data and reaches the limit; or it has too many objects for a file.
    """
    if part not in ("config", "data", "both") or (backup.part != "both" and part != backup.part):
        raise InvalidInput(f"The backup “{backup.name}” holds {_held(backup.part)}; there is no part “{part[:20]}”.")
    saved = Saved(backup)
    content = saved.content.part(part)
    objects = _objects(saved, part)
    raw = layout_bytes(objects)
    layout = describe(hashlib.sha256(raw).hexdigest(), len(raw), compress(raw))
    manifest = Manifest(part=part, content=content, layout=layout, objects=len(objects),
                        raw=sum(d.raw for d in objects), size=sum(d.size for d in objects),
                        envelope=_envelope(backup), counters=saved.counters if part != "config" else {})
    _check_readable(saved, manifest)
    manifest_raw = manifest.to_bytes()
    container = Container(manifest_raw, server().signing_key.sign(manifest_raw), layout, raw)
    found = Download(f"{backup.name}.{part}.appkeep.zip", container, object_reader(), {one.content: one for one in objects})
    limit = server().config.download_limit_bytes
    if part != "config" and found.size >= limit:
        raise DownloadTooLarge(f"The file would have {found.size} bytes; files with data of {limit} bytes or more "
                               "cannot be downloaded.", size_bytes=found.size, limit_bytes=limit)
    return found


def _check_readable(saved: Saved, manifest: Manifest) -> None:
    """Refuse a file that no server would take back.

    Raises:
        DownloadTooLarge: something in it reaches a limit of the format.
    """
    try:
        check_totals(manifest, LIMITS)
    except ArchiveTooLarge as error:
        raise DownloadTooLarge(error.message) from error
    for name, part, _ in manifest.content.entries():
        for line in saved.lines[name, part]:
            if line.raw > (LIMITS.file_bytes if line.section == "files" else LIMITS.segment_bytes):
                raise DownloadTooLarge(f"{name}, {line.section}, has a part of {line.raw} bytes, too large for a file.")


def _held(part: str) -> str:
    return {"config": "the configuration only", "data": "data only"}.get(part, "configuration and data")


def _objects(saved: Saved, part: str) -> list[StoredDescriptor]:
    """Return the descriptors of a file's objects in the order of the format."""
    entries = list(saved.content.part(part).entries())
    wanted = dict.fromkeys(entry.index for _, _, entry in entries)
    for name, which, _ in entries:
        wanted |= dict.fromkeys(line.content for line in saved.lines[name, which])
    if len(wanted) > LIMITS.objects:
        raise DownloadTooLarge(f"The file would have {len(wanted)} objects; at most {LIMITS.objects} fit into one.")
    known = known_descriptors(wanted)
    return [picked(known, content) for content in wanted]


def _envelope(backup: Backup) -> dict[str, Any]:
    made_at = backup.created_at if backup.made_at is None else backup.made_at
    return {"app": backup.app_id, "app_name": backup.app_name, "backup": backup.id, "created_at": iso(made_at),
            "created_by": backup.created_by, "name": backup.name, "organization": backup.organization_id,
            "plugins": parse(backup.plugins.encode(), max_bytes=2**20), "producer": f"appkeep {VERSION}",
            "type": backup.type}


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


def _meaning(archive: Archive) -> Meaning:
    manifest = archive.manifest
    return Meaning(manifest.content, whole=manifest.part == "both", files=archive.files)


def _told(meaning: Meaning, objects: int, tick: Callable[[int, int, int], None]) -> CheckSegment:
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
        origin=origin_of(archive, app), signer=archive.signer, made_at=told_moment(manifest.envelope["created_at"], now), checked_at=now)


def told_name(text: str) -> str:
    """Return the name that a file gives its app, as it can be shown: without control characters, not too long."""
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Zl", "Zp"))[:MAX_APP_NAME_CHARS]


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
