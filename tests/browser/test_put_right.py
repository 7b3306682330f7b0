"""Four mishaps of an admin who has read no manual, each put right in the browser: a worksheet deleted, a column pasted over, a choice
removed, one customer's record of last week.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.api import App, Document, apps, as_tenant, direct, documents, transaction
from plugins.worksheets import service as worksheets
from plugins.worksheets.service import loads
from tenants import service
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import working
from tests.web import PASSWORD

WIDTHS = pytest.mark.parametrize("width", [1280, 380])
CUSTOMERS, NOTES = "w_1111111111", "w_2222222222"
NAME, PHONE, STATE, TEXT = (f"f_{n}111111111" for n in "1234")
OPEN, WON = "o_1111111111", "o_2222222222"


def bodies() -> dict[str, dict[str, Any]]:
    """Return the two worksheets: customers with a state, and notes."""
    choices = [{"key": OPEN, "name": "Open"}, {"key": WON, "name": "Won"}]
    return {
        CUSTOMERS: {"name": "Customers", "title_field": {"ref": f"worksheet/{CUSTOMERS}/field/{NAME}"}, "fields": [
            {"key": NAME, "type": "text", "name": "Name", "options": {}},
            {"key": PHONE, "type": "phone", "name": "Phone", "options": {}},
            {"key": STATE, "type": "single_select", "name": "State", "options": {"choices": choices}}]},
        NOTES: {"name": "Notes", "fields": [{"key": TEXT, "type": "text", "name": "Text", "options": {}}]}}


def put(app: App, key: str, body: dict[str, Any]) -> None:
    """Put a worksheet as it shall be."""
    documents.put(app, Document(kind="worksheet", key=key, body=body, position=0), "system")


class Desk:
    """An app with twenty customers and a backup of it, and the window of its admin."""

    def __init__(self, site: Site, look: Look, width: int) -> None:
        self.site = site
        with self.tenant(), transaction():
            app = apps.create(f"Desk {width}", self.owner())
            self.app_id = app.id
            for key, body in bodies().items():
                put(app, key, body)
            for n in range(1, 21):
                worksheets.put_record(app, CUSTOMERS, None, {NAME: f"Customer {n}", PHONE: f"+49 30 {n:04}", STATE: WON if n % 2 else OPEN}, "system")
            worksheets.put_record(app, NOTES, None, {TEXT: "Call back"}, "system")
        with self.tenant():
            direct.back_up(self.app)
        self.page: Page = look(site, width=width, person=OWNER)

    def owner(self) -> str:
        """Return the id of the owner."""
        return str(service.user_by_email(OWNER).id)

    def tenant(self) -> Any:
        """Return the scope in which the app is seen."""
        stack = ExitStack()
        stack.enter_context(self.site.app.app_context())
        stack.enter_context(as_tenant(self.site.organization_id))
        return stack

    @property
    def app(self) -> App:
        """The app, as it is now."""
        return apps.find(self.app_id)

    def values(self, seq: int) -> dict[str, Any] | None:
        """Return a live customer's values."""
        with self.tenant():
            row = worksheets.store_of(self.app).row(CUSTOMERS, seq)
        return None if row is None or row.deleted_at is not None else loads(row.vals)

    def backups(self) -> None:
        """Open Backup & Restore from the app, and the newest backup's restore."""
        self.page.goto(f"{self.site.organization}/apps/{self.app_id}/manage/backups")
        self.page.get_by_role("link", name=re.compile("^Restore Manual Backup")).first.click()
        self.look_right()

    def look_right(self) -> None:
        """The page is usable, and no wider than the window."""
        assert [] == too_wide(self.page) + accessible(self.page)

    def start(self) -> None:
        """Prove who one is, start, and see the restore end."""
        self.page.get_by_label("Your password").fill(PASSWORD)
        self.page.get_by_role("button", name="Start the restore").click()
        with working(self.site):
            expect(self.page.get_by_text("was restored,")).to_be_visible()
        self.look_right()


@pytest.fixture
def desk(site: Site, look: Look, width: int) -> Desk:
    """The desk at a width of the window."""
    return Desk(site, look, width)


