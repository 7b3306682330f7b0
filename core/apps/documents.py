"""Verbs on documents: put, hide, bring back, purge, and the same for their parts. The caller owns the transaction.

Putting a body that lacks a part which the old body had hides that part, and putting one that has a hidden part
brings it back: an editor, a script and a restore all do it the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import delete, func, inspect, select

from core.apps import locks
from core.apps.lifting import lifted, validator
from core.apps.models import DocumentRow, HiddenPart
from core.apps.permissions import standing
from core.apps.snapshot import MAX_BODY_BYTES, parse_body
from core.archive.canonical import canonical
from core.base.db import batched, db, in_transaction, scratch
from core.base.errors import Conflict, InvalidDocument, InvalidInput, NotFound
from core.base.ids import SINGLE, SYSTEM, is_key
from core.base.refs import pointers, split
from core.base.time import now_us
from core.extension.component import Component, Document
from core.server import server
from core.tenancy.models import App
from core.tenancy.request_cache import keeping, making_page, remembered

ASKED_AT_ONCE = 500
MAX_COMPONENT_BYTES = 32 * 1024 * 1024
"""What all documents of one component may hold together: they are one segment of a backup."""
MOST_RIGHT = 4096
_right: set[tuple[int, str, str, bytes]] = set()
"""Bodies that follow their kind's schema: the schema, kind, key and digest of each. Names nothing, and belongs to no tenant."""
Changes = dict[str, Document]
_READ = "documents_read"
"""Where `scratch` keeps the rows that a transaction has read."""


class Read(NamedTuple):
    """A live document as its row had it, apart from the session; its body is parsed anew for whoever asks."""

    kind: str
    key: str
    body: str
    position: int
    version: int

    @classmethod
    def of(cls, row: DocumentRow) -> Read:
        """Return what a row has."""
        return cls(row.kind, row.key, row.body, row.position, row.version)


Notes = dict[str, dict[str, int]]
"""Component name -> what it counted, by name."""


def put(app: App, document: Document, person: str) -> Document:
    """Make the document, or replace its body, and return it.

    Raises:
        InvalidDocument: the body does not follow its kind's schema, its component refuses it, or it points into another app
            that the person does not manage, as the body before did not.
        AppRestoring: the app is being restored.
    """
    if person != SYSTEM:
        _check_elsewhere(app, document, person)
    component = component_of(document.kind)
    if type(component).check_edit is not Component.check_edit:
        locks.take(app)
        component.check_edit(_standing(app, [document]).get(document.address), document)
    change(app, person, put=[document])
    return document


def _check_elsewhere(app: App, document: Document, person: str) -> None:
    """Refuse new pointers into apps that the person does not manage; one that is not there is told no other way."""
    named = _elsewhere(document)
    if not named:
        return
    locks.take(app)
    before = _standing(app, [document]).get(document.address)
    for target in sorted(named - (_elsewhere(before) if before is not None else set())):
        other = db.session.scalar(select(App).where(App.id == target.split("/")[1], App.deleted_at.is_(None)))
        if other is None or not standing(other, person).admin:
            raise InvalidDocument(f"This uses an item of another app ({target[:60]}) that you do not manage. Choose another one.",
                                  address=document.address)


def _elsewhere(document: Document) -> set[str]:
    return {pointer.target for pointer in pointers(document.body) if pointer.tag == "org" and pointer.target.startswith("app/")}


def change(app: App, person: str, *, put: Iterable[Document] = (), hide: Iterable[str] = ()) -> Notes:
    """Put documents and hide others at once, so that each is checked with the others in place.

    Returns what components counted while following the change.
    """
    locks.take(app)
    documents = list(put)
    texts = {document.address: body_text(document) for document in documents}
    before = _standing(app, documents)
    after = {document.address: document for document in documents}
    for document in documents:
        _put_row(app, document, texts[document.address], person)
    for address in hide:
        before[address] = _hide_row(app, address)
    notes = _announce(app, before, after)
    _check_size(app, {component_of(document.kind).name for document in documents})
    return notes


def keep_unread(app: App, component: str, version: int, unread: Iterable[Document], person: str) -> None:
    """Give a new app documents of a component that is not here, word for word; nobody can judge them."""
    locks.take(app)
    for document in unread:
        db.session.add(DocumentRow(
            app_id=app.id, kind=document.kind, key=document.key, body=canonical(document.body).decode(), position=document.position,
            component=component, version=version, hidden_at=None, updated_at=now_us(), updated_by=person))
    db.session.flush()


