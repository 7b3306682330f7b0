"""Formulas as people write them, with the names of fields, and as they are stored, with their keys. Pure.

"{Price} * {Lines.Amount}" is stored as "{f_…} * {f_….f_…}". A name that two fields share, or that has a brace or dot in
it, is shown as its key. What stands in quotes or in a remark is no field.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.api import Definition, InvalidDocument

_FORMULA = re.compile(r"""//[^\n]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\{([^{}\n]{1,300})\}""", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{|\}\}|\{([^{}\n]{1,300})\}")
_PATH = re.compile(r"f_[0-9A-Za-z]{10}(?:\.f_[0-9A-Za-z]{10})?\Z")
Fields = Sequence[Definition]
Linked = Callable[[Definition], Fields]
"""A link field -> the fields of the worksheet that it points into."""


def named(text: str, fields: Fields, linked: Linked, *, template: bool = False) -> str:
    """Return a formula or template with names in the place of keys."""
    def say(match: re.Match[str]) -> str:
        path = (match[1] or "").strip()
        return f"{{{_name(path, fields, linked)}}}" if _PATH.match(path) else match[0]

    return (_TEMPLATE if template else _FORMULA).sub(say, text)


def keyed(text: str, fields: Fields, linked: Linked, *, template: bool = False) -> str:
    """Return a formula or template with keys in the place of names.

    Raises:
        InvalidDocument: no field has one of the names; `position` in its details says where it stands.
    """
    def find(match: re.Match[str]) -> str:
        said = (match[1] or "").strip()
        if match[1] is None or _PATH.match(said):
            return match[0]
        path = _path(said, fields, linked)
        if path is None:
            raise InvalidDocument(f"Unknown field “{said[:100]}” (at character {match.start() + 1})", position=match.start())
        return f"{{{path}}}"

    return (_TEMPLATE if template else _FORMULA).sub(find, text)


def insertable(fields: Fields, linked: Linked) -> list[tuple[str, list[str]]]:
    """Return what can be inserted, by heading: the fields of the record, and those of the records behind each link."""
    own = [_shown(d, fields) for d in fields]
    found = [("This record", own)] if own else []
    for link in fields:
        beyond = linked(link)
        if beyond:
            found.append((f"Via {link['name']}", [f"{_shown(link, fields)}.{_shown(d, beyond)}" for d in beyond]))
    return found


def _name(path: str, fields: Fields, linked: Linked) -> str:
    first, _, second = path.partition(".")
    link = _by_key(fields).get(first)
    if link is None:
        return path
    if not second:
        return _shown(link, fields)
    beyond = linked(link)
    target = _by_key(beyond).get(second)
    return path if target is None else f"{_shown(link, fields)}.{_shown(target, beyond)}"


def _shown(definition: Definition, fields: Fields) -> str:
    name = str(definition["name"])
    plain = name == name.strip() and not re.search(r"[{}.\n]", name) and not _PATH.match(name)
    return name if plain and Counter(str(d["name"]) for d in fields)[name] == 1 else str(definition["key"])


def _path(said: str, fields: Fields, linked: Linked) -> str | None:
    whole = _key(said, fields)
    if whole is not None:
        return whole
    first, dot, second = said.partition(".")
    link = _key(first.strip(), fields) if dot else None
    target = _key(second.strip(), linked(_by_key(fields)[link])) if link is not None else None
    return None if target is None else f"{link}.{target}"


def _key(name: str, fields: Fields) -> str | None:
    for same in (lambda d: d["key"] == name, lambda d: d["name"] == name, lambda d: str(d["name"]).casefold() == name.casefold()):
        found = [str(d["key"]) for d in fields if same(d)]
        if len(found) == 1:
            return found[0]
    return None


def _by_key(fields: Fields) -> Mapping[str, Any]:
    return {str(d["key"]): d for d in fields}
