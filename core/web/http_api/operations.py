"""Operations of the HTTP API: an address, who may use it and with which scope, what it takes and what it gives.

What is said of an operation is what its document says and what a request is judged by; its view gets what was sent, judged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, request
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from core.archive.canonical import NotCanonical, canonical, parse
from core.base.errors import AppkeepError, InvalidInput
from core.web.bearer import SCOPES
from core.web.gate import MAX_BYTES, Needs, Pages
from core.web.protection import csrf

ROOT = "/api/v1"
"""What the addresses of all operations begin with."""
APPS = f"{ROOT}/apps"
APP = f"{APPS}/<app_id>"
"""What the addresses of the operations on an app begin with."""
JSON = "application/json"
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_VALUE_CHARS = 20_000
"""The longest value in an address."""
Schema = Mapping[str, Any]
View = TypeVar("View", bound=Callable[..., Any])
_WHOLE = re.compile(r"-?[0-9]{1,16}\Z")
_WORDS = {"true": True, "false": False}


class PreconditionFailed(AppkeepError):
    """Somebody changed the thing since the caller read it."""

    code, status, title = "precondition_failed", 412, "Changed meanwhile"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view gives where the value alone does not say it: another status, headers, and the thing's state as *etag*."""

    value: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True)
class Operation:
    """What is said of one operation.

    Args:
        name: Its stable name in the document, as "list_records".
        method, rule: Where it is.
        needs, scope: Who may use it, and with which scope of a token; no scope for what anybody may see.
        subject: Under which heading the document has it.
        summary, about: A line, and what else there is to say.
        query: Schema of each name that its address may carry.
        body: Schema of what is sent as JSON, None where nothing is; *body_type* says which other type of content is taken instead.
        answer: Schema of what it gives, None for nothing; *answer_type* is its type of content.
        status: With which status it answers.
        refusals: Codes of errors that only this one gives, for the document.
        repeatable: Whether an Idempotency-Key has it done once; see `repeats`.
        tagged: Whether it answers with an ETag; *guarded* whether it honours If-Match.
        ranged: Whether a part of what it gives can be asked for, by the header Range.
        headers: Schema of each header that it takes besides.
        parts: What each variable of its address is, where `openapi.NAMES` does not say it.
    """

    name: str
    method: str
    rule: str
    needs: Needs
    scope: str
    subject: str
    summary: str
    about: str = ""
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_type: str = JSON
    answer: Schema | None = None
    answer_type: str = JSON
    status: int = 200
    refusals: Sequence[int] = ()
    repeatable: bool = False
    tagged: bool = False
    guarded: bool = False
    ranged: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def judge(self) -> Draft202012Validator:
        """What a body is judged by."""
        return Draft202012Validator(self.body or {})


def check(it: Operation) -> None:
    """Refuse an operation of a stranger's that would spoil the document of all: what is no schema, or not JSON.

    Raises:
        RuntimeError: with the operation and what is wrong.
    """
    try:
        canonical([it.name, it.subject, it.summary, it.about, dict(it.parts)])
        for schema in (*it.query.values(), *it.headers.values(), it.body or {}, it.answer or {}):
            canonical(schema)
            Draft202012Validator.check_schema(schema)
    except (NotCanonical, SchemaError, AttributeError, TypeError) as error:
        raise RuntimeError(f"The operation {it.name} is not described rightly: {str(error)[:200]}") from error


class Operations(Pages):
    """A blueprint of operations. No cookie is looked at, so that no other site can make a browser use them."""

    def operation(self, method: str, rule: str, needs: Needs, *, name: str, scope: str, subject: str, summary: str,
                  max_bytes: int | Callable[[], int] = MAX_BODY_BYTES, **said: Any) -> Callable[[View], View]:
        """Return a decorator that serves *rule* with a view; for the rest see `Operation`.

        The view is given what stands in the address, and by name `query` (a dict of what was asked for) and `body` where the operation
        takes them. It returns a JSON value, an `Answer`, or a whole response.
        """
        if not rule.startswith(f"{ROOT}/"):
            raise RuntimeError(f"{rule} does not begin with {ROOT}/, as addresses of the API do.")
        if scope not in SCOPES and not (scope == "" and needs in (Needs.NOTHING, Needs.SIGNED_IN)):
            raise RuntimeError(f"{rule} needs the scope “{scope}”, which no token has.")
        it = Operation(name, method, rule, needs, scope, subject, summary, **said)

        def decorate(view: View) -> View:
            @wraps(view)
            def answer(**names: Any) -> Response:
                if it.query or request.args:
                    names["query"] = _query(it)
                if it.body is not None:
                    names["body"] = _body(it)
                return _response(it, view(**names))

            answer.operation = it  # type: ignore[attr-defined]  # read by the gate and by the document
            self.page(rule, needs, (method,), max_bytes=max_bytes, endpoint=name)(answer)
            return view

        return decorate

    def register(self, app: Any, options: Any) -> None:
        """Add the operations to an application."""
        csrf.exempt(self)
        super().register(app, options)


