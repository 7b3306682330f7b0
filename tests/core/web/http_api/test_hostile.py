"""Odd values in each place of each operation: whatever is sent, the answer is one that the document promises, and never a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.web.gate import Needs
from core.web.http_api.operations import ROOT, Operation, operations_of
from tests.program import Program, make_token
from tests.test_wall import World, built, filled, world

__all__ = ["built", "world"]
ODD: tuple[Any, ...] = (
    None, "", " ", "x" * 300, "\u202e", "w_ZZZZZZZZZZ", "../..", "%00", -1, 0, 2**53 - 1, 1.5, True, [], [None], [[]], {}, {"a": {"b": []}},
    ["worksheet/"], "a/b/c/d", "o'; --", [{"values": {}}], {"values": None}, [{}] * 1001)
WORDS = ("", " ", "x" * 300, "-1", "0", "1", "99999999999999999999", "true", "null", "[]", "{}", "\u202e", "a\u0000b", "w_ZZZZZZZZZZ", "f_ZZZZZZZZZZ",
         "../..", '{"op":"and"}', "[" * 500, "o'; --", "2026-13-99", "e30")


ODD_HEADERS = {
    "If-Match": ("x", "*"), "If-None-Match": ('"x"', "*"), "Idempotency-Key": ("", "ä"), "Range": ("bytes=5-1", "bytes=0-0,2-3"),
    "Upload-Offset": ("-1", "x"), "File-Name": ("", "%FF%00"), "Content-Type": ("multipart/form-data", "x")}


def odd_bodies(it: Operation) -> Iterator[Any]:
    """Yield bodies that are odd as a whole, then such as are odd in one place."""
    yield from ODD
    properties = (it.body or {}).get("properties", {})
    for name in properties:
        for value in ODD:
            yield {**{other: _plain(schema) for other, schema in properties.items() if other in (it.body or {}).get("required", ())}, name: value}


def _plain(schema: Any) -> Any:
    kind = schema.get("type")
    return {"string": "x", "integer": 1, "boolean": True, "array": [], "object": {}}.get(kind if isinstance(kind, str) else "", "x")


def asked(world: World) -> Iterator[tuple[Operation, str]]:
    """Yield every operation that needs a token, with a real address."""
    rules = {rule.endpoint: rule for rule in world.server.url_map.iter_rules() if rule.rule.startswith(ROOT)}
    endpoints = {view.operation.name: endpoint for endpoint, view in world.server.view_functions.items() if hasattr(view, "operation")}
    for it in operations_of(world.server):
        if it.needs is not Needs.NOTHING:
            yield it, filled(rules[endpoints[it.name]], world.here).removeprefix(ROOT)


@pytest.fixture
def program(world: World) -> Program:
    """A program of the owner's."""
    return Program(world.server, make_token(world.here.organization_id, world.here.ids["owner"]))


def test_odd_questions_are_answered(world: World, program: Program) -> None:
    """Each parameter of each operation with each odd word."""
    count = 0
    for it, path in asked(world):
        for name in it.query:
            for word in WORDS:
                count += program.ask(it.method, path, query_string={name: word}).status_code < 500
    assert count > 300


def test_odd_bodies_are_answered(world: World, program: Program) -> None:
    """Each operation that takes JSON with bodies that are odd in each place."""
    count = 0
    for it, path in asked(world):
        for body in odd_bodies(it) if it.body is not None else ():
            count += program.ask(it.method, path, json=body).status_code < 500
    assert count > 300


def test_odd_headers_are_answered(world: World, program: Program) -> None:
    """Marks, keys, ranges and positions that are none."""
    count = 0
    for it, path in asked(world):
        for header in ODD_HEADERS:
            for word in ODD_HEADERS[header]:
                count += program.ask(it.method, path, headers={header: word}, data=b"").status_code < 500
    assert count > 300


def test_addresses_that_name_nothing_are_404(world: World, program: Program) -> None:
    """Each variable of each address with a word that names nothing."""
    for it, path in asked(world):
        parts = path.split("/")
        for n, part in enumerate(parts):
            if "_" in part or len(part) > 30:
                for word in ("x", "a_ZZZZZZZZZZ", "%2e%2e", "x" * 500):
                    answer = program.ask(it.method, "/".join([*parts[:n], word, *parts[n + 1:]]), json={} if it.body is not None else None)
                    assert answer.status_code in (404, 409, 422), f"{it.name} {word}: {answer.status_code}"
