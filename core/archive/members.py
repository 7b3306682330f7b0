"""Members of a backup file, read where they must stand; each gives its bytes only as they are proven. Pure.

The one danger: memory. Only the two first members are read before their sizes are known to be right, and these are
bounded; everything else is read in chunks.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from core.archive.compression import decompress_stream
from core.archive.container import object_member, small_member
from core.archive.errors import ArchiveDamaged, ArchiveTooLarge, NotAnArchive
from core.archive.manifest import Descriptor

CHUNK_BYTES = 256 * 1024


def read_small(source: BinaryIO, place: int, name: str, limit: int, *, first: bool = False) -> tuple[int, bytes]:
    """Return (place after it, content) of one of the two bounded members at the front."""
    length = 30 + len(name)
    source.seek(place)
    header = source.read(length)
    if first and header[:4] != b"PK\x03\x04":
        raise NotAnArchive("The file does not begin like a backup file.")
    size = int.from_bytes(header[22:26], "little")
    if len(header) < length or header[30:] != name.encode():
        error = NotAnArchive if first else ArchiveDamaged
        raise error(f"{name} does not stand at byte {place}, where it must.")
    if size > limit:
        raise ArchiveTooLarge(f"{name} says it has {size} bytes; at most {limit} are taken.")
    data = source.read(size)
    if len(data) != size or small_member(name, data).header != header:
        raise ArchiveDamaged(f"{name} is not what its header at byte {place} says.")
    return place + length + size, data


def read_object(source: BinaryIO, place: int, descriptor: Descriptor) -> Iterator[bytes]:
    """Yield the content of an object whose member stands at *place*, every byte compared on the way."""
    member = object_member(descriptor)
    source.seek(place)
    header = source.read(len(member.header))
    if header != member.header:
        raise ArchiveDamaged(f"The object {descriptor.content} does not stand at byte {place}, where it must.")
    _prove(_stored(source, place + len(header), descriptor.size), descriptor)
    digest = hashlib.sha256()
    for chunk in decompress_stream(_stored(source, place + len(header), descriptor.size), descriptor.raw):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != descriptor.content:
        raise ArchiveDamaged(f"The object {descriptor.content} holds something else than its name says.")


def whole(chunks: Iterator[bytes]) -> bytes:
    """Return chunks as one piece; joining a list of them would hold everything twice."""
    found = BytesIO()
    for chunk in chunks:
        found.write(chunk)
    return found.getvalue()


def _stored(source: BinaryIO, place: int, size: int) -> Iterator[bytes]:
    left = size
    while left:
        source.seek(place + size - left)
        chunk = source.read(min(left, CHUNK_BYTES))
        if not chunk:
            raise ArchiveDamaged(f"The file ends at byte {place + size - left}, inside an object.")
        left -= len(chunk)
        yield chunk


def _prove(chunks: Iterator[bytes], descriptor: Descriptor) -> None:
    """Refuse compressed bytes that are not what the descriptor says, before anything is unpacked."""
    digest, crc = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        crc = zlib.crc32(chunk, crc)
    if digest.hexdigest() != descriptor.stored or crc != descriptor.crc32:
        raise ArchiveDamaged(f"The file is damaged: the part {descriptor.content[:12]}… does not match its checksum.")


class Proven:
    """A stream of one object's compressed bytes; the last are given only once all are proven again."""

    def __init__(self, source: BinaryIO, place: int, descriptor: Descriptor) -> None:
        self.chunks = _stored(source, place, descriptor.size)
        self.descriptor, self.left, self.digest, self.kept = descriptor, descriptor.size, hashlib.sha256(), b""

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes, all of them where it is negative.

        Raises:
            ArchiveDamaged: instead of the last bytes, where somebody changed the file since it was verified.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK_BYTES), b""))
        if not self.kept:
            self.kept = next(self.chunks, b"")
            self.digest.update(self.kept)
            self.left -= len(self.kept)
            if not self.left and self.digest.hexdigest() != self.descriptor.stored:
                raise ArchiveDamaged(f"The file changed while it was read (part {self.descriptor.content[:12]}…).")
        given, self.kept = self.kept[:size], self.kept[size:]
        return given
