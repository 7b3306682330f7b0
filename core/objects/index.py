"""The index of an organization’s objects: which contents it has, and where their bytes lie.

Content is never shared between organizations, and knowing a digest gives nobody its content. A row is written only
after its object is durable, so a row means that the object is there.

What was found missing or damaged is lost: to whoever stores its content it is not there, so that it is stored again, and all
that needs it is whole again. Reading it is tried all the same: what was away may come back.

What nothing needs any more is condemned for a while before it goes, see `core.gc.sweep`. A condemned object can
be read, and nobody may begin to rely on it: to whoever stores or points to its content it is not there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping
from contextvars import copy_context
from dataclasses import fields
from itertools import pairwise
from operator import attrgetter
from struct import Struct
from threading import Lock
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Index, String, any_, func, literal, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from core.archive.manifest import Descriptor
from core.base.db import Base, batched, db, driver, in_transaction, insert_once, scratch
from core.base.errors import ObjectMissing
from core.base.time import now_us
from core.objects.packs import StoredDescriptor, pack_name
from core.tenancy.owned import Owned
from core.tenancy.wall import tenant

ASKED_AT_ONCE = 500
JOINED_AT_ONCE = 50_000
SOME = 8
"""From how many times as many digests on some are looked for one by one."""
_COMING = "objects_coming"


class StoredObject(Owned, Base):
    """An object in the store: sizes in bytes, `stored` and `crc32` are of the compressed bytes.

    Its bytes lie at a `place` in a `pack`; where the pack is empty, in an object of the store of their own, as those of
    large objects once did. `condemned_at` (microseconds UTC) is set while nothing needs it, `lost_at` since its bytes were found
    missing or damaged, `proven_at` when they were last read and proven whole.
    """

    __tablename__ = "stored_object"
    __table_args__ = (Index("ix_stored_object_lost", "organization_id", sqlite_where=text("lost_at IS NOT NULL"),
                            postgresql_where=text("lost_at IS NOT NULL")),)

    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    content: Mapped[str] = mapped_column(String(64), primary_key=True)
    raw: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    crc32: Mapped[int] = mapped_column(BigInteger)
    pack: Mapped[str] = mapped_column(String(16), default="")
    place: Mapped[int] = mapped_column(BigInteger, default=0)
    added_at: Mapped[int] = mapped_column(BigInteger)
    condemned_at: Mapped[int | None] = mapped_column(BigInteger)
    lost_at: Mapped[int | None] = mapped_column(BigInteger)
    proven_at: Mapped[int | None] = mapped_column(BigInteger)


class EmptiedPack(Owned, Base):
    """A pack whose objects lie elsewhere since a moment (microseconds UTC); readers that began before may still need it."""

    __tablename__ = "emptied_pack"

    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    pack: Mapped[str] = mapped_column(String(16), primary_key=True)
    emptied_at: Mapped[int] = mapped_column(BigInteger)


class Removals(Owned, Base):
    """How many contents of an organization's store have gone as garbage: where none went, all is there that was."""

    __tablename__ = "removals"

    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


def object_name(organization_id: str, content: str) -> str:
    """Return an object's name in the store."""
    return f"organizations/{organization_id}/objects/{content[:2]}/{content}.zst"


