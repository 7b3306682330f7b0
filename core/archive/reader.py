"""The strict reader of backup files: computes what the file must be and compares. Never parses a ZIP. Pure.

The one danger: everything here is hostile until compared. Sizes are judged before memory is taken, a manifest is
believed only under its signature, an object only under its digests, and a line only in canonical form.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from core.archive.container import MANIFEST, SIGNATURE, Container, ending, object_member
from core.archive.errors import ArchiveDamaged, ArchiveTooLarge, NotAnArchive
from core.archive.limits import LIMITS, Limits
from core.archive.manifest import (
    Descriptor,
    IndexLine,
    Manifest,
    PartEntry,
    json_lines,
    layout_lines,
    part_lines,
)
from core.archive.members import Proven, read_object, read_small, whole
from core.archive.signature import check_signature

MIN_BYTES = 200


class Use(NamedTuple):
    """What a segment is used for: component, "config" or "data", section, number of the segment."""

    component: str
    part: str
    section: str
    n: int


CheckSegment = Callable[[Use, Iterator[Any]], None]


@dataclass
class Archive:
    """A backup file whose manifest, signature, size and lists have been checked; see `verify` for the rest.

    `signer` is the public key that signed it. `indexes` maps (component, part) to the bytes of that index.
    """

    source: BinaryIO
    limits: Limits
    manifest: Manifest
    signer: str
    container: Container
    first_object: int
    indexes: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def lines(self, component: str, part: str) -> Iterator[IndexLine]:
        """Yield the lines of one index; none where the file has no such part."""
        yield from part_lines(self.indexes.get((component, part), b""), part, f"The index of {component}, {part}")

    def files(self, component: str, part: str) -> set[str]:
        """Return the digests of the files that one index lists."""
        return {line.content for line in self.lines(component, part) if line.section == "files"}

    def objects(self) -> Iterator[tuple[Descriptor, BinaryIO]]:
        """Yield all objects but the layout with a stream of their compressed bytes, proven again at its end."""
        place = self.first_object
        for descriptor in layout_lines(self.container.layout_raw):
            place += len(object_member(descriptor).header)
            yield descriptor, Proven(self.source, place, descriptor)  # type: ignore[misc]
            place += descriptor.size


def read(source: BinaryIO, limits: Limits = LIMITS) -> Archive:
    """Return the archive in a seekable file, its manifest believed and all its lists checked.

    Raises:
        NotAnArchive: the file is something else.
        ArchiveError: it was refused; the message says what and where.
    """
    total = source.seek(0, 2)
    if total < MIN_BYTES:
        raise NotAnArchive(f"The file has {total} bytes; a backup file has more.")
    place, manifest_raw = read_small(source, 0, MANIFEST, limits.manifest_bytes, first=True)
    place, signature = read_small(source, place, SIGNATURE, limits.signature_bytes)
    signer = check_signature(signature, manifest_raw)
    manifest = Manifest.from_bytes(manifest_raw)
    check_totals(manifest, limits)
    raw = whole(read_object(source, place, manifest.layout))
    place += len(object_member(manifest.layout).header) + manifest.layout.size
    container = Container(manifest_raw, signature, manifest.layout, raw)
    archive = Archive(source, limits, manifest, signer, container, place)
    _check_layout(archive)
    _check_ends(source, container, total)
    _read_indexes(archive)
    return archive


def verify(archive: Archive, check: CheckSegment = lambda use, values: None) -> None:
    """Walk every object of the file once, in order, and refuse the file unless all of it is as it must be.

    Args:
        check: Called with each use of a segment and its values, one a line, made as they are asked for.

    Raises:
        ArchiveError: with the object or line, and what is wrong with it.
    """
    walk = _Walk(archive)
    for component, part, entry in archive.manifest.content.entries():
        found = PartEntry(entry.index, entry.raw)
        documents = records = files = 0
        for line in archive.lines(component, part):
            walk.look_at(Use(component, part, line.section, line.n), line, check)
            documents += line.count if part == "config" and line.section == "documents" else 0
            records += line.count if part == "data" and line.section.startswith("records/") else 0
            files += line.section == "files"
        found = PartEntry(entry.index, entry.raw, documents, records, files)
        if found != entry:
            raise ArchiveDamaged(f"The manifest counts other things in {component}, {part}, than its index lists.")
    walk.end()


def check_totals(manifest: Manifest, limits: Limits) -> None:
    """Refuse a manifest that announces more than a file may hold (ArchiveTooLarge)."""
    if manifest.objects > limits.objects:
        raise ArchiveTooLarge(f"The file says it has {manifest.objects} objects; at most {limits.objects} are taken.")
    if manifest.layout.raw > limits.layout_bytes or manifest.layout.size > limits.layout_bytes:
        raise ArchiveTooLarge(f"The layout has {manifest.layout.raw} bytes; at most {limits.layout_bytes} are taken.")
    if manifest.raw > limits.total_bytes:
        raise ArchiveTooLarge(f"The file says it holds {manifest.raw} bytes; at most {limits.total_bytes} are taken.")
    if manifest.raw > limits.ratio_from_bytes and manifest.raw > limits.ratio * manifest.size:
        raise ArchiveTooLarge("The file says it holds more than a thousand times what it takes.")
    if sum(entry.raw for _, _, entry in manifest.content.entries()) > limits.indexes_bytes:
        raise ArchiveTooLarge(f"The indexes have more than {limits.indexes_bytes} bytes together.")


def _check_layout(archive: Archive) -> None:
    """Refuse a layout that lists an object twice, has other totals than the manifest, or too large objects."""
    seen: set[bytes] = set()
    raw = size = count = 0
    for descriptor in layout_lines(archive.container.layout_raw):
        seen.add(bytes.fromhex(descriptor.content))
        raw, size, count = raw + descriptor.raw, size + descriptor.size, count + 1
        if max(descriptor.raw, descriptor.size) > archive.limits.file_bytes:
            raise ArchiveTooLarge(f"The object {descriptor.content} has more than {archive.limits.file_bytes} bytes.")
        if count > archive.manifest.objects:
            break
    if len(seen) != count:
        raise ArchiveDamaged("The layout lists an object twice.")
    if (count, raw, size) != (archive.manifest.objects, archive.manifest.raw, archive.manifest.size):
        raise ArchiveDamaged("The manifest counts other objects than the layout lists.")


def _check_ends(source: BinaryIO, container: Container, total: int) -> None:
    """Refuse a file that is not as long as it must be, or whose directory at the end is another."""
    if container.size != total:
        raise ArchiveDamaged(f"The file has {total} bytes and must have {container.size}: "
                             + ("it was cut off." if total < container.size else "something was added."))
    start = directory = count = 0
    members: list[int] = []
    for member in container.members():
        members.append(start)
        start += len(member.header) + member.size
    source.seek(start)
    for offset, member in zip(members, container.members(), strict=True):
        entry = member.entry(offset)
        if source.read(len(entry)) != entry:
            raise ArchiveDamaged(f"The directory at the end has another entry for {member.name}.")
        directory, count = directory + len(entry), count + 1
    last = ending(count, start, directory)
    if source.read(len(last)) != last:
        raise ArchiveDamaged("The end of the file is another.")


def _read_indexes(archive: Archive) -> None:
    """Read the indexes, which come first, in the order of the manifest; an equal one stands for both."""
    descriptors = layout_lines(archive.container.layout_raw)
    read_before: dict[str, bytes] = {}
    place = archive.first_object
    for component, part, entry in archive.manifest.content.entries():
        if entry.index not in read_before:
            descriptor = next(descriptors, None)
            if descriptor is None or descriptor.content != entry.index or descriptor.raw != entry.raw:
                raise ArchiveDamaged(f"The index of {component}, {part}, does not stand where it must.")
            read_before[entry.index] = whole(read_object(archive.source, place, descriptor))
            place += len(object_member(descriptor).header) + descriptor.size
        archive.indexes[component, part] = read_before[entry.index]


def segment_values(chunks: Iterator[bytes], count: int, where: str, line_bytes: int) -> Iterator[Any]:
    """Yield the values of a segment's lines; what is held of it at a time is a chunk and a line."""
    number = 0
    for run in _runs(chunks, where, line_bytes):
        yield from json_lines(run, where, line_bytes, before=number)
        number += run.count(b"\n")
    if number != count:
        raise ArchiveDamaged(f"{where} has {number} lines instead of {count}.")


