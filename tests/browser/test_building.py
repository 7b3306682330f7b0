"""Building an app in a real browser: a page of blocks, a workflow of steps, a role's matrix, the portal's look, the bin."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from plugins.sample.keys import key
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005050201"
                    "a5f645400000000049454e44ae426082")


@pytest.fixture
def page(site: Site, look: Look) -> Page:
    """A window of the owner whose questions are all answered with yes."""
    found = look(site, person=OWNER)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def test_a_page_is_built_of_blocks(site: Site, page: Page) -> None:
    """Made with its first words; blocks are added, filled, moved and removed, and the page shows them."""
    page.goto(f"{site.app_path}/manage/pages")
    page.get_by_role("link", name="New page").click()
    page.get_by_label("Name").fill("News")
    page.get_by_label("Text").fill("Something **new**.")
    page.get_by_role("button", name="Create page").click()
    expect(page.get_by_role("region", name="Preview").get_by_text("Something new.")).to_be_visible()
    page.get_by_label("Block type").last.select_option("text")
    page.get_by_role("button", name="Add", exact=True).last.click()
    page.get_by_role("textbox", name=re.compile("^Text")).fill("Good day, {user.name}!")
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).last.click()
    blocks = page.locator(".pg-row")
    expect(blocks).to_have_count(3)
    assert [] == accessible(page) + too_wide(page)
    blocks.last.locator("summary").click()
    page.get_by_role("button", name="Move up").last.click()
    expect(blocks.nth(1)).to_contain_text("Good day")
    blocks.last.locator("summary").click()
    blocks.last.get_by_role("button", name="Remove", exact=True).click()
    expect(blocks).to_have_count(2)
    page.get_by_role("link", name="Open page").click()
    expect(page.get_by_role("heading", name="News", level=1)).to_be_visible()
    expect(page.get_by_text("Good day, owner!")).to_be_visible()
    expect(page.get_by_role("navigation", name="App", exact=True).get_by_role("link", name="News")).to_be_visible()


def test_who_edits_a_page_that_somebody_else_changed_is_told_so(site: Site, page: Page, look: Look) -> None:
    """Nothing is done, and the sentence stands on top although only the blocks are drawn anew."""
    page.goto(f"{site.app_path}/manage/page/new")
    page.get_by_label("Name").fill("Shared")
    page.get_by_role("button", name="Create page").click()
    expect(page.locator(".pg-row")).to_have_count(1)
    other = look(site, person=OWNER)
    other.goto(page.url)
    for window in (other, page):
        window.locator(".pg-row summary").first.click()
        window.get_by_role("button", name="Duplicate").first.click()
        expect(window.locator(".pg-row")).to_have_count(2)
    expect(page.locator("#notices")).to_contain_text("Somebody else changed this page")
    expect(other.locator("#notices")).not_to_contain_text("Somebody")


def test_a_form_of_a_page_makes_a_record(site: Site, page: Page) -> None:
    """What is typed on a page is in the worksheet."""
    page.goto(f"{site.app_path}/page/{key('p', 'Enter')}")
    page.get_by_label("Subject").fill("Typed on a page")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.goto(f"{site.app_path}/worksheet/{key('w', 'Activities')}?q=Typed+on+a+page")
    expect(page.get_by_role("main").get_by_text("Typed on a page").first).to_be_visible()


def test_a_workflow_is_built_of_steps(site: Site, page: Page) -> None:
    """Named, given a trigger and a step, switched on; it is said in sentences."""
    page.goto(f"{site.app_path}/manage/workflows")
    page.get_by_label("Workflow name").fill("Greet")
    page.get_by_role("button", name="Create workflow").click()
    page.get_by_role("link", name="Change trigger").click()
    page.get_by_label("Start when").select_option("record_created")
    page.get_by_role("button", name="Choose", exact=True).click()
    page.get_by_label("Worksheet").select_option(label="Companies")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text(re.compile("When a record of Companies is (created|made)"))).to_be_visible()
    page.get_by_text("Add a step").first.click()
    page.get_by_label("What the step does").first.select_option("end")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(page.get_by_role("region", name="Steps")).to_contain_text("1")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("button", name="Turn off")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)


def test_a_role_is_made_with_its_rights(site: Site, page: Page) -> None:
    """What was ticked and chosen is what the page shows when it is opened again."""
    page.goto(f"{site.app_path}/manage/roles")
    page.get_by_label("Role name").fill("Apprentice")
    page.get_by_role("button", name="Create role").click()
    row = page.locator("tr, [data-row]").filter(has=page.get_by_text("Products", exact=True)).first
    row.get_by_role("combobox").first.select_option("all")
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_text("Role saved")).to_be_visible()
    page.reload()
    row = page.locator("tr, [data-row]").filter(has=page.get_by_text("Products", exact=True)).first
    expect(row.get_by_role("combobox").first).to_have_value("all")
    assert [] == accessible(page) + too_wide(page)


def test_the_portal_gets_a_logo(site: Site, page: Page) -> None:
    """A picture is taken and shown; what is none is refused with a sentence."""
    page.goto(f"{site.app_path}/manage/portal")
    page.get_by_label("Logo").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("img", name="Logo: logo.png")).to_be_visible()
    page.get_by_label("Logo", exact=False).last.set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": b"<svg onload=alert(1)>"})
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("PNG, JPEG, GIF or WebP file")).to_be_visible()


def test_what_was_deleted_comes_back_from_the_bin(site: Site, page: Page) -> None:
    """A page goes to the bin, comes back to where it was, goes again, and for good."""
    page.goto(f"{site.app_path}/manage/page/{key('p', 'Company')}")
    page.get_by_text("Delete this page").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Move to recycle bin").click()
    side = page.get_by_role("navigation", name="Manage the app")
    side.get_by_role("link", name="Recycle bin").click()
    row = page.locator(".things > li").filter(has_text="Company")
    row.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("“Company” was restored")).to_be_visible()
    page.goto(f"{site.app_path}/manage/page/{key('p', 'Company')}")
    page.get_by_text("Delete this page").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Move to recycle bin").click()
    side.get_by_role("link", name="Recycle bin").click()
    row.get_by_text("Delete permanently").first.click()
    row.get_by_role("button", name=re.compile("^Delete “Company” permanently")).click()
    expect(page.get_by_text("was deleted permanently")).to_be_visible()
    expect(row).to_have_count(0)


COVERED = """(bar) => [...document.querySelectorAll("main form input, main form select, main form textarea, main form button")]
  .filter(one => one.offsetParent && !bar.contains(one)).filter(one => {
    one.focus();
    const field = one.getBoundingClientRect(), below = bar.getBoundingClientRect();
    return document.activeElement === one && field.bottom > below.top + 1 && field.top < below.bottom;
  }).map(one => one.name)"""


@pytest.mark.parametrize("width", [1280, 380])
def test_no_field_that_is_reached_lies_under_the_bar_with_save(site: Site, look: Look, width: int) -> None:
    """In the editor of a block, that of a worksheet's field and the form of a record; the bar itself is above the dock."""
    page = look(site, width=width, person=OWNER)
    for path, bar in ((f"manage/page/{key('p', 'Start')}/block/{key('b', 'StChart')}", ".save-bar"),
                      (f"manage/worksheet/{key('w', 'Deals')}/field/{key('f', 'DeAmount')}", ".save-bar"),
                      (f"worksheet/{key('w', 'Deals')}/record/1/edit", ".w-save")):
        page.goto(f"{site.app_path}/{path}")
        found = page.locator(bar)
        assert [] == found.evaluate(COVERED), path
        found.get_by_role("button").first.click(trial=True)
