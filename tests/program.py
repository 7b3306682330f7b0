"""A program that uses the HTTP API with a token: each answer is held against the API's own document."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from core.api import API_ROOT, API_SCOPES, as_tenant, transaction
from core.web.http_api.openapi import document, path_of
from core.web.http_api.operations import Operation, operations_of
from tenants import api_tokens
from tests.web import browser

ADDRESS = "urn:document"


class Program:
    """A client that shows a token, and takes no answer that the document does not know."""

    def __init__(self, server: Flask, token: str, *, limits: bool = False) -> None:
        self.server, self.token = server, token
        self.client = browser(server, limits=limits)
        self.checks = _Checks(server)

    def ask(self, method: str, path: str, **sent: Any) -> TestResponse:
        """Send a request to an address below `API_ROOT`."""
        headers = {"Authorization": f"Bearer {self.token}", **sent.pop("headers", {})}
        answer = self.client.open(API_ROOT + path, method=method, headers=headers, **sent)
        self.checks.look(method, answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """Return what an address gives, which must be there."""
        answer = self.ask("GET", path, query_string=query)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def send(self, method: str, path: str, body: Any = None, *, status: int | None = None, **headers: str) -> Any:
        """Return what comes of sending JSON; refused, unless *status* says so, it may not be."""
        answer = self.ask(method, path, **({} if body is None else {"json": body}),
                          headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status_code == status if status else answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json(silent=True)


def make_token(organization_id: str, user_id: str, scopes: Collection[str] = tuple(API_SCOPES), days: int = 30, name: str = "Tests") -> str:
    """Return a token of somebody in an organization."""
    with as_tenant(organization_id), transaction():
        return api_tokens.make(user_id, name, scopes, days)[1]


class _Checks:
    """Holds answers against the document."""

    def __init__(self, server: Flask) -> None:
        self.server, self.document = server, document(operations_of(server), "http://localhost")
        self.registry: Any = Registry().with_resource(ADDRESS, Resource(self.document, DRAFT202012))
        self.validator = cache(self._validator)

    def look(self, method: str, answer: TestResponse) -> None:
        """Refuse an answer that the document does not promise."""
        environ = answer.request.environ
        rule, _ = self.server.url_map.bind("localhost").match(answer.request.path, method=method, return_rule=True)
        operation: Operation = self.server.view_functions[rule.endpoint].operation  # type: ignore[attr-defined]
        promised = self.document["paths"][path_of(operation.rule)][method.lower()]["responses"]
        assert str(answer.status_code) in promised, f"{method} {environ['PATH_INFO']} answers {answer.status_code}: {answer.get_data(as_text=True)[:300]}"
        content = promised[str(answer.status_code)].get("content", {})
        assert not content or "*/*" in content or answer.mimetype in content, f"{operation.name} gives {answer.mimetype}"
        assert content or not answer.get_data(), f"{operation.name} gives what is not promised"
        if (answer.mimetype or "").endswith("json"):
            self.validator(operation.name, str(answer.status_code), answer.mimetype).validate(answer.get_json())

    def _validator(self, name: str, status: str, mimetype: str) -> Draft202012Validator:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if operation["operationId"] == name:
                    steps = ("paths", path, method, "responses", status, "content", mimetype, "schema")
                    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
                    return Draft202012Validator({"$ref": f"{ADDRESS}#/{pointer.replace('{', '%7B').replace('}', '%7D')}"}, registry=self.registry)
        raise AssertionError(name)