def hide(app: App, address: str, person: str) -> None:
    """Move a live document or part to the recycle bin; what hangs on it stays.

    Raises:
        NotFound: there is no such live document or part.
        Conflict: every app has exactly one document of this kind.
    """
    locks.take(app)
    kind, key, part, part_key = _split(address)
    if part is None:
        change(app, person, hide=[address])
        return
    document = get(app, address)
    listed = _parts(document, part)
    if all(item["key"] != part_key for item in listed):
        raise NotFound(f"This {part} does not exist, or you do not have access to it.")
    kept = [item for item in listed if item["key"] != part_key]
    put(app, _with_parts(document, part, kept), person)


def bring_back(app: App, address: str, person: str) -> None:
    """Bring a document or part back from the recycle bin, to where it was.

    Raises:
        NotFound: it is not in the recycle bin.
    """
    locks.take(app)
    kind, key, part, part_key = _split(address)
    if part is None:
        row = _row(app, kind, key, hidden=True)
        row.hidden_at = None
        _announce(app, {address: _document(row)}, {address: _document(row)})
        return
    document = _document(_row(app, kind, key, hidden=False))
    hidden = db.session.get(HiddenPart, (app.id, kind, key, part, part_key))
    if hidden is None:
        raise NotFound(f"{address} is not in the recycle bin.")
    listed = _parts(document, part)
    listed.insert(min(hidden.place, len(listed)), parse_body(hidden.body))
    put(app, _with_parts(document, part, listed), person)


def purge(app: App, address: str, person: str) -> None:
    """Remove for good what is in the recycle bin, with what hangs on it.

    Raises:
        NotFound: it is not in the recycle bin (a live thing is hidden first).
    """
    locks.alone(app)
    kind, key, part, part_key = _split(address)
    component = component_of(kind)
    if part is None:
        row = _row(app, kind, key, hidden=True)
        component.purged(app, address)
        db.session.delete(row)
    else:
        hidden = db.session.get(HiddenPart, (app.id, kind, key, part, part_key))
        if hidden is None:
            raise NotFound(f"{address} is not in the recycle bin.")
        component.purged(app, address)
        db.session.delete(hidden)
    db.session.flush()


def get(app: App, address: str) -> Document:
    """Return a live document.

    Raises:
        NotFound: there is none.
    """
    kind, key, _, _ = _split(address)
    return _document(remembered(("document", app.id, kind, key), lambda: _read(app, kind, key)))


def _read(app: App, kind: str, key: str) -> Read:
    if making_page() and (found := _all_read(app).get((kind, key))) is not None:
        return found
    return Read.of(_row(app, kind, key, hidden=False))


def _all_read(app: App) -> dict[tuple[str, str], Read]:
    """Return all live documents of an app, read at once: a page with its menu asks for nearly every kind of them."""
    return remembered(("documents", app.id), lambda: {(one.kind, one.key): one for one in _live_rows(app, None)})


def read_ahead(app_ids: Iterable[str], kind: str, key: str = SINGLE) -> None:
    """Read a document of several apps at once, where a page asks for each of them next; elsewhere nothing is done."""
    if not keeping():
        return
    for some in batched(app_ids, ASKED_AT_ONCE):
        query = select(DocumentRow).where(DocumentRow.app_id.in_(some), DocumentRow.kind == kind, DocumentRow.key == key,
                                          DocumentRow.hidden_at.is_(None))
        for row in db.session.scalars(query):
            remembered(("document", row.app_id, kind, key), lambda row=row: Read.of(row))  # type: ignore[misc]


def held(app: App, address: str) -> Document:
    """Return a live document that nobody changes until the caller's transaction ends; many may hold it at once.

    Raises:
        NotFound: there is none.
    """
    kind, key, _, _ = _split(address)
    locks.hold_document(app.id, kind, key)
    return get(app, address)


def last_author(app: App, address: str) -> str:
    """Return who changed a document last, in the current transaction too; the system where it is not there."""
    kind, key, _, _ = _split(address)
    query = select(DocumentRow.updated_by).where(DocumentRow.app_id == app.id, DocumentRow.kind == kind, DocumentRow.key == key)
    return db.session.scalar(query) or SYSTEM


def live(app: App, kind: str | None = None) -> list[Document]:
    """Return the live documents of an app, of one kind if it is named, in their order; those of absent components are left out."""
    if making_page():
        rows = [one for one in _all_read(app).values() if kind in (None, one.kind)]
    else:
        rows = remembered(("live", app.id, kind), lambda: _live_rows(app, kind))
    return [_document(row) for row in rows]


