"""The history of a record and the recycle bin in a real browser: read, a version brought back and undone; wide, narrow, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core.api import Document, apps, as_tenant, documents, new_key, transaction
from plugins.worksheets import service
from tenants.service import user_by_email
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide

LONG = "A rather long note that says what was agreed on the telephone, and goes on for a while. " * 4


def edited(site: Site) -> str:
    """Make a record of the first worksheet that has had a life, and return the path of its page."""
    with site.app.app_context(), as_tenant(site.organization_id), transaction():
        app, owner = apps.find(site.app_id), user_by_email(OWNER).id
        key, text = new_key("w"), new_key("f")
        documents.put(app, Document(kind="worksheet", key=key, position=99, body={
            "name": "Notes", "fields": [{"key": text, "type": "text", "name": "Note", "options": {}}]}), "system")
        seq = service.put_record(app, key, None, {text: "First name"}, "system")
        for words in ("Second name", LONG, "Third name"):
            service.put_record(app, key, seq, {text: words}, owner)
    return f"{site.app_path}/worksheet/{key}/record/{seq}"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (380, False), (380, True)])
def test_the_pages_fit_and_are_accessible(site: Site, look: Look, width: int, dark: bool) -> None:
    """At any width and in the dark, with a long text that changed; the bin as well."""
    page: Page = look(site, width=width, dark=dark, person=OWNER)
    path = edited(site)
    page.goto(f"{path}/history")
    expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    assert (accessible(page), too_wide(page)) == ([], [])
    page.goto(path)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Second name").first).to_be_visible()
    page.goto(path)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete", exact=True).click()
    page.goto(f"{path.rpartition('/record/')[0]}/bin")
    expect(page.get_by_role("heading", name="Recycle bin", level=1)).to_be_visible()
    assert (accessible(page), too_wide(page)) == ([], [])


def test_a_version_is_brought_back_and_undone(site: Site, look: Look) -> None:
    """One click each."""
    page: Page = look(site, person=OWNER)
    path = edited(site)
    page.goto(f"{path}/history")
    page.get_by_role("button", name="Bring back the version").last.click()
    expect(page.get_by_text("The version is back.")).to_be_visible()
    page.goto(path)
    expect(page.get_by_role("heading", name="First name", level=1)).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The version is back.")).to_be_visible()
    page.goto(path)
    expect(page.get_by_role("heading", name="Third name", level=1)).to_be_visible()
