"""An app of two worksheets built from nothing in a real browser, and its records entered with the keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.api import apps, as_tenant, transaction
from tenants.service import user_by_email
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.web import make_person


def new_app(site: Site, name: str) -> str:
    """Make an app without worksheets and return the path of its management."""
    with site.app.app_context():
        make_person(OWNER)
        with as_tenant(site.organization_id), transaction():
            app_id = apps.create(name, user_by_email(OWNER).id).id
    return f"{site.organization}/apps/{app_id}/manage"


def make_worksheet(page: Page, manage: str, name: str) -> str:
    """Make a worksheet and return the path of its structure."""
    page.goto(f"{manage}/worksheets")
    page.get_by_role("link", name="New worksheet").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create worksheet").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return page.url.split("?")[0].split("#")[0]


def choose_type(page: Page, title: str) -> None:
    """Begin a new field of a type, from the page of its worksheet."""
    page.get_by_role("link", name="New field").first.click()
    page.get_by_role("link", name=re.compile(rf"^{title}\b")).first.click()


def save(page: Page, button: str = "Create") -> None:
    """Press the button at the end of the form, and see that it was done."""
    page.get_by_role("button", name=button, exact=True).last.click()
    expect(page.get_by_role("status").first).to_contain_text("was")


def test_an_app_of_two_worksheets_is_built_and_filled_without_the_mouse_in_the_grid(site: Site, look: Look) -> None:
    """Customers and orders: a choice, an amount, a link with its other side, a formula; then records by arrow keys and Enter."""
    page = look(site, person=OWNER)
    manage = new_app(site, "Trade")
    make_worksheet(page, manage, "Customers")
    choose_type(page, "Single select")
    page.get_by_label("Name", exact=False).first.fill("Kind")
    rows = page.get_by_role("group", name=re.compile(r"^Choice \d"))
    rows.nth(0).get_by_label("Name").fill("Shop")
    rows.nth(1).get_by_label("Name").fill("Person")
    save(page)
    orders = make_worksheet(page, manage, "Orders")
    choose_type(page, "Number")
    page.get_by_label("Name", exact=False).first.fill("Pieces")
    save(page)
    choose_type(page, "Relationship")
    page.get_by_label("Name", exact=False).first.fill("Customer")
    target = page.locator("[name='o.target']")
    target.select_option(label="Customers")
    page.wait_for_load_state("networkidle")
    page.get_by_label("Name of the linked field").fill("Their orders")
    save(page)
    choose_type(page, "Formula")
    page.get_by_label("Name", exact=False).first.fill("Twice")
    area = page.locator("[name='o.expression']")
    area.fill("{Pices} * 2")
    expect(page.locator("#trial")).to_contain_text("Unknown field “Pices”")
    area.fill("")
    page.get_by_text("Available fields").click()
    page.get_by_role("button", name="Pieces", exact=True).click()
    area.press_sequentially(" * 2")
    expect(page.locator("#trial")).to_contain_text("The formula is valid")
    assert [] == accessible(page) + too_wide(page)
    save(page)
    page.goto(orders)
    page.get_by_role("link", name="Open records").click()
    page.get_by_role("link", name="New record").first.click()
    page.get_by_label("Name", exact=False).first.fill("First order")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("First order")
    page.goto(orders)
    page.get_by_role("link", name="Open records").click()
    first = page.locator("tr[data-seq='1'] td[data-f]")
    first.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(first.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(first.nth(1).locator("input[type='text']")).to_be_focused()
    page.keyboard.type("21")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-seq='1'] td[data-f]").nth(3)).to_contain_text("42")


def test_a_field_can_be_made_without_a_script(site: Site, chromium, look: Look) -> None:  # type: ignore[no-untyped-def]
    """Adding a choice and saving are plain posts: what the buttons do with htmx they do without."""
    manage = new_app(site, "Plain")
    scripted = look(site, person=OWNER)
    structure = make_worksheet(scripted, manage, "Notes")
    context = chromium.new_context(base_url=site.url, java_script_enabled=False)
    context.add_cookies(scripted.context.cookies())
    page = context.new_page()
    page.goto(f"{structure}/field/new?type=multiple_select")
    page.locator("[name='v.name']").fill("Tags")
    page.locator("[name='o.choices.0.name']").fill("One")
    page.locator("button[value='add o.choices']").click()
    page.locator("[name='o.choices.3.name']").fill("Four")
    page.get_by_role("button", name="Create", exact=True).last.click()
    expect(page.locator("#fields")).to_contain_text("Tags")
    context.close()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (380, True)])
def test_every_page_of_structure_is_accessible(site: Site, look: Look, width: int, dark: bool, tmp_path: Path) -> None:
    """Each kind of page on fields, views and forms: axe finds nothing grave, nothing is wider than the window."""
    page = look(site, width=width, dark=dark, person=OWNER)
    manage = new_app(site, f"Looks {width}")
    structure = make_worksheet(page, manage, "Tasks")
    choose_type(page, "Single select")
    page.get_by_label("Name", exact=False).first.fill("Status")
    page.get_by_role("group", name="Choice 1").get_by_label("Name").fill("Open")
    save(page)
    wrong = []
    for rest in ("", "/field/new", "/field/new?type=currency", "/field/new?type=formula", "/field/new?type=relationship", "/view/new",
                 "/view/new?type=grid", "/view/new?type=kanban", "/view/new?type=calendar", "/view/new?type=form", "/form/new", "/rule/new",
                 "/button/new"):
        page.goto(f"{structure}{rest}")
        wrong += [f"{rest}: {one}" for one in accessible(page) + too_wide(page)]
    assert [] == wrong, "\n".join(wrong)
