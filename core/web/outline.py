"""An outline of a document: what it says, as far as it can be told of any, in words and without keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.apps import documents
from core.base.ids import is_key
from core.extension.component import Document
from core.server import server
from core.tenancy.models import App
from core.web.shell import person

MOST_LINES, MOST_CHARS, MAX_DEPTH = 300, 300, 6
NAMES = ("name", "title", "label", "text", "type")
"""What a thing in a document is called by: the first of these that it has."""
POINTERS = ("ref", "org")
OUTSIDE, GONE = "something outside this app", "something that is not in this backup"
_CODE = re.compile(r"[a-z]+(_[a-z]+)+\Z")
_KEY = re.compile(r"[a-z]_[1-9A-HJ-NP-Za-km-z]{10}\Z")
_HOLE = re.compile(r"\{(\d{1,3})\}")


@dataclass(frozen=True, slots=True)
class Told:
    """One line: what it is, what it says, and the lines below it."""

    title: str
    text: str = ""
    inside: tuple[Told, ...] = ()


def outline(app: App, document: Document) -> list[Told]:
    """Return what a document says, beside its name and description; so many lines at most."""
    schema = server().registry.kind(document.kind)[1].schema
    body = {name: value for name, value in document.body.items() if name not in ("name", "description")}
    return list(_Outline(app).of(body, schema.get("properties", {}), 0))


class _Outline:
    """Makes the outlines of documents of one app."""

    def __init__(self, app: App) -> None:
        self.app, self.left = app, MOST_LINES

    @cached_property
    def names(self) -> dict[str, str]:
        """What each thing in the app's documents is called, by its key."""
        found: dict[str, str] = {}
        waiting: list[Any] = [{**one.body, "key": one.key} for one in documents.live(self.app)]
        while waiting:
            one = waiting.pop()
            if isinstance(one, Mapping):
                if isinstance(one.get("key"), str) and (name := one.get("name") or one.get("title")):
                    found[one["key"]] = str(name)[:MOST_CHARS]
                waiting.extend(one.values())
            elif isinstance(one, list):
                waiting.extend(one)
        return found

    def of(self, body: Mapping[str, Any], properties: Mapping[str, Any], depth: int) -> Iterator[Told]:
        """Yield a line for each property that says something."""
        for name, value in body.items():
            if name != "key" and self.left > 0 and value not in (None, "", [], {}):
                self.left -= 1
                yield self._told(str(properties.get(name, {}).get("title") or _words(name)), value, depth)

    def _told(self, title: str, value: Any, depth: int) -> Told:
        if isinstance(value, Mapping) and not _is_text(value):
            return Told(title, inside=tuple(self.of(value, {}, depth + 1)) if depth < MAX_DEPTH else ())
        if isinstance(value, list) and any(isinstance(one, Mapping) and not _is_text(one) for one in value):
            return Told(title, inside=tuple(self._items(value, depth)))
        return Told(title, ", ".join(map(self._text, value)) if isinstance(value, list) else self._text(value))

    def _items(self, items: list[Any], depth: int) -> Iterator[Told]:
        for one in items:
            if self.left > 0 and isinstance(one, Mapping):
                self.left -= 1
                name = next((found for found in (*NAMES, *one) if found in one and found != "key" and _is_text(one[found])), "")
                rest = {key: value for key, value in one.items() if key != name}
                title = self._text(one[name]) if name else ""
                inside = tuple(self.of(rest, {}, depth + 1)) if depth < MAX_DEPTH else ()
                yield Told(title.capitalize() if name == "type" else title, inside=inside)

    def _text(self, value: Any) -> str:
        """Return a value as people read it."""
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, Mapping):
            return self._filled(value) if "template" in value else self._name(str(next(value[one] for one in POINTERS if one in value)))
        text = str(value)[:MOST_CHARS]
        if _KEY.match(text):
            return self.names.get(text, GONE)
        return _words(text) if _CODE.match(text) else text

    def _filled(self, value: Mapping[str, Any]) -> str:
        """Return a text with holes, each filled with the name of what comes there."""
        uses = [self._used(one) for one in value.get("uses", ())]
        return _HOLE.sub(lambda hole: f"[{uses[int(hole[1])]}]" if int(hole[1]) < len(uses) else "", str(value["template"]))[:MOST_CHARS]

    def _used(self, use: Any) -> str:
        told = [one for one in use.values() if _is_text(one)] if isinstance(use, Mapping) else []
        return self._text(told[-1]) if told else ""

    def _name(self, target: str) -> str:
        """Return what a pointer leads to is called."""
        kind, _, rest = target.partition("/")
        if kind == "user":
            return person(rest)
        if kind not in server().registry.kinds:
            return OUTSIDE
        key = rest.rpartition("/")[2]
        return self.names.get(key) or (server().registry.kind(kind)[1].title if not is_key(key, key[:2]) else GONE)


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _is_text(value: Any) -> bool:
    """Say whether a value is told in one text: a plain one, a pointer, a text with holes."""
    if isinstance(value, Mapping):
        pointer = len(value) == 1 and any(isinstance(value.get(name), str) for name in POINTERS)
        return pointer or (isinstance(value.get("template"), str) and isinstance(value.get("uses", []), list))
    return not isinstance(value, list)