def _live_rows(app: App, kind: str | None) -> list[Read]:
    query = select(DocumentRow).where(DocumentRow.app_id == app.id, DocumentRow.hidden_at.is_(None))
    if kind is not None:
        query = query.where(DocumentRow.kind == kind)
    known = server().registry.kinds
    found = (Read.of(row) for row in db.session.scalars(query) if row.kind in known)
    return sorted(found, key=lambda row: (row.kind, row.position, row.key))


def bin_of(app: App) -> list[tuple[str, int]]:
    """Return (address, hidden at) of all that is in the app's recycle bin, newest first."""
    rows = db.session.scalars(
        select(DocumentRow).where(DocumentRow.app_id == app.id, DocumentRow.hidden_at.is_not(None))
    )
    known = server().registry.kinds
    found = [(f"{row.kind}/{row.key}", row.hidden_at or 0) for row in rows if row.kind in known]
    parts = db.session.scalars(select(HiddenPart).where(HiddenPart.app_id == app.id))
    found += [(f"{p.kind}/{p.key}/{p.part}/{p.part_key}", p.hidden_at) for p in parts if p.kind in known]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def in_bin(app: App, address: str) -> Document | None:
    """Return a document that is in the recycle bin; None where there is none of that address there."""
    kind, key, *_ = _split(address)
    row = db.session.scalar(select(DocumentRow).where(
        DocumentRow.app_id == app.id, DocumentRow.kind == kind, DocumentRow.key == key, DocumentRow.hidden_at.is_not(None)))
    return None if row is None else _document(row)


def component_of(kind: str) -> Component:
    """Return the component that a kind belongs to."""
    return server().registry.kind(kind)[0]


def check_body(document: Document) -> None:
    """Refuse a body that does not follow its kind's schema, or a key that its kind does not allow.

    Raises:
        InvalidDocument: with the place in the body and what is wrong with it.
    """
    from jsonschema.exceptions import best_match  # loaded where a document is judged

    kind = server().registry.kind(document.kind)[1]
    if not (document.key == SINGLE if kind.single else is_key(document.key, kind.letter + "_")):
        raise InvalidDocument(f"“{document.key[:60]}” is not a valid key for {kind.title.lower()}: "
                              + (f"use {SINGLE}." if kind.single else f"use {kind.letter}_ and ten characters."))
    error = best_match(validator(kind).iter_errors(document.body))
    if error is not None:
        place = "/".join(str(step) for step in error.absolute_path) or "the top level"
        raise InvalidDocument(f"{document.address}, at {place}: {error.message[:300]}", address=document.address,
                              path=list(error.absolute_path), problem=error.message[:300])
    for part, name in kind.parts.items():
        keys = [item["key"] for item in document.body.get(name, ())]
        if len(set(keys)) != len(keys):
            raise InvalidDocument(f"{document.address} has two {part}s with the same key.")


def body_text(document: Document) -> str:
    """Return a checked body as canonical JSON text.

    Raises:
        InvalidDocument: see `check_body`; or the body is too large or cannot be JSON.
    """
    try:
        text = canonical(document.body)  # first: it bounds the depth, which a schema does not
    except ValueError as error:
        raise InvalidDocument(f"{document.address[:100]}: {error}") from error
    if len(text) > MAX_BODY_BYTES:
        raise InvalidDocument(f"{document.address} is larger than {MAX_BODY_BYTES} bytes.")
    _check_once(document, text)
    return text.decode()


def _check_once(document: Document, text: bytes) -> None:
    """Check a body that was not found right before: a restore looks at the same documents several times."""
    schema = id(server().registry.kind(document.kind)[1].schema)
    seen = (schema, document.kind, document.key, blake2b(text, digest_size=16).digest())
    if seen not in _right:
        check_body(document)
        if len(_right) >= MOST_RIGHT:
            _right.clear()
        _right.add(seen)


def _split(address: str) -> tuple[str, str, str | None, str | None]:
    try:
        return split(address)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error


def absent(kind: str) -> NotFound:
    """Return what to say of a document that does not exist, or that somebody may not see: the same of both."""
    return NotFound(f"This {_title(kind)} does not exist, or you do not have access to it.")


def _title(kind: str) -> str:
    found = server().registry.kinds.get(kind)
    return found[1].title.lower() if found is not None else "item"


def _row(app: App, kind: str, key: str, *, hidden: bool) -> DocumentRow:
    server().registry.kind(kind)
    # The session forgets what nobody holds, and a write asks for the same ones again and again.
    kept = scratch().setdefault(_READ, {}) if in_transaction() else {}
    row = kept.get((app.id, kind, key))
    if row is None or not inspect(row).persistent:
        row = db.session.get(DocumentRow, (app.id, kind, key))
    if row is None or (row.hidden_at is not None) is not hidden:
        raise NotFound(f"This {_title(kind)} is not in the recycle bin.") if hidden else absent(kind)
    kept[app.id, kind, key] = row
    return row


