"""Channel: what a plugin adds to the ways in which people are told of what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.base.errors import AppkeepError


class DeliveryFailed(AppkeepError):
    """A channel could not deliver, for a reason of the other side's: the message is kept and tried again."""

    code, status, title = "delivery_failed", 502, "Not delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody is told. `event` is the same whenever it is sent again, and no other message to the person has it.

    `body` is the JSON object that webhooks get: kind, at, organization, app, title, text, url, detail.
    """

    event: str
    kind: str
    organization_id: str
    person: str
    email: str
    title: str
    text: str
    url: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way of telling people, beside the inbox and mail. Each person chooses it, kind by kind; nobody is told by it before.

    `send` is called by a thread of the clock's, outside any transaction, and gives what the other side answered. A message may come
    twice. What it raises is tried again, ever more seldom, for a day and a half; after 60 seconds it is interrupted.

    Args:
        name: In small letters, digits and _.
        title: What people call it.
        send: Sends a message and returns the answer, for the list of deliveries; raises DeliveryFailed with a reason for people.
        reaches: Says whether a person can be told by it; who cannot is not offered it.
        note: What people do to be reached, as a sentence.
    """

    name: str
    title: str
    send: Callable[[Message], str]
    reaches: Callable[[str], bool] = lambda person: True
    note: str = ""
