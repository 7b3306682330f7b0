"""The pages: the inbox, what one is told, webhooks and their secrets, what arrived."""

from __future__ import annotations

import re

from flask import Flask

from core.api import App, as_tenant, db, direct, transaction, unseal
from core.base.time import moved
from tenants.notifications import deliveries, inbox, webhooks
from tenants.notifications.inbox import PAGE_NOTIFICATIONS
from tenants.notifications.notify import Notice, tell
from tests.tenants.notifications.receiving import Receiver
from tests.web import make_member, make_organization, make_person, signed_in


def say(person: str, count: int = 1) -> None:
    """Tell a person so many things."""
    with transaction():
        for number in range(count):
            tell(Notice("quota_full", f"e/{number}", f"Thing <{number}>", "Text & more.", "/account"), [person])


def test_the_inbox_shows_what_is_new_and_counts_it(server: Flask, organization: str, owner: str) -> None:
    """Opening one leads to its page and counts it as read; the rest is read at once."""
    client = signed_in(server)
    assert "No notifications yet" in client.get("/notifications").text
    say(owner, 3)
    page = client.get("/notifications").text
    assert "Thing &lt;2&gt;" in page and "Text &amp; more." in page and "Notifications, 3 unread" in page
    assert {"unread": 3} == client.get("/notifications/unread").json
    newest = inbox.items(owner)[0]
    answer = client.get(f"/notifications/{newest.id}")
    assert (302, "/account") == (answer.status_code, answer.location)
    assert {"unread": 2} == client.get("/notifications/unread").json
    client.post(f"/notifications/{inbox.items(owner)[1].id}/read")
    assert ["Thing <0>"] == [item.title for item in inbox.items(owner, unread=True)]
    assert "Thing &lt;1&gt;" not in client.get("/notifications?unread=1").text
    client.post("/notifications/read")
    assert {"unread": 0} == client.get("/notifications/unread").json
    assert "You are all caught up" in client.get("/notifications?unread=1").text


def test_the_inbox_is_read_a_page_at_a_time(server: Flask, organization: str, owner: str) -> None:
    """Each notification once, newest first."""
    say(owner, 2 * PAGE_NOTIFICATIONS + 5)
    client, path, seen = signed_in(server), "/notifications", []
    while path:
        page = client.get(path).text
        seen += re.findall(r"Thing &lt;(\d+)&gt;</a>", page)
        older = re.search(r'href="(/notifications\?before=\d+)">Older', page)
        path = older[1] if older else ""
    assert [str(n) for n in reversed(range(2 * PAGE_NOTIFICATIONS + 5))] == seen


def test_nobody_reads_anothers_notifications(server: Flask, organization: str, owner: str) -> None:
    """Neither a member of the organization nor somebody elsewhere; the answer is that of what does not exist."""
    say(owner)
    notification_id = inbox.items(owner)[0].id
    make_member(organization, "other@example.org", "admin")
    client = signed_in(server, "other@example.org")
    assert {"unread": 0} == client.get("/notifications/unread").json
    for path in (f"/notifications/{notification_id}", "/notifications/999999", f"/notifications/{2**70}"):
        assert 404 == client.get(path).status_code
    assert 404 == client.post(f"/notifications/{notification_id}/read").status_code
    client.post("/notifications/read")
    assert 1 == inbox.unread_count(owner)


def test_wrong_numbers_in_addresses_are_no_failures(server: Flask, organization: str, owner: str) -> None:
    """Whatever stands there."""
    client = signed_in(server)
    for text in ("x", "-1", "9" * 30, "", "%27"):
        assert 200 == client.get(f"/notifications?before={text}").status_code
        assert client.get(f"/o/{organization}/deliveries?before={text}").status_code in (200, 404)
        assert 200 == client.get(f"/o/{organization}/deliveries?state={text}").status_code


def test_what_one_is_told_is_chosen(server: Flask, organization: str, owner: str, app: App) -> None:
    """A row a kind; what is ticked holds, what is not does not."""
    client = signed_in(server)
    assert 'name="inbox.backup_done" value="1" aria-label="Backup done: in Appkeep" checked' in client.get("/notifications/choices").text
    assert 302 == client.post("/notifications/choices", data={"mail.backup_done": "1", "inbox.nonsense": "1"}).status_code
    page = client.get("/notifications/choices").text
    assert 'name="inbox.backup_done" value="1" aria-label="Backup done: in Appkeep">' in page
    assert 'name="mail.backup_done" value="1" aria-label="Backup done: by email" checked' in page
    with as_tenant(organization):
        direct.back_up(app, person=owner)
        assert [] == inbox.items(owner)
        assert ["mail"] == [one.channel for one in deliveries.deliveries()]


