"""Order and parts: where a document stands among its siblings, and one part of a document by itself. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.apps import documents, locks
from core.apps.models import HiddenPart
from core.apps.snapshot import parse_body
from core.apps.three_way_merge import merged
from core.base.db import db
from core.base.errors import NotFound
from core.base.ids import new_key
from core.base.refs import pointers
from core.extension.component import Document
from core.server import server
from core.tenancy.models import App

Part = Mapping[str, Any]


def add(app: App, kind: str, body: Mapping[str, Any], person: str) -> Document:
    """Make a document behind all others of its kind and return it."""
    locks.take(app)
    letter = server().registry.kind(kind)[1].letter
    position = max((d.position + 1 for d in documents.live(app, kind)), default=0)
    return documents.put(app, Document(kind=kind, key=new_key(letter), body=body, position=position), person)


def put_body(app: App, document: Document, body: Mapping[str, Any], person: str) -> Document:
    """Give a document another body; it stays where it stands, and so does what others changed since it was read.

    Raises:
        Conflict: somebody changed the same since *document* was read.
    """
    return documents.put(app, merged_with(app, document, body), person)


def merged_with(app: App, document: Document, body: Mapping[str, Any]) -> Document:
    """Return a document as it stands now with what makes *body* differ from the *document* that was read; nobody changes it meanwhile.

    Raises:
        Conflict: see `put_body`.
    """
    locks.take(app)
    now = documents.get(app, document.address)
    return Document(kind=now.kind, key=now.key, body=merged(document.body, body, now.body), position=now.position)


def move(app: App, address: str, by: int, person: str) -> None:
    """Move a document up (-1) or down (1) among the live ones of its kind."""
    locks.take(app)
    document = documents.get(app, address)
    siblings = documents.live(app, document.kind)
    place = next(n for n, one in enumerate(siblings) if one.key == document.key)
    other = min(max(place + by, 0), len(siblings) - 1)
    siblings.insert(other, siblings.pop(place))
    documents.change(app, person, put=[
        Document(kind=one.kind, key=one.key, body=one.body, position=n) for n, one in enumerate(siblings) if one.position != n])


def listed(kind: str, part: str) -> str:
    """Return the property of a kind's body that lists a part ("fields" for "field").

    Raises:
        NotFound: the kind has no such parts.
    """
    found = server().registry.kind(kind)[1].parts.get(part)
    if found is None:
        raise NotFound(f"A {kind} has no “{part[:40]}” parts.")
    return found


def in_bin(app: App, document: Document, part: str) -> dict[str, Part]:
    """Return the parts of one kind ("field") of a document that are in the recycle bin, by key."""
    query = select(HiddenPart.part_key, HiddenPart.body).where(
        HiddenPart.app_id == app.id, HiddenPart.kind == document.kind, HiddenPart.key == document.key, HiddenPart.part == part)
    return {key: parse_body(body) for key, body in db.session.execute(query)}


def part_of(document: Document, part: str, key: str) -> Part:
    """Return one part of a document.

    Raises:
        NotFound: it has none of that key.
    """
    found = next((one for one in document.body.get(listed(document.kind, part), ()) if one["key"] == key), None)
    if found is None:
        raise NotFound(f"It has no {part} “{key[:40]}”.")
    return found  # type: ignore[no-any-return]


def with_part(document: Document, part: str, body: Part) -> dict[str, Any]:
    """Return a document's body with a part in the place of the one of its key, or behind all others."""
    name = listed(document.kind, part)
    parts = list(document.body.get(name, ()))
    place = next((n for n, one in enumerate(parts) if one["key"] == body["key"]), None)
    if place is None:
        parts.append(body)
    else:
        parts[place] = body
    return {**document.body, name: parts}


def taken(now: Mapping[str, Any], saved: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """Return a body with the keyed thing *key* (a field, a choice of a field) as another body has it; None where that is not possible.

    It takes the place of the one of its key, or stands behind what stood before it there.
    """
    found = _taken(now, saved, key)
    return found if isinstance(found, dict) else None


def _taken(now: Any, saved: Any, key: str) -> Any:
    """Return *now* with what is called *key* anywhere in *saved*; None where it is nowhere, or what it stands in is not in *now*."""
    if isinstance(saved, Mapping):
        for name, inner in saved.items():
            there = now.get(name) if isinstance(now, Mapping) else None
            if (found := _taken(there, inner, key)) is not None and isinstance(now, Mapping):
                return {**now, name: found}
    if isinstance(saved, list | tuple) and all(isinstance(one, Mapping) and "key" in one for one in saved):
        return _taken_of(list(now or ()), list(saved), key)
    return None


def _taken_of(now: list[Any], saved: list[Any], key: str) -> list[Any] | None:
    keys = [one["key"] for one in saved]
    if key in keys:
        return _placed(now, saved, keys.index(key))
    there = {one["key"]: n for n, one in enumerate(now) if isinstance(one, Mapping) and "key" in one}
    for one in saved:
        if one["key"] in there and (found := _taken(now[there[one["key"]]], one, key)) is not None:
            return [*now[:there[one["key"]]], found, *now[there[one["key"]] + 1:]]
    return None


def _placed(now: list[Any], saved: list[Any], at: int) -> list[Any]:
    """Return a list with the saved item at its old place: instead of itself, or behind the nearest one that stood before it."""
    places = {one["key"]: n for n, one in enumerate(now)}
    if saved[at]["key"] in places:
        return [saved[at] if one["key"] == saved[at]["key"] else one for one in now]
    before = next((places[one["key"]] for one in reversed(saved[:at]) if one["key"] in places), -1)
    return [*now[:before + 1], saved[at], *now[before + 1:]]


def put_part(app: App, document: Document, part: str, body: Part, person: str) -> Document:
    """Make a part of a document, or replace it."""
    return put_body(app, document, with_part(document, part, body), person)


def move_part(app: App, document: Document, part: str, key: str, by: int, person: str) -> None:
    """Move a part up (-1) or down (1) in its document."""
    name = listed(document.kind, part)
    parts = list(document.body.get(name, ()))
    place = parts.index(part_of(document, part, key))
    parts.insert(min(max(place + by, 0), len(parts) - 1), parts.pop(place))
    put_body(app, document, {**document.body, name: parts}, person)


def referring(app: App, address: str) -> list[Document]:
    """Return the live documents that point to a document or to one of its parts, itself left out."""
    own = "/".join(address.split("/")[:2])
    return [document for document in documents.live(app) if document.address != own and any(
        pointer.tag == "ref" and (pointer.target == address or pointer.target.startswith(f"{address}/"))
        for pointer in pointers(document.body))]
