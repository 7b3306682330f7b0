"""A store in a bucket of S3, or of what speaks as S3 does."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, BinaryIO

from core.base import budget
from core.base.errors import ObjectMissing
from core.storage.store import CHUNK_BYTES, Batch, asking, away, checked, taking

S3_PATIENCE = {"tries": 3, "connect_s": 5, "read_s": 30}
"""Where nobody waits for an answer; boto's own patience is a minute a try."""
S3_HASTE = {"tries": 2, "connect_s": 3, "read_s": 8}
"""Where somebody waits for a page."""
BROKEN = (OSError, http.client.HTTPException)
"""What a connection raises that breaks in the middle of an answer, beside what boto has names for."""


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
        """Uploads run beside each other."""
        with ThreadPoolExecutor(self.threads) as pool:
            batch = _S3Batch(self, pool)
            yield batch
            batch.finish()

    def get(self, name: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        part = {} if size is None and not start else {"Range": f"bytes={start}-{'' if size is None else start + size - 1}"}
        body = self._body(name, part)
        if body is None:
            return  # nothing lies there any more: whoever reads it sees that it is short
        with body:
            chunks = body.iter_chunks(CHUNK_BYTES)
            while chunk := self._next(chunks):
                yield chunk

    def look(self) -> None:
        with asking(*self.failures):
            self.client.head_bucket(Bucket=self.bucket)

    def _body(self, name: str, part: dict[str, str]) -> Any:
        with asking(*self.failures):
            try:
                return self.client.get_object(Bucket=self.bucket, Key=self.prefix + checked(name), **part)["Body"]
            except self.client.exceptions.NoSuchKey:
                raise ObjectMissing(f"The store has no object {name}.", name=name) from None
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "InvalidRange":
                    raise
                return None

    def _next(self, chunks: Iterator[bytes]) -> bytes:
        """Return the next chunk, b"" after the last one; the connection may break between any two."""
        with asking(*self.failures, *BROKEN):
            return next(chunks, b"")

    def size(self, name: str) -> int | None:
        with asking(*self.failures):
            try:
                found = self.client.head_object(Bucket=self.bucket, Key=self.prefix + checked(name))
            except self.client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                    return None
                raise
            return int(found["ContentLength"])

    def delete(self, name: str) -> None:
        with asking(*self.failures):
            self.client.delete_object(Bucket=self.bucket, Key=self.prefix + checked(name))

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        for item in self._listed(prefix):
            yield item["Key"].removeprefix(self.prefix), item["LastModified"].timestamp()

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield (name, size in bytes) of all objects below *prefix*: a request for a thousand of them."""
        for item in self._listed(prefix):
            yield item["Key"].removeprefix(self.prefix), int(item["Size"])

    def _listed(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}{checked(prefix)}/")
        for page in self._pages(pages):
            yield from page.get("Contents", ())

    def abandon(self, before: float) -> None:
        """Uploads of large objects that were never completed."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in self._pages(pages):
            for one in page.get("Uploads", ()):
                if one["Initiated"].timestamp() < before:
                    with asking(*self.failures):
                        self.client.abort_multipart_upload(Bucket=self.bucket, Key=one["Key"], UploadId=one["UploadId"])

    def _pages(self, pages: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        waiting = iter(pages)
        while True:
            with asking(*self.failures):
                page = next(waiting, None)
            if page is None:
                return
            yield page

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Tell of what fails in the block: a store that answers and refuses, or one that is away."""
        with taking(*self.failures):
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
        key = self.store.prefix + checked(name)
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


def _refused(error: Exception) -> bool:
    """Say whether a store answered that it will not take something, so that trying again is of no use."""
    response = getattr(error, "response", None) or {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= int(status) < 500 and int(status) not in (408, 429)