def test_a_webhook_is_added_and_its_secret_shown_once(server: Flask, organization: str, owner: str, hook: Receiver) -> None:
    """On the page after; a new one the same way; it is in the log without its secret."""
    client, root = signed_in(server), f"/o/{organization}/webhooks"
    page = client.post(f"{root}/add", data={"url": hook.url, "kind": ["backup_done"]}, follow_redirects=True).text
    (secret,) = re.findall(r'value="(whsec_[^"]+)"', page)
    webhook_id = webhooks.webhooks()[0].id
    assert secret == unseal(webhooks.find(webhook_id).secret, f"webhook/{webhook_id}")
    for path in (root, f"{root}/{webhook_id}", f"{root}/{webhook_id}", f"/o/{organization}/log"):
        assert "whsec_" not in client.get(path).text
    seen = {"replaces": one_value(client.get(f"{root}/{webhook_id}").text, "replaces")}
    rotated = client.post(f"{root}/{webhook_id}/rotate", data=seen, follow_redirects=True).text
    assert secret not in rotated and "whsec_" in rotated
    log = client.get(f"/o/{organization}/log").text
    assert "Webhook added" in log and "Webhook secret replaced" in log and "whsec_" not in log


def one_value(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    (found,) = re.findall(rf'name="{name}" value="([^"]+)"', page)
    return str(found)


def test_the_page_says_until_when_the_previous_secret_is_valid(server: Flask, organization: str, owner: str, hook: Receiver) -> None:
    """And ends it; a page that somebody else was quicker on is refused with what to do, and shows no secret."""
    client, root = signed_in(server), f"/o/{organization}/webhooks"
    client.post(f"{root}/add", data={"url": hook.url, "kind": ["backup_done"]}, follow_redirects=True)
    page = f"{root}/{webhooks.webhooks()[0].id}"
    before = client.get(page).text
    assert "End previous" not in before
    seen = {"replaces": one_value(before, "replaces")}
    both = client.post(f"{page}/rotate", data=seen, follow_redirects=True).text
    assert "messages are signed with the previous secret, too" in both and "End previous secret now" in both
    for data in (seen, {}, {"replaces": "x"}):
        refused = client.post(f"{page}/rotate", data=data)
        assert 422 == refused.status_code and "Reload the page" in refused.text and "whsec_" not in refused.text
    with moved(webhooks.BOTH_HOURS * 3600 + 1):
        assert "previous secret" not in client.get(page).text
    after = client.post(f"{page}/end-previous", follow_redirects=True).text
    assert "previous secret" not in after and "End previous" not in after
    assert "previous secret ended" in client.get(f"/o/{organization}/log").text


def test_what_cannot_be_taken_comes_back_beside_its_field(server: Flask, organization: str, owner: str) -> None:
    """With what was typed; nothing is made of it."""
    client, root = signed_in(server), f"/o/{organization}/webhooks"
    for data, told in (({"url": "nonsense", "kind": "backup_done"}, "starts with https://"),
                       ({"url": "https://example.org", "kind": "other"}, "Choose at least one")):
        answer = client.post(f"{root}/add", data=data)
        assert 422 == answer.status_code and told in answer.text and f'value="{data["url"]}"' in answer.text
    assert [] == webhooks.webhooks()


def test_a_test_is_sent_and_what_became_of_it_shown(server: Flask, organization: str, owner: str, hook: Receiver) -> None:
    """On the webhook's page and on that of all deliveries; it can be sent again from both."""
    client, root = signed_in(server), f"/o/{organization}/webhooks"
    client.post(f"{root}/add", data={"url": hook.url, "kind": "backup_done"})
    webhook_id = webhooks.webhooks()[0].id
    client.post(f"{root}/{webhook_id}/test")
    assert "Pending" in client.get(f"{root}/{webhook_id}").text
    hook.status = 503
    deliveries.deliver_due()
    deliveries.finish()
    for path in (f"{root}/{webhook_id}", f"/o/{organization}/deliveries"):
        page = client.get(path).text
        assert "Retrying" in page and "Responded with 503" in page
    hook.status = 200
    db.session.rollback()
    delivery_id = deliveries.deliveries()[0].id
    assert f"{root}/{webhook_id}" == client.post(f"/o/{organization}/deliveries/{delivery_id}/again", data={"webhook": "1"}).location
    deliveries.deliver_due()
    deliveries.finish()
    assert "Delivered" in client.get(f"/o/{organization}/deliveries?state=delivered").text
    assert "No results" in client.get(f"/o/{organization}/deliveries?state=undelivered").text
    client.post(f"{root}/{webhook_id}/remove")
    assert 404 == client.get(f"{root}/{webhook_id}").status_code
    assert "A removed webhook" in client.get(f"/o/{organization}/deliveries").text


def test_only_those_who_manage_the_organization_see_webhooks(server: Flask, organization: str, owner: str) -> None:
    """Members do not, and another organization's owner learns nothing."""
    with transaction():
        webhook_id = webhooks.add("https://example.org/", ["backup_done"], owner)[0].id
    make_member(organization, "member@example.org")
    other = make_organization("Other", "other@example.org")
    make_person("other@example.org")
    member, stranger = signed_in(server, "member@example.org"), signed_in(server, "other@example.org")
    for path in (f"/o/{organization}/webhooks", f"/o/{organization}/webhooks/{webhook_id}", f"/o/{organization}/deliveries"):
        assert (403, 404) == (member.get(path).status_code, stranger.get(path).status_code)
    assert 404 == stranger.get(f"/o/{other}/webhooks/{webhook_id}").status_code
    assert 404 == stranger.post(f"/o/{other}/webhooks/{webhook_id}/rotate").status_code
