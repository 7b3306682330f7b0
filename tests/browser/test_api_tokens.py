"""API tokens in a real browser: made by keyboard, seen once, removed; what they look like narrow and dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from core.api import as_tenant, transaction
from tenants import api_tokens
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.test_looks import LOOKS
from tests.program import make_token
from tests.web import PASSWORD, make_member

LONG = "Nightly-export-to-the-warehouse-" * 3
PAGE = "/account/api-tokens"


@pytest.fixture
def page(site: Site, look: Look) -> Page:
    """A window of the owner whose questions are all answered with yes."""
    found = look(site, person=OWNER)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


@pytest.fixture
def owner(site: Site) -> str:
    """The id of the owner, who has no token yet."""
    with site.app.app_context(), as_tenant(site.organization_id):
        person = make_member(site.organization_id, OWNER, "owner")
        for row in api_tokens.tokens():
            with transaction():
                api_tokens.remove(None, row.id)
    return person


def made(site: Site, person: str, **given: object) -> None:
    """Have somebody a token."""
    with site.app.app_context():
        make_token(site.organization_id, person, **given)  # type: ignore[arg-type]


def test_a_token_is_made_by_keyboard_and_seen_once(site: Site, page: Page, owner: str) -> None:
    """From the account page; the field with the token is selected when it is reached. Going back shows it no more."""
    page.goto("/account")
    page.get_by_role("link", name="Manage API tokens").press("Enter")
    page.get_by_label("Name").focus()
    page.keyboard.type("Nightly")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name=re.compile("^Create, change"))).to_be_checked()
    expect(page.get_by_label("Your password")).to_be_hidden()
    with page.expect_navigation():
        page.get_by_role("button", name="Create token").press("Enter")
    field = page.get_by_label("Token", exact=True)
    field.focus()
    token = field.input_value()
    assert re.fullmatch(r"akt_[0-9a-f]{60}", token)
    assert len(token) == page.evaluate("document.activeElement.selectionEnd - document.activeElement.selectionStart")
    assert [] == accessible(page) + too_wide(page)
    page.get_by_role("link", name="I have saved it").press("Enter")
    expect(page.get_by_role("list").get_by_text("Nightly")).to_be_visible()
    assert token not in page.content()
    page.goto("/account")
    expect(page.get_by_text("1 token lets a program")).to_be_visible()


def test_a_token_that_restores_asks_for_the_password(site: Site, page: Page, owner: str) -> None:
    """The field comes with the choice and goes with it; a wrong password is said beside it, and the rest stays typed."""
    page.goto(PAGE)
    page.get_by_label("Name").fill("Standby")
    restore = page.get_by_role("checkbox", name="Start and undo restores")
    for on in (True, False, True):
        restore.set_checked(on)
        expect(page.get_by_label("Your password")).to_be_visible(visible=on)
    page.get_by_label("Valid for").select_option("90")
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("Your password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Wrong password.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Standby")
    expect(page.get_by_label("Valid for")).to_have_value("90")
    assert [] == accessible(page) + too_wide(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("API token created")
    expect(page.get_by_role("listitem").get_by_text("Start and undo restores")).to_be_visible()


def test_a_token_is_removed(site: Site, page: Page, owner: str) -> None:
    """By its owner, and by an admin of the organization whoever's it is."""
    with site.app.app_context():
        mate = make_member(site.organization_id, "mate@example.org")
    made(site, owner, name="Old")
    made(site, mate, name="Theirs")
    page.goto(PAGE)
    page.get_by_role("button", name="Remove “Old”").click()
    expect(page.get_by_text("“Old” was removed")).to_be_visible()
    page.goto(f"{site.organization}/")
    page.get_by_role("navigation", name="Organization").get_by_role("link", name="API tokens").click()
    page.get_by_role("button", name="Remove “Theirs”").click()
    expect(page.get_by_role("heading", name="No tokens yet")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_pages_fit_and_are_accessible(site: Site, look: Look, owner: str, width: int, dark: bool) -> None:
    """With long names and many scopes, with a form that was refused, and with nothing yet."""
    page, wrong = look(site, width=width, dark=dark, person=OWNER), []
    places = (PAGE, f"{site.organization}/api-tokens")
    for path in places:
        page.goto(path)
        wrong += accessible(page) + too_wide(page)
    made(site, owner, name=LONG[:100])
    made(site, owner, name="סוד <b>", scopes=["read"])
    for path in (*places, "/account"):
        page.goto(path)
        wrong += accessible(page) + too_wide(page)
    page.goto(PAGE)
    page.get_by_role("checkbox", name="See apps").uncheck()
    page.get_by_label("Name").fill(" ")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("Choose at least one permission")).to_be_visible()
    assert [] == wrong + accessible(page) + too_wide(page)
