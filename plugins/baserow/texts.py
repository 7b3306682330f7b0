"""The little language of Baserow's pages, as templates: fixed text with holes that are filled when the page is shown."""

from __future__ import annotations

import re
from typing import Any

from plugins.baserow.names import Names
from plugins.baserow.read import whole

_TOKEN = re.compile(r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<mark>[(),]))""", re.VERBOSE | re.DOTALL)
USERS = {"id": "id", "email": "email", "username": "name", "name": "name", "role": "role", "is_authenticated": "is_signed_in"}
MAX_TOKENS = 2000
Template = dict[str, Any]


class NoTemplate(Exception):
    """The text calculates, which a template cannot."""


def template(value: Any, names: Names) -> Template | None:
    """Return the template of a formula, None where it is empty.

    Raises:
        NoTemplate: with what it does.
    """
    if isinstance(value, dict):
        if value.get("mode") == "raw":
            return fixed(str(value.get("formula", "")))
        value = value.get("formula", "")
    if not isinstance(value, str) or not value.strip():
        return None
    uses: list[dict[str, Any]] = []
    tokens = _tokens(value)
    found = _expression(tokens, names, uses)
    if tokens:
        raise NoTemplate("it cannot be read to its end")
    return {"template": found[:20_000], **({"uses": uses[:100]} if uses else {})}


def fixed(text: str) -> Template | None:
    """Return the template of a text without holes."""
    return {"template": _escaped(text)[:20_000]} if text else None


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None or len(found) > MAX_TOKENS:
            raise NoTemplate("it cannot be read")
        found.append((str(token.lastgroup), token.group(str(token.lastgroup))))
        place = token.end()
    found.reverse()
    return found


def _expression(tokens: list[tuple[str, str]], names: Names, uses: list[dict[str, Any]]) -> str:
    """Return the template of what comes next; functions other than concat and get calculate."""
    kind, text = tokens.pop() if tokens else ("end", "")
    if kind == "string":
        return _escaped(re.sub(r"\\(.)", r"\1", text[1:-1]))
    if kind == "number":
        return text
    if kind != "name" or not tokens or tokens.pop() != ("mark", "("):
        raise NoTemplate("it cannot be read")
    if text == "get":
        return _hole(tokens, names, uses)
    if text != "concat":
        raise NoTemplate(f"it computes with “{text[:40]}”")
    found = ""
    while tokens and tokens[-1] != ("mark", ")"):
        if tokens[-1] == ("mark", ","):
            tokens.pop()
        elif tokens[-1] == ("name", "concat") and len(found) > 20_000:
            raise NoTemplate("it is too long")
        else:
            found += _inner(tokens, names, uses)
    if not tokens:
        raise NoTemplate("it cannot be read to its end")
    tokens.pop()
    return found


def _inner(tokens: list[tuple[str, str]], names: Names, uses: list[dict[str, Any]], depth: int = 0) -> str:
    try:
        return _expression(tokens, names, uses)
    except RecursionError:
        raise NoTemplate("it is nested too deeply") from None


def _hole(tokens: list[tuple[str, str]], names: Names, uses: list[dict[str, Any]]) -> str:
    kind, text = tokens.pop() if tokens else ("end", "")
    if kind != "string" or not tokens or tokens.pop() != ("mark", ")"):
        raise NoTemplate("it cannot be read")
    uses.append(use(text[1:-1], names))
    return f"{{{len(uses) - 1}}}"


def use(path: str, names: Names) -> dict[str, Any]:
    """Return what fills a hole: a field, a parameter, an input, something of the user, or the result of an action."""
    source, *steps = path.split(".")
    if source == "current_record":
        return _of_record(steps, names, None) or {"result": f"record.{'.'.join(steps)}"[:500]}
    number = whole(steps[0]) if steps else None
    if source in ("data_source", "data_source_context") and number is not None:
        key = names.sources.get(number)
        if key is not None:
            return _of_record(steps[1:], names, key) or {"source": key, "path": ".".join(steps[1:])[:500]}
    if source == "page_parameter" and steps:
        return {"parameter": steps[0][:100] or "parameter"}
    if source == "form_data" and number in names.elements:
        return {"input": names.elements[number]}
    if source == "user" and steps and steps[0] in USERS:
        return {"user": USERS[steps[0]]}
    return {"result": path[:500]}


def _of_record(steps: list[str], names: Names, source: str | None) -> dict[str, Any] | None:
    for step in steps:
        number = whole(step.removeprefix("field_")) if step.startswith("field_") else None
        if (field := names.field_ref(number)) is not None:
            return {"field": field, **({"source": source} if source else {})}
    return None


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
