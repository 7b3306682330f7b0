"""The mobile navigation: items at the foot of narrow screens, each with a target or with items of its own.

Items have no keys; a path of places such as "0" or "1-0" names one. The caller owns the transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.api import ICONS, SINGLE, App, Conflict, InvalidInput, NotFound, documents, is_sign, placing
from plugins.settings.typed_names import checked

ADDRESS = f"navigation/{SINGLE}"
MAX_ITEMS = 50
_PATH = re.compile(r"[0-9]{1,2}(?:-[0-9]{1,2}){0,9}\Z")
Item = dict[str, Any]
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An item as a list shows it: `path` in addresses, `depth` below the top, whether it is the first or last of its siblings."""

    path: str
    depth: int
    item: Item
    first: bool
    last: bool


def lines(items: list[Item], above: Path = ()) -> Iterator[Line]:
    """Yield all items, each before those inside it."""
    for n, item in enumerate(items):
        path = (*above, n)
        yield Line("-".join(map(str, path)), len(above), item, n == 0, n == len(items) - 1)
        yield from lines(item.get("items", []), path)


def parsed(text: str) -> Path:
    """Return a path.

    Raises:
        NotFound: it is none.
    """
    if not _PATH.match(text):
        raise NotFound("This item no longer exists.")
    return tuple(int(part) for part in text.split("-"))


class Navigation:
    """The items of one app, to be changed and put back whole."""

    def __init__(self, app: App) -> None:
        self.app, self.document = app, documents.get(app, ADDRESS)
        self.items: list[Item] = _copied(self.document.body["items"])

    def check_unchanged(self, seen: str, now: str) -> None:
        """Refuse when the navigation is another one than the page showed.

        Raises:
            Conflict: somebody else changed it.
        """
        if seen != now:
            raise Conflict("Somebody else changed the navigation. Check the current version below, and try again.")

    def siblings(self, path: Path) -> list[Item]:
        """Return the list that holds an item.

        Raises:
            NotFound: there is no such item.
        """
        here = self.items
        for place in path[:-1]:
            here = self._at(here, place).setdefault("items", [])
        self._at(here, path[-1])
        return here

    def item(self, path: Path) -> Item:
        """Return an item."""
        return self.siblings(path)[path[-1]]

    def add(self, item: Item, inside: Path | None) -> None:
        """Add an item behind all others at the top, or inside another.

        Raises:
            InvalidInput: there are as many as there may be.
        """
        where = self.items if inside is None else self.item(inside).setdefault("items", [])
        if len(where) >= MAX_ITEMS:
            raise InvalidInput(f"There can be {MAX_ITEMS} items here at most.")
        where.append(item)

    def step(self, path: Path, by: int) -> None:
        """Move an item among its siblings."""
        siblings = self.siblings(path)
        moved = siblings.pop(path[-1])
        siblings.insert(max(path[-1] + by, 0), moved)

    def remove(self, path: Path) -> None:
        """Take an item out, with those inside it."""
        self.siblings(path).pop(path[-1])

    def put(self, person: str) -> None:
        """Keep what was changed."""
        placing.put_body(self.app, self.document, {**self.document.body, "items": _plain(self.items)}, person)

    def _at(self, items: list[Item], place: int) -> Item:
        if place >= len(items):
            raise NotFound("This item no longer exists.")
        return items[place]


def item(app: App, label: str, icon: str, target: str, kept: Item | None = None) -> Item:
    """Return an item as a form says it; without a label it is called like its target.

    Raises:
        InvalidInput: it has neither label nor target, or one of them does not fit.
    """
    found = dict(kept or {})
    for name in ("icon", "target"):
        found.pop(name, None)
    document = next((d for kind in ("worksheet", "page") for d in documents.live(app, kind) if d.address == target), None)
    if target and document is None:
        raise InvalidInput("Choose a worksheet or page from the list.")
    label = label.strip() or (str(document.body.get("name", "")) if document else "")
    if not label:
        raise InvalidInput("Enter a label, or choose what the item opens.")
    found["label"] = checked(label, "an item's label")
    if icon in ICONS or is_sign(icon):
        found["icon"] = icon
    return found if document is None else {**found, "target": {"ref": document.address}}


def _copied(items: list[Item]) -> list[Item]:
    return [{name: _copied(value) if name == "items" else value for name, value in one.items()} for one in items]


def _plain(items: list[Item]) -> list[Item]:
    """Return items without empty lists inside."""
    return [{name: _plain(value) if name == "items" else value for name, value in one.items() if value or name != "items"}
            for one in items]
