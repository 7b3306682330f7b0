"""An app's settings in a real browser: what it is called and looks like, its navigation, and choices that worksheets share."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide


@pytest.fixture
def page(site: Site, look: Look) -> Page:
    """A window of the owner on the app's settings, whose questions are all answered with yes."""
    found = look(site, person=OWNER)
    found.on("dialog", lambda dialog: dialog.accept())
    found.goto(f"{site.app_path}/manage/settings")
    return found


def test_an_app_gets_another_name_and_look(site: Site, page: Page) -> None:
    """An icon is chosen by the keyboard, a colour given; the list of apps shows both."""
    page.get_by_label("Name").first.fill("Customers")
    page.get_by_label("Description").fill("Who buys what.")
    page.get_by_role("radio", name="Heart").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Settings saved")).to_be_visible()
    page.goto(f"{site.organization}/")
    card = page.get_by_role("main").get_by_role("link", name="Customers")
    expect(card).to_contain_text("Who buys what.")
    expect(card.locator("svg.icon use")).to_have_attribute("href", re.compile(r"icons\.svg\?v=[0-9a-f]+#heart$"))
    page.goto(f"{site.app_path}/manage/settings")
    page.get_by_label("Name").first.fill("Sample CRM")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Sample CRM").first).to_be_visible()


def test_a_group_is_made_and_filled(site: Site, page: Page) -> None:
    """A worksheet moves into it by the menu beside its name, and the navigation shows it."""
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Navigation", exact=True).click()
    page.get_by_label("Group name").fill("Catalogue")
    page.get_by_role("button", name="Create group").click()
    expect(page.get_by_text("This group is empty")).to_be_visible()
    row = page.locator("li", has=page.get_by_role("link", name="Products", exact=True)).filter(has=page.get_by_text("Move to…"))
    row.get_by_text("Move to…").click()
    row.get_by_role("button", name="Catalogue").click()
    side = page.get_by_role("navigation", name="App", exact=True)
    expect(side.locator("h2", has_text="Catalogue")).to_be_visible()
    expect(page.get_by_text("This group is empty")).to_have_count(0)
    assert [] == accessible(page) + too_wide(page)


def test_an_option_set_is_made_and_changed(site: Site, page: Page) -> None:
    """From lines; a choice moves, goes, and comes back."""
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Option sets").click()
    page.get_by_role("link", name="New option set").click()
    page.get_by_label("Name").fill("Sizes")
    page.get_by_label("Choices").fill("Small\nMiddle\nLarge")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Move Large up").click()
    expect(page.get_by_label("Choice 2", exact=True)).to_have_value("Large")
    page.get_by_role("button", name="Remove Small").click()
    expect(page.get_by_label("Choice 1", exact=True)).to_have_value("Large")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_label("Choice 1", exact=True)).to_have_value("Small")
    assert [] == accessible(page) + too_wide(page)


def test_the_mobile_navigation_is_built(site: Site, look: Look, page: Page) -> None:
    """An item is added, and stands at the foot of a phone at once."""
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Mobile navigation").click()
    page.get_by_label("Opens").select_option(label="Activities")
    page.get_by_role("radio", name="Calendar").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("list", name="Items").get_by_role("link", name="Activities")).to_be_visible()
    phone = look(site, person=OWNER, width=380)
    phone.goto(f"{site.app_path}/")
    phone.get_by_role("navigation", name="Shortcuts").get_by_role("link", name="Activities").click()
    expect(phone).to_have_url(re.compile("/worksheet/w_"))
    page.get_by_role("button", name="Remove Activities").click()
    expect(page.get_by_text("Item removed")).to_be_visible()


def test_an_app_is_deleted_by_its_name(site: Site, page: Page) -> None:
    """Another name deletes nothing."""
    page.goto(f"{site.organization}/apps/new")
    page.get_by_label("Name").fill("To go")
    page.get_by_role("button", name="Create app").click()
    page.get_by_role("main").get_by_role("link", name="App management").first.click()
    page.get_by_role("navigation", name="Manage the app").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Delete app").click()
    typed = page.get_by_label("Type its name to delete it")
    typed.fill("to go")
    page.get_by_role("button", name="Delete app").click()
    expect(page.get_by_text("Type its name exactly: To go")).to_be_visible()
    expect(typed).to_have_attribute("aria-invalid", "true")
    assert [] == accessible(page) + too_wide(page)
    typed.fill("To go")
    page.get_by_role("button", name="Delete app").click()
    page.wait_for_url(f"**{site.organization}/")
    expect(page.get_by_role("main").get_by_role("link", name="To go")).to_have_count(0)
