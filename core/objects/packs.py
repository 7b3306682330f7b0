"""Packs: many small objects in one object of the store, one after the other; where each begins is in the index.

A segment of a worksheet takes a few kilobytes, and a store asks about as much time for the name of a file, or for a
request, as for a megabyte of content. Decision 0009 says what this is worth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO

from core.archive.manifest import Descriptor
from core.base.ids import new_key
from core.storage.store import Batch, Store

SMALL_BYTES = 256 * 1024
"""Objects of up to so many compressed bytes are packed; each larger one is a pack of its own."""
PACK_BYTES = 1024 * 1024
"""A pack is closed when it has reached so many bytes: what a writer holds in memory."""
WINDOW_BYTES = 1024 * 1024
"""What is read of a pack at a time: objects that were stored together are mostly asked for together."""
WINDOWS = 2


@dataclass(frozen=True, slots=True)
class StoredDescriptor(Descriptor):
    """An object of which it is known where its bytes lie: at a *place* in a *pack*; no pack: it stands alone."""

    pack: str = ""
    place: int = 0

    @classmethod
    def at(cls, descriptor: Descriptor, pack: str, place: int) -> StoredDescriptor:
        """Return a descriptor with its place."""
        return cls(descriptor.content, descriptor.raw, descriptor.stored, descriptor.size, descriptor.crc32, pack, place)


def pack_name(organization_id: str, pack: str) -> str:
    """Return a pack's name in the store; unzstd opens it, for a row of frames is a valid file to it."""
    return f"organizations/{organization_id}/packs/{pack}.zst"


@dataclass
class Packing:
    """Packs objects of one organization into a batch. Thread-safe; what was added is whole after `finish`."""

    organization_id: str
    batch: Batch
    _bytes: bytearray = field(default_factory=bytearray)
    _pack: str = ""
    _lock: Lock = field(default_factory=Lock)

    def add(self, descriptor: Descriptor, stored: bytes) -> StoredDescriptor:
        """Take an object and return where it will lie."""
        with self._lock:
            self._pack = self._pack or new_key("k")
            placed = StoredDescriptor.at(descriptor, self._pack, len(self._bytes))
            self._bytes += stored
            full = self._taken() if len(self._bytes) >= PACK_BYTES else None
        if full is not None:  # written without the lock: the other threads go on packing
            self._write(*full)
        return placed

    def alone(self, descriptor: Descriptor, stored: bytes | BinaryIO) -> StoredDescriptor:
        """Take a large object as a pack of its own and return where it will lie.

        Its name is new, though its content may lie there already, left by a run that died: what is left is collected, and
        whoever relied on it might come too late.
        """
        pack = new_key("k")
        self.batch.put_if_absent(pack_name(self.organization_id, pack), stored)
        return StoredDescriptor.at(descriptor, pack, 0)

    def finish(self) -> None:
        """Write what is left."""
        with self._lock:
            rest = self._taken()
        if rest[1]:
            self._write(*rest)

    def _taken(self) -> tuple[str, bytearray]:
        taken = self._pack, self._bytes
        self._pack, self._bytes = "", bytearray()
        return taken

    def _write(self, pack: str, content: bytearray) -> None:
        self.batch.put_if_absent(pack_name(self.organization_id, pack), content)


@dataclass
class Windows:
    """Parts of packs that were read last, so that objects in a row cost one access for many. Thread-safe."""

    store: Store
    _held: list[tuple[str, int, bytes]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def read(self, name: str, place: int, size: int) -> bytes:
        """Return bytes of a pack; fewer where it has been cut short.

        Raises:
            ObjectMissing: there is no such pack.
        """
        with self._lock:
            for at, (held, start, window) in enumerate(self._held):
                if held == name and start <= place and place + size <= start + len(window):
                    self._held.insert(0, self._held.pop(at))
                    return window[place - start:place - start + size]
        window = b"".join(self.store.get(name, place, max(size, WINDOW_BYTES)))
        with self._lock:
            self._held.insert(0, (name, place, window))
            del self._held[WINDOWS:]
        return window[:size]

