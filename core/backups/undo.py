"""Undoing a restore: what it changed goes back to what it was, as its journal has it; what people changed since is left alone.

Three sides decide of each thing: how it stood before the restore, how the restore left it, how it stands now. Where the last two
are the same it goes back. Where they differ, each property of a document and each field of a record goes back by itself, or is left
and listed.

Source: docs/rules.md, “Undo”; docs/decisions/0017.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from core.apps import documents
from core.apps.lifting import lifted, lifted_parts
from core.apps.models import DocumentRow, HiddenPart
from core.apps.snapshot import parse_body
from core.archive.canonical import canonical
from core.backups.journal import DOCUMENTS, Journal, documents_changed, standing
from core.backups.merge import compare_documents
from core.base.db import db
from core.base.errors import InvalidDocument
from core.base.refs import split
from core.base.time import now_us
from core.extension.component import Component, Document
from core.server import server
from core.tenancy.models import App

Standing = Mapping[str, Any]
"""How a document stands: {"body" (text), "position", "hidden", "version", "parts" in the bin}, see `journal.standing`."""
EDITED, GONE, DELETED, BROUGHT_BACK = ("it was changed since", "it was permanently deleted since", "it was deleted since",
                                       "it was restored from the recycle bin since")


@dataclass
class Left:
    """Something that is left as it is now: a document or a part of one, and why."""

    document: str
    name: str
    part: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"document": self.document, "name": self.name, "part": self.part, "reason": self.reason}


@dataclass
class Back:
    """A document that goes back: how it shall stand; *whole* where nothing of it was changed since the restore."""

    address: str
    to: Standing
    whole: bool

    @property
    def document(self) -> Document:
        """The document as a value."""
        return as_document(self.address, self.to)


@dataclass
class UndoContext:
    """What components work with when a restore is undone.

    *before*, *after*, *now* and *undone* are documents by address, those in the recycle bin as well: as they were before the
    restore, after it, as they are now, and as they are once the restore is undone. With *force* also what was changed since
    goes back.
    """

    app: App
    journal: Journal
    connection: Connection
    writing: bool
    force: bool
    person: str
    before: Mapping[str, Document]
    after: Mapping[str, Document]
    now: Mapping[str, Document]
    undone: Mapping[str, Document]
    live: frozenset[str] = field(default_factory=frozenset)


def undo(app: App, journal: Journal, saved: Mapping[str, Document], connection: Connection, person: str, *, force: bool,
         writing: bool) -> dict[str, Any]:
    """Undo a restore within the caller's transaction, or tell what that would do; return the report by component as JSON.

    Args:
        saved: The documents of the backup that was made before the restore: those that it did not touch are as they were then.
    """
    entries = list(_entries(journal))
    now = {address: in_todays_shape(address, stands)
           for address, stands in standing(app.id, [address for address, _, _ in entries]).items()}
    left: list[Left] = []
    backs = [back for address, before, after in entries
             if (back := _decide(address, before, after, now[address], left, force=force)) is not None]
    everything = _all_documents(app)
    undone = {**everything, **{back.address: back.document for back in backs}}
    hidden = _hidden(app)
    live = ({a for a in everything if a not in hidden} | {b.address for b in backs if not b.to["hidden"]}) - {
        b.address for b in backs if b.to["hidden"]}
    report = _tell(app, everything, hidden, undone, live, left)
    if writing:
        _put(app, backs, person)
    before = {address: as_document(address, stood) for address, stood, _ in entries if stood is not None}
    after = {address: as_document(address, stood) for address, _, stood in entries if stood is not None}
    context = UndoContext(app, journal, connection, writing, force, person, before={**everything, **saved, **before},
                          after={**everything, **saved, **after}, now=everything, undone=undone, live=frozenset(live))
    for component in server().registry.components.values():
        does = component.undo_data if writing else component.plan_undo
        if told := dict(does(app, context)):
            report.setdefault(component.name, {})["data"] = told
    return report


def as_document(address: str, stands: Standing) -> Document:
    """Return how a document stands as a value."""
    kind, key = address.split("/")
    return Document(kind=kind, key=key, body=parse_body(stands["body"]), position=stands["position"])


def _entries(journal: Journal) -> Iterable[tuple[str, Standing | None, Standing | None]]:
    """Return (address, before, after) of each document that the restore changed; of several changes the first and the last."""
    found: dict[str, tuple[str, Any, Any]] = {}
    for stage in journal.stages(DOCUMENTS):
        for address, before, after in stage:
            if split(address)[0] in server().registry.kinds:  # what its plugin would have to understand stays
                found[address] = (address, found[address][1] if address in found else in_todays_shape(address, before),
                                  in_todays_shape(address, after))
    return found.values()


def in_todays_shape(address: str, stands: Standing | None) -> Standing | None:
    """Return how a document stood, as its component would have it today."""
    if stands is None:
        return None
    component = documents.component_of(split(address)[0])
    version = stands.get("version", component.version)
    if version == component.version:
        return {**stands, "version": version}
    document = as_document(address, stands)
    parts = [(part, key, parse_body(body), place) for part, key, body, place in stands["parts"] or ()]
    return {**stands, "version": component.version, "body": documents.body_text(lifted(component, document, version)),
            "parts": sorted([part, key, canonical(body).decode(), place]
                            for part, key, body, place in lifted_parts(component, document, version, parts))}


def _decide(address: str, before: Standing | None, after: Standing | None, now: Standing | None, left: list[Left], *,
            force: bool) -> Back | None:
    """Return how a document goes back, None where it stays; what is left of it is added to *left*."""
    def leave(stands: Standing, reason: str, part: str = "") -> None:
        left.append(Left(address, str(parse_body(stands["body"]).get("name", ""))[:200], part, reason))

    absent = before is None or before["hidden"]
    if now is None:
        if before is None or absent:
            return None
        if force:
            return Back(address, before, whole=True)
        leave(before, GONE)
        return None
    gone: Standing = {**(before or now), "hidden": True}
    single = server().registry.kinds[split(address)[0]][1].single
    if single and absent:
        return None
    if force or now == after:
        return Back(address, gone if before is None else before, whole=True)
    if after is None or now["hidden"] != after["hidden"]:
        if now["hidden"] is not absent:
            leave(now, DELETED if now["hidden"] else BROUGHT_BACK)
        return None
    if before is None or absent:
        leave(now, EDITED)
        return None
    return _in_part(address, before, after, now, leave)


def _in_part(address: str, before: Standing, after: Standing, now: Standing, leave: Any) -> Back | None:
    """Take back what of a document nobody has changed since."""
    kind = server().registry.kind(split(address)[0])[1]
    old, made, stands = (parse_body(side["body"]) for side in (before, after, now))
    body, clashes = three_way(old, made, stands, set(kind.parts.values()))
    position = before["position"] if now["position"] == after["position"] else now["position"]
    document = Document(kind=kind.name, key=address.partition("/")[2], body=body, position=position)
    try:
        text = documents.body_text(document)
        documents.component_of(kind.name).check(document)
    except InvalidDocument:
        leave(now, EDITED)
        return None
    for name in clashes:
        leave(now, EDITED, name)
    to = {"body": text, "position": position, "hidden": before["hidden"], "version": now["version"], "parts": None}
    return None if (text, position, to["hidden"]) == (now["body"], now["position"], now["hidden"]) else Back(address, to, whole=False)


def three_way(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any],
              lists: Iterable[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """Return *now* with all that is as *after* put back to *before*, and the names of what is neither.

    Args:
        lists: Names of properties that list parts with keys: each part goes back by itself.
    """
    taken: dict[str, Any] = {}
    clashes: list[str] = []
    for name in dict.fromkeys([*now, *before, *after]):
        sides = [side.get(name) for side in (before, after, now)]
        if name in lists and all(isinstance(side, list) for side in sides):
            taken[name], inner = _lists(*sides)  # type: ignore[arg-type]
            clashes += [f"{name}/{key}" for key in inner]
            continue
        chosen, clash = _choose(*sides)
        if clash:
            clashes.append(name)
        if chosen is not None:
            taken[name] = chosen
    return taken, clashes


def _choose(before: Any, after: Any, now: Any) -> tuple[Any, bool]:
    """Return what stands afterwards, and whether it had to be left although the restore changed it."""
    if now == after:
        return before, False
    return now, before not in (after, now)


def _lists(before: list[Any], after: list[Any], now: list[Any]) -> tuple[list[Any], list[str]]:
    keyed = [{part["key"]: part for part in side} for side in (before, after, now)]
    order = [part["key"] for part in (before if [*keyed[2]] == [*keyed[1]] else now)]
    taken, clashes = {}, []
    for key in dict.fromkeys([*order, *keyed[2], *keyed[0]]):
        chosen, clash = _choose(*(side.get(key) for side in keyed))
        if clash:
            clashes.append(key)
        if chosen is not None:
            taken[key] = chosen
    return list(taken.values()), clashes


def _all_documents(app: App) -> dict[str, Document]:
    d = DocumentRow.__table__.c
    rows = db.session.connection().execute(select(d.kind, d.key, d.body, d.position, d.version).where(
        d.app_id == app.id, d.kind.in_(list(server().registry.kinds))))
    stored = ((Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position), row.version) for row in rows)
    return {document.address: lifted(documents.component_of(document.kind), document, version) for document, version in stored}


def _hidden(app: App) -> frozenset[str]:
    return frozenset(address for address, _ in documents.bin_of(app))


def _tell(app: App, now: Mapping[str, Document], hidden: frozenset[str], undone: Mapping[str, Document], live: Iterable[str],
          left: list[Left]) -> dict[str, Any]:
    """Return what is told of documents, by component."""
    before = {address: document for address, document in now.items() if address not in hidden}
    after = {address: undone[address] for address in live if address in undone}
    report: dict[str, Any] = {}
    for component in server().registry.components.values():
        told = {"documents": compare_documents(component, before, after, hidden),
                "left_alone": [one.as_dict() for one in left if _owns(component, one.document)]}
        if said := {name: found for name, found in told.items() if found}:
            report[component.name] = said
    return report


def _owns(component: Component, address: str) -> bool:
    return any(kind.name == split(address)[0] for kind in component.kinds)


def _put(app: App, backs: list[Back], person: str) -> None:
    """Put the documents as decided; what goes to the recycle bin comes last."""
    touched = [back.address for back in backs]

    def change() -> None:
        documents.change(app, person, put=[back.document for back in backs])
        documents.change(app, person, hide=[back.address for back in backs if back.to["hidden"]])
        for back in backs:
            if back.whole and back.to["parts"] is not None:
                _put_parts(app, back)

    if backs:
        documents_changed(app, touched, change)


def _put_parts(app: App, back: Back) -> None:
    """Put the parts of a document in the recycle bin back to what they were; newer ones stay there."""
    kind, key = back.address.split("/")
    table = HiddenPart.__table__
    connection = db.session.connection()
    for part, part_key, body, place in back.to["parts"]:
        mine = (table.c.app_id == app.id) & (table.c.kind == kind) & (table.c.key == key) & (
            table.c.part == part) & (table.c.part_key == part_key)
        if not connection.execute(update(table).where(mine).values(body=body, place=place)).rowcount:
            connection.execute(table.insert().values(app_id=app.id, kind=kind, key=key, part=part, part_key=part_key, body=body,
                                                     place=place, hidden_at=now_us()))
    db.session.expire_all()

