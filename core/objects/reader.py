"""Reading an organization's objects out of the store; each is proven to be what its digest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from core.archive.compression import decompress, decompress_stream
from core.base.db import transaction
from core.base.errors import AppkeepError, ObjectDamaged, ObjectLost, ObjectMissing, StoreUnavailable
from core.objects.index import known_descriptor, mark_lost, object_name
from core.objects.packs import SMALL_BYTES, StoredDescriptor, Windows, pack_name
from core.server import server
from core.storage.store import Store
from core.tenancy.wall import as_tenant, tenant


@dataclass(frozen=True, slots=True)
class Lost:
    """An object of an organization that is missing or damaged; maybe its pack is gone, with all that lay there."""

    organization_id: str
    descriptor: StoredDescriptor
    whole_pack: bool


@dataclass(frozen=True)
class ObjectReader:
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

    def stored(self, descriptor: StoredDescriptor) -> Iterator[bytes]:
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
    def _naming(self, descriptor: StoredDescriptor) -> Iterator[None]:
        """Make errors of the block say which object is lost."""
        try:
            yield
        except ObjectLost as error:
            error.lost = error.lost or Lost(self.organization_id, descriptor, whole_pack=isinstance(error, ObjectMissing))
            raise

    def _chunks(self, descriptor: StoredDescriptor) -> Iterable[bytes]:
        if not descriptor.pack:
            return self.store.get(self.name(descriptor.content))
        name = pack_name(self.organization_id, descriptor.pack)
        if descriptor.size > SMALL_BYTES:
            return self.store.get(name, descriptor.place, descriptor.size)
        return (self.windows.read(name, descriptor.place, descriptor.size),)

    def read(self, descriptor: StoredDescriptor) -> bytes:
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

    def verify_stored(self, descriptor: StoredDescriptor) -> None:
        """Refuse an object whose stored bytes are not those that were stored; what they unpack to is not looked at.

        Raises:
            ObjectMissing, ObjectDamaged: see `stored`.
        """
        for _ in self.stored(descriptor):
            pass

    def verify(self, descriptor: StoredDescriptor) -> None:
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


def object_reader() -> ObjectReader:
    """Return the current organization's place in the store."""
    return ObjectReader(tenant(), server().store)


def note_lost(*errors: BaseException) -> int:
    """Mark what errors found lost as not stored, and return how many that are. Whoever stores one next mends all that need it.

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
        ObjectMissing, ObjectDamaged: see `ObjectReader.stored`.
    """
    return object_reader().read(known_descriptor(content))


def read_file(content: str) -> Iterator[bytes]:
    """Return a stored file's content in chunks; the session and the tenant are asked now, not when it is read.

    Raises:
        ObjectMissing: the organization has no such file.
    """
    descriptor = known_descriptor(content)
    return decompress_stream(object_reader().stored(descriptor), descriptor.raw)
