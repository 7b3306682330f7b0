"""The document of the HTTP API (OpenAPI 3.1), made of its operations: what it says is what requests are judged by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.server import VERSION
from core.web.answers import PROBLEM
from core.web.bearer import SCOPES
from core.web.gate import Needs
from core.web.http_api import repeats
from core.web.http_api.operations import JSON, Operation

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
ABOUT = """\
JSON over HTTP. Send a token as `Authorization: Bearer akt_…`; people make tokens under *Your account › API tokens*. A token belongs to
one person and one organization: it may do what that person may do there, as far as its scopes reach, and sees no other organization.

- **Errors** are problem documents (RFC 9457) with a stable `code`, the same as the command line's.
- **Lists** come in pages: pass `next` back as `cursor` until it is null.
- **Doing once**: operations that take `Idempotency-Key` do the same request with the same key only once within a day.
- **Nothing overwritten unseen**: what has an `ETag` can be changed with `If-Match`; if somebody was quicker, the answer is 412.
- **Times** are RFC 3339 in UTC. **Sizes** are bytes.
- **Runs**: workers do backups, restores, checks and uploads. The answer names a run; read it until its `state` is neither `queued` nor
  `running`.
- At most 600 requests a minute for each token.
"""
NAMES = {
    "app_id": "Id of an app (`a_…`).", "backup_id": "Id of a backup (`b_…`).", "run_id": "Id of a run (`n_…`).",
    "other": "Id of another backup, or `app` for the app as it is.", "upload_id": "Id of an upload (`p_…`).",
    "what": "`config`, `data` or `both`.",
}
"""What a variable of an address is, wherever it stands."""
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object", "required": ["type", "code", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "`urn:appkeep:` and the code."},
        "code": {"type": "string", "description": "What went wrong, for programs; it stays the same."},
        "title": {"type": "string"}, "status": {"type": "integer"}, "instance": {"type": "string"},
        "detail": {"type": "string", "description": "What went wrong and what to do, for people."}},
    "description": "A refusal (RFC 9457). Some codes add members of their own.",
}
TITLES = {
    401: "No token, or one that is no longer good", 403: "The token or the person may not do this", 404: "Not found",
    409: "Not possible now", 412: "Changed since it was read", 413: "Too large", 416: "No such part of the file",
    422: "Something sent does not fit", 429: "Too often", 503: "Try again soon"}


def document(operations: Iterable[Operation], address: str) -> dict[str, Any]:
    """Return the document of operations that are served at *address*."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(path_of(one.rule), {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Appkeep", "version": VERSION, "description": ABOUT},
        "servers": [{"url": address.rstrip("/") or "/"}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM_SCHEMA},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Scopes: " + "; ".join(
                f"`{name}`: {what}" for name, what in SCOPES.items()) + "."}}},
    }


def path_of(rule: str) -> str:
    """Return an address as documents write it: ``/apps/{app_id}``."""
    return _PART.sub(r"{\2}", rule)


def _operation(it: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": it.name, "summary": it.summary, "tags": [it.subject],
        "security": [{"token": [it.scope]}] if it.needs is not Needs.NOTHING else [],
        "parameters": [*_path(it), *_query(it), *_headers(it)], "responses": _responses(it)}
    about = " ".join(part for part in (it.about, f"For {it.needs.value}." if it.needs is not Needs.NOTHING else "",
                                       f"Scope: `{it.scope}`." if it.scope else "") if part)
    if about:
        found["description"] = about
    if it.body is not None or it.body_type != JSON:
        found["requestBody"] = {"required": bool(it.body is None or it.body.get("required")),
                                "content": {it.body_type: {"schema": it.body} if it.body is not None else {}}}
    return found


def _path(it: Operation) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "description": {**NAMES, **it.parts}.get(name, ""),
             "schema": {"type": "integer"} if kind == "int" else {"type": "string"}} for kind, name in _PART.findall(it.rule)]


def _query(it: Operation) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", **_described(schema)} for name, schema in it.query.items()]


def _headers(it: Operation) -> list[dict[str, Any]]:
    known: dict[str, Any] = dict(it.headers)
    if it.repeatable:
        known[repeats.HEADER] = repeats.SCHEMA
    if it.guarded:
        known["If-Match"] = {"type": "string", "description": "The ETag of the state that is meant; another state is refused with 412."}
    if it.tagged and it.method == "GET":
        known["If-None-Match"] = {"type": "string", "description": "An ETag that is known; where it is still right, the answer is 304."}
    if it.ranged:
        known["Range"] = {"type": "string", "description": "The bytes that are wanted: `bytes=1000-`."}
    return [{"name": name, "in": "header", **_described(schema)} for name, schema in known.items()]


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    bare = {word: value for word, value in schema.items() if word != "description"}
    return {"schema": bare, **({"description": schema["description"]} if "description" in schema else {})}


def _responses(it: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": it.summary}
    if it.answer is not None:
        good["content"] = {it.answer_type: {"schema": it.answer}}
    if it.tagged:
        good["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Stands for the state that is answered."}}
    found = {str(it.status): good, **({"304": {"description": "Unchanged"}} if it.tagged and it.method == "GET" else {})}
    if it.ranged:
        found |= {"206": good | {"description": "The part that was asked for"}, "416": {"description": TITLES[416]}}
    shut = it.needs is not Needs.NOTHING
    codes = {*it.refusals, *((401, 403, 404, 422, 429, 503) if shut else ()), *((412,) if it.guarded else ()),
             *((413,) if it.body is not None or it.body_type != JSON else ())}
    return found | {str(code): {"description": TITLES.get(code, "Refused"),
                                "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}} for code in sorted(codes)}
