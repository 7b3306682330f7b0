"""A backup as one file, written in any range as it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.archive.canonical import parse
from core.archive.compression import compress
from core.archive.container import Container
from core.archive.errors import ArchiveTooLarge
from core.archive.limits import LIMITS
from core.archive.manifest import Descriptor, Manifest, layout_bytes
from core.archive.reader import check_totals
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.base.errors import AppkeepError, InvalidInput
from core.base.time import iso
from core.objects.index import known_descriptors, picked
from core.objects.packs import StoredDescriptor
from core.objects.reader import ObjectReader, object_reader
from core.objects.writer import describe
from core.server import VERSION, server

MAX_STEM_CHARS = 150


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
    def file_name(self) -> str:
        """The name as any file system takes it."""
        return name_on_disk(self.name)

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


def name_on_disk(name: str) -> str:
    """Return a file's name without what a file system has a meaning for, and not too long."""
    safe = "".join("_" if char in '/\\:*?"<>|' else char for char in name if char.isprintable())
    stem, dot, rest = safe.partition(".appkeep") if ".appkeep" in safe else (safe, "", "")
    return f"{stem[:MAX_STEM_CHARS]}{dot}{rest}"


def download(backup: Backup, part: str) -> Download:
    """Return a backup as a file: "config", "data" or "both".

    Raises:
        InvalidInput: the backup does not hold that part.
        DownloadTooLarge: the file has data and reaches the limit; or it has too many objects for a file.
    """
    if part not in ("config", "data", "both") or (backup.part != "both" and part != backup.part):
        raise InvalidInput(f"The backup “{backup.name}” holds {_held(backup.part)}; there is no part “{part[:20]}”.")
    saved = BackupReader(backup)
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


def _check_readable(saved: BackupReader, manifest: Manifest) -> None:
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


def _objects(saved: BackupReader, part: str) -> list[StoredDescriptor]:
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
