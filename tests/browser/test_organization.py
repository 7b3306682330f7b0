"""An organization in a real browser: members, departments, org roles, who manages an app, and what members see of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from core.api import apps, as_tenant, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.working import mailed_link
from tests.web import make_member


@pytest.fixture
def page(site: Site, look: Look) -> Page:
    """A window of the owner whose questions are all answered with yes."""
    found = look(site, person=OWNER)
    found.on("dialog", lambda dialog: dialog.accept())
    return found


def member(site: Site, email: str) -> str:
    """Make a member and return their email."""
    with site.app.app_context():
        make_member(site.organization_id, email)
    return email


def choose(page: Page, label: str, text: str) -> None:
    """Choose the option whose text has this in it."""
    select = page.get_by_label(label)
    select.select_option(select.locator("option", has_text=text).get_attribute("value"))


def test_a_member_becomes_an_admin_and_leaves(site: Site, page: Page) -> None:
    """Found by the search, promoted, removed after a question."""
    email = member(site, "max@example.org")
    page.goto(f"{site.organization}/members")
    page.get_by_label("Search members").fill("max@")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a").click()
    page.get_by_label("Role").select_option("admin")
    page.get_by_role("button", name="Change role").click()
    expect(page.get_by_text("Role changed")).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("is no longer a member")).to_be_visible()
    page.get_by_label("Search members").fill(email)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="No members found")).to_be_visible()


def test_departments_make_a_tree(site: Site, page: Page) -> None:
    """One below another, with somebody in it; deleted, what is in it moves up."""
    email = member(site, "dora@example.org")
    page.goto(f"{site.organization}/departments")
    for name, parent in (("Sales", None), ("Berlin", "Sales"), ("Counter", "Berlin")):
        page.get_by_label("Name").fill(name)
        if parent:
            choose(page, "Parent department", parent)
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("list", name="Departments").get_by_role("link", name=name)).to_be_visible()
    page.get_by_role("link", name="Counter").click()
    page.get_by_label("Add a member").fill(email)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("was added to the department")).to_be_visible()
    page.get_by_label("Add a member").fill("nobody@example.org")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Add a member")).to_have_attribute("aria-invalid", "true")
    with page.expect_navigation():
        page.get_by_role("button", name="Delete department").click()
    page.get_by_role("link", name="Berlin").click()
    expect(page.get_by_role("main").get_by_text(email)).to_be_visible()


def test_an_org_role_is_given_and_taken(site: Site, page: Page) -> None:
    """Made, given to a member, renamed, taken away."""
    email = member(site, "oli@example.org")
    page.goto(f"{site.organization}/org-roles")
    page.get_by_label("Name").fill("Accountant")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Accountant").click()
    page.get_by_label("Add a member").fill(email)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("main").get_by_text(email)).to_be_visible()
    page.get_by_label("Name").fill("Bookkeeper")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bookkeeper")
    page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.get_by_text("Nobody has this role yet")).to_be_visible()


def test_an_app_gets_an_admin_who_is_no_member(site: Site, page: Page, look: Look) -> None:
    """A member manages at once; somebody from elsewhere is invited, and manages the app without seeing the organization."""
    email = member(site, "ann@example.org")
    page.goto(f"{site.organization}/app-admins")
    page.get_by_role("main").get_by_role("link", name="Sample CRM").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Add admin", exact=True).click()
    expect(page.get_by_text("is now an admin of the app")).to_be_visible()
    page.get_by_label("Email").fill("ext@example.net")
    page.get_by_role("button", name="Add admin", exact=True).click()
    expect(page.get_by_text("was invited to manage the app")).to_be_visible()
    guest = look(site)
    guest.goto(mailed_link(site, "invitation", "ext@example.net"))
    guest.get_by_label("Your name").fill("Ext Ernal")
    guest.get_by_label("Password").fill("a hen lays 3 eggs a day")
    with guest.expect_navigation():
        guest.get_by_role("button", name="Create account and accept").click()
    guest.goto(f"{site.app_path}/manage/")
    expect(guest.get_by_role("heading", level=1)).to_have_text("App management")
    answer = guest.goto(f"{site.organization}/")
    assert answer is not None and 404 == answer.status
    page.reload()
    expect(page.get_by_text("Not a member: no backups")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Remove Ext Ernal").click()
    answer = guest.goto(f"{site.app_path}/manage/")
    assert answer is not None and 404 == answer.status


def test_a_role_opens_an_app_to_a_member(site: Site, page: Page, look: Look) -> None:
    """Without a role there is no app; given one on the role's page, the app and what the role opens are there."""
    email = member(site, "rob@example.org")
    mate = look(site, person=email)
    mate.goto(f"{site.organization}/")
    expect(mate.get_by_role("heading", name="No apps yet")).to_be_visible()
    page.goto(f"{site.app_path}/manage/role/{key('r', 'Reader')}")
    choose(page, "Add a member", email)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("button", name=re.compile("^Remove"))).to_have_count(1)
    mate.reload()
    mate.get_by_role("main").get_by_role("link", name="Sample CRM").click()
    expect(mate.get_by_role("navigation", name="App").get_by_role("link", name="Companies")).to_be_visible()
    expect(mate.get_by_role("link", name="Deals")).to_have_count(0)
    answer = mate.goto(f"{site.app_path}/worksheet/{key('w', 'Deals')}")
    assert answer is not None and 404 == answer.status
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("^Remove")).click()
    answer = mate.goto(f"{site.app_path}/")
    assert answer is not None and 404 == answer.status


def test_the_mobile_navigation_is_at_the_foot_of_narrow_screens(site: Site, look: Look) -> None:
    """It is not there on wide ones; a member finds in it what their role opens, by keyboard too."""
    email = member(site, "moe@example.org")
    with site.app.app_context(), as_tenant(site.organization_id), transaction():
        roles.assign(apps.find(site.app_id), key("r", "Sales"), f"user/{make_member(site.organization_id, email)}")
    wide, phone = look(site, person=email), look(site, person=email, width=380)
    for window, seen in ((wide, False), (phone, True)):
        window.goto(f"{site.app_path}/")
        expect(window.get_by_role("navigation", name="Shortcuts")).to_be_visible(visible=seen)
    foot = phone.get_by_role("navigation", name="Shortcuts")
    foot.locator("summary", has_text="Sell").focus()
    phone.keyboard.press("Enter")
    expect(foot.get_by_role("link", name="Deals")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(foot.get_by_role("link", name="Deals")).to_be_hidden()
    foot.locator("summary", has_text="Sell").click()
    foot.get_by_role("link", name="Companies").click()
    phone.wait_for_url(f"**/worksheet/{key('w', 'Companies')}**")
