"""Telling people what happened: rows in inboxes, and deliveries for mail and webhooks. The caller owns the transaction.

An event that is told twice arrives once: its name and whoever it is for are unique together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import select

from core.api import db, insert_once, new_key, now_us, server, straight, tenant
from tenants.models import AppAdmin, Membership, Organization
from tenants.notifications.choices import choices_of
from tenants.notifications.models import Delivery, Notification, Webhook
from tenants.typed_names import checked_email

MOST_TITLE_CHARS = 300
PATHS = {
    "runs.show": "/o/{organization_id}/runs/{run_id}",
    "backups.show": "/o/{organization_id}/apps/{app_id}/manage/backups",
    "backups.schedule": "/o/{organization_id}/apps/{app_id}/manage/backups/schedule",
    "apps.app_home": "/o/{organization_id}/apps/{app_id}/",
    "organization.plan": "/o/{organization_id}/plan",
    "backup_health.show": "/o/{organization_id}/backup-health",
}
"""Where the pages lie that a process without pages tells of."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened: its kind, a name that no other event has, what people read, and the page that shows more."""

    kind: str
    event: str
    title: str
    text: str
    path: str
    app: tuple[str, str] | None = None
    """(id, name)"""
    detail: Mapping[str, Any] = field(default_factory=dict)


def tell(notice: Notice, people: Iterable[str]) -> None:
    """Tell people of the current organization, as each of them chose, and the webhooks that want to know.

    Args:
        notice: What happened.
        people: Ids; whoever is no active member is left out.
    """
    notice = replace(notice, title=straight(notice.title), text=straight(notice.text))
    members = set(db.session.scalars(select(Membership.user_id).where(Membership.user_id.in_(list(people)))))
    chosen = choices_of(members, notice.kind)

    @cache
    def body() -> str:
        return json.dumps(_body(notice), ensure_ascii=False, sort_keys=True)

    for person in sorted(members):
        if chosen[person].inbox:
            _add_to_inbox(notice, person)
        if chosen[person].mail:
            add_delivery("mail", person, notice.kind, notice.event, notice.title, body())
        for channel in sorted(chosen[person].channels & server().registry.channels.keys()):
            add_delivery(channel, person, notice.kind, notice.event, notice.title, body())
    for webhook in db.session.scalars(select(Webhook).where(Webhook.enabled)):
        if f",{notice.kind}," in webhook.kinds:
            add_delivery("webhook", webhook.id, notice.kind, notice.event, notice.title, body())


def admins_of(app_id: str) -> list[str]:
    """Return the ids of an app's admins."""
    return list(db.session.scalars(select(AppAdmin.user_id).where(AppAdmin.app_id == app_id)))


def managers() -> list[str]:
    """Return the ids of the current organization's owners and admins."""
    return list(db.session.scalars(select(Membership.user_id).where(Membership.role.in_(("owner", "admin")))))


def path_to(endpoint: str, **names: str) -> str:
    """Return the path of a page; where there is no request too, and for those in `PATHS` where there are no pages."""
    if endpoint in PATHS:
        return PATHS[endpoint].format(**names)
    return current_app.url_map.bind("localhost").build(endpoint, names)


def add_delivery(channel: str, target: str, kind: str, event: str, title: str, body: str) -> None:
    """Put a mail, a webhook's call or a channel's message on its way, unless the same event is already."""
    now = now_us()
    insert_once(Delivery.__table__, id=new_key("v"), organization_id=tenant(), channel=channel, target=target, event=event, kind=kind,
                 title=title[:MOST_TITLE_CHARS], body=body, state="waiting", attempts=0, answer="", made_at=now, next_at=now)


def mail_to(address: str, event: str, subject: str, message: str) -> None:
    """Put a mail to any address on its way; the same event is sent to it once.

    Raises:
        InvalidInput: it is no email address.
    """
    address = checked_email(address)
    target = f"e_{hashlib.sha256(address.encode()).hexdigest()[:14]}"
    body = json.dumps({"to": address, "subject": subject, "message": message}, ensure_ascii=False)
    add_delivery("address", target, "message", event, subject, body)


def _add_to_inbox(notice: Notice, person: str) -> None:
    insert_once(
        Notification.__table__, user_id=person, organization_id=tenant(), app_id=notice.app[0] if notice.app else None,
        event=notice.event, kind=notice.kind, title=notice.title[:MOST_TITLE_CHARS], text=notice.text, path=notice.path, at=now_us())


def _body(notice: Notice) -> dict[str, Any]:
    """Return an event as the JSON object that webhooks get."""
    name = db.session.scalar(select(Organization.name).where(Organization.id == tenant()))
    app = {"id": notice.app[0], "name": notice.app[1]} if notice.app else None
    return {"event": notice.event, "kind": notice.kind, "at": datetime.fromtimestamp(now_us() // 1_000_000, UTC).isoformat(),
            "organization": {"id": tenant(), "name": name}, "app": app, "title": notice.title, "text": notice.text,
            "url": f"{server().config.address}{notice.path}", "detail": dict(notice.detail)}