@WIDTHS
def test_the_wrong_worksheet_was_deleted(desk: Desk) -> None:
    """Chosen by name on the page of the restore, it comes back with its records; what was done since elsewhere stays."""
    with desk.tenant(), transaction():
        documents.hide(desk.app, f"worksheet/{CUSTOMERS}", "system")
        documents.purge(desk.app, f"worksheet/{CUSTOMERS}", "system")
        worksheets.put_record(desk.app, NOTES, 1, {TEXT: "Called back"}, "system")
    desk.backups()
    page = desk.page
    expect(page.get_by_text("Is created again")).to_be_visible()
    page.get_by_text("Choose parts").click()
    with page.expect_response(lambda answer: "/restore?" in answer.url):
        page.get_by_label("Customers", exact=True).check()
    desk.look_right()
    desk.start()
    assert {NAME: "Customer 3", PHONE: "+49 30 0003", STATE: WON} == desk.values(3)
    with desk.tenant():
        assert "Called back" == loads(worksheets.store_of(desk.app).row(NOTES, 1).vals)[TEXT]  # type: ignore[union-attr]


@WIDTHS
def test_wrong_values_were_pasted_over_a_column(desk: Desk) -> None:
    """The plan's number leads to each record, before and after; those that are ticked come back, the others stay."""
    with desk.tenant(), transaction():
        for n in range(1, 6):
            worksheets.put_record(desk.app, CUSTOMERS, n, {PHONE: "+1 555 0000"}, "system")
        worksheets.put_record(desk.app, CUSTOMERS, 6, {NAME: "Renamed on purpose"}, "system")
    desk.backups()
    page = desk.page
    page.get_by_role("link", name="6", exact=True).click()
    expect(page.get_by_role("heading", name="Customers: to overwrite")).to_be_visible()
    desk.look_right()
    page.get_by_role("searchbox").fill("555")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("+1 555 0000")).to_have_count(5)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Restore only the selected").click()
    expect(page.get_by_text("Chosen one by one")).to_be_visible()
    desk.look_right()
    desk.start()
    assert [f"+49 30 {n:04}" for n in range(1, 6)] == [(desk.values(n) or {})[PHONE] for n in range(1, 6)]
    assert "Renamed on purpose" == (desk.values(6) or {})[NAME]


@WIDTHS
def test_a_choice_in_use_was_removed(desk: Desk) -> None:
    """The plan says in words which choice of which field comes back; restoring that worksheet's definition brings it and its uses."""
    with desk.tenant(), transaction():
        body = bodies()[CUSTOMERS]
        body["fields"][2]["options"]["choices"] = [{"key": OPEN, "name": "Open"}]
        put(desk.app, CUSTOMERS, body)
    desk.backups()
    page = desk.page
    expect(page.get_by_text("field “State”: choice “Won”")).to_be_visible()
    page.get_by_label("Data", exact=False).first.uncheck()
    expect(page.get_by_text("This restores the configuration,")).to_be_visible()
    desk.start()
    page.goto(f"{desk.site.organization}/apps/{desk.app_id}/worksheet/{CUSTOMERS}")
    expect(page.get_by_text("Won").first).to_be_visible()


@WIDTHS
def test_one_customer_as_of_last_week(desk: Desk) -> None:
    """From the record's own page: what the backups have of it, and that version alone comes back."""
    with desk.tenant(), transaction():
        worksheets.put_record(desk.app, CUSTOMERS, 7, {NAME: "Somebody else", PHONE: None}, "system")
        worksheets.put_record(desk.app, CUSTOMERS, 8, {NAME: "Newer"}, "system")
    page = desk.page
    page.goto(f"{desk.site.organization}/apps/{desk.app_id}/worksheet/{CUSTOMERS}/record/7")
    page.get_by_role("link", name="Versions in backups").click()
    expect(page.get_by_text("Customer 7")).to_be_visible()
    desk.look_right()
    page.get_by_role("link", name="Restore this version").first.click()
    expect(page.get_by_text("Customers: Customer 7")).to_be_visible()
    desk.start()
    assert {NAME: "Customer 7", PHONE: "+49 30 0007", STATE: WON} == desk.values(7)
    assert "Newer" == (desk.values(8) or {})[NAME]
