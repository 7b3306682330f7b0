"""A backup in a real browser: opened, searched, sorted, followed from record to record, a page with a chart, a file, and out again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.api import apps, as_tenant, db, direct, documents, import_file
from plugins.worksheets import service
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.web import make_person

LOOKS = [pytest.param(1280, False, id="wide-light"), pytest.param(1280, True, id="wide-dark"),
         pytest.param(380, False, id="narrow-light"), pytest.param(380, True, id="narrow-dark")]


@pytest.fixture
def details(site: Site) -> str:
    """The page of a backup of a fresh sample app, with data."""
    with site.app.app_context():
        owner = make_person(OWNER)
        with as_tenant(site.organization_id):
            app_id = import_file(Path("sample"), site.organization_id, owner, importer="sample")["app"]
            backup_id = direct.back_up(apps.find(app_id), name="Before the move", person=owner).id
        db.session.remove()
    return f"{site.organization}/apps/{app_id}/manage/backups/{backup_id}"


def fine(page: Page) -> None:
    """Check that a page is usable by everybody and fits its screen."""
    assert [] == accessible(page) and [] == too_wide(page), page.url


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_a_backup_is_browsed(site: Site, details: str, look: Look, width: int, dark: bool) -> None:
    """By links alone from its page into it and out of it; every page says which backup it shows."""
    page = look(site, width=width, dark=dark, person=OWNER)
    page.goto(details)
    page.get_by_role("link", name="Browse").click()
    expect(page.get_by_role("heading", name="Contents")).to_be_visible()
    bar = page.get_by_role("region", name="The backup that is browsed")
    expect(bar).to_contain_text("Before the move")
    fine(page)
    page.get_by_role("main").get_by_role("link", name="Contacts", exact=True).click()
    expect(page.get_by_role("grid")).to_be_visible()
    fine(page)
    page.get_by_role("searchbox").fill("a")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Show all").first).to_be_visible()
    page.get_by_role("columnheader").nth(1).get_by_role("link").click()
    expect(page.locator("th[aria-sort]").first).to_be_visible()
    page.get_by_role("link", name=re.compile("Open record")).first.click()
    expect(bar).to_be_visible()
    assert not page.get_by_role("button", name=re.compile("Edit|Delete|Comment")).count()
    fine(page)
    page.get_by_role("main").locator("dd a[href*='/browse/worksheet/']").first.click()
    expect(bar).to_be_visible()
    fine(page)
    bar.get_by_role("link", name="Contents").click()
    _see_chart(page)
    fine(page)
    bar.get_by_role("link", name="Contents").click()
    page.get_by_role("main").locator("a[href*='/browse/workflow/']").first.click()
    fine(page)
    bar.get_by_role("link", name="Leave").click()
    expect(page.get_by_role("heading", name="Before the move")).to_be_visible()


def _see_chart(page: Page) -> None:
    """Open pages from the list until one has a chart."""
    for path in page.eval_on_selector_all("main a[href*='/browse/page/']", "all => all.map(one => one.getAttribute('href'))"):
        page.goto(path)
        if page.locator("figure svg").count():
            return
    raise AssertionError("The sample app has no page with a chart.")


def test_a_file_is_downloaded_from_a_backup(site: Site, details: str, look: Look) -> None:
    """A record's file comes as it was, from the store."""
    page = look(site, person=OWNER)
    path = _record_with_file(site, details)
    page.goto(path)
    link = page.locator("a[href*='/file/']").first
    answer = page.request.get(str(link.get_attribute("href")))
    assert answer.ok and len(answer.body()) > 0 and "nosniff" == answer.headers["x-content-type-options"]


def _record_with_file(site: Site, details: str) -> str:
    """Return the address of a record of the backup that has a file."""
    app_id, backup_id = details.split("/")[-4], details.split("/")[-1]
    with site.app.app_context(), as_tenant(site.organization_id):
        app = apps.find(app_id)
        found = next((sheet.key, row.seq) for sheet in documents.live(app, "worksheet") for row in service.all_rows(app, sheet.key)
                     if '"file":"' in row.vals)
        db.session.remove()
    return f"{site.organization}/apps/{app_id}/backups/{backup_id}/browse/worksheet/{found[0]}/record/{found[1]}"
