"""Channels of plugins: chosen, sent by, tried again; nobody is told by one that they did not choose, and none holds up the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import Channel, DeliveryFailed, Message, as_tenant, db, transaction
from core.base.time import moved
from tenants.notifications import choices, deliveries
from tenants.notifications.choices import Choice
from tenants.notifications.deliveries import WAITS_S
from tenants.notifications.models import Delivery
from tenants.notifications.notify import Notice, tell
from tests.conftest import fresh_database
from tests.core.extension.strangers import installed, plugin, started
from tests.forms import untouched
from tests.web import OWNER, make_organization, make_person, signed_in

NOTICE = Notice("quota_full", "quota_full/1", "The quota is used up", "All of it.", "/o/x/plan")
BY_CHAT = {"quota_full": Choice(inbox=False, mail=False, channels=frozenset({"chat"}))}


class Chat:
    """What a channel has sent, and what it does next."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.does: Any = lambda message: "It was read."

    def send(self, message: Message) -> Any:
        """Take a message."""
        self.got.append(message)
        return self.does(message)


@pytest.fixture
def chat() -> Chat:
    """A channel's other side."""
    return Chat()


@pytest.fixture
def there(engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, chat: Chat) -> Iterator[Flask]:
    """A server with the channel."""
    channel = Channel(name="chat", title="Chat", send=chat.send, note="Ask for an account.", reaches=lambda person: chat.does is not None)
    with installed(monkeypatch, plugin("chats", register_channel=lambda: channel)), \
            started(home, fresh_database(engine, home, request)) as flask:
        yield flask


@pytest.fixture
def owner(there: Flask) -> Iterator[str]:
    """The id of an organization's owner, within the organization."""
    with as_tenant(make_organization("Example")):
        yield make_person(OWNER)


def said(person: str, event: str = "quota_full/1") -> list[Delivery]:
    """Tell a person something, deliver, and return all deliveries."""
    with transaction():
        tell(Notice("quota_full", event, "The quota is used up", "All of it.", "/o/x/plan"), [person])
    return sent()


def sent() -> list[Delivery]:
    """Deliver what is due and return all deliveries."""
    deliveries.deliver_due()
    deliveries.finish()
    db.session.rollback()
    return deliveries.deliveries()


def test_it_is_chosen_and_told(owner: str, chat: Chat) -> None:
    """Nobody is told by it before; then by mail and by it, each once."""
    assert ["mail"] == [one.channel for one in said(owner)]
    with transaction():
        choices.choose(owner, {"quota_full": Choice(inbox=True, mail=True, channels=frozenset({"chat", "nobodys"}))})
    assert frozenset({"chat"}) == choices.choices_of([owner], "quota_full")[owner].channels
    for _ in range(2):
        found = [one for one in said(owner, "quota_full/2") if one.event == "quota_full/2"]
        assert {"mail": "kept", "chat": "delivered"} == {one.channel: one.state for one in found}
    (message,) = chat.got
    assert (owner, OWNER, "The quota is used up", "All of it.") == (message.person, message.email, message.title, message.text)
    assert message.url.endswith("/o/x/plan") and "quota_full" == message.body["kind"]
    assert "It was read." == next(one.answer for one in found if one.channel == "chat")


@pytest.mark.parametrize(("does", "answer"), [
    (lambda _: (_ for _ in ()).throw(DeliveryFailed("The room is closed.")), "The room is closed."),
    (lambda _: {}["a mistake"], "Chat failed. The log of the server says why."), (lambda _: 7, "Chat failed."), (lambda _: None, "Chat failed.")],
    ids=["refuses", "raises", "number", "nothing"])
def test_what_fails_is_tried_again(owner: str, chat: Chat, does: Any, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is kept; later it arrives."""
    with transaction():
        choices.choose(owner, BY_CHAT)
    chat.does = does
    (found,) = said(owner)
    assert "waiting" == found.state and found.answer.startswith(answer)
    chat.does = lambda message: "At last."
    with moved(WAITS_S[0] + 1):
        (found,) = sent()
    assert ("delivered", "At last.", 2) == (found.state, found.answer, found.attempts)
    assert chat.got[0].event == chat.got[1].event


def test_one_that_does_not_answer_holds_up_no_mail(owner: str, chat: Chat) -> None:
    """Only so many of a channel are under way."""
    go_on, inside = threading.Event(), threading.Semaphore(0)
    with transaction():
        choices.choose(owner, {"quota_full": Choice(inbox=False, mail=True, channels=frozenset({"chat"}))})

    def waiting(message: Message) -> str:
        inside.release()
        go_on.wait(60)
        return "Late."

    chat.does = waiting
    try:
        for number in range(6):
            with transaction():
                tell(Notice("quota_full", f"quota_full/{number}", "Used up", "All.", "/o/x"), [owner])
        deliveries.deliver_due()
        for _ in range(deliveries.OF_ONE_TARGET):
            assert inside.acquire(timeout=30)
        while any(one.channel == "mail" and one.state == "waiting" for one in deliveries.deliveries()):
            db.session.rollback()
            deliveries.deliver_due()
        assert deliveries.OF_ONE_TARGET == len(chat.got)
    finally:
        go_on.set()
    deliveries.finish()


def test_without_its_plugin_what_waits_goes_on_waiting(
        engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, chat: Chat) -> None:
    """What was chosen stays chosen, whoever saves their choices meanwhile."""
    url, there = fresh_database(engine, home, request), plugin("chats", register_channel=lambda: Channel(name="chat", title="Chat", send=chat.send))
    with installed(monkeypatch, there), started(home, url):
        organization = make_organization("Example")
        with as_tenant(organization):
            owner = make_person(OWNER)
            with transaction():
                choices.choose(owner, BY_CHAT)
                tell(NOTICE, [owner])
    with installed(monkeypatch), started(home, url), as_tenant(organization):
        (found,) = sent()
        assert ("waiting", "No plugin on this server brings “chat”.") == (found.state, found.answer)
        with transaction():
            choices.choose(owner, {"quota_full": Choice(inbox=True, mail=False)})
    with installed(monkeypatch, there), started(home, url), as_tenant(organization):
        assert frozenset({"chat"}) == choices.choices_of([owner], "quota_full")[owner].channels
        with moved(WAITS_S[0] + 1):
            assert ["delivered"] == [one.state for one in sent()]


def test_the_pages(there: Flask, owner: str, chat: Chat) -> None:
    """It is offered where one chooses, to whom it reaches; the list of what was sent names it."""
    client, address = signed_in(there), "/notifications/choices"
    page = client.get(address).get_data(as_text=True)
    assert '<th scope="col">Chat</th>' in page and "Quota used up: by Chat" in page.replace("Upload quota", "Quota") and "Ask for" not in page
    client.post(address, data=untouched(client, address) | {"channel.chat.quota_full": "1"})
    assert {"chat"} == choices.choices_of([owner], "quota_full")[owner].channels
    assert "checked" in client.get(address).get_data(as_text=True).partition('name="channel.chat.quota_full"')[2].partition(">")[0]
    said(owner)
    organization = deliveries.deliveries()[0].organization_id
    assert "Chat to" in client.get(f"/o/{organization}/deliveries").get_data(as_text=True)
    chat.does = None
    page = client.get(address).get_data(as_text=True)
    assert "You cannot be reached by Chat yet. Ask for an account." in page and " disabled" in page