class Digests:
    """Many digests in 40 bytes each, sorted: which contents an organization has already.

    The heads are the digests' first eight bytes as numbers: to find a number among numbers takes a tenth of the time.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Take digests, or texts that consist of many."""
        self.packed = b"".join(map(bytes.fromhex, texts))
        self.heads = array("Q", [head for head, in _HEAD.iter_unpack(self.packed)])
        if any(one > two for one, two in pairwise(self.heads)):
            self.packed = b"".join(sorted(self._each()))
            self.heads = array("Q", sorted(self.heads))

    def __len__(self) -> int:
        return len(self.heads)

    def __contains__(self, digest: str) -> bool:
        wanted = bytes.fromhex(digest)
        head = int.from_bytes(wanted[:8])
        place = bisect_left(self.heads, head)
        while place < len(self.heads) and self.heads[place] == head:
            if self.packed[32 * place:32 * place + 32] == wanted:
                return True
            place += 1
        return False

    def among(self, digests: Iterable[str]) -> set[str]:
        """Return those of a few digests that are among these."""
        return {one for one in digests if one in self}

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those of the digests that are not among these."""
        wanted = set(digests)
        if len(self) > SOME * len(wanted):
            return {one for one in wanted if one not in self}
        return wanted - set(map(bytes.hex, self._each()))  # for many a tenth of the time

    def _each(self) -> Iterator[bytes]:
        return (self.packed[place:place + 32] for place in range(0, len(self.packed), 32))


class Asked:
    """What the organization has that made this, asked for when it is needed, in any thread: for who needs few of many."""

    def __init__(self) -> None:
        self.engine, self.context, self.lock = db.engine, copy_context(), Lock()

    def among(self, digests: Iterable[str]) -> set[str]:
        """Return those of the digests that are there, and that one may rely on now."""
        with self.lock:  # the context takes one at a time
            return self.context.run(self._among, list(digests))

    def _among(self, digests: list[str]) -> set[str]:
        c = StoredObject.__table__.c
        with self.engine.connect() as connection:
            return set(connection.execute(select(c.content).where(c.organization_id == tenant(), _among(digests), RELIABLE)).scalars())


_HEAD = Struct(">Q24x")


_PARTS = tuple(part.name for part in fields(StoredDescriptor))
_parts = attrgetter(*_PARTS)
_ANEW = """
ON CONFLICT (organization_id, content) DO UPDATE SET added_at = excluded.added_at, raw = excluded.raw, stored = excluded.stored,
  size = excluded.size, crc32 = excluded.crc32, pack = excluded.pack, place = excluded.place, condemned_at = NULL, lost_at = NULL,
  proven_at = NULL
