"""What leaves the server: signed, tried again where it did not arrive, given up at last and shown, and sent again by hand."""

from __future__ import annotations

import json
import re
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import App, as_tenant, db, direct, now_us, transaction
from core.base.errors import Conflict, InvalidInput, NotFound
from core.base.time import moved
from tenants import members
from tenants.notifications import deliveries, webhooks
from tenants.notifications.deliveries import WAITS_S
from tenants.notifications.kinds import KINDS
from tenants.notifications.models import Delivery
from tenants.notifications.notify import Notice, tell
from tests.conftest import fresh_database, opened_server
from tests.tenants.notifications.receiving import Receiver
from tests.tenants.test_mail import Receiver as MailServer
from tests.tenants.test_mail import receiver as mail_receiver
from tests.web import make_member, make_organization
from tests.writing import at_once, each

__all__ = ["mail_receiver"]
NOTICE = Notice("quota_full", "quota_full/1", "The quota is used up", "All of it.", "/o/x/plan")


def add_hook(url: str, owner: str) -> str:
    """Make a webhook that is told of a quota that is used up, and return its secret."""
    with transaction():
        return webhooks.add(url, ["quota_full"], owner)[1]


def say(notice: Notice = NOTICE, people: tuple[str, ...] = ()) -> None:
    """Tell something."""
    with transaction():
        tell(notice, people)


def delivered() -> Delivery:
    """Deliver what is due and return the only delivery."""
    deliveries.deliver_due()
    deliveries.finish()
    db.session.rollback()
    (found,) = deliveries.deliveries()
    return found


