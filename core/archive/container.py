"""The container: a ZIP whose every byte follows from the manifest, its signature and the layout. Pure.

Members are stored, without extra fields, comments, flags or times, so the file's size and any range of it are known
without writing it first, and a reader can compute what it must find instead of parsing what it is given.

Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16; docs/format.md.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.archive.manifest import Descriptor, layout_lines

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_DATE = 0x21  # 1980-01-01, the first day that the format can say
_PLAIN, _ZIP64 = 20, 45
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
OBJECT_NAME_BYTES = 76
Fetch = Callable[[Descriptor], Iterator[bytes]]
Piece = tuple[int, Callable[[], Iterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the ZIP: its name, size in bytes, and CRC-32."""

    name: str
    size: int
    crc32: int

    @property
    def header(self) -> bytes:
        """The local header that stands before the member's bytes."""
        name = self.name.encode()
        return struct.pack("<4s5H3I2H", b"PK\x03\x04", _PLAIN, 0, 0, 0, _DATE, self.crc32, self.size, self.size,
                           len(name), 0) + name

    def entry(self, offset: int) -> bytes:
        """Return the member's entry in the central directory."""
        name, far = self.name.encode(), offset >= _MAX32
        extra = struct.pack("<HHQ", 1, 8, offset) if far else b""
        return struct.pack("<4s6H3I5H2I", b"PK\x01\x02", _ZIP64 if far else _PLAIN, _ZIP64 if far else _PLAIN, 0, 0, 0,
                           _DATE, self.crc32, self.size, self.size, len(name), len(extra), 0, 0, 0, 0,
                           _MAX32 if far else offset) + name + extra


def object_member(descriptor: Descriptor) -> Member:
    """Return the member that holds an object."""
    return Member(f"objects/{descriptor.content}.zst", descriptor.size, descriptor.crc32)


def small_member(name: str, data: bytes) -> Member:
    """Return the member that holds these bytes."""
    return Member(name, len(data), zlib.crc32(data))


def ending(count: int, start: int, size: int) -> bytes:
    """Return the end records after a central directory of *count* entries, *size* bytes long, at offset *start*."""
    far = count >= _MAX16 or start >= _MAX32 or size >= _MAX32
    large = b""
    if far:
        large = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, _ZIP64, _ZIP64, 0, 0, count, count, size, start)
        large += struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    return large + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, min(count, _MAX16), min(count, _MAX16),
                               min(size, _MAX32), min(start, _MAX32), 0)


@dataclass(frozen=True, slots=True)
class Container:
    """A backup file as a value: its bytes can be had whole or in part, as often as wanted.

    `layout` is the descriptor of the layout, `layout_raw` its uncompressed bytes.
    """

    manifest: bytes
    signature: bytes
    layout: Descriptor
    layout_raw: bytes

    def members(self) -> Iterator[Member]:
        """Yield the members in order."""
        yield small_member(MANIFEST, self.manifest)
        yield small_member(SIGNATURE, self.signature)
        for descriptor in self.descriptors():
            yield object_member(descriptor)

    def descriptors(self) -> Iterator[Descriptor]:
        """Yield the objects in order, the layout first."""
        yield self.layout
        yield from layout_lines(self.layout_raw)

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        start = directory = count = 0
        for member in self.members():
            directory += len(member.entry(start))
            start += len(member.header) + member.size
            count += 1
        return start + directory + len(ending(count, start, directory))

    def chunks(self, fetch: Fetch, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the file's bytes from *start* up to *end*, without fetching objects that lie outside.

        Args:
            fetch: Gives an object's compressed bytes.
        """
        place = 0
        for size, make in self._pieces(fetch):
            if end is not None and place >= end:
                return
            if place + size > start:
                yield from _cut(make(), place, start, end)
            place += size

    def _pieces(self, fetch: Fetch) -> Iterator[Piece]:
        for name, data in ((MANIFEST, self.manifest), (SIGNATURE, self.signature)):
            yield _ready(small_member(name, data).header + data)
        for descriptor in self.descriptors():
            yield _ready(object_member(descriptor).header)
            yield descriptor.size, lambda d=descriptor: fetch(d)  # type: ignore[misc]
        start = directory = count = 0
        for member in self.members():
            entry = member.entry(start)
            yield _ready(entry)
            start += len(member.header) + member.size
            directory += len(entry)
            count += 1
        yield _ready(ending(count, start, directory))


def _ready(data: bytes) -> Piece:
    return len(data), lambda: iter((data,))


def _cut(chunks: Iterator[bytes], place: int, start: int, end: int | None) -> Iterator[bytes]:
    """Yield of chunks that begin at *place* what lies from *start* up to *end*."""
    for chunk in chunks:
        first, last = max(start - place, 0), len(chunk) if end is None else min(end - place, len(chunk))
        if first < last:
            yield chunk[first:last]
        place += len(chunk)
        if end is not None and place >= end:
            return
