"""Excel workbooks: sheets, typed cells and formulas come over, and a hostile package is refused before it is parsed."""

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask

from core.api import ImportFailed, import_file
from core.imports.apply import find_importer
from plugins.tabular.shared_strings import Texts
from plugins.tabular.workbook_package import opened_package
from tests.conftest import made_organization
from tests.plugins.tabular.reading import bring_in, nothing_left, reasons

PEOPLE = [
    ["Name", "Born", "Seen", "At", "Took", "Points", "Share", "Active", "Code"],
    ["Anna", date(1990, 5, 17), datetime(2026, 11, 23, 9, 30), time(9, 30), timedelta(hours=30), 3, 0.25, True, "007"],
    ["Ben", date(1985, 1, 2), datetime(2026, 11, 24), time(18, 0), timedelta(minutes=5), 4, 12, False, "008"],
]


def made(folder: Path, sheets: dict[str, list[list[Any]]], name: str = "people.xlsx", hidden: str = "") -> Path:
    """Write a workbook and return its path."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title == hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(folder / name)
    return folder / name


def changed(path: Path, part: str, old: str, new: str) -> Path:
    """Replace text in one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    assert old.encode() in parts[part]
    parts[part] = parts[part].replace(old.encode(), new.encode())
    return packed(path, parts)


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    """Write a zip of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_workbook_becomes_an_app(organization: str, tmp_path: Path) -> None:
    """Every sheet is a worksheet, and cells keep their types, on every engine."""
    path = made(tmp_path, {"People": PEOPLE, "Empty": [], "Notes": [["a note"], ["more"]]}, hidden="Notes")
    result, sheets = bring_in(path, organization)
    people = sheets["People"]
    assert {"Name": "text", "Born": "date", "Seen": "datetime", "At": "time", "Took": "duration", "Points": "number", "Share": "number",
            "Active": "checkbox", "Code": "text"} == people.types
    assert {"Name": "Anna", "Born": "1990-05-17", "Seen": "2026-11-23T09:30:00Z", "At": "09:30:00", "Took": 108000, "Points": 3,
            "Share": "0.25", "Active": True, "Code": "007"} == people.records[0]
    assert "12.00" == people.records[1]["Share"]
    assert ["People", "Notes"] == list(sheets)
    assert "sheet Empty: it is empty and left out" in reasons(result)
    assert "sheet Notes: it was hidden; here it is not" in reasons(result)


def test_formulas_come_as_their_last_values(sqlite_server: Flask, tmp_path: Path) -> None:
    """What a program had calculated is kept; what it had not is empty; both are told."""
    path = made(tmp_path, {"S": [["a", "b", "c"], [1, "=A2*2", "=A2*3"]]})
    changed(path, "xl/worksheets/sheet1.xml", "<f>A2*2</f><v />", "<f>A2*2</f><v>2</v>")
    with made_organization("Example") as organization:
        result, sheets = bring_in(path, organization)
        assert [{"a": 1, "b": 2}] == sheets["S"].records
        assert "2 formulas came as their values" in reasons(result)
        assert "1 formulas had no value in the file" in reasons(result)


def test_what_has_no_counterpart_is_told(sqlite_server: Flask, tmp_path: Path) -> None:
    """Merged cells, charts and comments are named in notes."""
    from openpyxl.chart import BarChart
    from openpyxl.comments import Comment

    path = made(tmp_path, {"S": [["a", "b"], [1, 2]]})
    book = openpyxl.load_workbook(path)
    book["S"].merge_cells("A2:B2")
    book["S"]["A1"].comment = Comment("look", "me")
    book["S"].add_chart(BarChart(), "D1")
    book.save(path)
    with made_organization("Example") as organization:
        result, _ = bring_in(path, organization)
        assert all(f"{what} people.xlsx: " in reasons(result) for what in ("merged cells", "comments", "charts"))


def test_a_wrong_dimension_hides_nothing(sqlite_server: Flask, tmp_path: Path) -> None:
    """What a sheet says of its own size is not believed."""
    path = made(tmp_path, {"S": [["a", "b"], [1, 2], [3, 4]]})
    changed(path, "xl/worksheets/sheet1.xml", 'ref="A1:B3"', 'ref="A1:A1"')
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization)
        assert [{"a": 1, "b": 2}, {"a": 3, "b": 4}] == sheets["S"].records


def test_errors_in_cells_are_no_values(sqlite_server: Flask, tmp_path: Path) -> None:
    """#N/A in a column of numbers is empty, and counted."""
    with made_organization("Example") as organization:
        result, sheets = bring_in(made(tmp_path, {"S": [["a", "b"], [1, "#N/A"], [2, 5]]}), organization)
        assert [None, 5] == sheets["S"].column("b")
        assert "1 of its cells mean “no value”" in reasons(result)


