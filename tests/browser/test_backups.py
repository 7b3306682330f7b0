"""Backup & Restore in a real browser: made, watched, downloaded, restored, undone, sent from a file, refused, logged."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from core.api import apps, as_server, as_tenant, db, direct, documents, import_file, seal, transaction
from core.base.time import moved, now_us
from core.extension.component import Document
from core.runs.service import request, work
from tenants.models import User
from tenants.quota import QuotaYear, usage
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import working
from tests.foreign import foreign_files
from tests.web import PASSWORD, make_member, make_person

LOOKS = [pytest.param(1280, False, id="wide-light"), pytest.param(1280, True, id="wide-dark"),
         pytest.param(380, False, id="narrow-light"), pytest.param(380, True, id="narrow-dark")]


@dataclass
class Place:
    """An app of the site, made for one test."""

    site: Site
    app_id: str
    owner: str

    @property
    def root(self) -> str:
        """The path of its Backup & Restore."""
        return f"{self.site.organization}/apps/{self.app_id}/manage/backups"

    def rename_sheet(self, name: str) -> None:
        """Give the first worksheet another name."""
        with self.site.app.app_context(), as_tenant(self.site.organization_id), transaction():
            app = apps.find(self.app_id)
            sheet = documents.live(app, "worksheet")[0]
            documents.put(app, Document(kind="worksheet", key=sheet.key, body={**sheet.body, "name": name}, position=sheet.position), self.owner)

    def sheet(self) -> str:
        """Return what the first worksheet is called."""
        with self.site.app.app_context(), as_tenant(self.site.organization_id):
            found = str(documents.live(apps.find(self.app_id), "worksheet")[0].body["name"])
            db.session.remove()
        return found


@pytest.fixture
def place(site: Site) -> Place:
    """A fresh sample app."""
    with site.app.app_context():
        owner = make_person(OWNER)
        with as_tenant(site.organization_id):
            app_id = import_file(Path("sample"), site.organization_id, owner, importer="sample")["app"]
        db.session.remove()
    return Place(site, app_id, owner)


def back_up(page: Page, place: Place, *, data: bool = True, name: str = "") -> None:
    """Make a backup by the button, as far as it is under way."""
    page.goto(place.root)
    page.get_by_role("link", name="+ Backup").first.click()
    if data:
        page.get_by_label("Include data").check()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Back up").click()


def made(page: Page, place: Place, *, data: bool = True, name: str = "") -> None:
    """Make a backup by the button, from beginning to end."""
    with working(place.site):
        back_up(page, place, data=data, name=name)
        expect(page.get_by_text("was created.")).to_be_visible()


def open_backup(page: Page, place: Place, name: str) -> None:
    """Open the page of a backup from the list."""
    page.goto(place.root)
    page.get_by_role("link", name=name, exact=True).click()


@pytest.mark.parametrize("data", [True, False], ids=["with-data", "without-data"])
def test_a_backup_is_made_watched_renamed_downloaded_and_deleted(place: Place, look: Look, tmp_path: Path, data: bool) -> None:
    """By hand from the first click to the last; its progress is there again after the page is loaded anew."""
    page = look(place.site, person=OWNER)
    back_up(page, place, data=data)
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    with working(place.site):
        expect(page.get_by_text("was created.")).to_be_visible()  # without a click: the page asks for itself
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("Configuration and data" if data else "Configuration")
    row.get_by_role("rowheader").get_by_role("link").click()
    page.get_by_role("textbox", name="Name").fill("Vor dem Umzug ✓")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Vor dem Umzug ✓")).to_be_visible()
    for words in ("Configuration", "Data", "Configuration and data") if data else ("Configuration",):
        with page.expect_download() as got:
            page.get_by_role("link", name=words, exact=True).click()
        assert got.value.suggested_filename.startswith("Vor dem Umzug ✓.") and got.value.suggested_filename.endswith(".appkeep.zip")
        path = tmp_path / f"{words}.zip"
        got.value.save_as(path)
        with zipfile.ZipFile(path) as file:
            assert file.testzip() is None and file.namelist()[:2] == ["manifest.json", "manifest.sig"]
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Delete it anyway").check()
    page.get_by_role("button", name="Delete backup").click()
    expect(page.get_by_text("No backups yet")).to_be_visible()


def test_the_menu_of_a_row_does_what_it_says(place: Place, look: Look) -> None:
    """With the keyboard, at the end of the table, where it hangs over the edge; on a narrow screen too."""
    page = look(place.site, person=OWNER)
    made(page, place, name="Good one")
    page.goto(place.root)
    menu = page.get_by_label("More actions for Good one")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Compare with current app")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_text("Backup pinned")).to_be_visible()
    page.set_viewport_size({"width": 380, "height": 700})
    page.goto(place.root)
    page.get_by_label("More actions for Good one").click()
    assert [] == too_wide(page)
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Delete backup")).to_be_visible()


def test_a_second_backup_is_refused_for_five_minutes(place: Place, look: Look) -> None:
    """The form says when the next may start; then it does."""
    page = look(place.site, person=OWNER)
    made(page, place, data=False)
    page.goto(f"{place.root}/new")
    expect(page.get_by_role("alert")).to_contain_text("The next backup can start")
    expect(page.get_by_role("button", name="Back up")).to_be_disabled()
    with moved(301):
        page.reload()
        page.get_by_label("Name").fill("Second")
        page.get_by_role("button", name="Back up").click()
        expect(page.get_by_text("Waiting to start")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Cancelled. Nothing was changed.")).to_be_visible()


def test_the_button_comes_alive_once_the_next_backup_may_start(place: Place, look: Look) -> None:
    """Whoever waits on the page need not load it again."""
    page = look(place.site, person=OWNER)
    made(page, place, data=False)
    page.clock.install()
    page.goto(f"{place.root}/new")
    expect(page.get_by_role("button", name="Back up")).to_be_disabled()
    page.clock.fast_forward("05:01")
    expect(page.get_by_role("button", name="Back up")).to_be_enabled()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_backup_asked_for_at_once_after_one_was_cancelled_is_made(place: Place, look: Look) -> None:
    """Cancel, then Back up again within seconds: a new run goes on, not the cancelled one."""
    page = look(place.site, person=OWNER)
    back_up(page, place, data=False)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Nothing was changed.")).to_be_visible()
    back_up(page, place, data=False)
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    with working(place.site):
        expect(page.get_by_text("was created.")).to_be_visible()


def test_a_restore_is_planned_proven_watched_and_undone(place: Place, look: Look) -> None:
    """With the password: the plan first, the options change it at once, everybody sees a banner, the report, and back again."""
    page = look(place.site, person=OWNER)
    made(page, place, name="Good one")
    place.rename_sheet("Spoilt")
    open_backup(page, place, "Good one")
    page.get_by_role("link", name="Restore", exact=True).click()
    expect(page.get_by_text("Changes back to the backup", exact=True)).to_be_visible()
    page.get_by_text("Choose parts").click()
    page.get_by_label("Pages (all)").check()
    expect(page.get_by_text("only 1 chosen part")).to_be_visible()
    expect(page.get_by_label("Pages (all)")).to_be_focused()  # whoever works by keyboard stays where they are
    expect(page.get_by_text("Nothing will change: the app is the same as the backup.")).to_be_visible()
    page.get_by_label("Everything").check()
    expect(page.get_by_text("Changes back to the backup", exact=True)).to_be_visible()
    for part in ("#o-config", "#o-data"):
        if page.locator(part).count():
            with page.expect_response(lambda answer: "/restore?" in answer.url):
                page.locator(part).uncheck()
    expect(page.get_by_text("Choose what to restore")).to_be_visible()  # a refusal is shown, and nothing can be started
    expect(page.get_by_role("button", name="Start the restore")).to_be_disabled()
    page.locator("#o-config").check()
    expect(page.get_by_text("Changes back to the backup", exact=True)).to_be_visible()
    page.get_by_label("Your password").fill("not it")
    page.get_by_role("button", name="Start the restore").click()
    expect(page.get_by_text("Wrong password.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Start the restore").click()
    expect(page.get_by_text("is being restored.")).to_be_visible()
    with working(place.site):
        expect(page.get_by_text("was restored,")).to_be_visible()
    assert "Companies" == place.sheet()
    expect(page.get_by_text("is being restored.")).to_have_count(0)
    page.get_by_role("link", name="Undo").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Undo the restore").click()
    with working(place.site):
        expect(page.get_by_text("was restored,")).to_be_visible()
    assert "Spoilt" == place.sheet()


def test_a_restore_with_a_one_time_code(place: Place, look: Look) -> None:
    """Who has a second factor is asked for its code."""
    secret = pyotp.random_base32()
    page = look(place.site, person=OWNER)
    made(page, place, name="Good one")
    place.rename_sheet("Spoilt")
    with second_factor(place, secret):
        open_backup(page, place, "Good one")
        page.get_by_role("link", name="Restore", exact=True).click()
        page.get_by_label("One-time code").fill("000000")
        page.get_by_role("button", name="Start the restore").click()
        expect(page.get_by_text("Wrong code")).to_be_visible()
        page.get_by_label("One-time code").fill(pyotp.TOTP(secret).at(now_us() // 1_000_000))
        page.get_by_role("button", name="Start the restore").click()
        with working(place.site):
            expect(page.get_by_text("was restored,")).to_be_visible()
    assert "Companies" == place.sheet()


@contextmanager
def second_factor(place: Place, secret: str) -> Iterator[None]:
    """Let the owner be enrolled for one-time codes."""
    try:
        _set_secret(place, secret)
        yield
    finally:
        _set_secret(place, None)


def _set_secret(place: Place, secret: str | None) -> None:
    with place.site.app.app_context(), as_server(), transaction():
        sealed = None if secret is None else seal(secret, f"second_factor/{place.owner}")
        db.session.execute(update(User).where(User.id == place.owner).values(totp_secret=sealed, totp_last_step=None))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A backup file of another server."""
    folder = tmp_path_factory.mktemp("foreign")
    path = folder / "Fremdes Büro.both.appkeep.zip"
    path.write_bytes(foreign_files(folder, sqlite_template)["both"])
    return path


