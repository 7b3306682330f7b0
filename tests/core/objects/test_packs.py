"""Packs: small objects lie together, and each is proven by itself when it is read."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import as_tenant, db, transaction
from core.archive.compression import zstd
from core.base.errors import ObjectDamaged, ObjectMissing
from core.objects import packs
from core.objects.index import StoredObject, known_descriptors, object_name
from core.objects.reader import object_reader, read_file, read_object
from core.objects.writer import put_file, recording, writing_objects
from core.server import server as current
from core.tenancy.wall import tenant


@pytest.fixture
def inside(server: Flask, organization: str) -> Iterator[None]:
    """Within an organization."""
    with as_tenant(organization):
        yield


def contents(count: int, size: int = 300) -> list[bytes]:
    """Return different contents that do not compress to nothing."""
    chance = random.Random(count)
    return [chance.randbytes(size + n % 50) for n in range(count)]


def store_all(wanted: list[bytes]) -> list[str]:
    """Store contents in one go and return their digests."""
    with writing_objects() as writer:
        digests = [writer.put(raw) for raw in wanted]
    with recording(writer):
        return digests


def pack_files(home: Path) -> list[Path]:
    """Return the packs on disk."""
    return sorted(path for path in (home / "objects").rglob("*.zst") if path.parent.name == "packs")


def test_many_small_contents_take_few_files(inside: None, home: Path) -> None:
    """A thousand contents lie in one pack, and each is read as it was."""
    wanted = contents(1000)
    digests = store_all(wanted)
    assert 1 == len(pack_files(home))
    assert wanted == [read_object(digest) for digest in digests]


def test_a_pack_is_closed_when_it_is_full(inside: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored goes on in the next one."""
    monkeypatch.setattr(packs, "PACK_BYTES", 10_000)
    wanted = contents(200)
    digests = store_all(wanted)
    assert 5 < len(pack_files(home)) < 10
    assert wanted == [read_object(digest) for digest in digests]


def test_any_order_of_reading_gives_the_same(inside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a pack that are shorter than it, moved back and forth, by several threads with one shelf."""
    monkeypatch.setattr(packs, "PACK_BYTES", 50_000)
    monkeypatch.setattr(packs, "WINDOW_BYTES", 2_000)
    wanted = contents(400)
    digests = store_all(wanted)
    known, place = known_descriptors(digests), object_reader()
    wrong: list[int] = []

    def read(seed: int) -> None:
        order = list(range(400))
        random.Random(seed).shuffle(order)
        wrong.extend(n for n in order if place.read(known[digests[n]]) != wanted[n])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong


def test_threads_pack_together_without_mixing(inside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each content is found at its place, whichever thread closed the pack."""
    monkeypatch.setattr(packs, "PACK_BYTES", 3_000)
    wanted = contents(400)
    with writing_objects() as writer:
        threads = [threading.Thread(target=lambda part: [writer.put(raw) for raw in part], args=(wanted[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with recording(writer):
        pass
    assert set(wanted) == {read_object(content) for content in db.session.scalars(db.select(StoredObject.content))}


def test_a_large_content_is_a_pack_of_its_own(inside: None, home: Path) -> None:
    """It is streamed, and goes into no pack with others; one that a server of before put under its own digest is still read."""
    large = random.Random(1).randbytes(packs.SMALL_BYTES + 1000)
    digest, size = put_file(io.BytesIO(large))
    small, _ = put_file(io.BytesIO(b"small"))
    assert (2, len(large)) == (len(pack_files(home)), size)
    assert large == b"".join(read_file(digest))
    path = current().store.path(object_name(tenant(), digest))
    path.parent.mkdir(parents=True)
    current().store.path(packs.pack_name(tenant(), known_descriptors([digest])[digest].pack)).rename(path)
    with transaction():
        db.session.execute(db.update(StoredObject).where(StoredObject.content == digest).values(pack=""))
    assert (large, b"small") == (b"".join(read_file(digest)), b"".join(read_file(small)))


def test_a_small_file_is_read_as_it_was(inside: None) -> None:
    """An empty one too."""
    for raw in (b"", b"x", contents(1)[0]):
        assert raw == b"".join(read_file(put_file(io.BytesIO(raw))[0]))


def test_common_tools_open_a_pack(inside: None, home: Path) -> None:
    """It is a row of frames: unpacked as a whole it gives the contents one after the other."""
    wanted = contents(20)
    store_all(wanted)
    assert b"".join(wanted) == zstd.decompress(pack_files(home)[0].read_bytes())


def test_a_damaged_pack_is_noticed_where_it_is_damaged(inside: None, home: Path) -> None:
    """One flipped bit costs one content, which is named; the others are still there."""
    wanted = contents(20)
    digests = store_all(wanted)
    path = pack_files(home)[0]
    place = known_descriptors(digests)[digests[7]].place
    raw = bytearray(path.read_bytes())
    raw[place + 20] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ObjectDamaged, match=digests[7]):
        read_object(digests[7])
    assert [raw for n, raw in enumerate(wanted) if n != 7] == [read_object(d) for n, d in enumerate(digests) if n != 7]


def test_a_pack_cut_short_or_lost_is_noticed(inside: None, home: Path) -> None:
    """What is no longer there is not taken for something else."""
    digests = store_all(contents(20))
    path = pack_files(home)[0]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ObjectDamaged):
        read_object(digests[19])
    path.unlink()
    with pytest.raises(ObjectMissing):
        read_object(digests[0])


def test_objects_stored_before_there_were_packs_are_found(inside: None) -> None:
    """A row without a pack means an object of its own."""
    raw = contents(1)[0]
    digest = store_all([raw])[0]
    place = object_reader()
    held = known_descriptors([digest])[digest]
    with current().store.batch() as batch:
        batch.put_if_absent(place.name(digest), b"".join(place.stored(held)))
    row = db.session.scalars(db.select(StoredObject)).one()
    row.pack = ""
    db.session.flush()
    assert raw == read_object(digest)
