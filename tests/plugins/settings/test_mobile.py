"""The mobile navigation: its items made, changed, moved, taken out; and what stands at the foot of an app's pages."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from core.api import App, apps, documents, placing, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key
from tests.plugins.settings.making import DEALS, PRODUCTS, START, body, manage, seen, settings, text
from tests.web import Browser, make_member, signed_in

NAVIGATION = "navigation/main"


def items(app: App) -> list[dict[str, Any]]:
    """Return the items as they are now."""
    return body(app, NAVIGATION)["items"]


def act(client: Browser, app: App, path: str = "", **form: str) -> int:
    """Send a form of the mobile navigation and return what it answered."""
    return client.post(settings(app, f"/mobile{path}"), data={"seen": seen(app, NAVIGATION)} | form).status_code


def foot(client: Browser, app: App) -> list[str]:
    """Return what stands at the foot, the items inside menus too."""
    page = text(client, f"/o/{app.organization_id}/apps/{app.id}/")
    if 'class="dock"' not in page:
        return []
    inside = page[page.index('class="dock"'):].split("</nav>")[0]
    return [re.sub("<[^>]+>", "", found).strip() for found in re.findall(r"<summary>.*?</summary>|<a .*?</a>", inside)]


def test_the_foot_has_what_the_document_says(client: Browser, sample: App) -> None:
    """The sample's: an item, and a menu with two."""
    assert ["Start", "Sell", "Deals", "Companies"] == foot(client, sample)


def test_an_item_is_added_at_the_top_and_inside_another(client: Browser, sample: App) -> None:
    """Without a label it is called like what it opens."""
    assert 303 == act(client, sample, target=PRODUCTS, icon="box")
    assert 303 == act(client, sample, target=START, label="Home", inside="1")
    assert {"label": "Products", "icon": "box", "target": {"ref": PRODUCTS}} == items(sample)[2]
    assert {"label": "Home", "target": {"ref": START}} == items(sample)[1]["items"][2]


def test_items_are_changed_moved_and_taken_out(client: Browser, sample: App) -> None:
    """At every depth, and each keeps what is inside it."""
    assert 303 == act(client, sample, "/item/1", label="Trade", icon="cart")
    assert ("Trade", "cart", 2) == (items(sample)[1]["label"], items(sample)[1]["icon"], len(items(sample)[1]["items"]))
    assert 303 == act(client, sample, "/item/1-1/move", to="up")
    assert ["Companies", "Deals"] == [one["label"] for one in items(sample)[1]["items"]]
    assert 303 == act(client, sample, "/item/0/move", to="up")
    assert 303 == act(client, sample, "/item/0/move", to="down")
    assert ["Trade", "Start"] == [one["label"] for one in items(sample)]
    assert 303 == act(client, sample, "/item/0-0/remove")
    assert 303 == act(client, sample, "/item/0-0/remove")
    assert "items" not in items(sample)[0]


def test_a_page_that_shows_another_state_changes_nothing(client: Browser, sample: App) -> None:
    """Items have no keys: whoever was slower would hit the wrong one, so they are refused."""
    old = seen(sample, NAVIGATION)
    act(client, sample, "/item/0/remove")
    before = items(sample)
    answer = client.post(settings(sample, "/mobile/item/0/remove"), data={"seen": old})
    assert 409 == answer.status_code and "Somebody else changed" in answer.get_data(as_text=True)
    assert before == items(sample)


def test_what_does_not_fit_is_refused(client: Browser, sample: App) -> None:
    """Neither label nor target, a target that is not there, a label too long; and paths that lead nowhere."""
    before = items(sample)
    for form in ({}, {"target": "worksheet/w_1111111111"}, {"target": "role/x", "label": "A"}, {"label": "x" * 101}):
        assert 422 == act(client, sample, **form)
    for path in ("/item/9", "/item/0-0", "/item/1-7-1", "/item/x", "/item/-1", "/item/" + "1-" * 40 + "1"):
        assert 404 == act(client, sample, f"{path}/remove")
        assert 404 == client.get(settings(sample, f"/mobile{path}")).status_code
    assert before == items(sample)


def test_there_are_no_more_than_fifty(client: Browser, sample: App) -> None:
    """One more is refused with a sentence."""
    app = apps.find(sample.id)
    with transaction():
        placing.put_body(app, documents.get(app, NAVIGATION), {"items": [{"label": str(n)} for n in range(50)]}, "system")
    assert 422 == act(client, sample, label="One more")
    assert 50 == len(items(sample))


def test_more_items_than_have_room_go_into_a_menu(client: Browser, sample: App) -> None:
    """The fifth place is “More” then."""
    for _ in range(5):
        act(client, sample, target=PRODUCTS)
    assert ["Start", "Sell", "Deals", "Companies", "Products", "Products", "More", *["Products"] * 3] == foot(client, sample)


def test_the_foot_shows_nobody_what_they_may_not_see(sqlite_server: Flask, sample: App, client: Browser) -> None:
    """A reader of companies has the start and companies; an item that opens nothing for them is not there."""
    with transaction():
        roles.assign(apps.find(sample.id), key("r", "Reader"), f"user/{make_member(sample.organization_id, 'rea@example.org')}")
    act(client, sample, target=DEALS)
    assert ["Start", "Sell", "Companies"] == foot(signed_in(sqlite_server, "rea@example.org"), sample)


def test_without_items_there_is_no_foot(client: Browser, sample: App) -> None:
    """And the page of the settings says what to do."""
    act(client, sample, "/item/0/remove")
    act(client, sample, "/item/0/remove")
    assert [] == foot(client, sample)
    assert "No items yet" in text(client, manage(sample, NAVIGATION))
