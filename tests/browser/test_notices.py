"""What people are told, in a real browser: the bell, the inbox, webhooks, usage, the schedule, the log; in both looks and widths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from core.api import App, apps, as_tenant, direct, transaction
from core.backups.schedule import service as schedules
from tenants import quota, service
from tenants.notifications import deliveries, webhooks
from tenants.notifications.notify import Notice, tell
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide

LOOKS = [pytest.param(width, dark, id=f"{width}-{'dark' if dark else 'light'}") for width in (1280, 380) for dark in (False, True)]


@contextmanager
def inside(site: Site) -> Iterator[App]:
    """Give the site's app, as its organization."""
    with site.app.app_context(), as_tenant(site.organization_id):
        yield apps.find(site.app_id)


def say(site: Site, event: str, title: str) -> None:
    """Tell the owner something."""
    with inside(site), transaction():
        path = f"{site.organization}/plan"
        tell(Notice("quota_full", event, title, "300 of 300 bytes are used.", path), [service.user_by_email(OWNER).id])


@pytest.fixture(scope="module")
def told(site: Site) -> Site:
    """The site with something of everything to show."""
    say(site, "q/1", "The upload quota for 2026 is used up")
    with inside(site) as app:
        owner = service.user_by_email(OWNER).id
        direct.back_up(app, person=owner)
        with transaction():
            hook = webhooks.add("https://hooks.example.org/a/rather/long/path/that/goes/on/and/on?token=abcdefghijklmnopqrstuvwxyz", ["quota_full"], owner)[0]
            webhooks.send_test(hook)
            for number, purpose in enumerate(("attachment", "backup", "attachment")):
                quota.settle(site.organization_id, (number + 1) * 7_000_000_000, f"q_{number}", purpose, site.app_id)
        with transaction():
            failed = deliveries.deliveries()[0]
            failed.state, failed.attempts, failed.answer = "undelivered", 7, "Responded with 503 Service Unavailable"
    return site


def test_the_bell_counts_what_is_new_without_a_reload(site: Site, look: Look) -> None:
    """While the page stays open the number comes by itself; opening a notification takes it down."""
    page = look(site, person=OWNER)
    page.clock.install()
    page.goto(f"{site.organization}/")
    before = page.locator("[data-unread] .count").inner_text() if page.locator("[data-unread] .count").is_visible() else "0"
    say(site, "bell/1", "Something new")
    page.clock.run_for(31_000)
    page.get_by_role("link", name=f"Notifications, {int(before) + 1} unread").click()
    page.get_by_role("link", name="Something new").click()
    page.wait_for_url(f"**{site.organization}/plan")
    page.goto("/notifications")
    expect(page.locator("li.unread", has_text="Something new")).to_have_count(0)


def test_the_inbox_is_used_with_the_keyboard(site: Site, look: Look) -> None:
    """From the bell to a notification and back, without a mouse."""
    say(site, "keys/1", "By keyboard")
    page = look(site, person=OWNER)
    page.goto("/notifications")
    page.get_by_role("link", name="By keyboard").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{site.organization}/plan")


def test_a_webhook_is_made_and_its_secret_seen_once(site: Site, look: Look) -> None:
    """What cannot be taken stays in the form; after a reload the secret is gone."""
    page = look(site, person=OWNER)
    page.goto(f"{site.organization}/webhooks")
    page.get_by_label("Address").fill("http://localhost/hook")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.locator(".error")).to_contain_text("own network")
    page.get_by_label("Address").fill("https://hooks.example.org/in")
    page.get_by_label("Restore done").uncheck()
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_label("Secret")).to_have_value(re.compile("^whsec_"))
    page.reload()
    expect(page.get_by_label("Secret")).to_have_count(0)
    expect(page.get_by_label("Restore done")).not_to_be_checked()
    expect(page.get_by_label("Restore failed")).to_be_checked()


def test_a_schedule_is_set_and_shows_its_next_runs(site: Site, look: Look) -> None:
    """Only the fields that matter are shown; what would go is shown before it goes."""
    page = look(site, person=OWNER)
    page.goto(f"{site.app_path}/manage/backups/schedule")
    expect(page.get_by_label("Day of the week")).to_be_hidden()
    page.get_by_label("How often").select_option("weekly")
    page.get_by_label("Day of the week").select_option("Friday")
    page.get_by_label("Time", exact=True).fill("04:15")
    page.get_by_role("button", name="Save schedule").click()
    expect(page.locator(".next li")).to_have_count(3)
    expect(page.get_by_text("every Friday at 04:15")).to_be_visible()
    page.get_by_label("Last").fill("1")
    page.get_by_role("button", name="Preview removals").click()
    expect(page.get_by_role("heading", name="Preview removals")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept: the newest one.")).to_be_visible()
    with inside(site) as app:
        assert (4, 4 * 60 + 15) == ((row := schedules.schedule_of(app)).weekday, row.minute)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_are_right_in_each_look(told: Site, look: Look, width: int, dark: bool) -> None:
    """Inbox, choices, webhooks, deliveries, usage, log, schedule, retention: axe finds nothing grave, nothing is too wide."""
    page, wrong = look(told, width=width, dark=dark, person=OWNER), []
    with inside(told):
        hook = webhooks.webhooks()[0].id
    schedule = f"{told.app_path}/manage/backups/schedule"
    organization = told.organization
    for path in ("/notifications", "/notifications?unread=1", "/notifications/choices", f"{organization}/webhooks", f"{organization}/webhooks/{hook}",
                 f"{organization}/deliveries", f"{organization}/plan", f"{organization}/log", f"{organization}/log?since=x", schedule,
                 f"{schedule}/retention?last=1", f"{schedule}/retention?last=0"):
        page.goto(path)
        wrong += accessible(page) + too_wide(page)
    page.goto(f"{organization}/plan")
    page.get_by_text("Show as table").click()
    wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
