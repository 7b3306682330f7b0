"""What leaves the server: the clock hands due mails and calls to threads, which write down what became of them.

A delivery is taken by one process at a time, for a minute; one whose process died is taken again. It may arrive twice, and says
by its event that it is the same. What fails is tried again, ever more seldom, for a day and a half.
"""

from __future__ import annotations

import json
import logging
import smtplib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from email.message import EmailMessage
from functools import partial

from flask import Flask, current_app
from sqlalchemy import delete, func, select, tuple_, update

from core.api import DeliveryFailed, Message, NotFound, SecretLost, as_server, as_tenant, db, now_us, server, transaction
from tenants import mail
from tenants.models import Membership, User
from tenants.notifications.http_delivery import CallFailed, post
from tenants.notifications.models import Delivery, Notification, Webhook
from tenants.notifications.webhooks import forget_previous, signed_headers, signing_secrets

SECOND_US = 1_000_000
WAITS_S = (60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 24 * 3600)
"""How long is waited after each attempt that failed; after the last one it is given up."""
TAKEN_S = 60
FAR_AHEAD_S = 3600
AT_ONCE = 16
OF_ONE_TARGET = 2
"""How many to one target are under way at once, so that one that does not answer holds up no other."""
OF_ONE_CHANNEL = 4
"""How many of one plugin's channel are."""
OWN_CHANNELS = ("mail", "webhook", "address")
KEPT_S = 60 * 86400
READ_KEPT_S = 365 * 86400
PAGE_DELIVERIES = 50
Act = Callable[[], tuple[str, str]]
"""Delivers, and returns the state and the answer; raises where it could not."""
_table = Delivery.__table__
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliveries")
_under_way: dict[Future[None], tuple[str, str]] = {}
"""What is being sent, to which target and by which channel."""
log = logging.getLogger(__name__)


def deliver_due() -> int:
    """Hand what is due to threads and return how many that are; `finish` waits for them."""
    room = AT_ONCE - len(_under_way)
    if room <= 0:
        return 0
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy is of no use in a thread
    with as_server():
        taken = [one for one in _due(room) if _take(one[0])]
    for delivery_id, organization_id, target, channel in taken:
        future = _threads.submit(_deliver, app, delivery_id, organization_id)
        _under_way[future] = (target, channel)
        future.add_done_callback(lambda done: _under_way.pop(done, None))
    return len(taken)


def finish() -> None:
    """Return once everything that was handed over has met its end."""
    wait(set(_under_way))


def deliveries(*, state: str | None = None, target: str | None = None, before: str | None = None) -> list[Delivery]:
    """Return deliveries of the current organization, newest first, one more than a page has if there are more.

    Args:
        state: Only those in this state.
        target: Only those to this person or webhook.
        before: Only those older than the one with this id.
    """
    query = select(Delivery).order_by(Delivery.made_at.desc(), Delivery.id.desc()).limit(PAGE_DELIVERIES + 1)
    if state:
        query = query.where(Delivery.state == state)
    if target:
        query = query.where(Delivery.target == target)
    if before:
        last = find(before)
        query = query.where(tuple_(Delivery.made_at, Delivery.id) < tuple_(last.made_at, last.id))
    return list(db.session.scalars(query))


def find(delivery_id: str) -> Delivery:
    """Return a delivery of the current organization.

    Raises:
        NotFound: there is none.
    """
    found = db.session.scalar(select(Delivery).where(Delivery.id == delivery_id))
    if found is None:
        raise NotFound("This delivery no longer exists.")
    return found


def undelivered_count() -> int:
    """Return how many deliveries of the current organization were given up."""
    return db.session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "undelivered")) or 0


def send_again(delivery: Delivery) -> None:
    """Try once more, at once; the caller owns the transaction."""
    delivery.state, delivery.next_at, delivery.ended_at = "waiting", now_us(), None
    db.session.flush()


def forget_old() -> None:
    """Remove what nobody looks for any more: deliveries after two months, what was read after a year, secrets whose time is over."""
    aged = {_table: (_table.c.made_at < now_us() - KEPT_S * SECOND_US) & (_table.c.state != "waiting"),
            Notification.__table__: Notification.__table__.c.at < now_us() - READ_KEPT_S * SECOND_US}
    with as_server():
        forget_previous()
        for table, old in aged.items():
            if db.session.connection().execute(select(table.c.id).where(old).limit(1)).first() is not None:
                with transaction():
                    db.session.connection().execute(delete(table).where(old))


def _due(most: int) -> list[tuple[str, str, str, str]]:
    """Return (id, organization, target, channel) of what is due, longest waiting first, few of each target, with what is under way to it.

    What is due at a moment beyond the longest wait was put there by a clock that was wrong.
    """
    c, now = _table.c, now_us()
    too_far = now + (WAITS_S[-1] + FAR_AHEAD_S) * SECOND_US
    place = func.row_number().over(partition_by=(c.target, c.channel), order_by=(c.next_at, c.id)).label("place")
    waiting = select(c.id, c.organization_id, c.target, c.channel, c.next_at, place).where(
        c.state == "waiting", (c.next_at <= now) | (c.next_at > too_far)).subquery()
    few = select(waiting).where(waiting.c.place <= OF_ONE_TARGET).order_by(waiting.c.next_at, waiting.c.id)
    seen = Counter(list(_under_way.values()))
    of_channel = Counter(channel for _, channel in list(_under_way.values()) if channel not in OWN_CHANNELS)
    found: list[tuple[str, str, str, str]] = []
    for row in db.session.connection().execute(few):
        to = (row.target, row.channel)
        if len(found) == most:
            break
        if seen[to] == OF_ONE_TARGET or of_channel[row.channel] == OF_ONE_CHANNEL:
            continue
        seen[to] += 1
        of_channel[row.channel] += row.channel not in OWN_CHANNELS
        found.append((row.id, row.organization_id, *to))
    return found


