"""Importing in the browser: from the chosen file to the app, and every file that is refused."""

from __future__ import annotations

import gzip
import io
import json
import re
import sqlite3
import zipfile
from pathlib import Path

import openpyxl
import pytest
from flask import Flask

from core.api import apps, as_tenant, documents
from core.runs.service import find, report_of, work
from tests.forms import FormReader
from tests.web import Browser, make_member, make_organization, signed_in

CSV = b"Name,Amount,Due\nAda,12,2026-01-01\nBob,7,2026-02-01\n"
BASEROW = {"baserow_template_version": 1, "name": "Shop", "export": [{
    "id": 1, "type": "database", "name": "Shop", "order": 1, "tables": [{
        "id": 1, "name": "Things", "order": 1, "views": [], "rows": [{"id": 1, "order": "1.0", "field_1": "Lamp"}],
        "fields": [{"id": 1, "type": "text", "name": "Name", "order": 0, "primary": True}]}]}]}


@pytest.fixture
def organization(sqlite_server: Flask) -> str:
    """The id of an organization."""
    return make_organization("Example")


@pytest.fixture
def owner(sqlite_server: Flask, organization: str) -> Browser:
    """A browser in which its owner has signed in."""
    return signed_in(sqlite_server)


def zipped(*names: str) -> bytes:
    """Return a zip with files of these names in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return packed.getvalue()


def sent(browser: Browser, organization: str, *files: tuple[str, bytes]):  # type: ignore[no-untyped-def]
    """Send files to the import page."""
    data = {"file": [(io.BytesIO(content), name) for name, content in files]}
    return browser.post(f"/o/{organization}/import", data=data, content_type="multipart/form-data")


def imported(browser: Browser, organization: str, *files: tuple[str, bytes], name: str = "Mine") -> str:
    """Import files from beginning to end and return the id of the run."""
    preview = sent(browser, organization, *files).headers["Location"]
    run_id = browser.post(preview, data={"name": name}).headers["Location"].rpartition("/")[2]
    with as_tenant(organization):
        work(run_id)
    return run_id


def names(organization: str) -> list[str]:
    """Return what the organization's apps are called."""
    with as_tenant(organization):
        return [app.name for app in apps.all_apps()]


def text(page: str) -> str:
    """Return what a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_list_of_apps_leads_to_the_import(owner: Browser, organization: str) -> None:
    """Whoever may import finds the page; a member is not offered it."""
    assert f'href="/o/{organization}/import"' in owner.get(f"/o/{organization}/").get_data(as_text=True)


def test_members_may_not_import(sqlite_server: Flask, organization: str) -> None:
    """A member gets 403, somebody of another organization 404."""
    make_member(organization, "member@example.org")
    make_organization("Other", "other@example.org")
    codes = [signed_in(sqlite_server, email).get(f"/o/{organization}/import").status_code
             for email in ("member@example.org", "other@example.org")]
    assert codes == [403, 404]


def test_a_csv_is_shown_before_anything_is_made(owner: Browser, organization: str) -> None:
    """The preview tells the worksheet, its fields with their types and the number of records; no app is there yet."""
    address = sent(owner, organization, ("people.csv", CSV)).headers["Location"]
    page = text(owner.get(address).get_data(as_text=True))
    assert all(part in page for part in ("people", "2 records", "people.csv", "Ada · Bob"))
    assert {"Name": "text", "Amount": "number", "Due": "date"} == columns(owner, address)
    assert names(organization) == []


def test_a_confirmed_file_becomes_an_app(owner: Browser, organization: str) -> None:
    """The run makes the app under the name that was confirmed, and its page leads there."""
    run_id = imported(owner, organization, ("people.csv", CSV), name="People & co")
    with as_tenant(organization):
        app_id = report_of(find(run_id))["app"]
    page = owner.get(f"/o/{organization}/runs/{run_id}").get_data(as_text=True)
    assert f'href="/o/{organization}/apps/{app_id}/"' in page and "People &amp; co" in page
    assert names(organization) == ["People & co"]


def test_a_worksheet_is_called_like_the_file(owner: Browser, organization: str) -> None:
    """What a file gives no name to has the name by which it was sent, not that under which it lay here."""
    run_id = imported(owner, organization, ("people.csv", CSV), name="Mine")
    with as_tenant(organization):
        app = apps.find(report_of(find(run_id))["app"])
        assert ["people"] == [sheet.body["name"] for sheet in documents.live(app, "worksheet")]


def test_a_baserow_export_brings_its_zip_along(owner: Browser, organization: str) -> None:
    """The two files of an export may be chosen in any order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "a")
    run_id = imported(owner, organization, ("shop.zip", packed.getvalue()), ("shop.json", json.dumps(BASEROW).encode()))
    with as_tenant(organization):
        assert report_of(find(run_id))["records"] == 1


