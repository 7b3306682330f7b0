"""Whoever stores few contents asks for each whether it is there, instead of looking up all that the organization has."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import update

from core.api import App, db, transaction
from core.objects import writer as writing
from core.objects.index import StoredObject, index_objects
from core.objects.reader import read_object
from core.objects.writer import ObjectWriter, describe, recording, writing_objects
from core.tenancy.wall import as_server, as_tenant, tenant
from tenants import service as tenants


def raws(*numbers: int) -> list[bytes]:
    """Return contents."""
    return [f"content {n}".encode() for n in numbers]


def digest(raw: bytes) -> str:
    """Return a content's digest."""
    return hashlib.sha256(raw).hexdigest()


def stored(*given: list[bytes], ask: bool = True) -> ObjectWriter:
    """Store lists of contents, each in one of two threads, and return who did."""
    with writing_objects(look_up=False) as writer:
        if ask:
            writer.ask()
        else:
            writer.look_up()
        with ThreadPoolExecutor(2) as pool:
            assert [list(map(digest, some)) for some in given] == list(pool.map(writer.put_all, given))
    with recording(writer):
        pass
    return writer


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_what_is_there_is_not_stored_again(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Asked in any number at once; what comes twice is stored once; what is condemned, lost or another's is not there."""
    monkeypatch.setattr(writing, "ASKED_AT_ONCE", at_once)
    first = stored(raws(*range(10)), ask=False)
    assert 10 == first.added_count
    with as_server(), transaction():
        other = tenants.create_organization("Other", "other@example.org").id
    with as_tenant(other), transaction():
        index_objects(other, [describe(digest(raw), len(raw), b"x") for raw in raws(30)])
    with transaction():
        for content, gone in zip(map(digest, raws(1, 2)), ({"condemned_at": 1}, {"lost_at": 1}), strict=True):
            db.session.execute(update(StoredObject).where(StoredObject.content == content).values(**gone))
    second = stored(raws(0, 1, 10, 11), raws(11, 2, 3, 10), raws(30), raws(*range(4, 10)), [])
    assert set(map(digest, raws(1, 2, 10, 11, 30))) == set(second.added) == set(second.stored)
    assert sum(second.added[content].size for content in second.added) == second.added_bytes
    for raw in raws(*range(12), 30):
        assert raw == read_object(digest(raw))
    assert 0 == stored(raws(*range(12), 30)).added_count


def test_both_ways_store_the_same(server: Flask, app: App) -> None:
    """Asking and looking up differ in nothing that is left behind."""
    with as_server(), transaction():
        places = [tenants.create_organization(name, f"{name}@example.org").id for name in ("asks", "looks")]
    stored(raws(99), ask=False)  # so that there is a store to ask
    left = []
    for place, ask in zip(places, (True, False), strict=True):
        with as_tenant(place):
            stored(raws(1, 2, 3), ask=ask)
            stored(raws(2, 3, 4), raws(5), ask=ask)
            rows = db.session.execute(StoredObject.__table__.select().where(StoredObject.organization_id == tenant())).all()
            left.append({row.content: (row.raw, row.stored, row.size, row.crc32) for row in rows})
    assert left[0] == left[1] and len(left[0]) == 5


def test_nothing_is_stored_by_who_has_not_looked(server: Flask, app: App) -> None:
    """It would be stored although it is there."""
    with pytest.raises(RuntimeError, match="comes before anything is stored"), writing_objects(look_up=False) as writer:
        writer.put(b"x")
