"""An organization's webhooks: addresses that are told of what happens, each message signed. The caller owns the transaction.

Messages are signed as Standard Webhooks has it, so that receivers use its ready libraries; `Appkeep-Signature`, which was there
before, goes with them for receivers that know only that.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection

from sqlalchemy import func, select, update

from core.api import (
    Conflict,
    InvalidInput,
    NotFound,
    SecretLost,
    db,
    new_key,
    now_us,
    reseal,
    seal,
    server,
    tenant,
    transaction,
    unseal,
)
from tenants.audit import audit
from tenants.notifications.http_delivery import checked_url
from tenants.notifications.kinds import KINDS
from tenants.notifications.models import Webhook, webhook_purpose
from tenants.notifications.notify import add_delivery

MOST_WEBHOOKS = 10
TEST = "test"
"""The kind of a message that only tries whether it arrives."""
BOTH_HOURS = 24
"""How long the secret before the newest one signs too."""
SECRET_BYTES = 32
_PREFIX = "whsec_"
_HOUR_US = 3600 * 1_000_000


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
    made_at = now_us()
    webhook = Webhook(id=webhook_id, organization_id=tenant(), url=address, secret=seal(secret, webhook_purpose(webhook_id)),
                      secret_made_at=made_at, kinds=_joined(kinds), enabled=True, made_at=made_at, made_by=person)
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


def rotate(webhook: Webhook, replaces: int | None = None) -> str:
    """Give a webhook a new secret and return it; what is sent for a day is signed with the one before it, too.

    A third never signs: where two do already, the older one ends now.

    Args:
        webhook: Whose.
        replaces: When the secret was made that is to be replaced; without it, the one that *webhook* has.

    Raises:
        Conflict: it has another one by now: whoever was shown that would lose it unawares.
    """
    secret, now, purpose = new_secret(), now_us(), webhook_purpose(webhook.id)
    replaces = webhook.secret_made_at if replaces is None else replaces
    try:
        previous = reseal(webhook.secret, purpose)
    except SecretLost:  # it signs no more
        previous = None
    done = db.session.execute(
        update(Webhook).where(Webhook.id == webhook.id, Webhook.secret_made_at == replaces)
        .values(secret=seal(secret, purpose), secret_made_at=now, previous_secret=previous,
                previous_until=now + BOTH_HOURS * _HOUR_US if previous else None)
        .execution_options(synchronize_session=False))
    if done.rowcount != 1:  # type: ignore[attr-defined]  # an update has one
        raise Conflict("This webhook has got another secret since the page was opened. Reload the page before you create one.")
    db.session.refresh(webhook)
    audit("webhook_secret_rotated", f"webhook/{webhook.id}", name=webhook.url)
    return secret


def end_previous(webhook: Webhook) -> None:
    """Let a webhook's previous secret sign no more, if it does."""
    if previous_until(webhook) is not None:
        webhook.previous_secret = webhook.previous_until = None
        db.session.flush()
        audit("webhook_previous_ended", f"webhook/{webhook.id}", name=webhook.url)


def previous_until(webhook: Webhook) -> int | None:
    """Return until when a webhook's previous secret signs too, None where it does not."""
    return webhook.previous_until if webhook.previous_until is not None and webhook.previous_until > now_us() else None


def forget_previous() -> None:
    """Remove the previous secrets of all organizations whose time is over, in a transaction of its own."""
    over = Webhook.previous_until <= now_us()
    if db.session.execute(select(Webhook.id).where(over).limit(1)).first() is not None:
        with transaction():
            db.session.execute(update(Webhook).where(over).values(previous_secret=None, previous_until=None)
                               .execution_options(synchronize_session=False))


def signing_secrets(webhook: Webhook) -> list[str]:
    """Return the secrets that sign a webhook's messages, the newest first.

    Raises:
        SecretLost: the newest cannot be opened; a previous one that cannot is left out.
    """
    purpose = webhook_purpose(webhook.id)
    found = [unseal(webhook.secret, purpose)]
    if webhook.previous_secret is not None and previous_until(webhook) is not None:
        with contextlib.suppress(SecretLost):
            found.append(unseal(webhook.previous_secret, purpose))
    return found


def send_test(webhook: Webhook) -> None:
    """Put a message on its way that only tries whether it arrives."""
    event = f"test/{new_key('e')}"
    body = {"event": event, "kind": TEST, "title": "Test message", "text": "Somebody sent a test to this webhook.",
            "organization": {"id": tenant()}}
    add_delivery("webhook", webhook.id, TEST, event, "A test", json.dumps(body, sort_keys=True))


def kinds_of(webhook: Webhook) -> list[str]:
    """Return the kinds that a webhook is told of."""
    return [kind for kind in webhook.kinds.split(",") if kind]


def signed_headers(signing: list[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove a message, by `signing_secrets`."""
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(standard_signature(secret, message_id, timestamp, body) for secret in signing),
            "Appkeep-Timestamp": str(timestamp), "Appkeep-Signature": signature(signing[0], timestamp, body)}


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return a message's signature by Standard Webhooks: "v1," and the HMAC-SHA256 of "<id>.<timestamp>.<body>" in base64."""
    digest = hmac.new(_key(secret), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature that was there first: "sha256=" and the HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal."""
    digest = hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def new_secret() -> str:
    """Return a new secret: "whsec_" and a key in base64."""
    return f"{_PREFIX}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _key(secret: str) -> bytes:
    """Return the key that a secret holds; earlier ones are in base64url without padding."""
    text = secret.removeprefix(_PREFIX).rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _joined(kinds: Collection[str]) -> str:
    chosen = [kind for kind in KINDS if kind in kinds]
    if not chosen:
        raise InvalidInput("Choose at least one event.")
    return f",{','.join(chosen)},"
