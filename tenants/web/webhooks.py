"""Pages on an organization's webhooks, and on what of mail and webhooks arrived."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request, session, url_for

from core.api import ORGANIZATION, Needs, Pages, again, limiter, server, tenant, transaction, visit
from tenants import service
from tenants.notifications import deliveries as sent
from tenants.notifications import webhooks
from tenants.notifications.kinds import KINDS
from tenants.notifications.models import STATES, Delivery, Webhook
from tenants.web.forms import number, refused_change, to, typed

pages = Pages("webhooks", __name__)
HERE = f"{ORGANIZATION}/webhooks"
ONE = f"{HERE}/<webhook_id>"
SENT = f"{ORGANIZATION}/deliveries"
OFTEN = "60 per minute"
_SECRET = "webhook_secret"


@pages.page(HERE, Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """List the webhooks."""
    return _page()


@pages.page(f"{HERE}/add", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def add(organization_id: str) -> Response:
    """Make a webhook and show its secret, this once."""
    made: list[tuple[Webhook, str]] = []
    if error := refused_change(lambda: made.append(webhooks.add(typed("url"), request.form.getlist("kind"), visit().person))):
        return again(_page(error))
    webhook, secret = made[0]
    _show_once(webhook.id, secret)
    return _back(organization_id, webhook.id, "Webhook added.")


@pages.page(ONE, Needs.ORG_ADMIN)
def one(organization_id: str, webhook_id: str) -> str:
    """Show a webhook: where it leads, what it is told of, what arrived."""
    return _one(webhook_id)


@pages.page(f"{ONE}/change", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def change(organization_id: str, webhook_id: str) -> Response:
    """Change a webhook."""
    kinds = request.form.getlist("kind")
    error = refused_change(
        lambda: webhooks.change(webhooks.find(webhook_id), typed("url"), kinds, enabled="enabled" in request.form))
    return again(_one(webhook_id, error)) if error else _back(organization_id, webhook_id, "Saved.")


@pages.page(f"{ONE}/rotate", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def rotate(organization_id: str, webhook_id: str) -> Response:
    """Give a webhook a new secret and show it, this once."""
    made: list[str] = []
    replaces = number(request.form.get("replaces"))
    if error := refused_change(lambda: made.append(webhooks.rotate(webhooks.find(webhook_id), replaces or 0))):
        return again(_one(webhook_id, refusal=error))
    _show_once(webhook_id, made[0])
    return _back(organization_id, webhook_id, "New secret created. Messages are signed with it from now on.")


@pages.page(f"{ONE}/end-previous", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def end_previous(organization_id: str, webhook_id: str) -> Response:
    """Let the secret before the newest one sign no more."""
    with transaction():
        webhooks.end_previous(webhooks.find(webhook_id))
    return _back(organization_id, webhook_id, "Messages are signed with the newest secret only.")


@pages.page(f"{ONE}/test", Needs.ORG_ADMIN, ("POST",))
@limiter.limit("10 per minute")
def test(organization_id: str, webhook_id: str) -> Response:
    """Send a message that only tries whether it arrives."""
    with transaction():
        webhooks.send_test(webhooks.find(webhook_id))
    return _back(organization_id, webhook_id, "Test sent. Reload this page in a few seconds to see the result.")


@pages.page(f"{ONE}/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def remove(organization_id: str, webhook_id: str) -> Response:
    """Remove a webhook."""
    with transaction():
        webhooks.remove(webhooks.find(webhook_id))
    return to(url_for("webhooks.show", organization_id=organization_id), "Webhook removed.")


@pages.page(SENT, Needs.ORG_ADMIN)
def deliveries(organization_id: str) -> str:
    """Show what was sent by mail and to webhooks, newest first, a page at a time."""
    state = request.args.get("state", "")
    found = sent.deliveries(state=state if state in STATES else None, before=request.args.get("before"))
    shown = found[:sent.PAGE_DELIVERIES]
    return render_template("tenants/deliveries.html", deliveries=_listed(shown), state=state, states=STATES,
                           older=shown[-1].id if len(found) > len(shown) else None, first="before" not in request.args)


@pages.page(f"{SENT}/<delivery_id>/again", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def send_again(organization_id: str, delivery_id: str) -> Response:
    """Try to deliver once more."""
    with transaction():
        delivery = sent.find(delivery_id)
        sent.send_again(delivery)
        back = delivery.target if delivery.channel == "webhook" and "webhook" in request.form else None
    if back:
        return _back(organization_id, back, "Sending again in a moment.")
    return to(url_for("webhooks.deliveries", organization_id=organization_id), "Sending again in a moment.")


def _page(error: str | None = None) -> str:
    return render_template("tenants/webhooks.html", webhooks=[(row, webhooks.kinds_of(row)) for row in webhooks.webhooks()],
                           kinds=KINDS, error=error, url=typed("url"), undelivered=sent.undelivered_count(),
                           chosen=request.form.getlist("kind") if error else [k for k in KINDS if k != "scheduled_done"])


def _one(webhook_id: str, error: str | None = None, refusal: str | None = None) -> str:
    row = webhooks.find(webhook_id)
    return render_template(
        "tenants/webhook.html", webhook=row, kinds=KINDS, error=error, refusal=refusal, secret=_shown_once(webhook_id),
        previous_until=webhooks.previous_until(row), both_hours=webhooks.BOTH_HOURS,
        url=typed("url") if error else row.url, enabled="enabled" in request.form if error else row.enabled,
        chosen=request.form.getlist("kind") if error else webhooks.kinds_of(row),
        deliveries=_listed(sent.deliveries(target=webhook_id)[:10]))


def _listed(rows: list[Delivery]) -> list[dict[str, Any]]:
    """Return deliveries with what people call their targets and kinds."""
    urls = {row.id: row.url for row in webhooks.webhooks()}
    channels = {name: one.title for name, one in server().registry.channels.items()}
    titles = {name: kind.title for name, kind in KINDS.items()} | {webhooks.TEST: "Test"}
    return [{"row": row, "kind": titles.get(row.kind, row.kind), "to": urls.get(row.target, "A removed webhook")
             if row.channel == "webhook" else service.name_of(tenant(), row.target), "channel": channels.get(row.channel, row.channel)}
            for row in rows]


def _show_once(webhook_id: str, secret: str) -> None:
    session[_SECRET] = [webhook_id, secret]


def _shown_once(webhook_id: str) -> str | None:
    found = session.get(_SECRET)
    if not found or found[0] != webhook_id:
        return None
    session.pop(_SECRET)
    return str(found[1])


def _back(organization_id: str, webhook_id: str, told: str) -> Response:
    return to(url_for("webhooks.one", organization_id=organization_id, webhook_id=webhook_id), told)
