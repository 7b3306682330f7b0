"""What somebody has typed when their session ends, in a real browser: a form is sent after signing in, a cell waits in its place."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from core.api import as_server, transaction
from tenants import service, sessions
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.web import PASSWORD

COMPANIES = "worksheet/w_Companies1"


def end_sessions(site: Site) -> None:
    """Sign the owner out everywhere, as from another device."""
    with site.app.app_context(), as_server(), transaction():
        sessions.close_sessions(service.user_by_email(OWNER).id)


def sign_in(page: Page) -> None:
    """Type e-mail and password."""
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_record_saved_after_the_session_has_ended_is_saved_after_signing_in(site: Site, look: Look, tmp_path: Path) -> None:
    """On a narrow dark screen, by keyboard: nothing of it is typed twice."""
    page = look(site, width=380, dark=True, person=OWNER)
    page.goto(f"{site.app_path}/{COMPANIES}/record/1/edit")
    name = page.locator("form textarea, form input[type=text]").first
    name.fill("Typed at the wrong moment & kept")
    end_sessions(site)
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)
    sign_in(page)
    expect(page.get_by_role("heading", name="Not saved yet")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Typed at the wrong moment & kept")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)
    expect(page.get_by_role("button", name="Save it now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Typed at the wrong moment & kept").first).to_be_visible()
    expect(page.get_by_role("heading", name="Not saved yet")).to_have_count(0)
    page.goto(f"{site.app_path}/{COMPANIES}/record/1")
    expect(page.get_by_text("Typed at the wrong moment & kept").first).to_be_visible()


def test_a_cell_typed_after_the_session_has_ended_waits_for_signing_in_in_another_tab(site: Site, look: Look) -> None:
    """It says so above the grid, what was typed stays in the cell, and Enter saves it once one has come back."""
    page = look(site, person=OWNER)
    page.goto(f"{site.app_path}/{COMPANIES}")
    cell = page.locator("td[data-edit]").first
    cell.click()
    box = cell.locator("input[type=text]").first
    box.fill("Still here")
    end_sessions(site)
    box.press("Enter")
    notice = page.get_by_role("alert").filter(has_text="you are signed out")
    expect(notice).to_be_visible()
    expect(box).to_have_value("Still here")
    with page.expect_popup() as opened:
        notice.get_by_role("link", name="Sign in in a new tab").click()
    sign_in(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in")).to_be_visible()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")  # a window without a screen is not told that it is in front
    expect(page.get_by_text("save it once more")).to_be_visible()
    box.press("Enter")
    expect(page.locator("td[data-edit]").filter(has_text="Still here")).to_be_visible()