def test_a_webhook_gets_one_signed_message(organization: str, owner: str, hook: Receiver) -> None:
    """The body says what happened, the signature fits it and the time, and nothing of the secret is in it."""
    secret = add_hook(hook.url, owner)
    say()
    found = delivered()
    assert ("delivered", 1, "200 OK") == (found.state, found.attempts, found.answer)
    ((path, headers, body),) = hook.got
    assert "/hook?from=appkeep" == path
    assert webhooks.signature(secret, int(headers["Appkeep-Timestamp"]), body) == headers["Appkeep-Signature"]
    assert abs(int(headers["Appkeep-Timestamp"]) - now_us() // 1_000_000) < 60
    assert ("quota_full", found.id) == (headers["Appkeep-Event"], headers["Appkeep-Delivery"])
    said = json.loads(body)
    assert ("quota_full/1", "Example", "The quota is used up") == (said["event"], said["organization"]["name"], said["title"])
    assert secret not in body.decode()
    assert 0 == deliveries.deliver_due()


def test_a_receiver_that_follows_the_docs_takes_it(organization: str, owner: str, hook: Receiver) -> None:
    """The Python on the page of operations, as printed: ours is taken, a changed one, an old one and another's secret are not."""
    secret = add_hook(hook.url, owner)
    say()
    delivered()
    page = (Path(__file__).parents[3] / "docs/operations.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    scope: dict[str, Any] = {}
    exec(block, scope)
    ((_, headers, body),) = hook.got
    old = int(headers["webhook-timestamp"]) - 600
    aged = webhooks.signed_headers([secret], headers["webhook-id"], old, body)
    other = webhooks.new_secret()
    assert [True, False, False, False] == [
        scope["is_ours"](*case) for case in ((secret, headers, body), (secret, headers, body + b" "), (other, headers, body), (secret, aged, body))]


def test_the_docs_name_every_kind() -> None:
    """Of what a webhook can be told of."""
    page = (Path(__file__).parents[3] / "docs/operations.md").read_text()
    assert [] == [kind for kind in (*KINDS, webhooks.TEST) if f"`{kind}`" not in page]


def test_only_what_a_webhook_is_told_of_is_sent(organization: str, owner: str, app: App, hook: Receiver) -> None:
    """Other kinds are not, and nothing is while it is switched off."""
    add_hook(hook.url, owner)
    direct.back_up(app)
    with transaction():
        webhooks.change(webhooks.webhooks()[0], hook.url, ["quota_full"], enabled=False)
    say()
    assert 0 == deliveries.deliver_due()


def test_what_fails_is_tried_again_ever_more_seldom_and_given_up(organization: str, owner: str, hook: Receiver) -> None:
    """Not before its time; the last answer is kept; sent again by hand, it arrives."""
    add_hook(hook.url, owner)
    hook.status = 500
    say()
    shift, message = 0.0, deliveries.deliveries()[0].id
    for number, wait_s in enumerate(WAITS_S, start=1):
        with moved(shift):
            found = delivered()
            assert ("waiting", number, "Responded with 500 Internal Server Error") == (found.state, found.attempts, found.answer)
            assert 0 == deliveries.deliver_due()
        shift += wait_s + 1
    with moved(shift):
        found = delivered()
        assert ("undelivered", len(WAITS_S) + 1) == (found.state, found.attempts)
        assert 1 == deliveries.undelivered_count()
        hook.status = 204
        with transaction():
            deliveries.send_again(deliveries.find(found.id))
        assert ("delivered", "204 No Content") == ((now := delivered()).state, now.answer)
    assert [message] * (len(WAITS_S) + 2) == [headers["webhook-id"] for _, headers, _ in hook.got]


def test_redirects_are_not_followed(organization: str, owner: str, hook: Receiver) -> None:
    """Whoever answers with one could lead the server where it may not go."""
    add_hook(hook.url, owner)
    hook.status, hook.headers = 302, {"Location": hook.url + "/elsewhere"}
    say()
    assert "Responded with 302 Found; redirects are not followed" == delivered().answer
    assert 1 == len(hook.got)


def test_nobody_there_is_an_answer_too(organization: str, owner: str) -> None:
    """It is waited for, as for any other failure."""
    add_hook("http://127.0.0.1:9/", owner)
    say()
    found = delivered()
    assert ("waiting", True) == (found.state, found.answer.startswith("Could not connect: "))


def signers(hook: Receiver, *secrets: str) -> list[list[str]]:
    """Return of each message that arrived which of *secrets* signed it, in the order of its signatures."""
    return [[next((secret for secret in secrets if one == webhooks.standard_signature(
        secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)), "?")
        for one in headers["webhook-signature"].split(" ")] for _, headers, body in hook.got]


def test_a_new_secret_signs_what_is_sent_from_then_on(organization: str, owner: str, hook: Receiver) -> None:
    """What was waiting too; the one before it signs as well for a day, and then it is gone from the database."""
    before = add_hook(hook.url, owner)
    say()
    with transaction():
        after = webhooks.rotate(webhooks.webhooks()[0])
    assert delivered().state == "delivered"
    ((_, headers, body),) = hook.got
    assert [[after, before]] == signers(hook, before, after)
    assert webhooks.signature(after, int(headers["Appkeep-Timestamp"]), body) == headers["Appkeep-Signature"]
    for hours, signing in ((webhooks.BOTH_HOURS - 1, [after, before]), (webhooks.BOTH_HOURS + 1, [after])):
        with moved(hours * 3600):
            say(Notice("quota_full", f"e/{hours}", "Full", "", "/"))
            deliveries.deliver_due()
            deliveries.finish()
            deliveries.forget_old()
        assert signing == signers(hook, before, after)[-1]
        db.session.rollback()
        assert (len(signing) == 2) == (webhooks.webhooks()[0].previous_secret is not None)


def test_two_secrets_sign_at_most(organization: str, owner: str, hook: Receiver) -> None:
    """The newest two; the older one of them ends when somebody says so, and a third is not brought back by that."""
    first = add_hook(hook.url, owner)
    with transaction():
        second = webhooks.rotate(webhooks.webhooks()[0])
        third = webhooks.rotate(webhooks.webhooks()[0])
    say()
    delivered()
    with transaction():
        webhooks.end_previous(webhooks.webhooks()[0])
    say(Notice("quota_full", "e/2", "Full", "", "/"))
    deliveries.deliver_due()
    deliveries.finish()
    assert [[third, second], [third]] == signers(hook, first, second, third)


def test_two_who_replace_one_secret_at_once_do_not_undo_each_other(server: Flask, organization: str, owner: str) -> None:
    """One of them gets a secret; the other is told, and the receiver's own still signs."""
    before = add_hook("https://example.org/", owner)
    made: list[str] = []

    def replace() -> None:
        webhook = webhooks.webhooks()[0]
        seen = webhook.secret_made_at
        db.session.rollback()
        ready.wait(30)
        with transaction():
            made.append(webhooks.rotate(webhooks.webhooks()[0], seen))

    ready = threading.Barrier(2)
    refused = at_once(server, organization, replace, replace)
    assert [Conflict] == [type(one) for one in refused]
    assert [*made, before] == webhooks.signing_secrets(webhooks.webhooks()[0])


def test_messages_beside_new_secrets_carry_two_that_follow_each_other(
        server: Flask, organization: str, owner: str, hook: Receiver) -> None:
    """Whatever the moment at which a message is signed, never one secret twice, nor one that was skipped."""
    made = [add_hook(hook.url, owner)]

    def replace(_: int) -> None:
        with transaction():
            made.append(webhooks.rotate(webhooks.webhooks()[0]))

    def send(number: int) -> None:
        with transaction():
            tell(Notice("quota_full", f"e/{number}", "Full", "", "/"), ())
        deliveries.deliver_due()
        deliveries.finish()

    assert [] == at_once(server, organization, each(5, replace), each(5, send))
    deliveries.deliver_due()
    deliveries.finish()
    assert 5 == len(hook.got)
    follow = [[made[0]], *([newer, older] for older, newer in pairwise(made))]
    assert [] == [signing for signing in signers(hook, *made) if signing not in follow]


@pytest.mark.parametrize("secret", [f"whsec_{text}" for text in ("_-8" + "A" * 40, "A" * 43)])
def test_a_secret_of_before_signs_as_libraries_read_it(secret: str) -> None:
    """Both alphabets of base64 and with or without padding: one key."""
    as_now = secret.replace("-", "+").replace("_", "/").replace("whsec/", "whsec_") + "="
    assert webhooks.standard_signature(as_now, "v_1", 1, b"{}") == webhooks.standard_signature(secret, "v_1", 1, b"{}")
    assert 44 == len(webhooks.new_secret().removeprefix("whsec_"))


def test_a_signature_is_that_of_the_specification() -> None:
    """The example that Standard Webhooks' libraries are tested with."""
    found = webhooks.standard_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == found


def test_what_waits_for_a_webhook_that_is_removed_is_given_up(organization: str, owner: str, hook: Receiver) -> None:
    """Its line stays, and says so."""
    add_hook(hook.url, owner)
    say()
    with transaction():
        webhooks.remove(webhooks.webhooks()[0])
    assert ("undelivered", "The recipient no longer exists.") == ((found := delivered()).state, found.answer)
    assert [] == hook.got


def test_a_process_that_died_on_the_way_leaves_it_to_another(organization: str, owner: str, hook: Receiver) -> None:
    """What it took is due again a minute later."""
    add_hook(hook.url, owner)
    say()
    assert deliveries._take(deliveries.deliveries()[0].id)
    assert 0 == deliveries.deliver_due()
    with moved(deliveries.TAKEN_S + 1):
        assert ("delivered", 2) == ((found := delivered()).state, found.attempts)


def test_two_clocks_send_once(server: Flask, organization: str, owner: str, hook: Receiver) -> None:
    """Looking at the same moment, each delivery is taken by one of them."""
    add_hook(hook.url, owner)
    for number in range(5):
        say(Notice("quota_full", f"e/{number}", "Full", "", "/"))
    ready = threading.Barrier(2)

    def look() -> None:
        with server.app_context():
            ready.wait()
            for _ in range(6):
                deliveries.deliver_due()
                deliveries.finish()

    clocks = [threading.Thread(target=look) for _ in range(2)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert {f"e/{number}" for number in range(5)} == {json.loads(body)["event"] for _, _, body in hook.got}
    assert 5 == len(hook.got)


def test_a_mail_is_kept_where_no_mail_server_is_set(organization: str, owner: str, home: Path) -> None:
    """It says what happened and where; the page says that it reached nobody."""
    say(people=(owner,))
    assert "kept" == delivered().state
    (path,) = (home / "mail").glob("*.eml")
    text = path.read_text()
    assert "Subject: The quota is used up" in text and "/o/x/plan" in text and "To: owner@example.org" in text


def test_a_mail_goes_to_the_mail_server_and_is_tried_again(home: Path, request: pytest.FixtureRequest) -> None:
    """While it is away it is waited for."""
    nowhere = "smtp://127.0.0.1:9"
    for server in opened_server(home, fresh_database("sqlite", home, request), smtp_url=nowhere):
        made = make_organization("Example")
        with as_tenant(made):
            person = make_member(made, "anna@example.org")
            say(people=(person,))
            assert ("waiting", 1) == ((found := delivered()).state, found.attempts)
        assert server
    with MailServer() as mails:
        thread = threading.Thread(target=mails.serve_forever)
        thread.start()
        for _ in opened_server(home, "", smtp_url=f"smtp://127.0.0.1:{mails.server_address[1]}"):
            with as_tenant(made), moved(WAITS_S[0] + 1):
                assert ("delivered", "Accepted by the mail server.") == ((found := delivered()).state, found.answer)
        mails.shutdown()
        thread.join()
    assert any(line.startswith("rcpt TO:<anna@example.org>") for line in mails.said)


def test_no_mail_goes_to_who_left(organization: str, owner: str, home: Path) -> None:
    """Between the event and the mail they were taken out of the organization."""
    person = make_member(organization, "gone@example.org")
    say(people=(person,))
    with transaction():
        members.remove(person, "owner", from_apps=False)
    assert "undelivered" == delivered().state
    assert not (home / "mail").exists()


def test_old_deliveries_go(organization: str, owner: str, hook: Receiver) -> None:
    """After two months nobody looks for them."""
    add_hook(hook.url, owner)
    say()
    delivered()
    deliveries.forget_old()
    assert 1 == len(deliveries.deliveries())
    with moved(deliveries.KEPT_S + 1):
        deliveries.forget_old()
    assert [] == deliveries.deliveries()


def test_an_organization_has_ten_webhooks_at_most(organization: str, owner: str) -> None:
    """And each is told of something that there is."""
    for number in range(webhooks.MOST_WEBHOOKS):
        add_hook(f"https://example.org/{number}", owner)
    with pytest.raises(Conflict):
        add_hook("https://example.org/more", owner)
    with pytest.raises(InvalidInput), transaction():
        webhooks.change(webhooks.webhooks()[0], "https://example.org", ["everything"], enabled=True)
    with pytest.raises(NotFound):
        webhooks.find("h_1111111111")


def test_one_receiver_that_is_slow_holds_up_no_other(
        organization: str, owner: str, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits for it, and however often the clock looks, two at most are under way to it, and the others get theirs."""
    go, slow, others = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)
    begun: list[str] = []

    def send(delivery: Delivery) -> Any:
        target = delivery.target

        def act() -> tuple[str, str]:
            begun.append(target)
            (slow if target == "slow" else others).release()
            if target == "slow":
                go.wait(60)
            return "delivered", "200 OK"

        return act

    monkeypatch.setattr(deliveries, "_called", send)
    with transaction():
        for number in range(700):
            add_waiting("slow", number)
        for number in range(3):
            add_waiting(f"quick{number}", 10_000 + number)
    try:
        for _ in range(4):
            deliveries.deliver_due()
        assert all(others.acquire(timeout=60) for _ in range(3))
        assert all(slow.acquire(timeout=60) for _ in range(2))
        assert 2 == begun.count("slow")
    finally:
        go.set()
        deliveries.finish()


def add_waiting(target: str, number: int) -> None:
    """Put a message on its way that has been due for long, the higher its number the shorter."""
    db.session.add(Delivery(id=f"d_{target[:6]}{number}", channel="webhook", target=target, event=f"e/{number}", kind="test", title="x",
                            body="{}", state="waiting", attempts=0, answer="", made_at=number, next_at=number))
