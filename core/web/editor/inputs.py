"""The tree of controls that a form shows for a schema and a value. Pure but for the names of what pointers point to.

Only what the value holds is shown, with those simple properties that could be filled in; the rest can be added. So a
form is as long as its value, however deep its schema goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jsonschema import Draft202012Validator

from core.web.editor.pieces import LONG, SIMPLE, Piece, Pieces, Schema, alternative_title, key_letter, singular, title_of
from core.web.editor.reading import ABSENT, Reading
from core.web.editor.sent import MAX_DEPTH
from core.web.editor.targets import Target

MAX_INLINE = 12
"""An object shows its empty simple properties where there are at most so many; otherwise they are added one by one."""
MAX_WEIGHT = 4_000
"""A list that holds more values than this is edited as JSON, so that no form grows without bound."""
MAX_OPTIONS = 3_000
"""How many options the selects of a page have at most; beyond, pointers are typed, with suggestions that all share."""


GROUPS = ("object", "list", "words", "ref", "org", "file")


class Knows(Protocol):
    """Gives what a pointer may point to."""

    def of(self, tag: str, pattern: str) -> Sequence[Target]:
        """Return what a pointer of that tag may point to."""


@dataclass(slots=True)
class Input:
    """One control, or a group of them. `asks` is the piece's, `name` that of the form, `value` what stands in it.

    `options` are (value, text) of a select, `targets` what a pointer may point to, `more` the (name, title) of
    properties that can be added. `on` says that an optional property is there ("empty": as empty text), `plain` that a
    flag is off when it is absent, `reloads` that the form is shown anew when the control changes, `mark` what stands beside its
    title: "optional" where most of its group must be filled in, "needed" for those that must be in any other group. `seal` goes
    with a file that is not saved yet.
    """

    asks: str
    name: str
    path: str
    title: str
    required: bool
    value: Any = ""
    help: str = ""
    error: str | None = None
    on: str = ""
    options: Sequence[tuple[str, str]] = ()
    targets: Sequence[Target] = ()
    listed: str = ""
    gone: bool = False
    inside: list[Input] = field(default_factory=list)
    more: Sequence[tuple[str, str]] = ()
    long: bool = False
    plain: bool = False
    reloads: bool = False
    is_row: bool = False
    many: int | None = None
    chosen: str = ""
    seal: str = ""
    mark: str = ""

    @property
    def id(self) -> str:
        """An id for the page."""
        return "i-" + self.name.replace(".", "-")

    @property
    def removable(self) -> bool:
        """Whether it is an optional group that can be taken out as a whole."""
        return not self.required and not self.is_row and bool(self.on) and self.asks in ("object", "list", "alternatives")

    @property
    def small(self) -> bool:
        """Whether it is a row of a few controls that fit beside one another."""
        return self.asks == "object" and len(self.inside) <= 4 and not self.more and all(
            not one.inside and not one.long and one.asks not in ("file", "json", "list", "words") for one in self.inside)

    @property
    def summary(self) -> str:
        """What stands for a row when it is folded: the first words in it."""
        for one in self.inside if self.asks == "object" else ():
            if one.asks in ("text", "enum") and one.value:
                return str(one.value)[:60]
            if one.asks in ("ref", "org") and one.value:
                return next((t.name for t in one.targets if t.address == one.value), "")[:60]
        return ""

    @property
    def grouped(self) -> list[tuple[str, list[Target]]]:
        """The targets by group, in their order; one group needs no heading."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.group, []).append(target)
        return list(found.items()) if len(found) > 1 else [("", list(self.targets))]

    @property
    def wrong(self) -> bool:
        """Whether something in it has an error."""
        return self.error is not None or any(one.wrong for one in self.inside)


