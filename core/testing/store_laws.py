"""The laws of stores: what every kind of store promises, as tests that a plugin's own test suite runs.

A plugin's test subclasses `StoreLaws` and gives a fixture `store`: an empty store.
"""

from __future__ import annotations

import io
import threading

import pytest

from core.base.errors import ObjectMissing
from core.storage.store import Store, sizes


class StoreLaws:
    """The laws. Each is one test; each uses the fixture `store`."""

    def test_a_part_of_an_object_can_be_had(self, store: Store) -> None:
        """From a place on, so many bytes; what lies behind the end is not there."""
        content = bytes(range(256)) * 8192
        with store.batch() as batch:
            batch.put_if_absent("a/x", content)
        for start, size in ((0, 10), (5, 1), (1000, 1_500_000), (len(content) - 3, 3), (7, None)):
            expected = content[start:] if size is None else content[start:start + size]
            assert expected == b"".join(store.get("a/x", start, size))
        assert content[-3:] == b"".join(store.get("a/x", len(content) - 3, 100))
        assert b"" == b"".join(store.get("a/x", len(content) + 5, 100))

    def test_what_was_put_can_be_had(self, store: Store) -> None:
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

    def test_sizes_are_listed(self, store: Store) -> None:
        """Of all below a prefix and of nothing else; where nothing is, none."""
        with store.batch() as batch:
            for name, content in (("a/x", b"12"), ("a/b/y", b"1"), ("a/empty", b""), ("ab/z", b"123")):
                batch.put_if_absent(name, content)
        assert [("a/b/y", 1), ("a/empty", 0), ("a/x", 2)] == sorted(sizes(store, "a"))
        assert [] == list(sizes(store, "none"))

    def test_an_object_never_changes(self, store: Store) -> None:
        """Putting under a name that is taken stores nothing and says so."""
        with store.batch() as batch:
            batch.put_if_absent("a/x", b"first")
        with store.batch() as batch:
            assert not batch.put_if_absent("a/x", b"second")
            assert batch.put_if_absent("a/y", b"y")
            assert not batch.put_if_absent("a/y", b"z")
        assert b"".join(store.get("a/x")) == b"first"

    def test_what_is_missing_is_told(self, store: Store) -> None:
        """Reading what is not there names it; removing it is no error. In a store that is there: one that is away is told apart."""
        with store.batch() as batch:
            batch.put_if_absent("a/x", b"x")
        with pytest.raises(ObjectMissing, match="a/none"):
            list(store.get("a/none"))
        store.delete("a/none")

    def test_what_was_deleted_is_gone(self, store: Store) -> None:
        """And can be put again."""
        with store.batch() as batch:
            batch.put_if_absent("a/x", b"first")
        store.delete("a/x")
        assert store.size("a/x") is None
        with store.batch() as batch:
            assert batch.put_if_absent("a/x", b"second")
        assert b"".join(store.get("a/x")) == b"second"

    def test_many_threads_put_at_once(self, store: Store) -> None:
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
