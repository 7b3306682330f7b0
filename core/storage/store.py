"""Stores of objects: named bytes that never change. What a store is; `folder` and `s3` are two.

What is not there (`ObjectMissing`) and what could not be looked at (`StoreUnavailable`) are told apart: the first is lost.
The one danger: an object is durable only when the `batch()` around its `put_if_absent` has ended without an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from core.base.errors import StorageFailed, StoreUnavailable

CHUNK_BYTES = 1024 * 1024
NAME = re.compile(r"[a-z0-9_]+(?:/[A-Za-z0-9_]+)*(?:\.[a-z]+)?\Z")


class Batch(Protocol):
    """Takes objects; they are durable once the batch has ended."""

    def put_if_absent(self, name: str, data: bytes | bytearray | BinaryIO) -> bool:
        """Store the object unless one of that name is there, and say whether it was stored. Thread-safe.

        Raises:
            StorageFailed: the store cannot take it; then, or when the batch ends.
        """


class Store(Protocol):
    """Named, immutable bytes."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Give something to put objects in; what was put is durable, all of it, when the block ends."""

    def look(self) -> None:
        """Refuse to go on where the store is away.

        Raises:
            StoreUnavailable: it is.
        """

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes, or *size* of them from *start*, in chunks of at most 1 MiB; as far as there are any.

        Raises:
            ObjectMissing: there is none of that name.
            StoreUnavailable: the store cannot be asked now; as all of these may.
        """

    def size(self, name: str) -> int | None:
        """Return an object's size in bytes, or None where there is none."""

    def delete(self, name: str) -> None:
        """Remove an object; removing what is not there is no error."""

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        """Yield (name, time stored in seconds since 1970, by the store's own clock) of all objects below *prefix*, in no order."""

    def abandon(self, before: float) -> None:
        """Remove what is half-written since before a moment of the store's clock: batches that died never end."""


def sizes(store: Store, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield (name, size in bytes) of all objects below *prefix*, in no order.

    A store that has a method of this name is asked once for many, as both of Appkeep's own are; any other for each by itself.
    """
    listed = getattr(store, "sizes", None)
    if listed is not None:
        yield from listed(prefix)
        return
    for name, _ in store.list(prefix):
        if (size := store.size(name)) is not None:
            yield name, size


@contextmanager
def taking(*failures: type[Exception]) -> Iterator[None]:
    """Say of any of the failures that the store is what failed."""
    try:
        yield
    except failures as error:
        why = getattr(error, "strerror", None) or error
        raise StorageFailed(f"The store could not take an object ({why}). Make room, or see that it can be reached and "
                            "written to; then try again.") from error


@contextmanager
def asking(*failures: type[Exception]) -> Iterator[None]:
    """Say of any of the failures that the store could not be asked."""
    try:
        yield
    except failures as error:
        raise away(error) from error


def away(error: Exception) -> StoreUnavailable:
    """Return the refusal that tells of a store which could not be asked."""
    why = getattr(error, "strerror", None) or error
    return StoreUnavailable(f"The file storage cannot be reached ({why}). No data is known to be lost. Try again in a moment.")


def checked(name: str) -> str:
    """Return a name of an object; anything else is a mistake of the caller (ValueError)."""
    if not NAME.match(name):
        raise ValueError(f"not a name of an object: {name!r}")
    return name