"""
_ADD_AT_ONCE = text(f"""
INSERT INTO stored_object (organization_id, added_at, content, raw, stored, size, crc32, pack, place)
SELECT :organization_id, :added_at, content, raw, stored, size, crc32, substr(pack, 2), place FROM unnest(
  string_to_array(:content, ','), CAST(string_to_array(:raw, ',') AS bigint[]), string_to_array(:stored, ','),
  CAST(string_to_array(:size, ',') AS bigint[]), CAST(string_to_array(:crc32, ',') AS bigint[]), string_to_array(:pack, ','),
  CAST(string_to_array(:place, ',') AS bigint[])) AS new (content, raw, stored, size, crc32, pack, place)
{_ANEW}  WHERE stored_object.condemned_at IS NOT NULL OR stored_object.lost_at IS NOT NULL
RETURNING content
""")
"""PostgreSQL takes thousands of rows as a few lists, each one text, in an eighth of the time that their own parameters need."""


_ADD = f"""
INSERT INTO stored_object (organization_id, added_at, content, raw, stored, size, crc32, pack, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
{_ANEW}"""
"""SQLite has one writer: what is there need only be looked up before, and its driver takes thousands of rows at once."""


def index_objects(organization_id: str, descriptors: Iterable[Descriptor]) -> set[str]:
    """Write the rows of the index, and return the contents of those that are not there, and that nobody else writes at the same moment.

    A row that is condemned or lost speaks of the new bytes from now on: those of before may go at any time, or have gone.
    """
    connection, added_at = db.session.connection(), now_us()
    rows = {one.content: one for one in map(_placed, descriptors)}
    if connection.dialect.name == "postgresql":
        columns = {part: ",".join([f"{before}{getattr(row, part)}" for row in rows.values()])
                   for part, before in {**dict.fromkeys(_PARTS, ""), "pack": "-"}.items()}  # a text that is empty would be no list of one
        return set(connection.execute(_ADD_AT_ONCE, {"organization_id": organization_id, "added_at": added_at, **columns}).scalars())
    there = {row.content for row in _rows(rows, RELIABLE)}
    new = [(organization_id, added_at, *_parts(row)) for content, row in rows.items() if content not in there]
    driver(connection).executemany(_ADD, new)
    return rows.keys() - there


def _placed(descriptor: Descriptor) -> StoredDescriptor:
    return descriptor if isinstance(descriptor, StoredDescriptor) else StoredDescriptor.at(descriptor, "", 0)


def keep_young(content: str) -> None:
    """Mark a content as added now, so that it is not condemned before somebody saves what names it."""
    table = StoredObject.__table__
    db.session.connection().execute(update(table).where(
        table.c.organization_id == tenant(), table.c.content == content).values(added_at=now_us()))


def stored_bytes() -> tuple[int, int, int]:
    """Return how many contents the current organization has, and their bytes as given and as stored."""
    query = select(func.count(), func.coalesce(func.sum(StoredObject.raw), 0), func.coalesce(func.sum(StoredObject.size), 0))
    count, raw, stored = db.session.execute(query.where(StoredObject.organization_id == tenant())).one()
    return int(count), int(raw), int(stored)


def known_digests() -> Digests:
    """Return the contents that the current organization has and that one may rely on."""
    return Digests(_joined(RELIABLE))


RELIABLE = StoredObject.condemned_at.is_(None) & StoredObject.lost_at.is_(None)
"""What one may begin to rely on."""
_PLACED = tuple(getattr(StoredObject, part) for part in _PARTS)
"""Columns, not rows: a large backup asks for thousands."""


def held_digests() -> Digests:
    """Return the contents of the current organization that do not count as lost, condemned or not: one may read them."""
    return Digests(_joined(StoredObject.lost_at.is_(None)))


def _joined(which: ColumnElement[bool]) -> Iterator[str]:
    """Yield digests, thousands as one text: a row for each takes the database's driver ten times as long."""
    last, connection = "", db.session.connection()
    while True:
        some = (select(StoredObject.content).where(StoredObject.organization_id == tenant(), which, StoredObject.content > last)
                .order_by(StoredObject.content).limit(JOINED_AT_ONCE).subquery())
        text_of, last, count = connection.execute(
            select(func.aggregate_strings(some.c.content, ""), func.max(some.c.content), func.count()).select_from(some)).one()
        yield text_of or ""
        if count < JOINED_AT_ONCE:
            return


def known_descriptors(contents: Iterable[str]) -> dict[str, StoredDescriptor]:
    """Return the descriptors of those contents that the current organization has, condemned or not: one may read them."""
    return {row.content: StoredDescriptor(*row) for row in _rows(contents)}


def _rows(contents: Iterable[str], *conditions: ColumnElement[bool]) -> Iterator[Any]:
    for some in batched(contents, ASKED_AT_ONCE):
        yield from db.session.execute(select(*_PLACED).where(_among(some), *conditions))


def all_descriptors() -> Iterator[StoredDescriptor]:
    """Yield the descriptors of all that the current organization has, in the order of their contents."""
    last = ""
    while rows := db.session.execute(select(*_PLACED).where(StoredObject.content > last).order_by(StoredObject.content)
                                     .limit(ASKED_AT_ONCE)).all():
        yield from (StoredDescriptor(*row) for row in rows)
        last = rows[-1].content


def in_packs(packs: Iterable[str]) -> dict[str, list[StoredDescriptor]]:
    """Return what lies in packs of the current organization, by pack, in its order; empty packs are missing."""
    found: dict[str, list[StoredDescriptor]] = {}
    for some in batched(packs, ASKED_AT_ONCE):
        query = select(*_PLACED).where(StoredObject.pack.in_(some)).order_by(StoredObject.pack, StoredObject.place)
        for row in db.session.execute(query):
            found.setdefault(row.pack, []).append(StoredDescriptor(*row))
    return found


def _among(contents: list[str]) -> ColumnElement[bool]:
    if db.engine.dialect.name == "postgresql":
        # One parameter, whose statement is compiled once: by themselves they take longer than the search.
        return StoredObject.content == any_(literal(contents, ARRAY(String)))
    return StoredObject.content.in_(contents)


def files_missing(contents: Iterable[str]) -> set[str]:
    """Return those of the contents that the current organization does not have, that are about to go, or that are lost.

    What `coming` names counts as there.
    """
    known: Container[str] = scratch().get(_COMING, ()) if in_transaction() else ()
    wanted = {content for content in contents if content not in known}
    return wanted - {row.content for row in _rows(wanted, RELIABLE)}


def coming(contents: Container[str]) -> None:
    """Count contents as there in the caller's transaction: they are durable, and have their rows, before anybody sees what names them.

    What *contents* holds later counts as well.
    """
    scratch()[_COMING] = contents


def lost_among(contents: Iterable[str]) -> set[str]:
    """Return those of the contents that were found missing or damaged, and were not stored again since."""
    return {row.content for row in _rows(contents, StoredObject.lost_at.is_not(None))}


def proofs_of(contents: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return content -> (size as stored, when it was last read and proven whole, or 0) of those contents that are here and not lost."""
    found: dict[str, tuple[int, int]] = {}
    for some in batched(contents, ASKED_AT_ONCE):
        query = select(StoredObject.content, StoredObject.size, StoredObject.proven_at)
        rows = db.session.execute(query.where(_among(some), StoredObject.lost_at.is_(None)))
        found |= {row.content: (row.size, row.proven_at or 0) for row in rows}
    return found


def mark_proven(contents: Iterable[str], moment_us: int) -> None:
    """Write down that contents were read and are what they were; the caller owns the transaction."""
    table = StoredObject.__table__
    for some in batched(contents, ASKED_AT_ONCE):
        db.session.connection().execute(update(table).where(
            table.c.organization_id == tenant(), table.c.content.in_(some), table.c.lost_at.is_(None)).values(proven_at=moment_us))


def ends_in_store() -> dict[str, int]:
    """Return the name in the store of each pack, and of what stands alone, of the current organization -> how many of its bytes count."""
    end = func.max(StoredObject.place + StoredObject.size)
    packs = db.session.execute(select(StoredObject.pack, end).where(StoredObject.pack != "").group_by(StoredObject.pack))
    found = {pack_name(tenant(), pack): int(size) for pack, size in packs}
    alone = db.session.execute(select(StoredObject.content, StoredObject.size).where(StoredObject.pack == ""))
    return found | {object_name(tenant(), content): size for content, size in alone}


def any_lost(connection: Connection | None = None) -> bool:
    """Say whether the current organization has any content that was found missing or damaged, and was not stored again since."""
    c = StoredObject.__table__.c
    query = select(c.content).where(c.organization_id == tenant(), c.lost_at.is_not(None)).limit(1)
    return (connection or db.session.connection()).execute(query).first() is not None


def removals(connection: Connection) -> int:
    """Return how many contents of the current organization have gone as garbage, as a connection sees it."""
    table = Removals.__table__
    return int(connection.execute(select(table.c.count).where(table.c.organization_id == tenant())).scalar() or 0)


def count_removed(count: int) -> None:
    """Count contents that go, in the transaction that removes their rows."""
    table = Removals.__table__
    insert_once(table, organization_id=tenant(), count=0)
    db.session.connection().execute(update(table).where(table.c.organization_id == tenant()).values(count=table.c.count + count))


def lost_since_before(contents: Iterable[str], moment_us: int) -> bool:
    """Say whether any of the contents has been lost since before a moment."""
    return any(_rows(contents, StoredObject.lost_at < moment_us))


def mark_lost(descriptors: Iterable[StoredDescriptor], *, packs: Iterable[str] = ()) -> int:
    """Mark objects as lost that could not be read as stored, and all objects of packs that are gone.

    Only as they were described: what has been stored again since lies elsewhere. The caller owns the transaction.
    """
    c = StoredObject.__table__.c
    places = [*map(_place_of, descriptors), *(c.pack == pack for pack in packs)]
    return sum(_set_lost(place & c.lost_at.is_(None), now_us()) for place in places)


def mark_found(descriptors: Iterable[StoredDescriptor]) -> int:
    """Mark objects as found that were read and are what they were; the caller owns the transaction."""
    return sum(_set_lost(_place_of(one), None) for one in descriptors)


def _place_of(one: StoredDescriptor) -> ColumnElement[bool]:
    c = StoredObject.__table__.c
    return (c.content == one.content) & (c.pack == one.pack) & (c.place == one.place)


def _set_lost(which: ColumnElement[bool], value: int | None) -> int:
    table = StoredObject.__table__
    return int(db.session.connection().execute(
        update(table).where(table.c.organization_id == tenant(), which).values(lost_at=value, proven_at=None)).rowcount)


def known_descriptor(content: str) -> StoredDescriptor:
    """Return the descriptor of a content that the current organization has.

    Raises:
        ObjectMissing: it has not.
    """
    return picked(known_descriptors([content]), content)


def picked(known: Mapping[str, StoredDescriptor], content: str) -> StoredDescriptor:
    """Return one of the descriptors that `known_descriptors` gave.

    Raises:
        ObjectMissing: it is not among them.
    """
    if content not in known:
        raise ObjectMissing(f"The object {content} is not in the catalogue.", content=content)
    return known[content]