def operations_of(app: Flask) -> list[Operation]:
    """Return all operations of an application, by subject and address."""
    found = [view.operation for view in app.view_functions.values() if hasattr(view, "operation")]
    return sorted(found, key=lambda one: (one.subject, one.rule, one.method))


def check_match(etag: str) -> None:
    """Refuse where the caller says by If-Match that they mean another state of a thing than the one it has.

    Raises:
        PreconditionFailed: see above.
    """
    if "If-Match" in request.headers and not request.if_match.contains(etag):
        raise PreconditionFailed("This was changed since you read it. Read it again, then repeat what you want to change.", etag=etag)


def _query(it: Operation) -> dict[str, Any]:
    """Return what an address asks for.

    Raises:
        InvalidInput: it names something unknown, or a value does not fit.
    """
    found: dict[str, Any] = {}
    for name in request.args:
        schema = it.query.get(name)
        if schema is None:
            known = ", ".join(sorted(it.query)) or "none"
            raise InvalidInput(f"This operation does not take the parameter “{name[:40]}”. It takes: {known}.", parameter=name[:40])
        given = request.args.getlist(name)
        if any(len(one) > MAX_VALUE_CHARS for one in given):
            raise InvalidInput(f"The parameter {name} is longer than {MAX_VALUE_CHARS} characters.", parameter=name)
        if schema["type"] == "array":
            value: Any = [_typed(one, schema["items"]) for one in given]
        elif len(given) > 1:
            raise InvalidInput(f"The parameter {name} can be given once only.", parameter=name)
        else:
            value = _typed(given[0], schema)
        wrong = best_match(Draft202012Validator(schema).iter_errors(value))
        if wrong is not None:
            raise InvalidInput(f"The parameter {name}: {wrong.message[:300]}.", parameter=name)
        found[name] = value
    return found


def _typed(text: str, schema: Schema) -> Any:
    if schema["type"] == "integer" and _WHOLE.match(text):
        return int(text)
    return _WORDS.get(text, text) if schema["type"] == "boolean" else text


def _body(it: Operation) -> Any:
    """Return what was sent.

    Raises:
        InvalidInput: it is no JSON, or does not follow the operation's schema.
    """
    sent = request.get_data(cache=True)
    if sent and request.mimetype != JSON:
        raise InvalidInput(f"Send JSON, with the header Content-Type: {JSON}.")
    try:
        value = parse(sent or b"{}", max_bytes=int(request.max_content_length or MAX_BYTES))
    except NotCanonical as error:
        raise InvalidInput(f"The body cannot be read: {error}.") from error
    wrong = best_match(it.judge.iter_errors(value))
    if wrong is not None:
        place = "/".join(map(str, wrong.absolute_path))
        where = f"“{place[:80]}” in the body" if place else "The body"
        raise InvalidInput(f"{where} does not fit: {wrong.message[:300]}.", pointer=f"/{place[:200]}" if place else "")
    return value


def _response(it: Operation, given: Any) -> Response:
    if isinstance(given, Response):
        return given
    answer = given if isinstance(given, Answer) else Answer(given)
    status = answer.status or it.status
    response = Response(status=status) if it.answer is None else jsonify(answer.value)
    response.status_code = status
    response.headers.update(answer.headers)
    if answer.etag is not None:
        response.set_etag(answer.etag)
        if request.method == "GET":
            response.make_conditional(request)
    return response


def page_schema(items: Schema, more: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of a page of a list: `items`, and `next`, the cursor of the page after it or null."""
    return object_schema({"items": {"type": "array", "items": items}, "next": {"type": ["string", "null"]}, **(more or {})})


def object_schema(properties: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object that has all these properties, maybe some *optional* ones, and no others."""
    return {"type": "object", "required": list(properties), "additionalProperties": False,
            "properties": {**properties, **(optional or {})}}


def etag_of(value: Any) -> str:
    """Return what stands for the state of a thing that answers as this JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]
