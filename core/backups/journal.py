"""Journal: what a restore changed, as it was before and as the restore left it, written in the restore's own transaction.

From it a restore is undone exactly: it knows what was in a recycle bin or not there at all, which no backup does. It is kept as
long as the backup that was made before the restore.

Source: docs/rules.md, “Undo”; docs/decisions/0017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from core.apps.models import DocumentRow, HiddenPart
from core.archive.compression import compress, decompress
from core.backups.models import Backup
from core.base.db import Base, db, scratch
from core.base.refs import FILE_MARK, files_in_text
from core.tenancy.models import App
from core.tenancy.owned import OwnedByApp
from core.tenancy.wall import tenant

DOCUMENTS = "documents"
_OPEN = "restore_journal"
_ACT = "restore_act"
_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


class RestoreChange(OwnedByApp, Base):
    """Some of what one restore changed: entries of a section as one compressed value; `size` is that of it unpacked, in bytes.

    A section may be written in several stages; within each the entries are in order. What a later stage says of a thing happened
    after what an earlier one says of it.
    """

    __tablename__ = "restore_change"

    run_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    section: Mapped[str] = mapped_column(String(80), primary_key=True)
    stage: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)


_table = RestoreChange.__table__
_c = _table.c


@dataclass
class Stage:
    """One way through a section, entries written in order as they come."""

    write: Callable[[int, bytes], None]
    n: int = 0

    def add(self, entries: Sequence[Any]) -> None:
        """Write some entries, values of plain types; none is no entry."""
        if entries:
            self.write(self.n, _encode(list(entries)))
            self.n += 1


class Journal:
    """The journal of one restore; the caller owns the transaction."""

    def __init__(self, app_id: str, run_id: str, connection: Connection) -> None:
        self.app_id, self.run_id, self.connection, self._stages = app_id, run_id, connection, 0

    def stage(self, section: str) -> Stage:
        """Return a new stage of a section to write to."""
        number, self._stages = self._stages, self._stages + 1

        def write(n: int, raw: bytes) -> None:
            self.connection.execute(_table.insert().values(
                app_id=self.app_id, run_id=self.run_id, section=section, stage=number, n=n, size=len(raw), content=compress(raw)))

        return Stage(write)

    def sections(self) -> list[str]:
        """Return the names of all sections."""
        return sorted(self.connection.execute(select(_c.section).where(*self._mine()).distinct()).scalars())

    def stages(self, section: str) -> list[Iterator[Any]]:
        """Return the entries of a section, stage by stage."""
        found = select(_c.stage).where(*self._mine(), _c.section == section).distinct()
        return [self._entries(section, stage) for stage in sorted(self.connection.execute(found).scalars())]

    def _entries(self, section: str, stage: int) -> Iterator[Any]:
        n = 0
        while row := self.connection.execute(select(_c.size, _c.content).where(
                *self._mine(), _c.section == section, _c.stage == stage, _c.n == n)).first():
            yield from _decode(decompress(row.content, row.size))
            n += 1

    def _mine(self) -> tuple[Any, Any]:
        return _c.app_id == self.app_id, _c.run_id == self.run_id


def open_journal(app: App, run_id: str) -> Journal:
    """Keep a journal of what the current transaction changes in an app."""
    journal = Journal(app.id, run_id, db.session.connection())
    journal.stage("restore").add([run_id])
    scratch()[_OPEN] = journal
    return journal


def journal_of(app: App) -> Journal | None:
    """Return the journal that the current transaction keeps of an app, None where it is no restore."""
    found: Journal | None = scratch().get(_OPEN)
    return found if found is not None and found.app_id == app.id else None


@dataclass(frozen=True, slots=True)
class RestoreAct:
    """The restore that goes on: who does it, from which backup, called what then; *undo* where it undoes another one."""

    app_id: str
    run_id: str
    person: str
    backup: str
    name: str
    undo: bool


def begin_act(act: RestoreAct) -> None:
    """Say what restore the current transaction is."""
    scratch()[_ACT] = act


def restore_act(app: App) -> RestoreAct | None:
    """Return the restore of an app that the current transaction is, None where it is none."""
    found: RestoreAct | None = scratch().get(_ACT)
    return found if found is not None and found.app_id == app.id else None


def is_kept(app_id: str, run_id: str) -> bool:
    """Say whether a restore left a journal."""
    return db.session.scalar(select(func.count()).select_from(RestoreChange).where(
        _c.app_id == app_id, _c.run_id == run_id, _c.section == "restore")) == 1


def forget_orphans() -> int:
    """Remove, in the caller's transaction, the journals of the current organization whose backup was deleted; return how many rows."""
    apps = select(App.__table__.c.id).where(App.__table__.c.organization_id == tenant())
    kept = select(Backup.__table__.c.run_id).where(
        Backup.__table__.c.organization_id == tenant(), Backup.__table__.c.type == "pre_restore", Backup.__table__.c.deleted_at.is_(None),
        Backup.__table__.c.run_id.is_not(None))
    return db.session.connection().execute(
        delete(_table).where(_c.app_id.in_(apps), _c.run_id.not_in(kept))).rowcount


def files_named(app_id: str, connection: Connection) -> Iterator[str]:
    """Yield the digests of files that only an undone restore may bring back: they stay as long as the journal does."""
    keys = connection.execute(select(_c.run_id, _c.section, _c.stage, _c.n).where(_c.app_id == app_id)).all()
    for run_id, section, stage, n in keys:
        row = connection.execute(select(_c.size, _c.content).where(
            _c.app_id == app_id, _c.run_id == run_id, _c.section == section, _c.stage == stage, _c.n == n)).first()
        if row is not None:
            yield from (digest for text in _texts(_decode(decompress(row.content, row.size))) for digest in files_in_text(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        if FILE_MARK in value:
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def standing(app_id: str, addresses: Iterable[str]) -> dict[str, dict[str, Any] | None]:
    """Return how documents stand, live or in the bin, with their parts in the bin; None for one that is not there."""
    return {address: _standing(app_id, *address.split("/")) for address in addresses}


def _standing(app_id: str, kind: str, key: str) -> dict[str, Any] | None:
    connection, d, h = db.session.connection(), DocumentRow.__table__.c, HiddenPart.__table__.c
    row = connection.execute(select(d.body, d.position, d.hidden_at, d.version).where(
        d.app_id == app_id, d.kind == kind, d.key == key)).first()
    if row is None:
        return None
    parts = connection.execute(select(h.part, h.part_key, h.body, h.place).where(h.app_id == app_id, h.kind == kind, h.key == key))
    return {"body": row.body, "position": row.position, "hidden": row.hidden_at is not None, "version": row.version,
            "parts": sorted(list(part) for part in parts)}


def documents_changed(app: App, addresses: Iterable[str], change: Callable[[], Any]) -> Any:
    """Do *change*, which changes these documents, and write into the open journal how they stood before and after."""
    journal, wanted = journal_of(app), sorted(set(addresses))
    if journal is None:
        return change()
    db.session.flush()
    before = standing(app.id, wanted)
    answer = change()
    db.session.flush()
    after = standing(app.id, wanted)
    journal.stage(DOCUMENTS).add([[address, before[address], after[address]] for address in wanted if before[address] != after[address]])
    return answer
