"""A store in a local folder."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from core.base.errors import ObjectMissing
from core.storage.store import CHUNK_BYTES, Batch, asking, away, checked, taking

FEW_FILES = 256
"""Up to this number, files are flushed one by one: flushing the file system waits for what others write there, too."""


class FolderStore:
    """Objects as files. Written beside, flushed together, then renamed: a name stands for whole bytes or nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def path(self, name: str) -> Path:
        """Return where the object of that name lies or would lie."""
        return Path(self.place(name))

    def place(self, name: str) -> str:
        """Return where the object of that name lies or would lie, as text: a backup asks for thousands."""
        return f"{self.root}/{checked(name)}"

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        batch = _FolderBatch(self)
        try:
            yield batch
            with taking(OSError):
                batch.flush()
        finally:
            batch.discard()

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        with self._opened(name) as file:
            if start:
                file.seek(start)
            left = size
            while chunk := _read(file, CHUNK_BYTES if left is None else min(left, CHUNK_BYTES)):
                yield chunk
                left = None if left is None else left - len(chunk)

    def _opened(self, name: str) -> BinaryIO:
        with asking(OSError):
            try:
                return self.path(name).open("rb", buffering=0)
            except FileNotFoundError:
                self.look()
                raise ObjectMissing(f"The store has no object {name}.", name=name) from None

    def look(self) -> None:
        """A store whose whole folder is gone is away, as a disk is that is not mounted."""
        if not self.root.is_dir():
            raise away(FileNotFoundError(errno.ENOENT, f"there is no folder {self.root.name}"))

    def size(self, name: str) -> int | None:
        with asking(OSError):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def delete(self, name: str) -> None:
        with asking(OSError):
            self.path(name).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        for name, stat in self._walked(prefix):
            yield name, stat.st_mtime

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield (name, size in bytes) of all objects below *prefix*."""
        for name, stat in self._walked(prefix):
            yield name, stat.st_size

    def _walked(self, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        """Yield all objects below *prefix*; a folder that cannot be read is no empty one.

        Raises:
            StoreUnavailable: it cannot.
        """
        for folder, _, names in os.walk(self.root / checked(prefix), onerror=_unread):
            for name in names:
                path = Path(folder, name)
                with asking(OSError):
                    try:
                        stat = path.stat()
                    except FileNotFoundError:  # it went while we walked
                        continue
                yield path.relative_to(self.root).as_posix(), stat

    def abandon(self, before: float) -> None:
        with asking(OSError):
            for path in self.incoming.glob("*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < before:
                        path.unlink()


class _FolderBatch:
    def __init__(self, store: FolderStore) -> None:
        self.store = store
        self.waiting: dict[str, str] = {}
        self.lock = Lock()
        self.prefix = ""
        self.numbers = count()

    def put_if_absent(self, name: str, data: bytes | bytearray | BinaryIO) -> bool:
        final = self.store.place(name)
        temporary = self._claim(name, final)
        if temporary is None:
            return False
        try:
            _write_file(temporary, (data,) if isinstance(data, bytes | bytearray) else iter(lambda: data.read(CHUNK_BYTES), b""))
        except BaseException:
            with self.lock:
                self.waiting.pop(name, None)
            _let_go(temporary)
            raise
        return True

    def _claim(self, name: str, final: str) -> str | None:
        """Return where to write an object of that name; None where it is there or on its way."""
        with self.lock, taking(OSError):
            if name in self.waiting or os.path.exists(final):
                return None
            if not self.prefix:
                self.store.incoming.mkdir(parents=True, exist_ok=True)
                self.prefix = f"{self.store.incoming}/{uuid.uuid4().hex}"
            temporary = self.waiting[name] = f"{self.prefix}-{next(self.numbers)}"
            return temporary

    def flush(self) -> None:
        if not self.waiting:
            return
        _flush(list(self.waiting.values()), self.store.root)
        folders = set()
        for name, temporary in self.waiting.items():
            final = self.store.place(name)
            folder = os.path.dirname(final)
            if folder not in folders:
                os.makedirs(folder, exist_ok=True)
                folders.add(folder)
            os.replace(temporary, final)
        _flush([*folders, *{os.path.dirname(folder) for folder in folders}], self.store.root)
        self.waiting.clear()

    def discard(self) -> None:
        for temporary in self.waiting.values():
            _let_go(temporary)
        self.waiting.clear()


def _let_go(temporary: str) -> None:
    """Remove what was written beside; where that fails as well, `abandon` does it later, and what failed first is what is told."""
    with suppress(OSError):
        os.unlink(temporary)


def _unread(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # nothing was ever stored there, or it went while we walked
        raise away(error)


def _read(file: BinaryIO, size: int) -> bytes:
    with asking(OSError):
        return file.read(size)


def _write_file(path: str, chunks: Iterable[bytes | bytearray]) -> None:
    with taking(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for chunk in chunks:  # where they come from may fail too, which is not the store's failure
            _write_all(descriptor, chunk)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, chunk: bytes | bytearray) -> None:
    with taking(OSError):
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view):]


def _flush(paths: list[str], root: Path) -> None:
    """Make files and folders durable: one by one when few, with one flush of the file system when many."""
    syncfs = _syncfs() if len(paths) > FEW_FILES else None
    if syncfs is not None:
        descriptor = os.open(root, os.O_RDONLY)
        try:
            if syncfs(descriptor) == 0:
                return
        finally:
            os.close(descriptor)
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _syncfs() -> Any:
    """Return the C library's ``syncfs``, where there is one."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
