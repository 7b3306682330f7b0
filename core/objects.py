"""An organization's objects: bytes under the digest of their content, compressed, in the store; `core.catalogue` has their rows."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO

from core.archive.compression import compress, compress_stream, decompress, decompress_stream
from core.archive.manifest import Descriptor
from core.base.db import transaction
from core.base.errors import AppkeepError, ObjectDamaged, ObjectLost, ObjectMissing, StoreUnavailable
from core.base.ids import new_key
from core.catalogue import Digests, catalogue, files_missing, keep_young, known_descriptor, known_digests, mark_lost, object_name
from core.packs import SMALL_BYTES, Packing, Placed, Windows, pack_name
from core.server import server
from core.storage.store import Batch, Store
from core.tenancy.wall import as_tenant, tenant

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Lost:
    """An object of an organization that is missing or damaged; maybe its pack is gone, with all that lay there."""

    organization_id: str
    descriptor: Placed
    whole_pack: bool


@dataclass(frozen=True)
class Shelf:
    """An organization's place in the store; works in any thread, with no session and no request."""

    organization_id: str
    store: Store

    @cached_property
    def windows(self) -> Windows:
        """What was read last of packs."""
        return Windows(self.store)

    def name(self, content: str) -> str:
        """Return an object's name in the store."""
        return object_name(self.organization_id, content)

    def stored(self, descriptor: Placed) -> Iterator[bytes]:
        """Yield an object's compressed bytes; their digest is checked before the last chunk is given out.

        Raises:
            ObjectMissing: the store has lost it.
            ObjectDamaged: the store has other bytes.
        """
        digest, previous = hashlib.sha256(), b""
        with self._naming(descriptor):
            for chunk in self._chunks(descriptor):
                digest.update(chunk)
                if previous:
                    yield previous
                previous = chunk
            if digest.hexdigest() != descriptor.stored:
                raise ObjectDamaged(f"The stored object {descriptor.content} is not what was stored.",
                                    content=descriptor.content)
        yield previous

    @contextmanager
    def _naming(self, descriptor: Placed) -> Iterator[None]:
        """Let what is found lost in the block say which object it is."""
        try:
            yield
        except ObjectLost as error:
            error.lost = error.lost or Lost(self.organization_id, descriptor, whole_pack=isinstance(error, ObjectMissing))
            raise

    def _chunks(self, descriptor: Placed) -> Iterable[bytes]:
        if not descriptor.pack:
            return self.store.get(self.name(descriptor.content))
        name = pack_name(self.organization_id, descriptor.pack)
        if descriptor.size > SMALL_BYTES:
            return self.store.get(name, descriptor.place, descriptor.size)
        return (self.windows.read(name, descriptor.place, descriptor.size),)

    def read(self, descriptor: Placed) -> bytes:
        """Return a content, proven to be what its digest says.

        Raises:
            ObjectMissing, ObjectDamaged: see `stored`.
        """
        stored = b"".join(self.stored(descriptor))
        with self._naming(descriptor):
            try:
                raw = decompress(stored, descriptor.raw)
            except (AppkeepError, ValueError) as error:
                raise ObjectDamaged(f"The stored object {descriptor.content} cannot be unpacked: {error}") from error
            if hashlib.sha256(raw).hexdigest() != descriptor.content:
                raise ObjectDamaged(f"The stored object {descriptor.content} holds something else.")
        return raw

    def verify(self, descriptor: Placed) -> None:
        """Refuse an object that is not what its digest says; memory use does not follow its size.

        Raises:
            ObjectMissing, ObjectDamaged: see `stored`.
        """
        digest = hashlib.sha256()
        with self._naming(descriptor):
            try:
                for chunk in decompress_stream(self.stored(descriptor), descriptor.raw):
                    digest.update(chunk)
            except (ObjectLost, StoreUnavailable):
                raise
            except (AppkeepError, ValueError) as error:
                raise ObjectDamaged(f"The stored object {descriptor.content} cannot be unpacked: {error}") from error
            if digest.hexdigest() != descriptor.content:
                raise ObjectDamaged(f"The stored object {descriptor.content} holds something else.")


def shelf() -> Shelf:
    """Return the current organization's place in the store."""
    return Shelf(tenant(), server().store)


