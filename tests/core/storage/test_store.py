"""Stores: the same promises from a folder and from S3."""

from __future__ import annotations

import errno
import io
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from core.api import AppkeepError, StoreKind, apps, direct, transaction
from core.base import budget
from core.base.budget import Budget, Slots
from core.base.config import read_config
from core.base.errors import InvalidInput, StorageFailed, StoreUnavailable
from core.storage.choice import open_store
from core.storage.folder import FolderStore
from core.storage.s3 import S3Store
from core.storage.store import Store
from core.testing import StoreLaws
from tests.conftest import fresh_database, made_organization
from tests.core.extension.strangers import installed, plugin, started


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store in turn."""
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    return open_store(read_config({}, home=str(tmp_path), store_url=request.getfixturevalue("bucket")))


class TestStores(StoreLaws):
    """The laws, for both kinds that Appkeep brings."""


def test_a_batch_that_fails_leaves_nothing_in_a_folder(tmp_path: Path) -> None:
    """A name stands for whole bytes or nothing, whatever happens."""
    store = FolderStore(tmp_path)
    with pytest.raises(RuntimeError), store.batch() as batch:
        batch.put_if_absent("a/x", b"x")
        raise RuntimeError
    assert store.size("a/x") is None
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_stream_that_breaks_leaves_its_name_free(tmp_path: Path) -> None:
    """A damaged upload can be tried again in the same batch."""
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("cut off")

    store = FolderStore(tmp_path)
    with store.batch() as batch:
        with pytest.raises(OSError, match="cut off"):
            batch.put_if_absent("a/x", Broken())
        assert batch.put_if_absent("a/x", b"whole")
    assert b"".join(store.get("a/x")) == b"whole"


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/../b", "", "a b", "a\0", "A/x" * 0, "a/x\n"])
def test_a_name_never_leaves_the_store(tmp_path: Path, name: str) -> None:
    """Names have a grammar; no path can be built with one."""
    with pytest.raises(ValueError, match="name"):
        FolderStore(tmp_path).path(name)


def test_a_url_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    """With what to say instead."""
    with pytest.raises(InvalidInput, match="s3://"):
        open_store(read_config({}, home=str(tmp_path), store_url="ftp://x"))


def test_a_page_waits_less_for_s3_than_a_worker(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes connections and never answers holds a page for as long as the hasty client waits, tried as often as it tries."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as hung:
        monkeypatch.setenv("APPKEEP_S3_ENDPOINT_URL", f"http://127.0.0.1:{hung.getsockname()[1]}")
        monkeypatch.setattr("core.storage.s3.S3_HASTE", {"tries": 2, "connect_s": 1, "read_s": 1})
        store = open_store(read_config({}, home=str(tmp_path), store_url=bucket))
        assert isinstance(store, S3Store)
        patient = store.client
        budget.begin(Budget(1_000_000, Slots(4), time_s=60, slow_s=60))
        try:
            assert store.client is not patient
            with pytest.raises(StoreUnavailable):
                b"".join(store.get("a/x"))
        finally:
            budget.end()
        assert store.client is patient


def test_a_plugin_brings_a_kind_of_store(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen by its scheme; without its plugin the server says what is missing."""
    objects: list[str] = []

    def opened(url: str) -> Store:
        objects.append(url)
        return FolderStore(home / "elsewhere")

    url = fresh_database("sqlite", home, request)
    with installed(monkeypatch, plugin("memory", register_store=lambda: StoreKind(name="memory", open=opened))), \
            started(home, url, store_url="memory://place"), made_organization("Example"):
        with transaction():
            app = apps.create("Sales", "system")
        direct.check(direct.back_up(app))
        assert ["memory://place"] == objects and any((home / "elsewhere").rglob("*"))
    with installed(monkeypatch), started(home, url, store_url="memory://place"), made_organization("Other"):
        with transaction():
            app = apps.create("Sales", "system")
        with pytest.raises(AppkeepError, match="need a plugin"):
            direct.back_up(app)


@pytest.mark.parametrize("url", ["file:objects", "file://host/objects", "file:///", "file:", "s3://"])
def test_a_folder_has_its_whole_path(tmp_path: Path, url: str) -> None:
    """A path below whatever folder a process begins in, or a host that is passed over, would be another place than was meant."""
    with pytest.raises(InvalidInput, match=r"Use s3://bucket/prefix, file:///folder"):
        open_store(read_config({}, home=str(tmp_path), store_url=url))


def test_a_folder_that_takes_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that is read-only refuses to remove as well, even what is not there; it is the first failure that is told."""
    store = FolderStore(tmp_path)
    with store.batch() as batch:
        batch.put_if_absent("a/x", b"x")
    (tmp_path / "incoming" / "left").write_bytes(b"half")

    def read_only(*_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("open", "unlink", "remove", "replace"):
        monkeypatch.setattr(os, name, read_only)
    with pytest.raises(StorageFailed, match="Read-only"), store.batch() as batch:
        batch.put_if_absent("a/y", b"y")
    with pytest.raises(StoreUnavailable, match="Read-only"):
        store.delete("a/x")
    with pytest.raises(StoreUnavailable, match="Read-only"):
        store.abandon(2.0**40)


@pytest.mark.parametrize("act", [lambda store: list(store.sizes("a")), lambda store: list(store.list("a"))])
def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """What lies in it would count as lost, and every backup that needs it as damaged."""
    store, scandir = FolderStore(tmp_path), os.scandir
    with store.batch() as batch:
        batch.put_if_absent("a/b/x", b"x")

    def refused(path: Any) -> Any:
        if str(path).endswith("/a/b"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    assert 1 == len(act(store))
    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(StoreUnavailable, match="Permission denied"):
        act(store)
    assert [] == list(store.sizes("nothing"))
