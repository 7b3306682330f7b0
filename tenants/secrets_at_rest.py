"""The secrets that tenants keep, each sealed for where it stands: second factors and webhooks. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, update

from core.api import SecretLost, db, reseal
from tenants.models import User
from tenants.notifications.models import Webhook, webhook_purpose


def of_second_factor(user_id: str) -> str:
    """Return what a person's second factor is sealed for."""
    return f"second_factor/{user_id}"


def reseal_all() -> tuple[int, int]:
    """Seal every secret with the newest key; return how many were, and how many cannot be opened any more."""
    done = lost = 0
    for table, column, row_id, sealed, purpose in list(_all()):
        try:
            fresh = reseal(sealed, purpose)
        except SecretLost:
            lost += 1
            continue
        # One that was changed meanwhile is sealed with the newest key already.
        db.session.execute(update(table).where(table.id == row_id, column == sealed).values({column: fresh})
                           .execution_options(synchronize_session=False))
        done += 1
    return done, lost


def _all() -> Iterator[tuple[Any, Any, str, str, str]]:
    for column in (User.totp_secret, User.totp_pending):
        for user_id, sealed in db.session.execute(select(User.id, column).where(column.is_not(None))):
            yield User, column, user_id, str(sealed), of_second_factor(user_id)
    for column in (Webhook.secret, Webhook.previous_secret):
        for webhook_id, sealed in db.session.execute(select(Webhook.id, column).where(column.is_not(None))):
            yield Webhook, column, webhook_id, str(sealed), webhook_purpose(webhook_id)
