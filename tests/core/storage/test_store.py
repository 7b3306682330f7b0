"""Stores: the same promises from a folder and from S3."""

from __future__ import annotations

import io
import socket
import threading
from pathlib import Path

import pytest

from core.base import budget
from core.base.budget import Budget, Slots
from core.base.config import read_config
from core.base.errors import InvalidInput, ObjectMissing, StoreUnavailable
from core.storage.choice import open_store
from core.storage.folder import FolderStore
from core.storage.s3 import S3Store
from core.storage.store import Store


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store in turn."""
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    return open_store(read_config({}, home=str(tmp_path), store_url=request.getfixturevalue("bucket")))


def test_a_part_of_an_object_can_be_had(store: Store) -> None:
    """From a place on, so many bytes; what lies behind the end is not there."""
    content = bytes(range(256)) * 8192
    with store.batch() as batch:
        batch.put_if_absent("a/x", content)
    for start, size in ((0, 10), (5, 1), (1000, 1_500_000), (len(content) - 3, 3), (7, None)):
        expected = content[start:] if size is None else content[start:start + size]
        assert expected == b"".join(store.get("a/x", start, size))
    assert content[-3:] == b"".join(store.get("a/x", len(content) - 3, 100))
    assert b"" == b"".join(store.get("a/x", len(content) + 5, 100))


def test_what_was_put_can_be_had(store: Store) -> None:
    """Bytes and streams alike, small and larger than a chunk."""
    large = bytes(range(256)) * 10_000
    with store.batch() as batch:
        assert batch.put_if_absent("a/small", b"small")
        assert batch.put_if_absent("a/large", io.BytesIO(large))
        assert batch.put_if_absent("b/empty", b"")
    assert b"".join(store.get("a/small")) == b"small"
    assert large == b"".join(store.get("a/large"))
    assert b"".join(store.get("b/empty")) == b""
    assert (store.size("a/small"), store.size("b/empty"), store.size("a/none")) == (5, 0, None)
    assert {"a/small", "a/large"} == {name for name, _ in store.list("a")}


def test_an_object_never_changes(store: Store) -> None:
    """Putting under a name that is taken stores nothing and says so."""
    with store.batch() as batch:
        batch.put_if_absent("a/x", b"first")
    with store.batch() as batch:
        assert not batch.put_if_absent("a/x", b"second")
        assert batch.put_if_absent("a/y", b"y")
        assert not batch.put_if_absent("a/y", b"z")
    assert b"".join(store.get("a/x")) == b"first"


def test_what_is_missing_is_told(store: Store) -> None:
    """Reading what is not there names it; removing it is no error. In a store that is there: one that is away is told apart."""
    with store.batch() as batch:
        batch.put_if_absent("a/x", b"x")
    with pytest.raises(ObjectMissing, match="a/none"):
        list(store.get("a/none"))
    store.delete("a/none")


def test_what_was_deleted_is_gone(store: Store) -> None:
    """And can be put again."""
    with store.batch() as batch:
        batch.put_if_absent("a/x", b"first")
    store.delete("a/x")
    assert store.size("a/x") is None
    with store.batch() as batch:
        assert batch.put_if_absent("a/x", b"second")
    assert b"".join(store.get("a/x")) == b"second"


def test_many_threads_put_at_once(store: Store) -> None:
    """A batch takes objects from several threads; each name is stored once."""
    stored: list[bool] = []
    with store.batch() as batch:
        def put() -> None:
            stored.extend(batch.put_if_absent(f"a/{n}", b"%d" % n) for n in range(20))

        threads = [threading.Thread(target=put) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 20 == sum(stored) == len(list(store.list("a")))


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
