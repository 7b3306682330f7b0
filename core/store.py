"""Stores of objects: named bytes that never change; a local folder or S3. What the bytes are is not known here.

What is not there (`ObjectMissing`) and what could not be looked at (`StoreUnavailable`) are told apart: the first is lost.
The one danger: an object is durable only when the `batch()` around its `put_if_absent` has ended without an error.
"""

from __future__ import annotations

import ctypes
import errno
import http.client
import os
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from core.base import budget
from core.base.config import Config
from core.base.errors import InvalidInput, ObjectMissing, StorageFailed, StoreUnavailable

CHUNK_BYTES = 1024 * 1024
FEW_FILES = 256
"""Up to so many are flushed one by one: flushing the file system waits for what others write there, too."""
S3_PATIENCE = {"tries": 3, "connect_s": 5, "read_s": 30}
"""Where nobody waits for an answer; boto's own patience is a minute a try."""
S3_HASTE = {"tries": 2, "connect_s": 3, "read_s": 8}
"""Where somebody waits for a page."""
BROKEN = (OSError, http.client.HTTPException)
"""What a connection raises that breaks in the middle of an answer, beside what boto has names for."""
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


def open_store(config: Config) -> Store:
    """Return the store that the settings name.

    Raises:
        InvalidInput: the URL is of no known kind.
    """
    url: str = config.store_url
    if not url:
        return FolderStore(config.home_path / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path.strip("/"))
    raise InvalidInput(f"APPKEEP_STORE_URL is “{url}”. Use s3://bucket/prefix, file:///folder, or leave it empty.")


@contextmanager
def _told(*failures: type[Exception]) -> Iterator[None]:
    """Say of any of the failures that the store is what failed."""
    try:
        yield
    except failures as error:
        why = getattr(error, "strerror", None) or error
        raise StorageFailed(f"The store could not take an object ({why}). Make room, or see that it can be reached and "
                            "written to; then try again.") from error


@contextmanager
def _asking(*failures: type[Exception]) -> Iterator[None]:
    """Say of any of the failures that the store could not be asked."""
    try:
        yield
    except failures as error:
        raise away(error) from error


def away(error: Exception) -> StoreUnavailable:
    """Return the refusal that tells of a store which could not be asked."""
    why = getattr(error, "strerror", None) or error
    return StoreUnavailable(f"The file storage cannot be reached ({why}). No data is known to be lost. Try again in a moment.")


def _checked(name: str) -> str:
    if not NAME.match(name):
        raise ValueError(f"not a name of an object: {name!r}")
    return name


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
        return f"{self.root}/{_checked(name)}"

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """See `Store.batch`."""
        batch = _FolderBatch(self)
        try:
            yield batch
            with _told(OSError):
                batch.flush()
        finally:
            batch.discard()

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """See `Store.get`."""
        with self._opened(name) as file:
            if start:
                file.seek(start)
            left = size
            while chunk := _read(file, CHUNK_BYTES if left is None else min(left, CHUNK_BYTES)):
                yield chunk
                left = None if left is None else left - len(chunk)

    def _opened(self, name: str) -> BinaryIO:
        with _asking(OSError):
            try:
                return self.path(name).open("rb", buffering=0)
            except FileNotFoundError:
                self.look()
                raise ObjectMissing(f"The store has no object {name}.", name=name) from None

    def look(self) -> None:
        """See `Store.look`: a store whose whole folder is gone is away, as a disk is that is not mounted."""
        if not self.root.is_dir():
            raise away(FileNotFoundError(errno.ENOENT, f"there is no folder {self.root.name}"))

    def size(self, name: str) -> int | None:
        """See `Store.size`."""
        with _asking(OSError):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        with _asking(OSError):
            self.path(name).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        """See `Store.list`."""
        for folder, _, names in os.walk(self.root / _checked(prefix)):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # it went while we walked
                    yield path.relative_to(self.root).as_posix(), path.stat().st_mtime

    def abandon(self, before: float) -> None:
        """See `Store.abandon`."""
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
            Path(temporary).unlink(missing_ok=True)
            raise
        return True

    def _claim(self, name: str, final: str) -> str | None:
        """Return where to write an object of that name; None where it is there or on its way."""
        with self.lock, _told(OSError):
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
            Path(temporary).unlink(missing_ok=True)
        self.waiting.clear()


def _read(file: BinaryIO, size: int) -> bytes:
    with _asking(OSError):
        return file.read(size)


