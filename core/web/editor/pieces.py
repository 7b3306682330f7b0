"""What a piece of a JSON Schema asks people for: a text, a choice, a list of something … Pure.

What no control here can show without loss is asked for as JSON, so that every schema has an editor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.base import schemas

Schema = Mapping[str, Any]
UNSUPPORTED = frozenset({
    "allOf", "not", "if", "then", "else", "patternProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired",
    "dependentSchemas", "prefixItems", "contains", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "multipleOf",
})
MAX_ALTERNATIVES = 30
LONG = 250
"""A text that may be longer than this gets several lines."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z")
_SHORT = re.compile(r"\b(?:url|html|id)\b", re.IGNORECASE)
_KEY = re.compile(re.escape(schemas.key("\0")["pattern"]).replace("\0", "([a-z])") + r"\Z")
_FILE = frozenset(schemas.FILE["properties"])
_SCALARS = {"null": "nothing", "boolean": "flag", "integer": "whole", "number": "number"}
SIMPLE = frozenset({"text", "whole", "number", "flag", "enum", "ref", "org", "colour", "words", "list"})
"""What is shown although there is nothing in it yet; the rest is added on demand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a schema, references followed.

    `asks` says what for: text, key, colour, whole, number, flag, enum, words (several of a few), nothing, ref, org,
    file, list, object, alternatives, or json where nothing else does.
    """

    asks: str
    schema: Schema
    properties: Mapping[str, Schema] = field(default_factory=dict)
    alternatives: tuple[Schema, ...] = ()

    @property
    def required(self) -> frozenset[str]:
        """The properties that must be there."""
        return frozenset(self.schema.get("required", ()))

    @property
    def pattern(self) -> str:
        """The pattern that a pointer's address follows."""
        return str(self.properties[self.asks]["pattern"])


class Pieces:
    """The pieces of one schema, each looked at once."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self._known: dict[int, tuple[Schema, Piece]] = {}

    def of(self, schema: Schema) -> Piece:
        """Return what a schema within the root asks for."""
        if id(schema) not in self._known:
            self._known[id(schema)] = (schema, piece(self.root, schema))  # held, so that the id stays its own
        return self._known[id(schema)][1]


def piece(root: Schema, schema: Any) -> Piece:
    """Return what a schema asks for."""
    schema = resolved(root, schema)
    if not isinstance(schema, Mapping) or UNSUPPORTED & schema.keys() or "$ref" in schema:
        return Piece("json", schema if isinstance(schema, Mapping) else {})
    if "enum" in schema or "const" in schema:
        return _enum(schema)
    choices = _alternatives(root, schema)
    if choices is not None:
        return Piece("alternatives", schema, alternatives=choices) if 1 < len(choices) <= MAX_ALTERNATIVES else Piece("json", schema)
    kind = schema.get("type")
    if kind == "string":
        return _text(schema)
    if kind == "object":
        return _object(schema)
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        inner = piece(root, schema["items"]) if "$ref" not in schema["items"] else None
        return Piece("words" if inner is not None and inner.asks == "enum" else "list", schema)
    return Piece(_SCALARS.get(str(kind), "json"), schema)


def resolved(root: Schema, schema: Any) -> Any:
    """Follow references within the root; one that leads nowhere, or says more beside it, comes back as it is."""
    for _ in range(32):
        if not isinstance(schema, Mapping) or "$ref" not in schema or schema.keys() - {"$ref", "title", "description"}:
            break
        found: Any = root
        for step in str(schema["$ref"]).removeprefix("#").split("/")[1:]:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            break
        schema = found
    return schema


def key_letter(schema: Schema) -> str | None:
    """Return the letter of the keys that a schema asks for, None where it asks for something else."""
    found = _KEY.match(str(schema.get("pattern", "")))
    return found[1] if found else None


def title_of(name: str, schema: Schema | None = None) -> str:
    """Return a property's name as people read it: "default_role" is "Default role"."""
    given = (schema or {}).get("title")
    if isinstance(given, str) and given:
        return given
    words = name.replace("_", " ").replace("-", " ").strip() or name
    return _SHORT.sub(lambda found: found[0].upper(), words[0].upper() + words[1:])


def singular(title: str) -> str:
    """Return what one of a list is called: "Branches" has a "Branch"."""
    for end, one in (("ches", "ch"), ("xes", "x"), ("sses", "ss"), ("ies", "y"), ("s", "")):
        if title.endswith(end) and len(title) > len(end) + 1 and not title.endswith("ss"):
            return title.removesuffix(end) + one
    return title


def alternative_title(root: Schema, schema: Schema) -> str:
    """Return what one of several alternatives is called."""
    found = piece(root, schema)
    if isinstance(schema.get("title"), str):
        return str(schema["title"])
    if found.asks in ("ref", "org"):
        return _pointer_title(found.pattern)
    names = {"file": "File", "list": "List", "flag": "Yes or no",
             "nothing": "Empty", "whole": "Whole number", "number": "Number", "text": "Text", "colour": "Colour", "json": "JSON"}
    if found.asks == "object":
        first = next(iter(found.schema.get("required", ())), next(iter(found.properties), "nothing"))
        return title_of(str(first))
    return names.get(found.asks, "One of several")


def _pointer_title(pattern: str) -> str:
    """Return what a pointer's pattern leads to: "Worksheet or page", "Field"."""
    words = [word.replace("_", " ") for word in re.findall(r"[a-z_]{3,}", re.sub(r"\[[^]]*\]", "", pattern)) if word != "main"]
    if words[:1] == ["app"] and len(words) > 1:
        return f"{title_of(words[1])} of another app"
    if "|" not in pattern:
        words = words[-1:]
    return title_of(" or ".join(words)) if words else "Item of this app"


def _enum(schema: Schema) -> Piece:
    words = schema.get("enum", [schema.get("const")])
    return Piece("enum" if words and all(isinstance(word, str) and word for word in words) else "json", {**schema, "enum": words})


def _alternatives(root: Schema, schema: Schema) -> tuple[Schema, ...] | None:
    """Return the flat list of alternatives of a schema, None where it is one thing."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return tuple({**schema, "type": kind} for kind in kinds)
    given = schema.get("anyOf", schema.get("oneOf"))
    if given is None or ("properties" in schema and _only_required(given)):
        return None
    if schema.keys() - {"anyOf", "oneOf", "title", "description"} or ("anyOf" in schema and "oneOf" in schema):
        return ()
    return tuple(_flat(root, given, 0))


def _flat(root: Schema, given: Any, depth: int) -> Iterator[Schema]:
    for one in given if depth < 8 else ():
        inner = resolved(root, one)
        found = _alternatives(root, inner) if isinstance(inner, Mapping) else None
        if found is None:
            yield one if isinstance(one, Mapping) else {}
        else:
            yield from _flat(root, found, depth + 1)


def _only_required(given: Any) -> bool:
    return all(isinstance(one, Mapping) and one.keys() == {"required"} for one in given)


def _text(schema: Schema) -> Piece:
    pattern = schema.get("pattern")
    if pattern == schemas.COLOUR["pattern"]:
        return Piece("colour", schema)
    return Piece("text", schema)


def _object(schema: Schema) -> Piece:
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False or not all(_NAME.match(str(name)) for name in properties) \
            or "anyOf" in schema or not all(isinstance(one, Mapping) for one in properties.values()):
        return Piece("json", schema)
    for tag in ("ref", "org"):
        if properties.keys() == {tag} and "pattern" in properties[tag]:
            return Piece(tag, schema, properties)
    return Piece("file" if properties.keys() == _FILE else "object", schema, properties)