@dataclass
class ObjectWriter:
    """Takes contents of one organization, stores those it does not have. Thread-safe.

    `added` are the descriptors of what is new; `record()` puts them into the catalogue once they are durable, and
    `settle()` lets plugins count them. `purpose` says what for, `reference` names this taking.
    """

    shelf: Shelf
    batch: Batch
    known: Digests
    purpose: str = "attachment"
    app_id: str | None = None
    counted: bool = True
    reference: str = field(default_factory=lambda: new_key("q"))

    def __post_init__(self) -> None:
        self.added: dict[str, Descriptor] = {}
        self.recorded: set[str] = set()
        self.late: set[str] = set()
        self.unsettled_bytes = 0
        self.lock = Lock()
        self.packing = Packing(self.shelf.organization_id, self.batch)

    def put(self, raw: bytes) -> str:
        """Store a content and return its digest."""
        content = hashlib.sha256(raw).hexdigest()
        if self._claim(content):
            stored = compress(raw)
            self._put(describe(content, len(raw), stored), stored)
        return content

    def put_stored(self, descriptor: Descriptor, stored: BinaryIO) -> None:
        """Store an object that comes compressed and checked, as an archive brings it."""
        if self._claim(descriptor.content):
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
            if self._claim(content):
                raw.seek(0)
                self._put_compressed(content, raw, size)
        return content, size

    def reserve(self) -> None:
        """Let plugins refuse what is about to be made durable; in no transaction, or in one that can still be undone."""
        size = sum(d.size for content, d in self.added.items() if content not in self.recorded) + self.unsettled_bytes
        if size and self.counted:
            server().registry.hook.objects_reserved(organization_id=self.shelf.organization_id, size=size,
                                                    reference=self.reference)

    def release(self) -> None:
        """Let plugins forget what was reserved and will not come."""
        server().registry.hook.objects_released(organization_id=self.shelf.organization_id, reference=self.reference)

    def settle(self) -> None:
        """Let plugins count what was recorded, inside the transaction that makes it real; a second time counts nothing."""
        size, self.unsettled_bytes = self.unsettled_bytes, 0
        if not self.counted:
            return
        server().registry.hook.objects_recorded(
            organization_id=self.shelf.organization_id, size=size, reference=self.reference, purpose=self.purpose,
            app_id=self.app_id)

    def record(self) -> None:
        """Write the catalogue's rows for what was added since; in a transaction that commits after the batch has ended."""
        fresh = self.added.keys() - self.recorded
        new = [self.added[content] for content in sorted(files_missing(fresh))]
        first = catalogue(self.shelf.organization_id, new) if new else set()
        self.unsettled_bytes += sum(d.size for d in new if d.content in first)
        self.late |= fresh - first
        self.recorded |= fresh

    @property
    def added_bytes(self) -> int:
        """What the new objects take in the store; of those that another recorded meanwhile, nothing."""
        return sum(descriptor.size for content, descriptor in self.added.items() if content not in self.late)

    @property
    def added_count(self) -> int:
        """How many objects are new, see `added_bytes`."""
        return len(self.added.keys() - self.late)

    def _claim(self, content: str) -> bool:
        """Say whether this caller is the one that must store *content*."""
        with self.lock:
            if content in self.added or content in self.known:
                return False
            # The place is taken before the work is done, so that no other thread does it too.
            self.added[content] = Descriptor(content=content, raw=0, stored="", size=0, crc32=0)
            return True

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


@contextmanager
def writing_objects(purpose: str = "attachment", app_id: str | None = None, *, counted: bool = True) -> Iterator[ObjectWriter]:
    """Give a writer for the current organization; when the block ends, all it took is durable (not catalogued).

    What is kept for a while only (a file that waits to be imported) is not *counted* by plugins.

    Raises:
        AppkeepError: a plugin refuses so much; nothing of it is kept.
    """
    known = known_digests()
    if len(known):
        server().store.look()  # whose whole store is away would find nothing to store, and say that it had been stored
    with server().store.batch() as batch:
        writer = ObjectWriter(shelf(), batch, known, purpose, app_id, counted)
        yield writer
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
    """Let plugins forget what was reserved for a writer's objects where the block fails."""
    try:
        yield
    except BaseException:
        writer.release()
        raise


def put_file(stream: BinaryIO, app_id: str | None = None) -> tuple[str, int]:
    """Store and catalogue one file's content; return its digest and size.

    Raises:
        AppkeepError: a plugin refuses so much.
    """
    with writing_objects(app_id=app_id) as writer:
        found = writer.put_file(stream)
    with recording(writer):
        if found[0] not in writer.added:
            keep_young(found[0])  # what will name it is saved in another request, maybe much later
        return found


def note_lost(*errors: BaseException) -> int:
    """Let what errors found lost count as not stored, and return how much that is; whoever stores it next mends all that needs it.

    Not inside a transaction, which would take it back with what failed.
    """
    found = [error.lost for error in errors if isinstance(error, ObjectLost) and error.lost is not None]
    count = 0
    for organization_id in sorted({lost.organization_id for lost in found}):
        mine = [lost for lost in found if lost.organization_id == organization_id]
        packs = {lost.descriptor.pack for lost in mine if lost.whole_pack and lost.descriptor.pack}
        with as_tenant(organization_id), transaction():
            count += mark_lost([lost.descriptor for lost in mine], packs=packs)
    return count


def read_object(content: str) -> bytes:
    """Return a content of the current organization, proven to be what its digest says.

    Raises:
        ObjectMissing, ObjectDamaged: see `Shelf.stored`.
    """
    return shelf().read(known_descriptor(content))


def read_file(content: str) -> Iterator[bytes]:
    """Return a stored file's content in chunks; the session and the tenant are asked now, not when it is read.

    Raises:
        ObjectMissing: the organization has no such file.
    """
    descriptor = known_descriptor(content)
    return decompress_stream(shelf().stored(descriptor), descriptor.raw)


def describe(content: str, raw: int, stored: bytes) -> Descriptor:
    """Return the descriptor of an object from its compressed bytes."""
    return Descriptor(content=content, raw=raw, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                      crc32=zlib.crc32(stored))