def test_a_file_of_another_server_is_sent_and_restored(place: Place, look: Look, foreign: Path) -> None:
    """In parts, over a connection that breaks; it says where it comes from and asks before it overwrites anything."""
    page = look(place.site, person=OWNER)
    page.goto(place.root)
    page.get_by_role("link", name="Restore from file").click()
    broken = []

    def once(route) -> None:  # type: ignore[no-untyped-def]
        if route.request.method == "PATCH" and not broken:
            broken.append(1)
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/*", once)
    page.get_by_label("Backup file").set_input_files(foreign)
    with working(place.site):
        page.get_by_role("button", name="Upload and check").click()
        expect(page.get_by_text("The file is valid and was saved as")).to_be_visible()
    assert broken
    page.get_by_role("link", name="Restore", exact=True).click()
    expect(page.get_by_role("heading", name="Restore a backup of another app")).to_be_visible()
    name = page.get_by_label("Type Sample CRM to confirm")
    name.fill("Sample")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Start the restore").click()
    expect(page.get_by_text("Type Sample CRM to confirm.", exact=True)).to_be_visible()
    name.fill("Sample CRM")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Start the restore").click()
    with working(place.site):
        expect(page.get_by_text("was restored,")).to_be_visible()
    page.goto(place.root)
    expect(page.get_by_text("Uploaded Backup, from another server")).to_be_visible()


def test_a_file_goes_on_in_another_visit(place: Place, look: Look, foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What had arrived is not sent again: the same file is chosen, and only the rest goes."""
    monkeypatch.setattr("core.web.backups.upload.PART_BYTES", 4000)
    page = look(place.site, person=OWNER)
    page.goto(f"{place.root}/upload")
    sent: list[str] = []

    def few(route) -> None:  # type: ignore[no-untyped-def]
        sent.append(route.request.headers.get("upload-offset", ""))
        if len(sent) > 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/*", lambda route: few(route) if route.request.method == "PATCH" else route.continue_())
    page.get_by_label("Backup file").set_input_files(foreign)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    page.goto(f"{place.root}/upload")
    expect(page.get_by_text("8.0 kB of")).to_be_visible()
    went: list[str] = []
    page.on("request", lambda request: went.append(request.headers["upload-offset"]) if request.method == "PATCH" else None)
    page.get_by_label("Backup file").set_input_files(foreign)
    with working(place.site):
        page.get_by_role("button", name="Upload and check").click()
        expect(page.get_by_text("The file is valid and was saved as")).to_be_visible()
    assert "8000" == went[0]


def test_what_is_no_backup_file_is_refused(place: Place, look: Look, tmp_path: Path) -> None:
    """Beside the field where that is known at once, by the run otherwise; then another can be chosen."""
    small, wrong = tmp_path / "small.zip", tmp_path / "wrong.zip"
    small.write_bytes(b"x")
    wrong.write_bytes(b"x" * 4000)
    page = look(place.site, person=OWNER)
    page.goto(f"{place.root}/upload")
    page.get_by_label("Backup file").set_input_files(small)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("alert")).to_contain_text("Not a backup file")
    page.get_by_label("Backup file").set_input_files(wrong)
    with working(place.site):
        page.get_by_role("button", name="Upload and check").click()
        expect(page.get_by_text("Failed.")).to_be_visible()
    expect(page.get_by_text("not_an_archive")).to_be_visible()
    page.get_by_role("link", name="Choose a file").click()
    expect(page.get_by_label("Backup file")).to_be_visible()


def test_a_new_app_out_of_a_backup_is_seen_by_nobody_else(place: Place, look: Look) -> None:
    """Its maker opens it; a member of the organization finds no such app."""
    with place.site.app.app_context():
        make_member(place.site.organization_id, "mia@example.org")
    page = look(place.site, person=OWNER)
    made(page, place, name="Pattern")
    open_backup(page, place, "Pattern")
    page.get_by_role("link", name="Restore as new app").click()
    page.get_by_label("App name").fill("Zwilling")
    page.get_by_role("button", name="Create app").click()
    with working(place.site):
        expect(page.get_by_text("“Zwilling” was created.")).to_be_visible()
    page.get_by_role("link", name="Open app").click()
    expect(page).to_have_title("Home · Zwilling · Appkeep")
    address = page.url
    other = look(place.site, person="mia@example.org")
    answer = other.goto(address)
    assert answer is not None and 404 == answer.status
    other.goto(f"{place.site.organization}/")
    expect(other.get_by_text("Zwilling")).to_have_count(0)


def test_a_backup_that_the_quota_cannot_hold_says_how_much_is_left(place: Place, look: Look) -> None:
    """And what can be done."""
    page = look(place.site, person=OWNER)
    place.rename_sheet("Unheard of")  # what the organization stores already is not counted
    with full_quota(place), working(place.site):
        back_up(page, place, name="Too much")
        expect(page.get_by_text("Failed.")).to_be_visible()
        expect(page.get_by_text("of the upload quota for")).to_be_visible()
        expect(page.get_by_text("quota_exceeded")).to_be_visible()
    expect(page.get_by_role("link", name="Too much")).to_have_count(0)


@contextmanager
def full_quota(place: Place) -> Iterator[None]:
    """Let the organization have ten bytes of its quota left."""
    row, organization_id = QuotaYear.__table__, place.site.organization_id
    with place.site.app.app_context(), as_tenant(organization_id), transaction():
        now = usage(organization_id)
        db.session.execute(row.update().where(row.c.organization_id == organization_id).values(used=now.limit - 10))
    try:
        yield
    finally:
        with place.site.app.app_context(), as_tenant(organization_id), transaction():
            db.session.execute(row.update().where(row.c.organization_id == organization_id).values(used=now.used))


def test_the_log_has_all_of_it(place: Place, look: Look, tmp_path: Path) -> None:
    """Filtered by what was done; a run's steps and report; as CSV."""
    page = look(place.site, person=OWNER)
    made(page, place, data=False, name="Logged")
    page.goto(f"{place.root}/logs")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_label("Action").select_option("delete")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No results")).to_be_visible()
    page.get_by_role("link", name="Clear filter").first.click()
    page.get_by_role("link", name="Details").first.click()
    page.get_by_text("Steps").click()
    expect(page.get_by_text("Content stored")).to_be_visible()
    page.goto(f"{place.root}/logs")
    with page.expect_download() as got:
        page.get_by_role("link", name="Export as CSV").click()
    path = tmp_path / "log.csv"
    got.value.save_as(path)
    assert path.read_text(encoding="utf-8-sig").startswith("Time (UTC),Who,Action,Result,Backup")


@pytest.fixture(scope="module")
def settled(site: Site) -> Place:
    """An app with a backup, a restore that went well, and one run that failed: something on every page."""
    with site.app.app_context():
        owner = make_person(OWNER)
        with as_tenant(site.organization_id):
            app_id = import_file(Path("sample"), site.organization_id, owner, importer="sample")["app"]
        found = Place(site, app_id, owner)
        with as_tenant(site.organization_id):
            backup = direct.back_up(apps.find(app_id), name="A long name of a backup_without_any_place_to_break_it_at_all_ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        found.rename_sheet("Spoilt")
        with as_tenant(site.organization_id):
            direct.restore(apps.find(app_id), backup, safety_backup=True, person=owner)
            with transaction():
                run = request("upload", apps.find(app_id), {"upload": "p_1111111111"}, owner, send=False)
                run_id = run.id
            work(run_id)
        found.rename_sheet("Spoilt again")
        db.session.remove()
    return found


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_page_can_be_used_by_everybody(settled: Place, look: Look, width: int, dark: bool) -> None:
    """Nothing grave for screen readers, nothing wider than the window: the list, one backup, its plan, runs, the log, the forms."""
    page, wrong = look(settled.site, width=width, dark=dark, person=OWNER), []
    page.goto(settled.root)
    backup = page.locator("table.backups th a").last.get_attribute("href")
    page.goto(f"{settled.root}/logs")
    runs = page.locator("table.logs a", has_text="Details").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    ends = ("", "/restore", "/restore?asked=1&config=1&some=1&only=pages", "/restore?asked=1", "/compare", "/copy", "/delete")
    addresses = [settled.root, *(f"{settled.root}/{end}" for end in ("new", "upload", "logs", "logs?until=1999-01-01")),
                 *(f"{backup}{end}" for end in ends), *dict.fromkeys(runs)]
    for address in addresses:
        page.goto(address)
        wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
    assert len(addresses) > 13
