"""Writing an organization's objects: bytes under the digest of their content, compressed, into the store; `index` has their rows."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO

from core.archive.compression import compress, compress_stream
from core.archive.manifest import Descriptor
from core.base.db import batched, transaction
from core.base.ids import new_key
from core.objects.compact import Descriptors
from core.objects.index import Asked, Digests, index_objects, keep_young, known_digests
from core.objects.packs import SMALL_BYTES, Packing
from core.objects.reader import ObjectReader, object_reader
from core.server import server
from core.storage.store import Batch

CHUNK_BYTES = 1024 * 1024
_TAKEN = Descriptor(content="", raw=0, stored="0" * 64, size=0, crc32=0)
"""Stands for an object that is on its way."""
RECORDED_AT_ONCE = 2000
ASKED_AT_ONCE = 100


@dataclass
class ObjectWriter:
    """Takes contents of one organization, stores those it does not have. Thread-safe.

    `added` are the descriptors of what is new; `record()` puts them into the index once they are durable, and
    `settle()` lets plugins count them. `purpose` says what for, `reference` names this taking.
    """

    reader: ObjectReader
    batch: Batch
    known: Digests | Asked | None
    """What the organization has already; None until somebody looks it up, without which nothing can be taken."""
    purpose: str = "attachment"
    app_id: str | None = None
    counted: bool = True
    reference: str = field(default_factory=lambda: new_key("q"))

    def __post_init__(self) -> None:
        self.added = Descriptors()
        self.unrecorded: list[str] = []
        self.waiting: list[tuple[Descriptor, bytes]] = []
        self.waiting_bytes = 0
        self.late: set[str] = set()
        self.unsettled_bytes = 0
        self.is_reserved = False
        self.lock = Lock()
        self.packing = Packing(self.reader.organization_id, self.batch)

    def look_up(self) -> Digests:
        """Look up all that the organization has, unless that was done, and return it; in the thread that has the session."""
        if not isinstance(self.known, Digests):
            self.known = _known()
        return self.known

    def ask(self) -> None:
        """Look up each content when it comes, as few will; in the thread that has the session, of an organization that has backups."""
        if self.known is None:
            server().store.look()
            self.known = Asked()

    def put(self, raw: bytes) -> str:
        """Store a content and return its digest."""
        (content,) = self.put_all([raw])
        return content

    def put_all(self, raws: Sequence[bytes]) -> list[str]:
        """Store contents and return their digests."""
        contents = [hashlib.sha256(raw).hexdigest() for raw in raws]
        are_asked = isinstance(self.known, Asked)
        there = self._among(contents) if contents and not are_asked else set()
        for content, raw in zip(contents, raws, strict=True):
            if content not in there and self._claim(content):
                stored = compress(raw)
                descriptor = describe(content, len(raw), stored)
                if are_asked:
                    self._wait(descriptor, stored)
                else:
                    self._put(descriptor, stored)
        return contents

    def ask_for_rest(self) -> None:
        """Store those of the contents that wait to be asked for that are not there."""
        with self.lock:
            waiting, self.waiting, self.waiting_bytes = self.waiting, [], 0
        there = self._among([descriptor.content for descriptor, _ in waiting]) if waiting else set()
        for descriptor, stored in waiting:
            if descriptor.content in there:
                self._unclaim(descriptor.content)
            else:
                self._put(descriptor, stored)

    def put_stored(self, descriptor: Descriptor, stored: BinaryIO) -> None:
        """Store an object that comes compressed and checked, as an archive brings it."""
        if self._is_mine(descriptor.content):
            self._put(descriptor, stored)

    def put_file(self, stream: BinaryIO) -> tuple[str, int]:
        """Store a file's content and return its digest and size; memory use does not follow its size."""
        digest, size = hashlib.sha256(), 0
        with TemporaryFile() as raw:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                raw.write(chunk)
            content = digest.hexdigest()
            if self._is_mine(content):
                raw.seek(0)
                self._put_compressed(content, raw, size)
        return content, size

    def reserve(self) -> None:
        """Ask plugins whether what is about to be made durable may be; in no transaction, or in one that can still be undone."""
        size = sum(map(self.added.size, self.unrecorded)) + self.unsettled_bytes
        if size and self.counted:
            self.is_reserved = True
            server().registry.hook.objects_reserved(organization_id=self.reader.organization_id, size=size,
                                                    reference=self.reference)

    def release(self) -> None:
        """Tell plugins that what was reserved will not come."""
        server().registry.hook.objects_released(organization_id=self.reader.organization_id, reference=self.reference)

    def settle(self) -> None:
        """Have plugins count what was recorded, inside the transaction that makes it real; a second call counts nothing."""
        size, self.unsettled_bytes = self.unsettled_bytes, 0
        if not self.counted or not (size or self.is_reserved):
            return
        self.is_reserved = False
        server().registry.hook.objects_recorded(
            organization_id=self.reader.organization_id, size=size, reference=self.reference, purpose=self.purpose,
            app_id=self.app_id)

    def record(self) -> None:
        """Write the rows of the index for what was added since; in a transaction that commits after the batch has ended."""
        fresh, self.unrecorded = sorted(self.unrecorded), []
        for contents in batched(fresh, RECORDED_AT_ONCE):
            written = index_objects(self.reader.organization_id, [self.added[content] for content in contents])
            self.unsettled_bytes += sum(map(self.added.size, written))
            self.late.update(content for content in contents if content not in written)

    @property
    def stored(self) -> Descriptors:
        """The new objects, without those that another recorded meanwhile; after `record`."""
        return self.added.without(self.late) if self.late else self.added

    @property
    def added_bytes(self) -> int:
        """What the new objects take in the store; of those that another recorded meanwhile, nothing."""
        return self.stored.sums()[1]

    @property
    def added_count(self) -> int:
        """How many objects are new, see `added_bytes`."""
        return len(self.added) - len(self.late)

    def _among(self, contents: list[str]) -> set[str]:
        """Return those of the contents that are there already."""
        if self.known is None:
            raise RuntimeError("look_up() or ask() comes before anything is stored.")
        return self.known.among(contents)

    def _is_mine(self, content: str) -> bool:
        """Say whether a content is not there yet, and this caller is the one that must store it."""
        return not self._among([content]) and self._claim(content)

    def _claim(self, content: str) -> bool:
        """Say whether this caller is the one that must store *content*, which is not there."""
        with self.lock:
            if content in self.added:
                return False
            # The place is taken before the work is done, so that no other thread does it too.
            self.added[content] = _TAKEN
            self.unrecorded.append(content)
            return True

    def _unclaim(self, content: str) -> None:
        """Give back a content that is there."""
        with self.lock:
            del self.added[content]
            self.unrecorded.remove(content)

    def _wait(self, descriptor: Descriptor, stored: bytes) -> None:
        """Let an object wait until it is asked, for many at once, whether it is there."""
        with self.lock:
            self.waiting.append((descriptor, stored))
            self.waiting_bytes += descriptor.size
            are_many = len(self.waiting) >= ASKED_AT_ONCE or self.waiting_bytes >= CHUNK_BYTES
        if are_many:
            self.ask_for_rest()

    def _put_compressed(self, content: str, raw: BinaryIO, size: int) -> None:
        with TemporaryFile() as packed:
            for chunk in compress_stream(raw, size):
                packed.write(chunk)
            packed.seek(0)
            stored, crc, length = hashlib.sha256(), 0, 0
            while chunk := packed.read(CHUNK_BYTES):
                stored.update(chunk)
                crc, length = zlib.crc32(chunk, crc), length + len(chunk)
            packed.seek(0)
            self._put(Descriptor(content=content, raw=size, stored=stored.hexdigest(), size=length, crc32=crc), packed)

    def _put(self, descriptor: Descriptor, stored: bytes | BinaryIO) -> None:
        """Store an object, a small one with others in a pack, a large one as a pack of its own."""
        if descriptor.size <= SMALL_BYTES:
            whole = stored if isinstance(stored, bytes) else stored.read(descriptor.size)
            self.added[descriptor.content] = self.packing.add(descriptor, whole)
        else:
            self.added[descriptor.content] = self.packing.alone(descriptor, stored)


