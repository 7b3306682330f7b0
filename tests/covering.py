"""Bodies that fill every property of a schema, made from the schema itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from core.api import SINGLE, Document
from core.server import server

CONTENT = b"what every file of a full app holds\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
LETTERS = {"worksheet": "w", "page": "p", "workflow": "f", "role": "r", "portal_role": "q", "option_set": "s", "group": "g",
           "field": "f", "view": "v", "button": "b", "user": "u", "department": "d", "org_role": "r"}
Schema = Mapping[str, Any]


def full_documents(component: str) -> list[Document]:
    """Return documents of all kinds of a component that together fill every property of their schemas."""
    found = []
    for kind in server().registry.components[component].kinds:
        bodies = instances(kind.schema, kind.schema, ())
        if kind.single:
            found.append(Document(kind=kind.name, key=SINGLE, body=bodies[0], position=0))
        else:
            found += [Document(kind=kind.name, key=key(kind.letter, n), body=body, position=n) for n, body in enumerate(bodies, 1)]
    return found


def key(letter: str, n: int = 1) -> str:
    """Return a key; the same for the same number."""
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return f"{letter}_" + f"{digits[n // 33 % 33]}{digits[n % 33]}".rjust(10, "1")


def instances(root: Schema, schema: Schema, above: tuple[int, ...]) -> list[Any]:
    """Return values that follow a schema and together fill all of it, the fullest first."""
    schema = resolved(root, schema)
    if id(schema) in above:
        return [least(root, schema)]
    inside = (*above, id(schema))
    if "anyOf" in schema or "oneOf" in schema:
        found = [value for one in schema.get("anyOf", schema.get("oneOf", ())) if "required" not in one or "properties" in one
                 for value in instances(root, one, inside)]
        return sorted(found, key=lambda value: -weight(value))
    if "enum" in schema:
        return [schema["enum"][0]]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return objects(root, schema, inside)
    if kind == "array":
        return [[value] for value in instances(root, schema.get("items", {}), inside)]
    return [scalar(schema, kind)]


def objects(root: Schema, schema: Schema, above: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return one object that has all properties, and one more for each other value that a property may have."""
    given = {name: instances(root, inner, above) for name, inner in schema.get("properties", {}).items()}
    base = {name: values[0] for name, values in given.items()}
    others = [{**base, name: value} for name, values in given.items() for value in values[1:]]
    return [base, *others]


def least(root: Schema, schema: Schema) -> Any:
    """Return the smallest value that follows a schema."""
    schema = resolved(root, schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return least(root, schema[word][0])
    if schema.get("type") == "object":
        return {name: least(root, schema["properties"][name]) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return []
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    return scalar(schema, kind[0] if isinstance(kind, list) else kind)


def resolved(root: Schema, schema: Schema) -> Schema:
    """Follow a reference within the schema."""
    while "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def scalar(schema: Schema, kind: Any) -> Any:
    """Return a value without parts."""
    if kind == "integer":
        return max(schema.get("minimum", 1), 1) if schema.get("maximum", 1) >= 1 else schema["maximum"]
    if kind == "boolean":
        return True
    if kind == "string":
        return patterned(schema["pattern"]) if "pattern" in schema else "Text"[: schema.get("maxLength", 100)]
    return None


def patterned(pattern: str) -> str:
    """Return a text that follows one of the patterns that our schemas use."""
    if "[0-9a-f]{64}" in pattern:
        return DIGEST
    if "[0-9a-f]{6}" in pattern:
        return "#2f6f4f"
    if "[A-Z]{3}" in pattern:
        return "EUR"
    inner = pattern.removesuffix("$(?!\\n)").lstrip("^")
    if "/" not in inner:
        return key(inner[0]) if inner[1] == "_" else "text"
    if inner.startswith("app/"):
        return f"app/{key('a')}/{patterned(inner.split('/', 2)[2])}"
    first, _, rest = inner.partition("/")
    kind = first.strip("()").split("|")[0]
    address = f"{kind}/{key(LETTERS[kind])}"
    parts = rest.split("/")
    return address if len(parts) < 3 else f"{address}/{parts[1]}/{key(LETTERS[parts[1]])}"


def weight(value: Any) -> int:
    """Return how much a value holds."""
    if isinstance(value, dict):
        return 1 + sum(map(weight, value.values()))
    return 1 + sum(map(weight, value)) if isinstance(value, list) else 1
