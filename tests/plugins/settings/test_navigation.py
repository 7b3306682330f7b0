"""Groups and their items: made, renamed, hidden, put in order; and the menu that comes of it."""

from __future__ import annotations

import re

from flask import Flask

from core.api import App, apps, documents, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key
from tests.plugins.settings.making import COMPANIES, DEALS, LISTS, PRODUCTS, START, WORK, body, manage, settings, text
from tests.web import Browser, make_member, signed_in


def refs(app: App, group: str) -> list[str]:
    """Return what a group names."""
    return [item["ref"] for item in body(app, group)["items"]]


def placed(client: Browser, app: App, item: str, to: str) -> int:
    """Place an item and return what it answered."""
    return client.post(settings(app, "/navigation/place"), data={"item": item, "to": to}).status_code


def side(client: Browser, app: App) -> list[str]:
    """Return the texts of the app's navigation at the side, headings and items."""
    page = text(client, f"/o/{app.organization_id}/apps/{app.id}/")
    inside = page[page.index('<nav aria-label="App">'):].split("</nav>")[0]
    return [re.sub("<[^>]+>", "", found).strip() for found in re.findall(r"<h2>.*?</h2>|<a .*?</a>", inside)]


def test_items_move_within_their_group(client: Browser, sample: App) -> None:
    """One step up, and at the end nothing moves."""
    before = refs(sample, WORK)
    assert 303 == placed(client, sample, before[1], "up")
    assert [before[1], before[0], *before[2:]] == refs(sample, WORK)
    assert 303 == placed(client, sample, before[1], "up")
    assert [before[1], before[0], *before[2:]] == refs(sample, WORK)


def test_an_item_steps_over_one_in_the_recycle_bin(client: Browser, sample: App) -> None:
    """What is not seen keeps its place, so that a step is a step that people see."""
    before = refs(sample, WORK)
    with transaction():
        documents.hide(apps.find(sample.id), COMPANIES, "system")
    assert COMPANIES == before[1]
    placed(client, sample, before[2], "up")
    assert [before[2], COMPANIES, before[0], *before[3:]] == refs(sample, WORK)


def test_an_item_goes_into_another_group_and_out_of_all(client: Browser, sample: App) -> None:
    """It stands in one group at a time; out of all of them it comes under “Other”."""
    placed(client, sample, DEALS, LISTS.partition("/")[2])
    assert DEALS not in refs(sample, WORK) and DEALS == refs(sample, LISTS)[-1]
    placed(client, sample, DEALS, "none")
    assert DEALS not in refs(sample, LISTS)
    assert ["Other", "Deals"] == side(client, sample)[-2:]


def test_nothing_else_is_placed(client: Browser, sample: App) -> None:
    """A role, a worksheet that there is not, a group that there is not: 404, and nothing changes."""
    before = refs(sample, WORK), refs(sample, LISTS)
    for item, to in ((f"role/{key('r', 'Sales')}", "none"), ("worksheet/w_1111111111", "none"), ("x", "up"), (DEALS, "g_1111111111")):
        assert 404 == placed(client, sample, item, to)
    assert before == (refs(sample, WORK), refs(sample, LISTS))


def test_groups_are_made_renamed_moved_hidden_and_deleted(client: Browser, sample: App) -> None:
    """Each shows at once in the app's navigation."""
    assert 303 == client.post(settings(sample, "/navigation"), data={"name": " Money "}).status_code
    made = next(d for d in documents.live(apps.find(sample.id), "group") if d.body["name"] == "Money")
    placed(client, sample, PRODUCTS, made.key)
    assert ["Money", "Products"] == side(client, sample)[-2:]
    client.post(manage(sample, f"group/{made.key}"), data={"name": "Cash", "icon": "money"})
    assert {"name": "Cash", "icon": "money", "items": [{"ref": PRODUCTS}]} == body(sample, made.address)
    answer = client.post(manage(sample, f"group/{made.key}/move"), data={"to": "up", "back": settings(sample, "/navigation")})
    assert settings(sample, "/navigation") == answer.location
    assert side(client, sample).index("Cash") < side(client, sample).index("Lists")
    client.post(manage(sample, f"group/{made.key}"), data={"name": "Cash", "icon": "keep", "hidden": "1"})
    assert "Cash" not in side(client, sample) and "Products" not in side(client, sample)
    client.post(manage(sample, f"group/{made.key}/hide"), data={"back": settings(sample, "/navigation")})
    assert ["Other", "Products"] == side(client, sample)[-2:]


def test_a_group_without_a_name_is_refused(client: Browser, sample: App) -> None:
    """On the list and on its own page."""
    for address in (settings(sample, "/navigation"), manage(sample, WORK)):
        answer = client.post(address, data={"name": "\n"})
        assert 422 == answer.status_code and "1 to 100 characters" in answer.get_data(as_text=True)
    assert "Work" == body(sample, WORK)["name"]


def test_a_member_finds_what_their_role_opens_only(sqlite_server: Flask, sample: App) -> None:
    """Groups of which they see nothing are not there."""
    with transaction():
        roles.assign(apps.find(sample.id), key("r", "Reader"), f"user/{make_member(sample.organization_id, 'rea@example.org')}")
    assert ["Home", "Work", "Start", "Companies"] == side(signed_in(sqlite_server, "rea@example.org"), sample)


def test_the_old_addresses_lead_on(client: Browser, sample: App) -> None:
    """Every editor's address that the core makes has its page here."""
    for path in ("app/main", "navigation/main", WORK, f"option_set/{key('s', 'Industries')}", "option_set/new"):
        assert 200 == client.get(manage(sample, path)).status_code
    assert settings(sample, "/navigation") in client.get(manage(sample, "group/new")).location
    assert START in refs(sample, WORK)


def test_what_has_no_place_in_a_navigation_is_left_out_with_the_reason(client: Browser, sample: App) -> None:
    """A page that needs a parameter, one that lends its header, one only to sign in at: in the settings, not in the menu."""
    bodies = {"Lender": {"shared": True}, "One of them": {"parameters": [{"name": "id", "type": "number", "in": "path"}]},
              "Way in": {"blocks": [{"key": key("b", "Box"), "type": "container", "blocks": [{"key": key("b", "In"), "type": "sign_in"}]}]},
              "Both": {"blocks": [{"key": key("b", "In"), "type": "sign_in"}, {"key": key("b", "List"), "type": "list"}]}}
    with transaction():
        for n, (name, more) in enumerate(bodies.items(), start=2):
            documents.put(apps.find(sample.id), documents.Document(kind="page", key=f"p_{n}111111111", position=20 + n,
                                                                   body={"name": name, "blocks": [], **more}), "system")
    assert {"Both"} == set(bodies) & set(side(client, sample))
    page = text(client, settings(sample, "/navigation"))
    for reason in ("the header and footer of other pages", "other pages link to it", "is a sign-in page"):
        assert "not shown: " in page and reason in page