def _take(delivery_id: str) -> bool:
    """Take a delivery for a minute, unless another process was quicker."""
    now = now_us()
    with transaction():
        return db.session.connection().execute(update(_table).where(
            _table.c.id == delivery_id, _table.c.state == "waiting",
            (_table.c.next_at <= now) | (_table.c.next_at > now + (WAITS_S[-1] + FAR_AHEAD_S) * SECOND_US)).values(
                next_at=now + TAKEN_S * SECOND_US, attempts=_table.c.attempts + 1)).rowcount == 1


def _deliver(app: Flask, delivery_id: str, organization_id: str) -> None:
    try:
        with app.app_context(), as_tenant(organization_id):
            _send(find(delivery_id))
    except Exception:  # a thread has nobody above it who would say so; what was taken is due again in a minute
        log.exception("The delivery %s was interrupted", delivery_id)


def _send(delivery: Delivery) -> None:
    send = {"mail": _mailed, "webhook": _called, "address": _mailed_to}.get(delivery.channel, _brought)
    delivery_id, attempts = delivery.id, delivery.attempts
    act = send(delivery)
    db.session.rollback()  # nothing is held open while others are waited for
    if act is None:
        _end(delivery_id, "undelivered", "The recipient no longer exists.")
        return
    try:
        state, answer = act()
    except (CallFailed, DeliveryFailed, OSError, smtplib.SMTPException, ValueError) as error:
        _end(delivery_id, "failed", str(error) or type(error).__name__, attempts)
        return
    _end(delivery_id, state, answer)


def _mailed(delivery: Delivery) -> Act | None:
    """Return what sends a mail, None where its reader is no member any more."""
    person = db.session.execute(select(User.email, User.name).join(Membership, Membership.user_id == User.id).where(
        User.id == delivery.target)).first()
    if person is None:
        return None
    values = {"name": person.name, "choices": f"{server().config.address}/notifications/choices", **json.loads(delivery.body)}
    message = mail.written(person.email, "notice", **values)
    return partial(_send_mail, message)


def _mailed_to(delivery: Delivery) -> Act | None:
    """Return what sends a mail to an address; however often it is tried, it is one message to those who receive it."""
    body = json.loads(delivery.body)
    message = mail.composed(server().config.mail_from, body["to"], body["subject"], body["message"])
    message.replace_header("Message-ID", f"<{delivery.id}@appkeep>")
    return partial(_send_mail, message)


def _send_mail(message: EmailMessage) -> tuple[str, str]:
    if mail.send_now(message):
        return "delivered", "Accepted by the mail server."
    return "kept", "No mail server is set up: saved in the server’s mail folder."


def _called(delivery: Delivery) -> Act | None:
    """Return what calls a webhook, None where there is none any more."""
    webhook = db.session.scalar(select(Webhook).where(Webhook.id == delivery.target))
    if webhook is None:
        return None
    body, timestamp = delivery.body.encode(), now_us() // SECOND_US
    try:
        signing = signing_secrets(webhook)
    except SecretLost:
        return _unsigned
    headers = {"Content-Type": "application/json", "User-Agent": "Appkeep", "Appkeep-Event": delivery.kind,
               "Appkeep-Delivery": delivery.id, **signed_headers(signing, delivery.id, timestamp, body)}
    private = server().config.webhook_private_addresses
    url = webhook.url
    return lambda: ("delivered", post(url, body, headers, private=private))


def _brought(delivery: Delivery) -> Act | None:
    """Return what sends a message by a plugin's channel, None where its reader is no member any more."""
    person = db.session.execute(select(User.email).join(Membership, Membership.user_id == User.id).where(
        User.id == delivery.target)).first()
    if person is None:
        return None
    name, body, registry = delivery.channel, json.loads(delivery.body), server().registry
    channel = registry.channels.get(name)
    if channel is None:
        return partial(_refused, f"No plugin on this server brings “{name}”.")
    message = Message(event=delivery.event, kind=delivery.kind, organization_id=delivery.organization_id, person=delivery.target,
                      email=person.email, title=delivery.title, text=str(body.get("text", "")), url=str(body.get("url", "")), body=body)

    def send() -> tuple[str, str]:
        answer = registry.call("register_channel", name, lambda: channel.send(message))
        if answer is None or not isinstance(answer, str):
            raise DeliveryFailed(f"{channel.title} failed. The log of the server says why.")
        return "delivered", answer or f"Accepted by {channel.title}."

    return send


def _refused(why: str) -> tuple[str, str]:
    raise CallFailed(why)


def _unsigned() -> tuple[str, str]:
    raise CallFailed("Not sent: the key that the webhook’s secret is sealed with is gone. Give the webhook a new secret.")


def _end(delivery_id: str, state: str, answer: str, attempts: int = 0) -> None:
    """Write down what became of an attempt; one that failed is due again later, or given up."""
    values: dict[str, object] = {"state": state, "ended_at": now_us()}
    if state == "failed":
        if attempts <= len(WAITS_S):
            values = {"next_at": now_us() + WAITS_S[attempts - 1] * SECOND_US}
        else:
            values = {"state": "undelivered", "ended_at": now_us()}
    with transaction():
        db.session.connection().execute(update(_table).where(
            _table.c.id == delivery_id, _table.c.state == "waiting").values(answer=answer[:300], **values))
