"""Two clicks on one button, in a real browser: what a form makes is made once."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import OWNER, Look, Site

DEAL = "worksheet/w_DeaLs11111/record/1"
BETWEEN_MS = 150


def test_a_second_click_before_the_answer_sends_nothing(site: Site, look: Look) -> None:
    """The comment is written once, however often the button was clicked meanwhile."""
    page = look(site, person=OWNER)
    page.goto(f"{site.app_path}/{DEAL}")
    page.get_by_label("New comment").fill("Said only once")
    held: list[Route] = []
    page.route("**/comments", lambda route: held.append(route))
    button = page.get_by_role("button", name="Comment", exact=True)
    button.scroll_into_view_if_needed()
    place = button.bounding_box()
    assert place is not None
    for _ in range(2):
        page.mouse.click(place["x"] + 5, place["y"] + 5)
        page.wait_for_timeout(BETWEEN_MS)
    assert 1 == len(held)
    held[0].continue_()
    expect(page.get_by_text("Said only once")).to_have_count(1)


def test_a_form_can_be_sent_again_after_going_back(site: Site, look: Look) -> None:
    """Going back to a form, also out of the browser's memory of pages, lets it be sent anew."""
    page = look(site, person=OWNER)
    page.goto(f"{site.app_path}/worksheet/w_DeaLs11111/new")
    page.get_by_label("Title").fill("First of two")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="First of two")).to_be_visible()
    first = page.url
    page.go_back()
    page.get_by_label("Title").fill("Second of two")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Second of two")).to_be_visible()
    assert first != page.url