def _document(row: DocumentRow | Read) -> Document:
    stored = Document(kind=row.kind, key=row.key, body=parse_body(row.body), position=row.position)
    return lifted(component_of(row.kind), stored, row.version)


def _hide_row(app: App, address: str) -> Document:
    kind, key, _, _ = _split(address)
    row = _row(app, kind, key, hidden=False)
    if server().registry.kind(kind)[1].single:
        raise Conflict(f"{address} cannot be deleted: every app has exactly one.")
    row.hidden_at = now_us()
    return _document(row)


def _standing(app: App, documents: Iterable[Document]) -> Changes:
    """Return what stands where *documents* will, live or in the recycle bin."""
    rows = (db.session.get(DocumentRow, (app.id, document.kind, document.key)) for document in documents)
    return {f"{row.kind}/{row.key}": _document(row) for row in rows if row is not None}


def _put_row(app: App, document: Document, text: str, person: str) -> None:
    row = db.session.get(DocumentRow, (app.id, document.kind, document.key))
    if row is None:
        row = DocumentRow(app_id=app.id, kind=document.kind, key=document.key, hidden_at=None)
        db.session.add(row)
        old: Mapping[str, Any] = {}
    else:
        old = _document(row).body
    component = component_of(document.kind)
    row.component, row.version = component.name, component.version
    row.body, row.position, row.hidden_at = text, document.position, None
    row.updated_at, row.updated_by = now_us(), person
    db.session.flush()
    _move_parts(app, document, old)


def _move_parts(app: App, document: Document, old: Mapping[str, Any]) -> None:
    """Keep the parts that left the body in the recycle bin, and take those that are in it out of the bin."""
    for part, name in server().registry.kind(document.kind)[1].parts.items():
        new = {item["key"] for item in document.body.get(name, ())}
        table = HiddenPart.__table__.c
        hidden = set(db.session.scalars(select(HiddenPart.part_key).where(
            HiddenPart.app_id == app.id, table.kind == document.kind, table.key == document.key, table.part == part)))
        if back := hidden & new:
            db.session.execute(delete(HiddenPart).where(
                HiddenPart.app_id == app.id, table.kind == document.kind, table.key == document.key,
                table.part == part, table.part_key.in_(back)))
        for place, item in enumerate(old.get(name, ())):
            if item["key"] not in new:
                db.session.add(HiddenPart(
                    app_id=app.id, kind=document.kind, key=document.key, part=part, part_key=item["key"],
                    body=canonical(item).decode(), place=place, hidden_at=now_us()))
    db.session.flush()


def _parts(document: Document, part: str) -> list[Any]:
    name = server().registry.kind(document.kind)[1].parts.get(part)
    if name is None:
        raise NotFound(f"A {document.kind} has no “{part}” parts.")
    return list(document.body.get(name, ()))


def _with_parts(document: Document, part: str, items: list[Any]) -> Document:
    name = server().registry.kind(document.kind)[1].parts[part]
    return Document(kind=document.kind, key=document.key, body={**document.body, name: items},
                    position=document.position)


def _announce(app: App, before: Changes, after: Changes) -> Notes:
    """Tell each component which of its documents changed; it may refuse the change."""
    db.session.flush()
    app.revision += 1
    owners = {address: component_of(split(address)[0]) for address in before.keys() | after.keys()}
    notes: Notes = {}
    for component in sorted(set(owners.values()), key=lambda c: c.name):
        old, new = ({address: document for address, document in side.items() if owners[address] is component}
                    for side in (before, after))
        for document in new.values():
            component.check(document)
        if counted := component.documents_changed(app, old, new):
            notes[component.name] = dict(counted)
    db.session.flush()
    return notes


def _check_size(app: App, components: Iterable[str]) -> None:
    for name in components:
        kinds = [kind.name for kind in server().registry.components[name].kinds]
        size = db.session.scalar(select(func.sum(func.length(DocumentRow.body))).where(
            DocumentRow.app_id == app.id, DocumentRow.kind.in_(kinds), DocumentRow.hidden_at.is_(None))) or 0
        if size > MAX_COMPONENT_BYTES // 2:
            raise InvalidDocument(f"The {name} of this app would be larger than {MAX_COMPONENT_BYTES // 2} bytes.")
