"""Pieces of JSON Schemas that bodies of documents are made of. Pure.

Every object is closed and every list and text bounded, so that a body from outside holds nothing unforeseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.base.ids import ALPHABET, KEY_LENGTH

Schema = dict[str, Any]
_KEY = f"[{ALPHABET}]{{{KEY_LENGTH}}}"
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
FLAG: Schema = {"type": "boolean"}
END = "$(?!\\n)"
"""The end of a text in a pattern: in Python "$" alone also matches before a last line feed."""
COLOUR: Schema = {"type": "string", "pattern": "^#[0-9a-f]{6}" + END}
FILE: Schema = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "pattern": "^[0-9a-f]{64}" + END},
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "size": {"type": "integer", "minimum": 0},
        "type": {"type": "string", "minLength": 1, "maxLength": 200},
    },
    "required": ["file", "name", "size", "type"],
    "additionalProperties": False,
}
SCALAR: Schema = {"anyOf": [{"type": ["boolean", "null", "integer"]}, {"type": "string", "maxLength": 10_000}]}
"""A value that somebody typed: text, a whole number, yes or no, nothing."""

SETTINGS: Schema = {"type": "object", "maxProperties": 100, "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}" + END}}
"""Settings of a thing whose type a plugin brings: the plugin says what each is, and knows it as long as it is here."""


def text(longest: int = 1000) -> Schema:
    """Return the schema of a text of at most that many characters."""
    return {"type": "string", "maxLength": longest}


def whole(lowest: int, highest: int) -> Schema:
    """Return the schema of a whole number within bounds."""
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def one_of(*words: str) -> Schema:
    """Return the schema of one of a few words."""
    return {"enum": list(words)}


def key(letter: str) -> Schema:
    """Return the schema of a key that starts with *letter*, one to three small letters."""
    return {"type": "string", "pattern": f"^{letter}_{_KEY}{END}"}


def closed(properties: Mapping[str, Any], required: Sequence[str] = ()) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


def listed(items: Mapping[str, Any], most: int) -> Schema:
    """Return the schema of a list of at most so many items."""
    return {"type": "array", "items": dict(items), "maxItems": most}


def ref(*kinds: str) -> Schema:
    """Return the schema of a pointer to a document of one of these kinds."""
    return _tagged("ref", f"({'|'.join(kinds)})/(main|[a-z]{{1,3}}_{_KEY})")


def part_ref(kind: str, part: str) -> Schema:
    """Return the schema of a pointer to a part of a document."""
    return _tagged("ref", f"{kind}/[a-z]{{1,3}}_{_KEY}/{part}/[a-z]{{1,3}}_{_KEY}")


def org(*kinds: str) -> Schema:
    """Return the schema of a pointer to something of the organization."""
    return _tagged("org", f"({'|'.join(kinds)})/[a-z]_{_KEY}")


def _tagged(tag: str, pattern: str) -> Schema:
    return closed({tag: {"type": "string", "pattern": f"^{pattern}{END}"}}, [tag])
