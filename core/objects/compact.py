"""Descriptors of many objects in little memory: a large backup makes tens of thousands, and keeps them to its end."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, MutableMapping
from threading import Lock

from core.archive.manifest import Descriptor
from core.objects.packs import StoredDescriptor

_FORM = struct.Struct("<QQIIQ32s")


class Descriptors(MutableMapping[str, Descriptor]):
    """Descriptors by their content, each in a third of the memory that it takes by itself. Thread-safe."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._packs: dict[str, int] = {}
        self._names: list[str] = []
        self._lock = Lock()

    def __setitem__(self, content: str, one: Descriptor) -> None:
        pack, place = (one.pack, one.place) if isinstance(one, StoredDescriptor) else ("", 0)
        self._packed[content] = _FORM.pack(one.raw, one.size, one.crc32, self._number(pack), place, bytes.fromhex(one.stored))

    def __getitem__(self, content: str) -> StoredDescriptor:
        raw, size, crc32, pack, place, stored = _FORM.unpack(self._packed[content])
        return StoredDescriptor(content, raw, stored.hex(), size, crc32, self._names[pack], place)

    def size(self, content: str) -> int:
        """Return how many bytes a content takes as stored; of many this is quicker than to make their descriptors."""
        return int(_FORM.unpack_from(self._packed[content])[1])

    def sums(self) -> tuple[int, int]:
        """Return how many bytes all contents have, and how many they take as stored."""
        raw = size = 0
        for one in map(_FORM.unpack, self._packed.values()):
            raw, size = raw + one[0], size + one[1]
        return raw, size

    def without(self, contents: Collection[str]) -> Descriptors:
        """Return all but some."""
        found = Descriptors()
        found._packs, found._names = self._packs, self._names
        found._packed = {content: packed for content, packed in self._packed.items() if content not in contents}
        return found

    def __delitem__(self, content: str) -> None:
        del self._packed[content]

    def __contains__(self, content: object) -> bool:
        return content in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def _number(self, pack: str) -> int:
        with self._lock:
            if pack not in self._packs:
                self._packs[pack] = len(self._names)
                self._names.append(pack)
            return self._packs[pack]
