"""The guide for admins, walked as it is written; APPKEEP_PICTURES names the folder that its pictures are put into.

To make them anew: ``APPKEEP_PICTURES=docs/pictures python -m pytest tests/browser/test_guide.py``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from core.api import apps, as_tenant, documents, transaction
from plugins.worksheets import service
from tests.browser.conftest import OWNER, Look
from tests.browser.test_backups import Place, open_backup, place
from tests.browser.working import working
from tests.web import PASSWORD

__all__ = ["place"]  # a fixture
GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
NAMED = set(re.findall(r"\(pictures/(\w+)\.png\)", GUIDE.read_text()))


class Album:
    """Takes pictures, each under its name."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.taken: set[str] = set()

    def take(self, name: str) -> None:
        """Take a picture of the whole page."""
        self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        self.taken.add(name)


def spoil(place: Place) -> None:
    """Rename a worksheet and change records of it, as the guide says."""
    place.rename_sheet("Firms")
    with place.site.app.app_context(), as_tenant(place.site.organization_id), transaction():
        app = apps.find(place.app_id)
        sheet = documents.live(app, "worksheet")[0]
        field = next(f["key"] for f in sheet.body["fields"] if f["type"] == "text")
        for seq in (1, 2, 3):
            service.put_record(app, sheet.key, seq, {field: f"? {seq}"}, place.owner)


def test_the_guide_is_walked_as_it_is_written(place: Place, look: Look, tmp_path: Path) -> None:
    """Each step is there under the words that the guide uses, and each picture that it shows is taken."""
    page = look(place.site, person=OWNER)
    album = Album(page, Path(os.environ.get("APPKEEP_PICTURES") or tmp_path))
    page.goto(place.root)
    album.take("empty")
    page.get_by_role("link", name="+ Backup").first.click()
    page.get_by_label("Include data").check()
    page.get_by_label("Name").fill("Before the big change")
    album.take("new")
    page.get_by_role("button", name="Back up").click()
    with working(place.site):
        expect(page.get_by_text("was created.")).to_be_visible()
    page.goto(place.root)
    album.take("list")
    open_backup(page, place, "Before the big change")
    for words in ("Check", "Check with a trial restore", "Pin"):
        expect(page.get_by_role("button", name=words, exact=True)).to_be_visible()
    for words in ("Compare with current app", "Restore as new app", "Configuration", "Data", "Configuration and data"):
        expect(page.get_by_role("link", name=words, exact=True)).to_be_visible()
    with working(place.site):
        page.get_by_role("button", name="Check with a trial restore").click()
        expect(page.get_by_text("The trial restore matched the backup exactly")).to_be_visible()
    open_backup(page, place, "Before the big change")
    album.take("backup")
    spoil(place)
    page.get_by_role("link", name="Restore", exact=True).click()
    expect(page.get_by_label("Back up the current version first")).to_be_checked()
    album.take("restore")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Start the restore").click()
    with working(place.site):
        expect(page.get_by_text("was restored,")).to_be_visible()
    expect(page.get_by_role("link", name="Undo")).to_be_visible()
    album.take("report")
    page.goto(place.root)
    page.get_by_role("link", name="Restore from file").click()
    expect(page.get_by_label("Backup file")).to_be_visible()
    album.take("upload")
    page.goto(place.root)
    page.get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("button", name="Preview removals")).to_be_visible()
    page.get_by_label("How often").select_option("daily")
    album.take("schedule")
    page.get_by_role("link", name="Logs").click()
    expect(page.get_by_role("link", name="Export as CSV")).to_be_visible()
    album.take("logs")
    assert NAMED == album.taken
    assert "Companies" == place.sheet()


def test_the_guide_shows_pictures_that_are_there() -> None:
    """Each is in the folder beside it, and none lies there that is not shown."""
    assert NAMED == {path.stem for path in (GUIDE.parent / "pictures").glob("*.png")}
