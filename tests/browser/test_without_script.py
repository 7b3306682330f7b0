"""Without JavaScript: one signs in, builds and uses an app all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from plugins.sample.keys import key
from tests.browser.conftest import OWNER, TIMEOUT_MS, Site
from tests.web import PASSWORD


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    """A narrow window that runs no script, in which the owner has signed in by the page."""
    context = chromium.new_context(base_url=site.url, java_script_enabled=False, viewport={"width": 380, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    found = context.new_page()
    found.goto("/sign-in")
    found.get_by_label("Email").fill(OWNER)
    found.get_by_label("Password", exact=True).fill(PASSWORD)
    with found.expect_navigation():
        found.get_by_role("button", name="Sign in").click()
    yield found
    context.close()


def test_an_app_is_built(site: Site, page: Page) -> None:
    """Its look, a group of its navigation, a page of blocks, a role."""
    page.goto(f"{site.app_path}/manage/settings")
    page.get_by_label("Description").fill("Built without a script.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Settings saved")).to_be_visible()
    page.goto(f"{site.app_path}/manage/settings/navigation")
    page.get_by_label("Group name").fill("Plain")
    page.get_by_role("button", name="Create group").click()
    row = page.locator(".things > li").filter(has_text="Products")
    row.get_by_text("Move to…").click()
    row.get_by_role("button", name="Plain").click()
    expect(page.get_by_role("region", name="Plain").get_by_role("link", name="Products")).to_be_visible()
    page.goto(f"{site.app_path}/manage/page/{key('p', 'Start')}")
    before = page.locator(".pg-row").count()
    page.get_by_label("Block type").last.select_option("divider")
    with page.expect_navigation():
        page.get_by_role("button", name="Add", exact=True).last.click()
    page.goto(f"{site.app_path}/manage/page/{key('p', 'Start')}")
    expect(page.locator(".pg-row")).to_have_count(before + 1)
    page.goto(f"{site.app_path}/manage/roles")
    page.get_by_label("Role name").fill("Plain role")
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain role")


def test_a_record_is_made_and_found(site: Site, page: Page) -> None:
    """By the page of a new record, and by the search; one signs out by the menu."""
    page.goto(f"{site.app_path}/worksheet/{key('w', 'Companies')}")
    page.get_by_role("link", name="New record").click()
    page.get_by_label(re.compile("^Name")).first.fill("Scriptless Ltd")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("^(Save|Make|Create)")).first.click()
    page.goto(f"{site.app_path}/worksheet/{key('w', 'Companies')}?q=Scriptless")
    expect(page.get_by_role("main").get_by_text("Scriptless Ltd").first).to_be_visible()
    page.get_by_label(re.compile("Your account: ")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_navigation_is_open(site: Site, page: Page) -> None:
    """Above the page, where a script would fold it."""
    for path in ("", "manage/", f"page/{key('p', 'Start')}"):
        page.goto(f"{site.app_path}/{path}")
        expect(page.get_by_role("navigation", name="App", exact=True)).to_be_visible()
