"""From what a form sent back to a JSON value, with what is wrong at which place. Pure but for the looking up of names.

What does not fit is kept as it was typed, so that the form can be shown again with nothing lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from core.archive.canonical import NotCanonical, parse
from core.base.ids import new_key
from core.base.text import straight
from core.web.editor.pieces import Piece, Pieces, Schema, key_letter
from core.web.editor.sent import MAX_DEPTH, Sent

ABSENT: Any = object()
"""Stands for a property that is not there."""
MAX_JSON_BYTES = 1024 * 1024
NEEDED = "This field is required."
_WHOLE = re.compile(r"[+-]?[0-9]{1,16}\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?\Z")
_FORMATS = FormatChecker()
Names = Callable[[str, str, str], str | None]
"""(tag, pattern, what was typed) -> the address of what it names."""


@dataclass
class Reading:
    """What a form said. All but `value` is by path ("steps.0.name"): `problems` are sentences, `chosen` the alternative
    that was picked, `opened` the optional properties that are shown though empty, `raw` JSON text that cannot be read."""

    value: Any = None
    problems: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    raw: dict[str, str] = field(default_factory=dict)


class Reader:
    """Reads one form by its schema; the top properties *without* are not asked for."""

    def __init__(self, root: Schema, *, names: Names, without: frozenset[str] = frozenset(), pieces: Pieces | None = None) -> None:
        self.root, self.names, self.without = root, names, without
        self.pieces = pieces or Pieces(root)
        self.found = Reading()

    def read(self, schema: Schema, tree: Sent) -> Reading:
        """Return what the form says."""
        self.found.value = self._value(schema, tree, "", True)
        return self.found

    def _value(self, schema: Schema, here: Sent, path: str, required: bool) -> Any:
        piece = self.pieces.of(schema)
        if here.marks.get("as") == "json":
            return self._json(piece, here, path, required)
        if path.count(".") > MAX_DEPTH:
            return ABSENT
        value = getattr(self, f"_{piece.asks}")(piece, here, path, required)
        if value is ABSENT:
            if "on" in here.marks:
                self.found.opened.add(path)
            if required:
                self._problem(path, NEEDED)
        return value

    def _problem(self, path: str, text: str) -> None:
        self.found.problems.setdefault(path, text)

    def _fits(self, piece: Piece, value: Any, path: str) -> Any:
        """Return *value*, its problem noted if it has one."""
        schema = {word: rule for word, rule in piece.schema.items() if word != "$defs"}
        wrong = best_match(Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value))
        if wrong is not None:
            self._problem(path, sentence(wrong))
        return value

    def _text(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        text = straight(here.text) if path.rpartition(".")[2] == "name" else here.text
        if text == "" and not (required and here.values) and here.marks.get("on") != "empty":
            return ABSENT
        if text == "" and required and piece.schema.get("minLength"):
            self._problem(path, NEEDED)
            return text
        return self._fits(piece, text, path)

    def _colour(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        if not required and here.marks.get("on") != "1":
            return ABSENT
        return self._fits(piece, here.text.lower(), path) if here.text else ABSENT

    def _flag(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        if here.text in ("", "unset"):
            return False if required and here.values else ABSENT
        return here.text.lower() in ("true", "yes", "1", "on")

    def _whole(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        text = here.text.strip()
        if not text:
            return ABSENT
        if not _WHOLE.match(text):
            self._problem(path, "Enter a whole number.")
            return here.text
        return self._fits(piece, int(text), path)

    def _number(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        text = here.text.strip()
        if not text:
            return ABSENT
        if not _NUMBER.match(text):
            self._problem(path, "Enter a number, such as 12 or 0.5.")
            return here.text
        return self._fits(piece, json.loads(text), path)

    def _enum(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        return self._fits(piece, here.text, path) if here.text else ABSENT

    def _nothing(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        return None if required or "on" in here.marks else ABSENT

    def _words(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        if here.rows():
            return self._list(piece, here, path, required)
        known = self.pieces.of(piece.schema["items"]).schema["enum"]
        found = [word for word in known if word in here.values] + [word for word in here.values if word and word not in known]
        return self._fits(piece, found, path) if found or required or "on" in here.marks else ABSENT

    def _ref(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        text = here.text.strip()
        if not text:
            return ABSENT
        address = self.names(piece.asks, piece.pattern, text[:500])
        if address is None:
            self._problem(path, "Nothing has this name. Choose from the list.")
        return {piece.asks: address or text}

    _org = _ref

    def _file(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        if "drop" in here.marks or "file" not in here.below:
            return ABSENT
        said = {name: one.text for name, one in here.below.items() if name in piece.properties}
        size = said.get("size", "")
        return self._fits(piece, {**said, "size": int(size) if _WHOLE.match(size) else size}, path)

    def _list(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        rows = here.rows()
        if not rows and not required and "on" not in here.marks:
            return ABSENT
        found = []
        for place, (_, row) in enumerate(rows):
            inner = _below(path, str(place))
            value = self._value(piece.schema["items"], row, inner, True)
            found.append(self._blank(piece.schema["items"]) if value is ABSENT else value)
        most, least = piece.schema.get("maxItems"), piece.schema.get("minItems", 0)
        if most is not None and len(found) > most:
            self._problem(path, f"Enter {most} at most; there are {len(found)}.")
        if len(found) < least:
            self._problem(path, f"Enter at least {least}.")
        return found

    def _blank(self, schema: Schema) -> Any:
        """Return what keeps a row open in which nothing was entered yet."""
        asks = self.pieces.of(schema).asks
        return {asks: ""} if asks in ("ref", "org") else ""

    def _object(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        if not required and not here.below and "on" not in here.marks:
            return ABSENT
        found = {}
        for name, schema in piece.properties.items():
            if not path and name in self.without:
                continue
            needed, inner = name in piece.required, _below(path, name)
            child = here.below.get(name, Sent())
            letter = key_letter(schema) if name == "key" else None
            if letter is not None and not child.text and needed:
                value: Any = new_key(letter)
            else:
                value = self._value(schema, child, inner, needed)
            if value is not ABSENT:
                found[name] = value
        return found

    def _alternatives(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        choice = here.marks.get("alt", "")
        if not choice.isdecimal() or len(choice) > 3 or int(choice) >= len(piece.alternatives):
            return ABSENT
        self.found.chosen[path] = int(choice)
        value = self._value(piece.alternatives[int(choice)], here, path, True)
        if value is ABSENT and not required:
            self.found.problems.pop(path, None)
        return value

    def _json(self, piece: Piece, here: Sent, path: str, required: bool) -> Any:
        text = here.text
        if not text.strip():
            return ABSENT
        try:
            value = parse(text.encode("utf-8", "surrogatepass"), max_bytes=MAX_JSON_BYTES)
        except NotCanonical as error:
            self._problem(path, f"This is not valid JSON: {error}.")
            self.found.raw[path] = text
            return text
        validator = Draft202012Validator(self.root, format_checker=_FORMATS).evolve(schema=piece.schema)
        wrong = best_match(validator.iter_errors(value))
        if wrong is not None:
            place = "/".join(str(step) for step in wrong.absolute_path)
            self._problem(path, (f"At {place}: " if place else "") + sentence(wrong))
        return value


def sentence(error: ValidationError) -> str:
    """Return what is wrong with a value, as a sentence for people."""
    limit = error.validator_value
    known = {
        "minLength": NEEDED if limit == 1 else f"Enter at least {limit} characters.",
        "maxLength": f"This is too long: enter {limit} characters at most.",
        "minimum": f"Enter {limit} or more.",
        "maximum": f"Enter {limit} or less.",
        "enum": "Choose one of the options.",
        "pattern": "This does not have the right format.",
        "required": f"Something is missing: {error.message[:100]}.",
        "maxItems": f"Enter {limit} at most.",
        "minItems": f"Enter at least {limit}.",
        "uniqueItems": "This contains duplicates. Remove one.",
    }
    return known.get(str(error.validator), f"This value is not valid: {error.message[:200]}.")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