def _runs(chunks: Iterator[bytes], where: str, line_bytes: int) -> Iterator[bytes]:
    """Yield the same bytes cut after ends of lines, and what stands after the last one."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
        if len(rest) > line_bytes:
            raise ArchiveDamaged(f"{where} has a line longer than {line_bytes} bytes.")
    if rest:
        yield rest


class _Walk:
    """The way through all objects in the order of the format; knows where each stands once it has come by."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.coming = layout_lines(archive.container.layout_raw)
        self.place = archive.first_object
        self.roles: dict[bytes, int] = {}
        self.places, self.stored, self.repeated = array("Q"), bytearray(), 0
        for content in dict.fromkeys(entry.index for _, _, entry in archive.manifest.content.entries()):
            self.pass_by(next(self.coming), "i")
            if bytes.fromhex(content) not in self.roles:
                raise ArchiveDamaged(f"The index {content} does not stand where it must.")

    def pass_by(self, descriptor: Descriptor, role: str) -> None:
        """Remember where the next object stands, and as what it was listed."""
        self.roles[bytes.fromhex(descriptor.content)] = len(self.stored) // 32
        self.places.extend((self.place, descriptor.raw, descriptor.size, descriptor.crc32, ord(role)))
        self.stored += bytes.fromhex(descriptor.stored)
        self.place += len(object_member(descriptor).header) + descriptor.size

    def look_at(self, use: Use, line: IndexLine, check: CheckSegment) -> None:
        """Check the object that a line of an index lists, and what it holds."""
        role, place = "f" if line.section == "files" else "s", self.place
        number = self.roles.get(bytes.fromhex(line.content))
        if number is None:
            descriptor = next(self.coming, None)
            if descriptor is None or descriptor.content != line.content:
                raise ArchiveDamaged(f"The object {line.content}, listed by {use.component}, {use.part}, "
                                     "does not stand where it must, or not at all.")
            self.pass_by(descriptor, role)
        else:
            place, descriptor = self._known(number, line, role)
        if descriptor.raw != line.raw:
            raise ArchiveDamaged(f"The index gives the object {line.content} another size.")
        if role == "s":
            self.segment(use, line, place, descriptor, check)
        elif number is None:
            for _ in read_object(self.archive.source, place, descriptor):
                pass

    def _known(self, number: int, line: IndexLine, role: str) -> tuple[int, Descriptor]:
        """Return where an object stands that another line listed before, and its descriptor."""
        place, raw, size, crc32, known = self.places[5 * number:5 * number + 5]
        if chr(known) != role:
            raise ArchiveDamaged(f"The object {line.content} is listed as two different things.")
        self.repeated += raw if role == "s" else 0
        if self.repeated > self.archive.limits.repeated_bytes + self.archive.manifest.raw:
            raise ArchiveTooLarge("The file lists the same segments again and again.")
        stored = self.stored[32 * number:32 * number + 32].hex()
        return place, Descriptor(content=line.content, raw=raw, stored=stored, size=size, crc32=crc32)

    def segment(self, use: Use, line: IndexLine, place: int, descriptor: Descriptor, check: CheckSegment) -> None:
        limits = self.archive.limits
        if descriptor.raw > limits.segment_bytes:
            raise ArchiveTooLarge(f"A segment of {use.section} has more than {limits.segment_bytes} bytes.")
        where = f"The segment {use.n} of {use.component}, {use.section}"
        values = segment_values(read_object(self.archive.source, place, descriptor), line.count, where, limits.line_bytes)
        check(use, values)
        deque(values, maxlen=0)  # what the check did not ask for is read all the same, and not kept

    def end(self) -> None:
        """Refuse objects that no index lists."""
        if next(self.coming, None) is not None:
            raise ArchiveDamaged("The file holds an object that no index lists.")


__all__ = ["Archive", "Use", "read", "segment_values", "verify"]
