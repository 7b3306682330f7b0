"""An organization's webhooks: addresses that are told of what happens, each message signed. The caller owns the transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection

from sqlalchemy import func, select

from core.api import Conflict, InvalidInput, NotFound, db, new_key, now_us, seal, server, tenant
from tenants.audit import audit
from tenants.notifications.http_delivery import checked_url
from tenants.notifications.kinds import KINDS
from tenants.notifications.models import Webhook, webhook_purpose
from tenants.notifications.notify import add_delivery

MOST_WEBHOOKS = 10
TEST = "test"
"""The kind of a message that only tries whether it arrives."""


def webhooks() -> list[Webhook]:
    """Return the current organization's webhooks, oldest first."""
    return list(db.session.scalars(select(Webhook).order_by(Webhook.made_at, Webhook.id)))


def find(webhook_id: str) -> Webhook:
    """Return a webhook of the current organization.

    Raises:
        NotFound: there is none.
    """
    found = db.session.scalar(select(Webhook).where(Webhook.id == webhook_id))
    if found is None:
        raise NotFound("This webhook no longer exists.")
    return found


def add(url: str, kinds: Collection[str], person: str) -> tuple[Webhook, str]:
    """Make a webhook and return it with its secret, which is for whoever made it to see now, and never again.

    Raises:
        InvalidInput: the address cannot be taken, or no kind is named.
        Conflict: the organization has as many as it may.
    """
    address = checked_url(url, private=server().config.webhook_private_addresses)
    if (db.session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST_WEBHOOKS:
        raise Conflict(f"An organization can have {MOST_WEBHOOKS} webhooks at most. Remove one first.")
    webhook_id, secret = new_key("h"), new_secret()
    webhook = Webhook(id=webhook_id, organization_id=tenant(), url=address, secret=seal(secret, webhook_purpose(webhook_id)),
                      kinds=_joined(kinds), enabled=True, made_at=now_us(), made_by=person)
    db.session.add(webhook)
    db.session.flush()
    audit("webhook_added", f"webhook/{webhook.id}", name=address)
    return webhook, secret


def change(webhook: Webhook, url: str, kinds: Collection[str], *, enabled: bool) -> None:
    """Change where a webhook leads, what it is told of, and whether it is told at all.

    Raises:
        InvalidInput: the address cannot be taken, or no kind is named.
    """
    webhook.url = checked_url(url, private=server().config.webhook_private_addresses)
    webhook.kinds, webhook.enabled = _joined(kinds), enabled
    db.session.flush()
    audit("webhook_changed", f"webhook/{webhook.id}", name=webhook.url, enabled=enabled)


def remove(webhook: Webhook) -> None:
    """Remove a webhook; what waits for it is given up."""
    audit("webhook_removed", f"webhook/{webhook.id}", name=webhook.url)
    db.session.delete(webhook)
    db.session.flush()


def rotate(webhook: Webhook) -> str:
    """Give a webhook a new secret and return it; all that is sent from now on is signed with it."""
    secret = new_secret()
    webhook.secret = seal(secret, webhook_purpose(webhook.id))
    db.session.flush()
    audit("webhook_secret_rotated", f"webhook/{webhook.id}", name=webhook.url)
    return secret


def send_test(webhook: Webhook) -> None:
    """Put a message on its way that only tries whether it arrives."""
    event = f"test/{new_key('e')}"
    body = {"event": event, "kind": TEST, "title": "Test message", "text": "Somebody sent a test to this webhook.",
            "organization": {"id": tenant()}}
    add_delivery("webhook", webhook.id, TEST, event, "A test", json.dumps(body, sort_keys=True))


def kinds_of(webhook: Webhook) -> list[str]:
    """Return the kinds that a webhook is told of."""
    return [kind for kind in webhook.kinds.split(",") if kind]


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message: "sha256=" and the HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal."""
    digest = hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def new_secret() -> str:
    """Return a new secret."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def _joined(kinds: Collection[str]) -> str:
    chosen = [kind for kind in KINDS if kind in kinds]
    if not chosen:
        raise InvalidInput("Choose at least one event.")
    return f",{','.join(chosen)},"
