"""Groups of an app's navigation: which worksheets and pages stand in which, in what order. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.api import App, Document, InvalidInput, NotFound, documents, locks, placing
from plugins.settings.typed_names import checked

SHOWN = ("worksheet", "page")
"""Kinds of documents that stand in a navigation by themselves when no group names them."""
STEPS = {"up": -1, "down": 1}
MAX_ITEMS = 500
TELLING = frozenset({"view", "table", "list", "record", "chart", "form"})
"""Types of blocks for whose sake people come to a page."""


def create(app: App, name: str, person: str) -> Document:
    """Make a group that holds nothing yet and return it.

    Raises:
        InvalidInput: the name does not fit.
    """
    return placing.add(app, "group", {"name": checked(name, "a group name"), "items": []}, person)


def change(app: App, key: str, person: str, **properties: Any) -> None:
    """Change properties of a group; those given empty are taken out.

    Raises:
        NotFound: there is no such group.
    """
    locks.take(app)
    group = documents.get(app, f"group/{key}")
    body = {name: value for name, value in {**group.body, **properties}.items() if value or name not in properties}
    placing.put_body(app, group, body, person)


def refs(group: Document) -> list[str]:
    """Return the addresses that a group names, in order."""
    return [item["ref"] for item in group.body["items"]]


def place(app: App, address: str, to: str, person: str) -> None:
    """Move an item "up" or "down" among the visible ones of its group, into the group of the key *to*, or, for "none", out of all.

    Raises:
        NotFound: there is no such item or group.
        InvalidInput: the group is full.
    """
    locks.take(app)
    if address.partition("/")[0] not in SHOWN:
        raise NotFound("Only worksheets and pages can be in the navigation.")
    documents.get(app, address)
    groups = documents.live(app, "group")
    if to in STEPS:
        _step(app, groups, address, STEPS[to], person)
        return
    if to != "none" and to not in {group.key for group in groups}:
        raise NotFound("This group no longer exists.")
    for group in groups:
        items = [ref for ref in refs(group) if ref != address]
        if group.key == to:
            if len(items) >= MAX_ITEMS:
                raise InvalidInput(f"A group can have {MAX_ITEMS} items at most.")
            items.append(address)
        _put(app, group, items, person)


def _step(app: App, groups: list[Document], address: str, by: int, person: str) -> None:
    """Swap an item with the next one that is there; what is in the recycle bin keeps its place."""
    there = {document.address for kind in SHOWN for document in documents.live(app, kind)}
    for group in groups:
        items = refs(group)
        if address not in items:
            continue
        here = items.index(address)
        onward = range(here + by, len(items) if by > 0 else -1, by)
        other = next((n for n in onward if items[n] in there), here)
        items[here], items[other] = items[other], items[here]
        _put(app, group, items, person)


def _put(app: App, group: Document, items: list[str], person: str) -> None:
    if items != refs(group):
        placing.put_body(app, group, {**group.body, "items": [{"ref": ref} for ref in items]}, person)


def left_out(body: Mapping[str, Any]) -> str | None:
    """Return why a worksheet or page stands in no navigation, None where it does."""
    if body.get("shared"):
        return "it provides the header and footer of other pages"
    if any(p.get("in", "path") == "path" for p in body.get("parameters", ())):
        return "other pages link to it"
    types = set(_types(body.get("blocks", ())))
    if "sign_in" in types and not types & TELLING:
        return "it is a sign-in page, and everybody here is signed in"
    return None


def _types(blocks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        yield block["type"]
        yield from _types(block.get("blocks", ()))