def _known() -> Digests:
    known = known_digests()
    if len(known):
        server().store.look()  # whose whole store is away would find nothing to store, and say that it had been stored
    return known


@contextmanager
def writing_objects(purpose: str = "attachment", app_id: str | None = None, *, counted: bool = True,
                    look_up: bool = True) -> Iterator[ObjectWriter]:
    """Give a writer for the current organization; when the block ends, all it took is durable, without rows yet.

    What is kept for a while only (a file that waits to be imported) is not *counted* by plugins. Whoever may have nothing to store
    leaves it to `ObjectWriter.look_up` or `ask` to see what there is.

    Raises:
        AppkeepError: a plugin refuses so much; nothing of it is kept.
    """
    with server().store.batch() as batch:
        writer = ObjectWriter(object_reader(), batch, _known() if look_up else None, purpose, app_id, counted)
        yield writer
        writer.ask_for_rest()
        writer.packing.finish()
        writer.reserve()


@contextmanager
def recording(writer: ObjectWriter) -> Iterator[None]:
    """Run the transaction that makes a writer's objects real: its block, their rows, their count; or release them."""
    with releasing(writer), transaction():
        writer.record()
        yield
        writer.settle()


@contextmanager
def releasing(writer: ObjectWriter) -> Iterator[None]:
    """Release what was reserved for a writer's objects where the block fails."""
    try:
        yield
    except BaseException:
        writer.release()
        raise


def put_file(stream: BinaryIO, app_id: str | None = None) -> tuple[str, int]:
    """Store one file's content, with its row in the index; return its digest and size.

    Raises:
        AppkeepError: a plugin refuses so much.
    """
    with writing_objects(app_id=app_id) as writer:
        found = writer.put_file(stream)
    with recording(writer):
        if found[0] not in writer.added:
            keep_young(found[0])  # what will name it is saved in another request, maybe much later
        return found


def describe(content: str, raw: int, stored: bytes) -> Descriptor:
    """Return the descriptor of an object from its compressed bytes."""
    return Descriptor(content=content, raw=raw, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                      crc32=zlib.crc32(stored))
