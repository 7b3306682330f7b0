"""Calls to the outside: what a step asks for, and what came of it. Each carries a key that stays the same when it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.api import InvalidInput, server
from plugins.workflows import secrets
from plugins.workflows.world import RunWorld
from tenants.notifications.http_delivery import Answer, CallFailed, CallRefused, call

MOST_BODY = 256 * 1024
MOST_ANSWER = 64 * 1024
AGAIN_S = (10, 60, 300, 1800, 7200)
"""How long is waited after each attempt that failed; after the last one the step has failed."""
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be others later."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OURS = ("host", "content-length", "transfer-encoding", "connection", "idempotency-key", "webhook-id")
Body = Mapping[str, Any]


class CallAgain(Exception):
    """The call may succeed later; the text says why it did not."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to send. `secret_headers` name secrets, which are read when it is sent and kept nowhere."""

    method: str
    url: str
    body: str | None
    key: str
    headers: tuple[tuple[str, str], ...] = ()
    secret_headers: tuple[tuple[str, str], ...] = field(default=())


def call_of(world: RunWorld, step: Body, key: str) -> Call:
    """Return what a step wants to send.

    Raises:
        InvalidInput: it has no address, too long a body, or a header that cannot be sent.
    """
    url = world.values.text(step.get("url")).strip()
    if not url:
        raise InvalidInput("This step has no address to call.")
    method = step.get("method", "POST")
    body = world.values.text(step["body"]) if "body" in step and method != "GET" else None
    if body is not None and len(body.encode()) > MOST_BODY:
        raise InvalidInput(f"A request may carry at most {MOST_BODY // 1024} kB.")
    plain, secret = [], []
    for one in step.get("headers", ()):
        name = str(one["name"]).strip()
        if not name.isascii() or not name.replace("-", "").isalnum() or name.lower() in _OURS:
            raise InvalidInput(f"“{name[:60]}” is not a header that a step can send.")
        if isinstance(one["value"], Mapping) and "secret" in one["value"]:
            secret.append((name, str(one["value"]["secret"])))
        else:
            plain.append((name, _header(name, world.values.text(one["value"]))))
    return Call(method, url, body, key, tuple(plain), tuple(secret))


def send(app_id: str, asked: Call) -> dict[str, Any]:
    """Send a request and return {"status", "body"}: what JSON says, or the text.

    Raises:
        CallAgain: it may succeed later.
        InvalidInput: it cannot.
        SecretLost, NotFound: a secret cannot be read, or is not there.
    """
    headers = {"Content-Type": _type_of(asked.body), **dict(asked.headers)} if asked.body is not None else dict(asked.headers)
    for name, secret in asked.secret_headers:
        headers[name] = _header(name, secrets.read(app_id, secret))
    headers |= {"User-Agent": "Appkeep", "Idempotency-Key": asked.key, "webhook-id": asked.key}
    try:
        answer = call(asked.method, asked.url, None if asked.body is None else asked.body.encode(), headers,
                      private=server().config.webhook_private_addresses, most_bytes=MOST_ANSWER)
    except CallRefused as error:
        raise InvalidInput(str(error)) from error
    except CallFailed as error:
        raise CallAgain(str(error)) from error
    if answer.status in PASSING:
        raise CallAgain(f"Responded with {answer.said}")
    if not 200 <= answer.status < 300:
        raise InvalidInput(f"Responded with {answer.said}" + ("; redirects are not followed" if 300 <= answer.status < 400 else ""))
    return {"status": answer.status, "body": _read(answer)}


def _read(answer: Answer) -> Any:
    text = answer.body.decode("utf-8", "replace").replace("\0", "")
    if "json" in answer.type:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _type_of(body: str | None) -> str:
    try:
        json.loads(body or "")
        return "application/json"
    except (ValueError, RecursionError):
        return "text/plain; charset=utf-8"


def _header(name: str, value: str) -> str:
    value = value.strip()
    if len(value) > 8000 or any(ord(char) < 32 or ord(char) > 255 for char in value):
        raise InvalidInput(f"The header “{name[:60]}” has characters that cannot be sent.")
    return value
