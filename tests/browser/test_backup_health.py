"""How backups are proven, and what damage touches, in a real browser: the list, a backup's page, the run, the organization's overview."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.api import Document, apps, as_tenant, db, direct, documents, import_file, transaction
from core.backups.catalog import find_backup
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import Schedule
from core.base.time import moved
from core.runs.service import runs_of
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import working
from tests.web import make_person

LOOKS = [pytest.param(1280, False, id="wide-light"), pytest.param(1280, True, id="wide-dark"),
         pytest.param(380, False, id="narrow-light"), pytest.param(380, True, id="narrow-dark")]


@dataclass
class Damaged:
    """A site with an app whose older backups are damaged, one whose only one is, one that is fine, one without a backup."""

    site: Site
    app_id: str
    backup: str
    run: str
    fine: str

    @property
    def root(self) -> str:
        """The path of Backup & Restore of the damaged app."""
        return f"{self.site.organization}/apps/{self.app_id}/manage/backups"


@pytest.fixture(scope="module")
def damaged(site: Site) -> Damaged:
    """What the tests of this module look at."""
    with site.app.app_context(), as_tenant(site.organization_id):
        owner = make_person(OWNER)
        app_id = import_file(Path("sample"), site.organization_id, owner, importer="sample")["app"]
        fine = import_file(Path("sample"), site.organization_id, owner, importer="sample")["app"]
        with transaction():
            apps.create("Nothing of it is saved", owner)
            sheet = documents.live(apps.find(app_id), "worksheet")[0]
            body = {**sheet.body, "name": "Only here"}
            documents.put(apps.find(app_id), Document(kind="worksheet", key=sheet.key, body=body, position=sheet.position), owner)
            schedules.set_schedule(apps.find(fine), Schedule(every="daily"), owner, data=True)
        direct.check(direct.back_up(apps.find(fine), person=owner), deep=True)
        before = set((site.home / "objects").rglob("packs/*.zst"))
        first = direct.back_up(apps.find(app_id), name="Before the move to the new price list", person=owner).id
        with moved(400):
            direct.back_up(apps.find(app_id), name="Friday", person=owner)
        for path in set((site.home / "objects").rglob("packs/*.zst")) - before:
            path.unlink()
        with pytest.raises(Exception, match="lost"):
            direct.check(find_backup(first), person=owner)
        run = next(one.id for one in runs_of(app_id) if one.kind == "check")
        db.session.remove()
    return Damaged(site, app_id, first, run, fine)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_on_proof_and_damage_can_be_used_by_everybody(damaged: Damaged, look: Look, width: int, dark: bool) -> None:
    """Nothing grave for screen readers, nothing wider than the window."""
    page, wrong = look(damaged.site, width=width, dark=dark, person=OWNER), []
    fine = f"{damaged.site.organization}/apps/{damaged.fine}"
    addresses = [damaged.root, f"{damaged.root}/{damaged.backup}", f"{damaged.root}/runs/{damaged.run}", f"{fine}/manage/backups", f"{fine}/",
                 f"{damaged.site.organization}/apps/{damaged.app_id}/", f"{damaged.site.organization}/backup-health"]
    for number, address in enumerate(addresses):
        page.goto(address)
        wrong += accessible(page) + too_wide(page)
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{number}-{width}-{dark}.png", full_page=True)
    assert [] == wrong, "\n".join(wrong)


def test_from_the_overview_to_a_new_backup(damaged: Damaged, look: Look) -> None:
    """What is worst stands first, and one click leads to what helps; what is wrong is gone when that is done."""
    page = look(damaged.site, person=OWNER)
    page.goto(f"{damaged.site.organization}/")
    page.get_by_role("link", name="Backup health").click()
    expect(page.get_by_role("heading", name="Backup health", level=1)).to_be_visible()
    expect(page.get_by_text("has only damaged backups")).to_be_visible()
    page.get_by_role("link", name="Back up Nothing of it is saved now").click()
    with working(damaged.site):
        page.get_by_role("button", name="Back up").click()
        expect(page.get_by_text("was created.")).to_be_visible()
        page.get_by_role("button", name="Check now").click()
        expect(page.get_by_text("All verified.")).to_be_visible()
    page.get_by_role("link", name="Backup & Restore").first.click()
    expect(page.get_by_text("Newest proven backup")).to_be_visible()
    expect(page.get_by_role("button", name="Check now")).to_have_count(0)


def test_a_damaged_backup_leads_to_the_others_and_to_a_new_one(damaged: Damaged, look: Look) -> None:
    """From the run that found it, with the keyboard."""
    page = look(damaged.site, person=OWNER)
    page.goto(f"{damaged.root}/runs/{damaged.run}")
    page.get_by_role("link", name="Friday").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("This backup is damaged.")).to_be_visible()
    page.get_by_role("link", name="Back up now").click()
    expect(page.get_by_role("button", name="Back up")).to_be_visible()