def test_the_name_of_the_export_is_proposed(owner: Browser, organization: str) -> None:
    """An export that says what it is called is called so; otherwise the file's name serves."""
    for file, expected in ((("x.json", json.dumps(BASEROW).encode()), "Shop"), (("people.csv", CSV), "people")):
        page = owner.get(sent(owner, organization, file).headers["Location"]).get_data(as_text=True)
        assert f'value="{expected}"' in page


def test_a_workbook_and_a_database_come_in(owner: Browser, organization: str, tmp_path: Path) -> None:
    """XLSX and SQLite files go the same way."""
    book, packed = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Name"])
    book.active.append(["Ada"])
    book.save(packed)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    connection.close()
    found = []
    for file in (("book.xlsx", packed.getvalue()), ("x.db", (tmp_path / "x.db").read_bytes())):
        run_id = imported(owner, organization, file)
        with as_tenant(organization):
            found.append((find(run_id).state, report_of(find(run_id))["records"]))
    assert found == [("succeeded", 1), ("succeeded", 2)]


@pytest.mark.parametrize(("files", "sentence"), [
    ((), "Choose a file first."),
    ((("empty.csv", b""),), "empty.csv is empty."),
    ((("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),), "picture.png cannot be imported"),
    ((("zeros.xlsx", bytes(10_000_000)),), "zeros.xlsx"),
    ((("nul.csv", b"a,b\n\0\0,\0\n" * 50),), "nul.csv"),
    ((("broken.json", b'{"tables": ['),), "broken.json is not JSON"),
    ((("deep.json", b'{"tables": ' + b"[" * 200_000),), "deep.json is not JSON"),
    ((("a.csv", CSV), ("b.csv", CSV)), "Choose one file"),
    ((("packed.csv", gzip.compress(b"a,b\n1,2\n", mtime=0)),), "packed.csv is compressed (gzip). Unpack it first."),
    ((("only.zip", b"PK\5\6" + bytes(18)),), "only.zip cannot be imported. A Baserow export is read from its .json file, and this .zip holds none."),
    ((("whole.zip", zipped("out/crm.json", "out/a.png")),), "has to be outside the .zip; inside are “out/crm.json”. Unpack it."),
    ((("many.zip", zipped(*(f"{n}.json" for n in range(9)))),), "inside are “0.json”, “1.json”, “2.json”, …. Unpack it. Choose the .json and the .zip"),
    ((("cut.zip", b"PK\3\4 cut"),), "cut.zip cannot be imported. It is not a valid zip. Use one of these: "),
    ((("other.json", b'{"x": 1}'),), "other.json cannot be imported. It was read for the tables and applications of a Baserow export"),
    ((("renamed.xlsx", b"%PDF-1.7"),), "renamed.xlsx cannot be imported. An Excel workbook is a zip that holds xl/workbook.xml"),
    ((("renamed.db", b"%PDF-1.7"),), "renamed.db cannot be imported. A SQLite database begins with “SQLite format 3”"),
    ((("x.json", json.dumps(BASEROW).encode()), ("x.zip", b"PK\3\4 cut")), "not a valid zip"),
])
def test_a_file_that_cannot_come_in_is_refused_with_a_sentence(owner: Browser, organization: str, home: Path,
                                                               files: tuple[tuple[str, bytes], ...], sentence: str) -> None:
    """The reason stands beside the field, under the file's own name, and nothing stays: no app, no run, no file."""
    answer = sent(owner, organization, *files)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page and "upload." not in page
    assert names(organization) == []
    assert list((home / "spool").iterdir()) == []
    assert [path for path in (home / "objects").rglob("*") if path.is_file()] == []


def test_the_name_of_a_file_is_never_a_path(owner: Browser, organization: str, home: Path) -> None:
    """A name with folders in it is shown by its last part, escaped, and touches nothing on the disk."""
    answer = sent(owner, organization, ("../../../tmp/<script>.csv", CSV))
    page = owner.get(answer.headers["Location"]).get_data(as_text=True)
    assert "&lt;script&gt;.csv" in page and "<script>.csv" not in page and "../" not in text(page)


def test_an_app_needs_a_name_to_be_imported(owner: Browser, organization: str) -> None:
    """The error stands beside the name, and the preview is still there."""
    preview = sent(owner, organization, ("people.csv", CSV)).headers["Location"]
    answer = owner.post(preview, data={"name": " "})
    assert answer.status_code == 422
    assert "1 to 100 characters" in answer.get_data(as_text=True)


def test_confirming_twice_makes_one_app(owner: Browser, organization: str) -> None:
    """A second click while the import is under way leads to the same run."""
    preview = sent(owner, organization, ("people.csv", CSV)).headers["Location"]
    runs = {owner.post(preview, data={"name": "People"}).headers["Location"] for _ in range(2)}
    assert len(runs) == 1


def test_an_import_that_is_done_twice_makes_one_app(owner: Browser, organization: str) -> None:
    """A worker that wakes for a run that has ended does nothing."""
    run_id = imported(owner, organization, ("people.csv", CSV))
    with as_tenant(organization):
        assert work(run_id) is None
    assert names(organization) == ["Mine"]


def test_a_file_that_takes_too_long_for_a_page_is_looked_through_by_a_worker(
        owner: Browser, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small it is; nothing has to be sent again, and the same holds for what is corrected."""
    monkeypatch.setattr("core.imports.previews.AT_ONCE_S", 0.001)
    monkeypatch.setattr("core.runs.service._send", lambda *_: None)
    where = sent(owner, organization, ("list.csv", CSV)).headers["Location"]
    assert "/runs/" in where
    run_id = where.rpartition("/")[2]
    with as_tenant(organization):
        assert "queued" == find(run_id).state
        work(run_id)
    address = f"/o/{organization}/import/{run_id}"
    assert ["Name", "Amount", "Due"] == list(columns(owner, address))
    assert "/runs/" in changed(owner, address, **{"name-0-0": "Person", "look": "1"}).headers["Location"]


def test_a_large_file_is_looked_through_by_a_worker(owner: Browser, organization: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page says so, and leads on to the preview once the run has ended."""
    monkeypatch.setattr("core.imports.previews.SMALL_BYTES", 10)
    where = sent(owner, organization, ("people.csv", CSV)).headers["Location"]
    assert "/runs/" in where and "Waiting to start" in owner.get(where).get_data(as_text=True)
    with as_tenant(organization):
        work(where.rpartition("/")[2])
    onward = owner.get(f"{where}/progress").headers["HX-Redirect"]
    assert "2 records" in text(owner.get(onward).get_data(as_text=True))


def test_too_much_is_refused_before_it_is_read(sqlite_server: Flask, owner: Browser, organization: str) -> None:
    """A file above the limit answers 413."""
    values = dict(sqlite_server.extensions["appkeep"].config.values)
    object.__setattr__(sqlite_server.extensions["appkeep"].config, "values", {**values, "upload_limit_bytes": 1000})
    assert sent(owner, organization, ("big.csv", CSV * 100)).status_code == 413


def test_another_organization_sees_no_preview(sqlite_server: Flask, owner: Browser, organization: str) -> None:
    """The address of a preview answers 404 to the owner of another organization, under either organization's name."""
    preview = sent(owner, organization, ("people.csv", CSV)).headers["Location"]
    other = make_organization("Other", "other@example.org")
    stranger = signed_in(sqlite_server, "other@example.org")
    assert [stranger.get(preview.replace(organization, one)).status_code for one in (organization, other)] == [404, 404]


GUESSED_WRONG = ("Report of May\nZip;Price;Ok;Note\n01234;1,5;NO;é\n00123;2,5;ON;ö\n").encode("cp1252")


def form_of(page: str) -> dict[str, str]:
    """Return what the form of a preview sends untouched."""
    reader = FormReader()
    reader.feed(page)
    return reader.found


def changed(browser: Browser, address: str, **values: str):  # type: ignore[no-untyped-def]
    """Send a preview's form with some of its controls changed."""
    given = form_of(browser.get(address).get_data(as_text=True))
    assert not values.keys() - given.keys() - {"look"}
    return browser.post(address, data={**given, **values})


def columns(browser: Browser, address: str) -> dict[str, str]:
    """Return what a preview says that each column becomes: its name and type."""
    given = form_of(browser.get(address).get_data(as_text=True))
    return {given[f"name-0-{n}"]: given[f"type-0-{n}"] for n in range(len([one for one in given if one.startswith("type-0-")]))}


def test_how_a_file_is_read_is_shown_and_corrected(owner: Browser, organization: str) -> None:
    """Header row, delimiter, encoding, and each column's values, name and type; what was said stays said."""
    address = sent(owner, organization, ("may.csv", GUESSED_WRONG)).headers["Location"]
    page = owner.get(address).get_data(as_text=True)
    assert "cp1252" in page and "01234 · 00123" in page
    assert {"Zip": "text", "Price": "number", "Ok": "text", "Note": "text"} == columns(owner, address)
    address = changed(owner, address, **{"type-0-1": "text", "name-0-1": "Cost", "type-0-3": "-", "look": "1"}).headers["Location"]
    assert {"Zip": "text", "Cost": "text", "Ok": "text", "Note": "-"} == columns(owner, address)
    address = changed(owner, address, **{"name-0-0": "Post code", "look": "1"}).headers["Location"]
    assert {"Post code": "text", "Cost": "text", "Ok": "text", "Note": "-"} == columns(owner, address)
    run_id = owner.post(address, data=form_of(owner.get(address).get_data(as_text=True))).headers["Location"].rpartition("/")[2]
    with as_tenant(organization):
        work(run_id)
        app = apps.find(report_of(find(run_id))["app"])
        (sheet,) = documents.live(app, "worksheet")
    assert [("Post code", "text"), ("Cost", "text"), ("Ok", "text")] == [(one["name"], one["type"]) for one in sheet.body["fields"]]


def test_other_rows_and_cells_are_other_columns(owner: Browser, organization: str) -> None:
    """What was said of the columns of before holds no more; a file without a header row has one."""
    address = sent(owner, organization, ("list.csv", CSV)).headers["Location"]
    address = changed(owner, address, **{"name-0-0": "Person", "look": "1"}).headers["Location"]
    assert ["Person", "Amount", "Due"] == list(columns(owner, address))
    address = changed(owner, address, **{"header-0": "2", "look": "1"}).headers["Location"]
    assert ["Ada", "12", "2026-01-01"] == list(columns(owner, address))
    address = changed(owner, address, **{"header-0": "0", "look": "1"}).headers["Location"]
    assert 3 == len(columns(owner, address)) and "Ada · Bob" in owner.get(address).get_data(as_text=True).replace("Name · ", "")


def test_nothing_is_imported_that_was_not_shown(owner: Browser, organization: str) -> None:
    """Whoever changes something and chooses Import sees first what it becomes."""
    address = sent(owner, organization, ("list.csv", CSV)).headers["Location"]
    answer = changed(owner, address, **{"type-0-1": "text", "name": "My list"})
    assert "/import/" in answer.headers["Location"] and address != answer.headers["Location"]
    page = owner.get(answer.headers["Location"]).get_data(as_text=True)
    assert "You changed how the file is read" in page and 'value="My list"' in page
    assert [] == names(organization)


@pytest.mark.parametrize(("values", "told"), [
    ({"encoding-0": "zlib"}, "Unknown encoding"), ({"header-0": "first"}, "enter a number from 0"), ({"header-0": "9" * 30}, "enter a number"),
    ({"name-0-1": " "}, "Enter a field name for the column “Amount”"), ({"type-0-0": "zebra"}, "is not a type"), ({"header-0": "900000"}, "list.csv"),
    ({"name-0-0": "N" * 300}, "")])
def test_what_cannot_be_read_so_is_refused_beside_what_was_typed(
        owner: Browser, organization: str, values: dict[str, str], told: str) -> None:
    """In words, and the file can still be imported otherwise."""
    address = sent(owner, organization, ("list.csv", CSV)).headers["Location"]
    answer = changed(owner, address, **values, look="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code in ((422,) if told else (303,))
    assert told in page
    assert ["Name", "Amount", "Due"] == list(columns(owner, address))


def test_a_table_can_be_left_out_and_taken_back(owner: Browser, organization: str) -> None:
    """Of a file with several; not all of them."""
    book = openpyxl.Workbook()
    book.active.title = "Keep"  # type: ignore[union-attr]
    for sheet in (book.active, book.create_sheet("Drop")):
        for line in (["Name", "Amount"], ["Ada", 1]):
            sheet.append(line)  # type: ignore[union-attr]
    kept = io.BytesIO()
    book.save(kept)
    first = sent(owner, organization, ("two.xlsx", kept.getvalue())).headers["Location"]
    assert "Every table is left out" in changed(owner, first, **{"keep-0": "", "keep-1": "", "look": "1"}).get_data(as_text=True)
    address = changed(owner, first, **{"keep-1": "", "look": "1"}).headers["Location"]
    page = owner.get(address).get_data(as_text=True)
    assert "Left out" in page and "it is left out, as was asked for" in page and 2 == page.count('name="type-')
    again = changed(owner, address, **{"keep-1": "1", "look": "1"}).headers["Location"]
    assert 4 == owner.get(again).get_data(as_text=True).count('name="type-')
    run_id = owner.post(address, data=form_of(page)).headers["Location"].rpartition("/")[2]
    with as_tenant(organization):
        work(run_id)
        assert ["Keep"] == [one.body["name"] for one in documents.live(apps.find(report_of(find(run_id))["app"]), "worksheet")]


def test_a_file_of_very_many_columns_is_shown_in_part_and_imported_whole(owner: Browser, organization: str) -> None:
    """The page stays small; the rest comes as guessed."""
    wide = ",".join(f"c{n}" for n in range(400)).encode() + b"\n" + b",".join(b"1" for _ in range(400)) + b"\n"
    book = openpyxl.Workbook()
    for number in range(3):
        sheet = book.create_sheet(f"Sheet {number}")
        for line in wide.decode().splitlines():
            sheet.append(line.split(","))
    del book["Sheet"]
    kept = io.BytesIO()
    book.save(kept)
    address = sent(owner, organization, ("wide.xlsx", kept.getvalue())).headers["Location"]
    page = owner.get(address).get_data(as_text=True)
    assert "and 1 more table, read as guessed" in page and 800 == page.count('name="type-')