class Builder:
    """Builds the tree for one value."""

    def __init__(self, root: Schema, *, targets: Knows, reading: Reading | None = None, prefix: str = "v",
                 without: frozenset[str] = frozenset(), pieces: Pieces | None = None,
                 narrow: Callable[[Input], None] | None = None, seal: Callable[[str], str] = lambda digest: "") -> None:
        self.root, self.targets, self.prefix, self.without, self.narrow = root, targets, prefix, without, narrow
        self.reading, self.seal = reading or Reading(), seal
        self.pieces = pieces or Pieces(root)

    def build(self, schema: Schema, value: Any, title: str = "") -> Input:
        """Return the whole tree."""
        tree = self._input(schema, value, "", title, True)
        if self.narrow is not None:
            self.narrow(tree)
        self._share(tree)
        for group in walk(tree):
            _mark(group.inside if group.asks == "object" else ())
        return tree

    def _input(self, schema: Schema, value: Any, path: str, title: str, required: bool) -> Input:
        piece = self.pieces.of(schema)
        if value == "" and piece.asks in GROUPS:
            value = ABSENT
        name = f"{self.prefix}.{path}" if path else self.prefix
        found = Input(piece.asks, name, path, title, required, error=self.reading.problems.get(path),
                      help=str(schema.get("description") or piece.schema.get("description") or ""))
        if value is not ABSENT or path in self.reading.opened:
            found.on = "1"
        if path in self.reading.raw:
            return _as_json(found, self.reading.raw[path])
        if value is not ABSENT and self._only_json(piece, value, path):
            return _as_json(found, json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict | list) else None))
        getattr(self, f"_{piece.asks}", self._scalar)(piece, value, path, found)
        return found

    def _only_json(self, piece: Piece, value: Any, path: str) -> bool:
        """Say whether a value cannot be shown by its control without loss."""
        if piece.asks == "json" or path.count(".") >= MAX_DEPTH - 2:
            return True
        if piece.asks == "text":
            return isinstance(value, str) and ("\r" in value)
        if piece.asks in ("list", "words"):
            return not isinstance(value, list) or weight(value) > MAX_WEIGHT
        if piece.asks == "object":
            return not isinstance(value, dict) or not value.keys() <= piece.properties.keys()
        return False

    def _scalar(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.value = "" if value is ABSENT or value is None else str(value)

    def _text(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        self._scalar(piece, value, path, found)
        found.long = piece.schema.get("maxLength", LONG) > LONG or "\n" in found.value
        found.many = piece.schema.get("maxLength")
        if value == "":
            found.on = "empty"
        if path.rpartition(".")[2] == "key" and key_letter(piece.schema):
            found.asks = "key"

    def _flag(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.value = {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else ""
        found.plain = piece.schema.get("default") is False

    def _number(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.value = "" if value is ABSENT else value if isinstance(value, str) else json.dumps(value)

    def _enum(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        self._scalar(piece, value, path, found)
        found.options = [(word, title_of(word)) for word in piece.schema["enum"]]
        if found.value and found.value not in piece.schema["enum"]:
            found.options = [*found.options, (found.value, found.value)]

    def _words(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        known = self.pieces.of(piece.schema["items"]).schema["enum"]
        chosen = [] if value is ABSENT else value
        if chosen != [word for word in known if word in chosen]:
            found.asks = "list"
            self._list(piece, value, path, found)
            return
        found.value, found.options = chosen, [(word, title_of(word)) for word in known]

    def _ref(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.value = str(value.get(piece.asks, "")) if isinstance(value, Mapping) else ""
        found.targets = self.targets.of(piece.asks, piece.pattern)
        found.gone = bool(found.value) and all(one.address != found.value for one in found.targets)

    _org = _ref

    def _file(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.value = value if isinstance(value, Mapping) else None
        found.seal = self.seal(str(value.get("file", ""))) if isinstance(value, Mapping) else ""

    def _list(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        for place, item in enumerate(() if value is ABSENT else value):
            row = self._input(piece.schema["items"], item, _below(path, str(place)), singular(found.title), True)
            row.is_row = True
            found.inside.append(row)
        found.many = piece.schema.get("maxItems")

    def _object(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        given = {} if value is ABSENT else value
        properties = {name: one for name, one in piece.properties.items() if path or name not in self.without}
        idle = [name for name in properties if name not in given and name not in piece.required
                and _below(path, name) not in self.reading.opened and _below(path, name) not in self.reading.problems]
        inline = {name for name in idle if self.pieces.of(properties[name]).asks in SIMPLE}
        if len(inline) > MAX_INLINE:
            inline = set()
        found.more = [(name, title_of(name, properties[name])) for name in idle if name not in inline]
        for name, schema in properties.items():
            if name not in idle or name in inline:
                found.inside.append(self._input(schema, given.get(name, ABSENT), _below(path, name), title_of(name, schema),
                                                name in piece.required))

    def _alternatives(self, piece: Piece, value: Any, path: str, found: Input) -> None:
        found.options = [(str(n), alternative_title(self.root, one)) for n, one in enumerate(piece.alternatives)]
        choice = self.reading.chosen.get(path)
        if choice is None:
            choice = self._fitting(piece, value)
        if choice is not None:
            found.chosen = str(choice)
            inner = self._input(piece.alternatives[choice], value, path, found.title, True)
            inner.error, found.inside = None, [inner]

    def _fitting(self, piece: Piece, value: Any) -> int | None:
        """Return which alternative a value follows; for none, the one that is quickest to fill in."""
        if value is ABSENT or value == "":
            return next((n for n, one in enumerate(piece.alternatives) if self.pieces.of(one).asks == "text"), 0)
        able = [n for n, one in enumerate(piece.alternatives) if self._may_fit(self.pieces.of(one), value)]
        if len(able) > 1:
            base = Draft202012Validator(self.root)
            able = [n for n in able if base.evolve(schema=piece.alternatives[n]).is_valid(value)] or able
        return able[0] if able else 0

    def _may_fit(self, piece: Piece, value: Any) -> bool:
        if piece.asks in ("object", "ref", "org", "file"):
            return isinstance(value, dict) and piece.required <= value.keys() <= piece.properties.keys()
        kinds: dict[str, type | tuple[type, ...]] = {
            "list": list, "words": list, "flag": bool, "nothing": type(None), "text": str, "enum": str, "colour": str,
            "number": (int, float), "whole": (int, float)}
        if piece.asks in ("whole", "number") and isinstance(value, bool):
            return False
        return piece.asks not in kinds or isinstance(value, kinds[piece.asks])

    def _share(self, tree: Input) -> None:
        """Where selects together would have too many options, let pointers be typed, with suggestions that all share."""
        pointers = [one for one in walk(tree) if one.asks in ("ref", "org")]
        if sum(len(one.targets) for one in pointers) <= MAX_OPTIONS:
            return
        lists: dict[int, str] = {}
        for one in pointers:
            if len(one.targets) > 5:
                one.listed = lists.setdefault(id(one.targets), f"suggestions-{len(lists)}")
                one.value = next((t.label for t in one.targets if t.address == one.value), one.value)


def _mark(controls: Sequence[Input]) -> None:
    """Say beside the titles of a group either what may be left empty or what must not be, whichever is said less often."""
    asked = [one for one in controls if one.asks not in ("key", "flag", "nothing", "object", "list")]
    needed = [one for one in asked if one.required]
    for one in asked:
        if 2 * len(needed) > len(asked):
            one.mark = "" if one.required else "optional"
        else:
            one.mark = "needed" if one.required else ""


def walk(tree: Input) -> list[Input]:
    """Return a tree's controls in order."""
    found = [tree]
    for one in tree.inside:
        found += walk(one)
    return found


def weight(value: Any) -> int:
    """Return how many values a JSON value holds."""
    if isinstance(value, dict):
        return 1 + sum(map(weight, value.values()))
    return 1 + sum(map(weight, value)) if isinstance(value, list) else 1


def _as_json(found: Input, text: str) -> Input:
    found.asks, found.value = "json", text
    return found


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