@pytest.mark.parametrize(("part", "old", "new", "told"), [
    ("xl/workbook.xml", "<workbook", '<!DOCTYPE x [<!ENTITY a "b">]><workbook', "defines entities"),
    ("xl/worksheets/sheet1.xml", "<worksheet", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet', "defines entities"),
    ("xl/worksheets/sheet1.xml", "<worksheet", '<?xml version="1.0" encoding="cp037"?><worksheet', "is not in UTF-8"),
    ("xl/worksheets/sheet1.xml", '<row r="2"', '<row r="99999999999"', "more than 1048576 rows"),
    ("xl/worksheets/sheet1.xml", 'r="B2"', 'r="ZZ2"', "has 702 columns"),
    ("xl/worksheets/sheet1.xml", "</sheetData>", "", "the sheet “S” cannot be read"),
    ("xl/workbook.xml", "</workbook>", "", "xl/workbook.xml is damaged"),
    ("xl/workbook.xml", 'r:id="rId1"', 'r:id="rId9"', "the workbook cannot be read"),
])
def test_a_hostile_part_is_refused_whole(organization: str, tmp_path: Path, part: str, old: str, new: str, told: str) -> None:
    """Entities, other encodings, absurd sizes and broken parts end in one sentence, and nothing stays."""
    path = changed(made(tmp_path, {"S": [["a", "b"], [1, 2]]}), part, old, new)
    with pytest.raises(ImportFailed, match=told):
        import_file(path, organization, "system", importer="xlsx")
    assert nothing_left()


def test_a_bomb_is_refused_before_it_is_unpacked(sqlite_server: Flask, tmp_path: Path) -> None:
    """A part that unpacks to more than any workbook does is not read."""
    path = packed(tmp_path / "bomb.xlsx", {"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": bytes(64 * 1024 * 1024)})
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="more than 300 times its size"):
        import_file(path, organization, "system")


BOOK = b'<workbook xmlns:r="r"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>'
RELATIONS = (b'<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
             b'<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>')
SHEET = (b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
         b'<row r="2"><c r="A2" t="s"><v>1</v></c></row></sheetData></worksheet>')


def with_texts(folder: Path, texts: bytes) -> Path:
    """Write a workbook of one sheet with these shared strings and return its path."""
    return packed(folder / "texts.xlsx", {"xl/workbook.xml": BOOK, "xl/_rels/workbook.xml.rels": RELATIONS,
                                          "xl/worksheets/sheet1.xml": SHEET, "xl/sharedStrings.xml": b"<sst>" + texts + b"</sst>"})


def test_empty_texts_take_no_memory(sqlite_server: Flask, tmp_path: Path) -> None:
    """Millions of texts without a character, in a few kilobytes, are held in a file and found by their numbers."""
    path = with_texts(tmp_path, b"<si/>" * 1_500_000 + b"<si><t>last</t></si>")
    with opened_package(path) as package, Texts() as texts:
        tracemalloc.start()
        texts.read(package, "xl/sharedstrings.xml")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (texts[0], texts[1_499_999], texts[1_500_000], texts[1_500_001]) == ("", "", "last", "")
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize(("texts", "told"), [
    (b"<si/>" * 1001, "lists more than 1000 texts"),
    (b"<si><t>" + b"x" * 3000 + b"</t></si>", "more than 2000 characters"),
    (b"<a>" * 300, "tags inside one another"),
    (b"".join(b"<t%d/>" % number for number in range(21_000)), "kinds of tags"),
    (b"<" + b"x" * (9 * 1024 * 1024), "has a tag of more than"),
], ids=["texts", "characters", "depth", "names", "tag"])
def test_what_would_fill_the_memory_is_refused(sqlite_server: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: bytes,
                                               told: str) -> None:
    """Each thing that a part can have without end has one, and the refusal names the file."""
    monkeypatch.setattr("plugins.tabular.shared_strings.MAX_TEXTS", 1000)
    monkeypatch.setattr("plugins.tabular.shared_strings.MAX_TEXT_CHARS", 2000)
    monkeypatch.setattr("core.base.zips.MAX_RATIO", 10_000)
    path = with_texts(tmp_path, texts)
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match=told) as refused:
        import_file(path, organization, "system", dry_run=True)
    assert refused.value.message.startswith("texts.xlsx")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_workbook_is_refused(sqlite_server: Flask, tmp_path: Path, content: bytes) -> None:
    """A file that is only called so is refused."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match=r"a\.xlsx is not a valid Excel workbook"):
        import_file(path, organization, "system", importer="xlsx")


def test_every_cut_of_a_workbook_is_refused(sqlite_server: Flask, tmp_path: Path) -> None:
    """A workbook that was not copied whole does not come in."""
    whole = made(tmp_path, {"S": [["a", "b"], [1, 2]]}).read_bytes()
    cut = tmp_path / "cut.xlsx"
    with made_organization("Example") as organization:
        for end in range(0, len(whole), max(len(whole) // 15, 1)):
            cut.write_bytes(whole[:end])
            with pytest.raises(ImportFailed):
                import_file(cut, organization, "system", importer="xlsx")
        assert nothing_left()


def test_a_workbook_without_values_is_refused(sqlite_server: Flask, tmp_path: Path) -> None:
    """An app of nothing is not made."""
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="no sheet with values"):
        import_file(made(tmp_path, {"S": []}), organization, "system")


def test_a_file_is_known_by_its_content(sqlite_server: Flask, tmp_path: Path) -> None:
    """Whatever it is called, a workbook is one; another zip is none."""
    assert "xlsx" == find_importer(made(tmp_path, {"S": [["a"]]}, "people.txt"), None).name
    with pytest.raises(ImportFailed):
        find_importer(packed(tmp_path / "other.zip", {"a.txt": b"a,b\n1,2\n"}), None)
