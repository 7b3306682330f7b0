"""The ways in, in a real browser: a new server, the sample's account, a second factor, an invitation, a new password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from core.api import as_server, now_us, transaction
from core.base.time import moved
from plugins.sample import commands
from tenants import second_factor, service
from tests.browser.conftest import OWNER, Look, Site, serve
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import mailed_link
from tests.web import PASSWORD, make_member

NEW = "a cow drinks 7 moons"


def person(site: Site, email: str) -> str:
    """Make a member with PASSWORD and return their email."""
    with site.app.app_context():
        make_member(site.organization_id, email, password=PASSWORD)
    return email


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in page."""
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    """Sign out by the account's menu."""
    page.get_by_label(re.compile("Your account: ")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def code(secret: str) -> str:
    """Return what the device shows now."""
    return pyotp.TOTP(secret).generate_otp(now_us() // 1_000_000 // second_factor.STEP_S)


def test_the_time_zone_of_the_browser_is_chosen_already(empty_site: Site, chromium: Browser) -> None:
    """Whoever sets a server up seldom has to look for theirs."""
    context = chromium.new_context(base_url=empty_site.url, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto("/set-up")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    context.close()


def test_a_new_server_is_set_up_in_the_browser(empty_site: Site, look: Look) -> None:
    """From the first page to an app with something to do next; the page of the set-up is closed ever after."""
    page = look(empty_site)
    page.goto("/")
    expect(page.get_by_role("heading", name="Welcome to Appkeep")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)
    page.get_by_label("Organization").fill("Bakery Ltd")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_label("Your name").fill("Ada Baker")
    page.get_by_label("Your email").fill("ada@bakery.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page.get_by_text("Your organization is ready")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="New app").first.click()
    page.get_by_label("Name").fill("Bread")
    page.get_by_role("button", name="Create app").click()
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    page.get_by_role("link", name="New worksheet").click()
    expect(page.get_by_role("heading", name=re.compile("[Nn]ew worksheet"))).to_be_visible()
    page.goto("/set-up")
    assert "/set-up" not in page.url


@pytest.fixture
def sample_site(sqlite_template: Path) -> Iterator[Site]:
    """A server as `make run` leaves it: the sample's organization, app and owner."""
    for found in serve(sqlite_template):
        with found.app.app_context():
            commands.set_up()
        yield found


def test_the_sample_account_signs_in(sample_site: Site, look: Look) -> None:
    """With the password that the server keeps for whoever started it, and comes to the sample app."""
    page = look(sample_site)
    sign_in(page, OWNER, (sample_site.home / "sample-password").read_text().strip())
    page.get_by_role("main").get_by_role("link", name="Sample CRM").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sample CRM")


def test_a_wrong_password_is_refused_and_the_email_stays(site: Site, look: Look) -> None:
    """Nothing says whether the email is known."""
    page = look(site)
    said = []
    for email in (OWNER, "nobody@example.org"):
        sign_in(page, email, "wrong and long enough")
        said.append(page.get_by_role("alert").inner_text())
        assert email == page.get_by_label("Email").input_value()
    assert said[0] == said[1]


def test_one_comes_back_to_the_page_that_asked_to_sign_in(site: Site, look: Look) -> None:
    """The page that was asked for opens after the password."""
    page = look(site)
    page.goto(f"{site.app_path}/")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{site.app_path}/")


def test_a_second_factor_is_set_up_and_asked_for(site: Site, look: Look) -> None:
    """The secret beside the picture gives codes; each is good once, and so is each recovery code."""
    email = person(site, "tess@example.org")
    page = look(site)
    sign_in(page, email)
    page.goto("/account")
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(code(secret))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = page.locator(".codes code").all_inner_texts()
    assert 8 <= len(set(recovery))
    with page.expect_navigation():
        page.get_by_role("link", name="I have saved them").click()
    sign_out(page)
    with moved(10 * second_factor.STEP_S):
        _goes_in_once(look(site), look(site), email, code(secret))
    _goes_in_once(look(site), look(site), email, recovery[0])


def _goes_in_once(first: Page, second: Page, email: str, given: str) -> None:
    """Check that a code signs one window in and then no other."""
    for page in (first, second):
        sign_in(page, email)
        expect(page.get_by_role("heading", name="One more step")).to_be_visible()
        page.get_by_role("textbox", name="Code").fill(given)
        with page.expect_navigation():
            page.get_by_role("button", name="Continue").click()
    first.goto("/account")
    expect(first.get_by_role("heading", name="Your account")).to_be_visible()
    expect(second.get_by_role("alert")).to_be_visible()
    second.goto("/account")
    expect(second.get_by_role("heading", name="Your account")).to_have_count(0)


def test_an_invitation_makes_a_member(site: Site, look: Look) -> None:
    """Invited by an owner, the link in the mail makes an account and a member; it is good once."""
    page, guest, email = look(site, person=OWNER), look(site), "gus@example.org"
    page.goto(f"{site.organization}/members")
    page.get_by_label("Email").first.fill(email)
    page.get_by_label("Role").select_option("member")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name=f"Send this link to {email}")).to_be_visible()
    path = mailed_link(site, "invitation", email)
    assert page.get_by_label("Link").input_value().endswith(path)
    guest.goto(path)
    expect(guest.get_by_role("heading", name="Example")).to_be_visible()
    assert [] == accessible(guest) + too_wide(guest)
    guest.get_by_label("Your name").fill("Gus Guest")
    guest.get_by_label(re.compile("password", re.I)).fill(NEW)
    guest.get_by_role("button").last.click()
    expect(guest.get_by_text("Welcome to “Example”")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Gus Guest")).to_be_visible()
    again = look(site)
    answer = again.goto(path)
    assert answer is not None and 410 == answer.status


def test_a_forgotten_password_is_set_anew(site: Site, look: Look) -> None:
    """By the link in the mail; every session of before has ended, and the old password is no longer good."""
    email = person(site, "flo@example.org")
    page, elsewhere = look(site), look(site, person=email)
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_role("status")).to_contain_text("a link is on its way")
    page.goto(mailed_link(site, "reset", email))
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    sign_in(page, email)
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, email, NEW)
    page.wait_for_url("**/o/**")
    elsewhere.goto("/account")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()


def test_other_browsers_are_listed_and_signed_out(site: Site, look: Look) -> None:
    """The account lists where one is signed in; what is signed out there asks for the password again."""
    email = person(site, "sue@example.org")
    page, phone, tablet = (look(site, person=email) for _ in range(3))
    page.goto("/account")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(page.get_by_text("This browser", exact=True)).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Sign out (?!all)")).first.click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(rows).to_have_count(1)
    for other in (phone, tablet):
        other.goto("/account")
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_name_and_a_password_are_changed(site: Site, look: Look) -> None:
    """Each form of the account refuses beside its field and says what was done."""
    email = person(site, "ned@example.org")
    page = look(site)
    sign_in(page, email)
    page.goto("/account")
    page.get_by_label("Display name").fill("Ned Newname")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Name saved")).to_be_visible()
    page.get_by_label("Current password").fill("not my password")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Password changed")).to_be_visible()
    with site.app.app_context(), as_server(), transaction():
        assert service.password_matches(service.user_by_email(email), NEW)