def _write_file(path: str, chunks: Iterable[bytes | bytearray]) -> None:
    with _told(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for chunk in chunks:  # where they come from may fail too, which is not the store's failure
            _write_all(descriptor, chunk)
    finally:
        os.close(descriptor)


def _refused(error: Exception) -> bool:
    """Say whether a store answered that it will not take something, so that trying again is of no use."""
    response = getattr(error, "response", None) or {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= int(status) < 500 and int(status) not in (408, 429)


def _write_all(descriptor: int, chunk: bytes | bytearray) -> None:
    with _told(OSError):
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


class S3Store:
    """Objects in a bucket; credentials and region as boto3 finds them, ``APPKEEP_S3_ENDPOINT_URL`` for other servers."""

    def __init__(self, bucket: str, prefix: str, threads: int = 8) -> None:
        import boto3  # only servers that use S3 pay for loading it
        from boto3.exceptions import Boto3Error
        from botocore.config import Config as BotoConfig
        from botocore.exceptions import BotoCoreError, ClientError

        self.failures = (Boto3Error, BotoCoreError, ClientError)

        def client(*, tries: int, connect_s: int, read_s: int) -> Any:
            again = {} if "AWS_MAX_ATTEMPTS" in os.environ else {"retries": {"mode": "standard", "total_max_attempts": tries}}
            settings = BotoConfig(connect_timeout=connect_s, read_timeout=read_s, **again)
            return boto3.client("s3", endpoint_url=os.environ.get("APPKEEP_S3_ENDPOINT_URL") or None, config=settings)

        self._patient, self._hasty = client(**S3_PATIENCE), client(**S3_HASTE)
        self.bucket, self.prefix, self.threads = bucket, f"{prefix}/" if prefix else "", threads

    @property
    def client(self) -> Any:
        """The client: one that gives up soon in a request, whose page somebody waits for."""
        return self._patient if budget.current() is None else self._hasty

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """See `Store.batch`; uploads run beside each other."""
        with ThreadPoolExecutor(self.threads) as pool:
            batch = _S3Batch(self, pool)
            yield batch
            batch.finish()

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """See `Store.get`."""
        part = {} if size is None and not start else {"Range": f"bytes={start}-{'' if size is None else start + size - 1}"}
        body = self._body(name, part)
        if body is None:
            return  # nothing lies there any more: whoever reads it sees that it is short
        with body:
            chunks = body.iter_chunks(CHUNK_BYTES)
            while chunk := self._next(chunks):
                yield chunk

    def look(self) -> None:
        """See `Store.look`."""
        with _asking(*self.failures):
            self.client.head_bucket(Bucket=self.bucket)

    def _body(self, name: str, part: dict[str, str]) -> Any:
        with _asking(*self.failures):
            try:
                return self.client.get_object(Bucket=self.bucket, Key=self.prefix + _checked(name), **part)["Body"]
            except self.client.exceptions.NoSuchKey:
                raise ObjectMissing(f"The store has no object {name}.", name=name) from None
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "InvalidRange":
                    raise
                return None

    def _next(self, chunks: Iterator[bytes]) -> bytes:
        """Return the next chunk, b"" after the last one; the connection may break between any two."""
        with _asking(*self.failures, *BROKEN):
            return next(chunks, b"")

    def size(self, name: str) -> int | None:
        """See `Store.size`."""
        with _asking(*self.failures):
            try:
                found = self.client.head_object(Bucket=self.bucket, Key=self.prefix + _checked(name))
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                    return None
                raise
            return int(found["ContentLength"])

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        with _asking(*self.failures):
            self.client.delete_object(Bucket=self.bucket, Key=self.prefix + _checked(name))

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        """See `Store.list`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}{_checked(prefix)}/")
        for page in self._pages(pages):
            for item in page.get("Contents", ()):
                yield item["Key"].removeprefix(self.prefix), item["LastModified"].timestamp()

    def abandon(self, before: float) -> None:
        """See `Store.abandon`: uploads of large objects that were never completed."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in self._pages(pages):
            for one in page.get("Uploads", ()):
                if one["Initiated"].timestamp() < before:
                    with _asking(*self.failures):
                        self.client.abort_multipart_upload(Bucket=self.bucket, Key=one["Key"], UploadId=one["UploadId"])

    def _pages(self, pages: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        waiting = iter(pages)
        while True:
            with _asking(*self.failures):
                page = next(waiting, None)
            if page is None:
                return
            yield page

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Tell of what fails in the block: a store that answers and refuses, or one that is away."""
        with _told(*self.failures):
            try:
                yield
            except self.failures as error:
                if not _refused(error):
                    raise away(error) from error
                raise


class _S3Batch:
    def __init__(self, store: S3Store, pool: ThreadPoolExecutor) -> None:
        self.store, self.pool = store, pool
        self.lock = Lock()
        self.sent: dict[str, Any] = {}

    def put_if_absent(self, name: str, data: bytes | bytearray | BinaryIO) -> bool:
        with self.lock:
            if name in self.sent:
                return False
            self.sent[name] = None
        key = self.store.prefix + _checked(name)
        with self.store.sending():
            if self.store.size(name) is not None:
                return False
            if isinstance(data, bytes | bytearray):
                self.sent[name] = self.pool.submit(
                    self.store.client.put_object, Bucket=self.store.bucket, Key=key, Body=data)
            else:
                self.store.client.upload_fileobj(data, self.store.bucket, key)
        return True

    def finish(self) -> None:
        with self.store.sending():
            for future in self.sent.values():
                if future is not None:
                    future.result()
