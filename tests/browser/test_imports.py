"""Bringing apps in, in a real browser: choose a file, see what becomes what, confirm, watch, and open every page of it.

The folder of real apps is named by APPKEEP_TEST_APPS; without it only a small file is tried, and the run says so.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.api import apps, as_tenant, documents
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import working

FOLDER = os.environ.get("APPKEEP_TEST_APPS", "")
REAL = sorted(Path(FOLDER).glob("*.json")) if FOLDER else []
PATIENCE_MS = 120_000
MANAGED = ("", "worksheets", "pages", "workflows", "roles", "roles/rights", "portal", "portal/accounts", "settings", "settings/navigation",
           "settings/mobile", "settings/option-sets", "bin")


def chosen(page: Page, site: Site, *files: Path) -> None:
    """Choose files on the page of the import and let them be looked through."""
    page.goto(f"{site.organization}/")
    page.get_by_role("link", name="Import an app").first.click()
    page.get_by_label("File").set_input_files(list(files))
    page.get_by_role("button", name="Show preview").click()


def imported(page: Page, name: str) -> str:
    """Confirm the import and return the id of the app once it is made."""
    page.get_by_label("App name").fill(name)
    page.get_by_role("button", name="Import", exact=True).click()
    link = page.get_by_role("main").locator("a[href*='/apps/a_']").first
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    found = re.search(r"/apps/(a_\w+)", link.get_attribute("href") or "")
    assert found is not None
    return found[1]


def test_a_small_file_becomes_an_app(site: Site, look: Look, tmp_path: Path) -> None:
    """Types are shown before anything is made; the page of the run leads to the app, which has the records."""
    source = tmp_path / "people.csv"
    source.write_text("Name,Born,Shoe size\nAda,1815-12-10,36\nAlan,1912-06-23,44\n")
    page = look(site, person=OWNER)
    with working(site):
        chosen(page, site, source)
        expect(page.get_by_role("heading", name="Import preview")).to_be_visible()
        expect(page.get_by_label("Type of Born")).to_have_value("date")
        assert [] == accessible(page) + too_wide(page)
        app_id = imported(page, "People")
    assert [] == accessible(page) + too_wide(page)
    page.get_by_role("main").locator("a[href*='/apps/a_']").first.click()
    page.get_by_role("main").get_by_role("link", name="people").click()
    expect(page.get_by_role("main")).to_contain_text("Ada")
    assert app_id in page.url


def test_what_cannot_be_imported_is_refused_beside_the_field(site: Site, look: Look, tmp_path: Path) -> None:
    """The sentence says what can be."""
    source = tmp_path / "picture.json"
    source.write_bytes(b"\x89PNG\r\n\x1a\n")
    page = look(site, person=OWNER)
    chosen(page, site, source)
    expect(page.get_by_label("File")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)


@pytest.mark.skipif(not FOLDER, reason="REAL APPS ARE NOT IMPORTED: set APPKEEP_TEST_APPS to a folder of exports")
def test_real_apps_are_imported() -> None:
    """Says loudly when they are not."""
    assert REAL


@pytest.mark.parametrize("source", REAL, ids=lambda path: path.stem)
def test_a_real_app_is_imported_and_every_page_of_it_opens(site: Site, look: Look, source: Path) -> None:
    """With the files beside it; what had no counterpart is told before and after; no page fails, none is wider than the window."""
    page = look(site, person=OWNER)
    beside = source.with_suffix(".zip")
    with working(site):
        chosen(page, site, source, *([beside] if beside.exists() else []))
        expect(page.get_by_role("heading", name="Import preview")).to_be_visible(timeout=PATIENCE_MS)
        without = page.get_by_role("link", name=re.compile("changed or left out"))
        told = without.inner_text() if without.count() else ""
        app_id = imported(page, source.stem)
    if told:
        expect(page.get_by_role("main")).to_contain_text(told.split()[0])
    assert [] == accessible(page) + too_wide(page)
    wrong = []
    for path in every_page(site, app_id):
        answer = page.goto(path)
        if answer is None or answer.status >= 400:
            wrong.append(f"{path} answered {answer.status if answer else 'nothing'}")
        wrong += too_wide(page)
    assert [] == wrong, "\n".join(wrong)


def every_page(site: Site, app_id: str) -> list[str]:
    """Return the addresses of an app's pages: its worksheets with their views, its pages, its management."""
    base = f"{site.organization}/apps/{app_id}"
    found = [f"{base}/", *(f"{base}/manage/{path}" for path in MANAGED)]
    with site.app.app_context(), as_tenant(site.organization_id):
        for document in documents.live(apps.find(app_id)):
            if document.kind in ("worksheet", "page") and not document.body.get("shared"):
                found.append(f"{base}/{document.address}")
            if document.kind == "worksheet":
                found += [f"{base}/{document.address}?view={view['key']}" for view in document.body.get("views", ())]
            if document.kind in ("worksheet", "page", "role", "workflow"):
                found.append(f"{base}/manage/{document.address}")
    return found


@pytest.mark.parametrize(("width", "dark"), [pytest.param(1280, False, id="wide-light"), pytest.param(380, True, id="narrow-dark")])
def test_a_guess_is_seen_and_corrected(site: Site, look: Look, tmp_path: Path, width: int, dark: bool) -> None:
    """The header row and a column's name and type are changed, previewed again, and imported as they were shown; by keyboard."""
    file = tmp_path / "may.csv"
    file.write_text("Sales of May;;\nZip;Price;Ok\n01234;1,5;NO\n00123;2,5;ON\n")
    page = look(site, width=width, dark=dark, person=OWNER)
    chosen(page, site, file)
    expect(page.get_by_role("heading", name="Import preview")).to_be_visible()
    assert [] == accessible(page) + too_wide(page)
    page.get_by_label("Type of Price").select_option("Text")
    name = page.get_by_label("Field name of Zip")
    name.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("Post code")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Preview again").press("Enter")
    expect(page.get_by_label("Field name of Zip")).to_have_value("Post code")
    expect(page.get_by_label("Type of Price")).to_have_value("text")
    assert [] == accessible(page) + too_wide(page)
    with working(site):
        app_id = imported(page, "May as it is")
    with site.app.app_context(), as_tenant(site.organization_id):
        (sheet,) = documents.live(apps.find(app_id), "worksheet")
    assert [("Post code", "text"), ("Price", "text"), ("Ok", "text")] == [(one["name"], one["type"]) for one in sheet.body["fields"]]
