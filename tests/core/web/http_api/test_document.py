"""The document of the API: valid, complete, and never ahead of or behind what is served."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.api import API_ROOT, Needs, Operations
from core.web.bearer import SCOPES
from core.web.http_api.openapi import ABOUT, document, path_of
from core.web.http_api.operations import operations_of
from tests.core.web.backups.conftest import Place
from tests.web import browser

WORDS = re.compile(r"[a-z]+(_[a-z]+)*\Z")


def test_it_is_a_document_of_openapi(sqlite_server: Flask) -> None:
    """By the rules of OpenAPI 3.1; and whoever has no token may read it."""
    answer = browser(sqlite_server).get(f"{API_ROOT}/openapi.json")
    assert 200 == answer.status_code
    OpenAPIV31SpecValidator(answer.get_json()).validate()


def test_every_address_of_the_api_is_in_it(sqlite_server: Flask) -> None:
    """Each address with each of its methods, and nothing else."""
    served = {(path_of(rule.rule), method.lower()) for rule in sqlite_server.url_map.iter_rules() if rule.rule.startswith("/api/")
              for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    told = document(operations_of(sqlite_server), "")["paths"]
    assert served == {(path, method) for path, methods in told.items() for method in methods}
    assert len(served) > 20


def test_every_operation_says_all_that_it_must(sqlite_server: Flask) -> None:
    """A name of its own, a summary, a description of each part of its address; and a scope, but for what anybody may see."""
    found = operations_of(sqlite_server)
    assert len(found) == len({one.name for one in found})
    told = document(found, "")
    for path, methods in told["paths"].items():
        for method, one in methods.items():
            assert WORDS.match(one["operationId"]) and one["summary"] and not one["summary"].endswith("."), path
            assert all(part.get("description") for part in one["parameters"] if part["in"] == "path"), f"{method} {path}"
    assert {""} | set(SCOPES) >= {one.scope for one in found}
    assert ["openapi"] == [one.name for one in found if one.needs is Needs.NOTHING]


def test_an_operation_outside_its_root_or_without_a_scope_is_refused() -> None:
    """At once, when it is made: none can be open by mistake."""
    made = Operations("made", __name__)
    for rule, scope in (("/elsewhere", "read"), (f"{API_ROOT}/mine", "everything"), (f"{API_ROOT}/mine", "")):
        with pytest.raises(RuntimeError):
            made.operation("GET", rule, Needs.MEMBER, name="mine", scope=scope, subject="Mine", summary="Mine")


def test_what_nobody_serves_is_a_problem_document(place: Place) -> None:
    """An address that is none, and a method that is not possible, are told as JSON, which names the document."""
    client = browser(place.server)
    missing, wrong = client.get(f"{API_ROOT}/nothing"), client.delete(f"{API_ROOT}/openapi.json")
    assert [(404, "not_found"), (405, "method_not_allowed")] == [(one.status_code, one.get_json()["code"]) for one in (missing, wrong)]
    assert "openapi.json" in missing.get_json()["detail"]
    assert "600 requests a minute" in ABOUT
