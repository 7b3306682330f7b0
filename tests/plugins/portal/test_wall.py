"""The wall around portals: every address for guests × everybody who might come there, found mechanically.

Nobody comes in by another app's session, nor by that of a member; a guest reaches no page of members.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
from flask import Flask

from core.api import Needs, apps, as_tenant, csrf, documents, transaction
from plugins.portal import accounts, guest
from plugins.portal.settings import settings_of
from tests.test_wall import INSIDE, TO_SIGN_IN, World, ask, built, filled, not_made_up, routes, same, world
from tests.walled import MADE_UP, Place
from tests.web import Browser, browser

__all__ = ["built", "world"]
VISITORS = ("nobody", "stranger", "owner", "elsewhere")


@dataclass(frozen=True)
class Guests:
    """Browsers of guests."""

    server: Flask

    def of(self, place: Place, *, csrf: bool = False) -> Browser:
        """Return a browser of the place's guest."""
        client = browser(self.server, csrf=csrf)
        with as_tenant(place.organization_id), self.server.test_request_context(), transaction():
            app = apps.find(place.app_id)
            account, settings = accounts.by_email(app, f"guest@{place.salt}.example"), settings_of(app)
            assert account is not None and settings is not None
            token = guest.sessions.start(app, account.key, settings.hours, "127.0.0.1", "a test")
        client.set_cookie(f"portal_{place.app_id}", token, path=f"/portal/{place.app_id}")
        return client


def visitor_of(world: World, visitor: str) -> Browser:
    """Return a browser of somebody who is no guest of the first organization's app."""
    if visitor == "elsewhere":
        client = Guests(world.server).of(world.there)
        cookie = client.get_cookie(f"portal_{world.there.app_id}", path=f"/portal/{world.there.app_id}")
        assert cookie is not None
        for name in (f"portal_{world.here.app_id}", f"portal_{world.there.app_id}"):
            client.set_cookie(name, cookie.value, path="/")  # a browser would not even send it there
        return client
    return world.client(visitor)


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_is_no_guest_of_the_app_comes_to_its_door_and_no_further(world: World, visitor: str) -> None:
    """Not even the app's owner, whose session is for other pages; no answer tells a secret."""
    client, wrong = visitor_of(world, visitor), []
    for rule, method, needs in routes(world.server, guests=True):
        path = filled(rule, world.here)
        answer = ask(client, method, path)
        may = INSIDE | {401} if needs is Needs.DOOR else TO_SIGN_IN
        told = [secret for secret in world.here.secrets if secret in answer.get_data(as_text=True)]
        to_door = answer.status_code != 302 or needs is Needs.DOOR or answer.location.startswith(f"/portal/{world.here.app_id}/sign-in")
        if answer.status_code not in may or told or not to_door:
            wrong.append(f"{method} {rule.rule}: {answer.status_code} {told} {answer.location}")
    assert [] == wrong, "\n".join(wrong)


def test_a_guest_gets_in_at_every_address_for_guests(world: World) -> None:
    """Any answer but a failure, and nothing that their role does not give: the role of the sample's customers names no other worksheet."""
    guests, wrong = Guests(world.server), []
    for rule, method, _ in routes(world.server, guests=True):
        answer = ask(guests.of(world.here), method, filled(rule, world.here))
        text = answer.get_data(as_text=True)
        told = [secret for secret in world.here.secrets if secret in text] + re.findall(r"/o/o_\w+", text)
        if answer.status_code not in INSIDE or told or (not_made_up(rule) and answer.status_code == 401):
            wrong.append(f"{method} {rule.rule}: {answer.status_code} {told}")
    assert [] == wrong, "\n".join(wrong)


def test_a_guest_reaches_no_page_of_members(world: World) -> None:
    """With the portal's cookie sent everywhere, whoever asks for a page of the organization is asked to sign in."""
    client, wrong = Guests(world.server).of(world.here), []
    cookie = client.get_cookie(f"portal_{world.here.app_id}", path=f"/portal/{world.here.app_id}")
    assert cookie is not None
    client.set_cookie(f"portal_{world.here.app_id}", cookie.value, path="/")
    for rule, method, needs in routes(world.server):
        if needs is not Needs.NOTHING:
            answer = ask(client, method, filled(rule, world.here))
            if answer.status_code not in TO_SIGN_IN or (answer.location or "").startswith("/portal/"):
                wrong.append(f"{method} {rule.rule}: {answer.status_code} {answer.location}")
    assert [] == wrong, "\n".join(wrong)


def test_apps_that_have_no_portal_or_do_not_exist_look_the_same(world: World) -> None:
    """To a stranger, a guest of another app, and the owner of the app: by their status, headers and body."""
    with as_tenant(world.here.organization_id), transaction():
        app = apps.find(world.here.app_id)
        document = documents.get(app, "portal/main")
        documents.put(app, replace(document, body={**document.body, "enabled": False}), "system")
    wrong = []
    for visitor in VISITORS:
        client = visitor_of(world, visitor)
        client.get("/no-such-page")  # so that no later answer is the first, which alone sets a cookie
        for rule, method, _ in routes(world.server, guests=True):
            closed, made_up = (ask(client, method, filled(rule, world.here, other)) for other in ({}, {"app_id": MADE_UP["app_id"]}))
            if closed.status_code != 404 or same(closed) != same(made_up):
                wrong.append(f"{visitor} {method} {rule.rule}: {closed.status_code}")
    assert [] == wrong, "\n".join(wrong)


def test_ids_of_another_organization_open_nothing_in_a_portal(world: World) -> None:
    """Under one's own portal each id of the other organization's app answers 404, as a made-up one does."""
    client, wrong = Guests(world.server).of(world.here), []
    for rule, method, _ in routes(world.server, guests=True):
        if "key" in rule.arguments:
            with as_tenant(world.there.organization_id):
                theirs = world.there.key("page" if "/page/" in rule.rule else "worksheet")
            answer = ask(client, method, filled(rule, world.here, {"key": theirs}))
            if answer.status_code != 404:
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert [] == wrong, "\n".join(wrong)


def test_every_change_by_a_guest_needs_a_token(world: World) -> None:
    """Each address that changes something refuses a request that another site could have made."""
    client, wrong = Guests(world.server).of(world.here, csrf=True), []
    world.server.config["WTF_CSRF_ENABLED"] = True
    for rule, method, _ in routes(world.server, guests=True):
        view = world.server.view_functions[rule.endpoint]
        if method != "GET" and f"{view.__module__}.{view.__name__}" not in csrf._exempt_views:
            answer = ask(client, method, filled(rule, world.here))
            if answer.status_code != 400 or "open for too long" not in answer.get_data(as_text=True):
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert [] == wrong, "\n".join(wrong)
