"""Digests of many objects: what is among them, and how they come out of the database."""

from __future__ import annotations

import hashlib
import random

import pytest
from flask import Flask

from core.api import App, db, transaction
from core.objects import index
from core.objects.index import Digests, StoredObject, index_objects, known_digests
from core.objects.writer import describe
from core.tenancy.wall import as_server, as_tenant, tenant
from tenants import service as tenants


def test_missing_says_what_is_not_among_them_whether_few_or_many_are_asked_for() -> None:
    """Asked one by one or all at once, in any order and more than once, the answer is that of a set."""
    chance = random.Random(7)
    for count in (0, 1, 5, 200):
        there = {_digest(n) for n in range(count)}
        shuffled = sorted(there, key=lambda one: chance.random())
        some = Digests(["".join(shuffled[:3]), *shuffled[3:]])
        for asked in (0, 1, 3, 40, 300):
            wanted = [_digest(chance.randrange(400)) for _ in range(asked)]
            assert set(wanted) - there == some.missing(wanted)
            assert [one in there for one in wanted] == [one in some for one in wanted]
        assert count == len(some)


def test_digests_with_the_same_beginning_are_told_apart() -> None:
    """The first eight bytes only say where to look."""
    one, two, other = (f"{'ab' * 8}{n:048x}" for n in (1, 2, 3))
    some = Digests([two, one])
    assert (True, True, False, {other}) == (one in some, two in some, other in some, some.missing([one, two, other]))


@pytest.mark.parametrize("at_once", [1, 3, 7, 100])
def test_what_may_be_relied_on_comes_whole_however_much_comes_at_once(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Nothing is left out at the borders; what is condemned or lost, and what another organization has, is not among it."""
    monkeypatch.setattr(index, "JOINED_AT_ONCE", at_once)
    contents = [_digest(n) for n in range(7)]
    before = known_digests()
    with transaction():
        index_objects(tenant(), [describe(content, 1, b"x") for content in contents])
        for content, gone in ((contents[0], {"condemned_at": 1}), (contents[3], {"lost_at": 1})):
            db.session.execute(StoredObject.__table__.update().where(StoredObject.__table__.c.content == content).values(**gone))
    with as_server(), transaction():
        other = tenants.create_organization("Other", "other@example.org").id
    with as_tenant(other), transaction():
        index_objects(other, [describe(_digest(8), 1, b"x")])
    found = known_digests()
    assert {_digest(8)} == found.missing([_digest(8)])
    assert {contents[0], contents[3]} == found.missing(contents)
    assert len(before) + 5 == len(found)


def _digest(n: int) -> str:
    return hashlib.sha256(str(n).encode()).hexdigest()
