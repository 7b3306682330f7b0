"""Workbooks as Excel reads them: what other readers refuse or lose comes in, with the values that a second reader finds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from core.api import ImportFailed, import_file
from plugins.tabular.formats import Format, format_of, number_of
from plugins.tabular.shared_strings import Texts, plain_text
from plugins.tabular.workbook import XlsxImporter
from tests.conftest import made_organization
from tests.plugins.tabular.reading import bring_in, reasons
from tests.plugins.tabular.test_xlsx import made, packed

STRICT = {b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
          b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": b"http://purl.oclc.org/ooxml/officeDocument/relationships"}


def parts_of(path: Path) -> dict[str, bytes]:
    """Return the parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _strict(parts: dict[str, bytes]) -> dict[str, bytes]:
    for old, new in STRICT.items():
        parts = {name: content.replace(old, new) for name, content in parts.items()}
    return parts


def _without_looks(parts: dict[str, bytes]) -> dict[str, bytes]:
    content = parts["xl/styles.xml"]
    start, end = content.index(b"<cellStyleXfs"), content.index(b"</cellStyleXfs>") + len(b"</cellStyleXfs>")
    return {**parts, "xl/styles.xml": (content[:start] + content[end:]).replace(b"<fill><patternFill", b"<fill/><fill><patternFill", 1)}


ODD: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "strict": _strict, "no looks": _without_looks,
    "other case": lambda parts: {name.replace("sharedStrings", "SharedStrings"): content for name, content in parts.items()},
    "backslashes": lambda parts: {name.replace("/", "\\"): content for name, content in parts.items()},
    "no styles": lambda parts: {name: content for name, content in parts.items() if name != "xl/styles.xml"},
    "a part in UTF-16": lambda parts: {**parts, "customXml/item1.xml": "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16")},
}


@pytest.mark.parametrize("kind", ODD)
def test_whatever_excel_opens_comes_in(sqlite_server: Flask, tmp_path: Path, kind: str) -> None:
    """Dialects, looks that are missing, and names of parts in another case hide no value."""
    path = made(tmp_path, {"S": [["a", "b"], [1, "x"], [2.5, "y"]]})
    packed(path, ODD[kind](parts_of(path)))
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization)
        assert [["1.0", "2.5"], ["x", "y"]] == [sheets["S"].column(name) for name in ("a", "b")]


@pytest.mark.parametrize(("code", "expected"), [
    ("General", Format()), ("0.00", Format()), ("#,##0", Format()), ("0", Format()), ("@", Format()), ("0.00E+00", Format()),
    ("00000", Format("zeros", "00000")), ("000-00-0000", Format("zeros", "000-00-0000")), ("0.0%", Format("percent", decimals=1)),
    ("$#,##0.00", Format("currency", currency="USD", decimals=2)), ('#,##0.00 "€"', Format("currency", currency="EUR", decimals=2)),
    ("[$£-809]#,##0", Format("currency", currency="GBP")), ("#,##0.00 [$CHF-807]", Format("currency", currency="CHF", decimals=2)),
    ("yyyy-mm-dd", Format("moment")), ("[$-409]d mmm yy", Format("moment")), ("mmm", Format("moment")), ("h:mm AM/PM", Format("clock")),
    ("[h]:mm:ss", Format("length")), ("[Red]0.00", Format()), ('0 "days"', Format()),
])
def test_formats_say_what_numbers_are(code: str, expected: Format) -> None:
    """Dates, shares, money and numbers with leading zeros are told from plain numbers, whatever is in quotes or brackets."""
    assert expected == format_of(code)


def test_numbers_have_the_fifteen_digits_that_excel_shows() -> None:
    """What a computer's arithmetic adds beyond them is noise."""
    assert [0.3, 133.8, 25, -2, 1e-7, 12345678901234567] == [number_of(text) for text in (
        "0.30000000000000004", "133.80000000000001", "25", "-2", "1E-7", "12345678901234567")]


def test_shown_numbers_become_fields_that_show_them(sqlite_server: Flask, tmp_path: Path) -> None:
    """Percent, currency and zeros by format; a column in which only some are shown so stays one of numbers, and says it."""
    path = made(tmp_path, {"S": [["share", "price", "zip", "mixed"], [0.07, 70, 501, 0.5], [0.295, 2.5, 2494, 2]]})
    book = openpyxl.load_workbook(path)
    for row in (2, 3):
        for column, code in (("A", "0%"), ("B", "$#,##0.00"), ("C", "00000")):
            book["S"][f"{column}{row}"].number_format = code
    book["S"]["D2"].number_format = "0%"
    book.save(path)
    with made_organization("Example") as organization:
        result, sheets = bring_in(path, organization)
        sheet = sheets["S"]
        assert {"share": "percent", "price": "currency", "zip": "text", "mixed": "number"} == sheet.types
        assert [["7.0", "29.5"], ["70.00", "2.50"], ["00501", "02494"], ["0.5", "2.0"]] == [sheet.column(name) for name in sheet.fields]
        assert {"decimals": 2, "currency": "USD"} == sheet.fields["price"]["options"]
        assert "S: mixed: some of its numbers are shown as a share of a hundred" in reasons(result)


def test_links_come_beside_what_they_say(sqlite_server: Flask, tmp_path: Path) -> None:
    """Addresses of linked cells, and of HYPERLINK formulas, get a field of their own."""
    path = made(tmp_path, {"S": [["name", "page", "note"], ["a", "open", "x"], ["b", "open", "y"]]})
    book = openpyxl.load_workbook(path)
    book["S"]["B2"].hyperlink = "https://example.org/a?x=1&y=2"
    book.save(path)
    parts = parts_of(path)
    old = parts["xl/worksheets/sheet1.xml"]
    start = old.index(b'<c r="B3"')
    end = old.index(b"</c>", start) + 4
    parts["xl/worksheets/sheet1.xml"] = (old[:start] + b'<c r="B3" t="str"><f>HYPERLINK("https://example.org/b","open")</f><v>open</v></c>'
                                         + old[end:])
    packed(path, parts)
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization)
        assert ["open", "open"] == sheets["S"].column("page")
        assert ["https://example.org/a?x=1&y=2", "https://example.org/b"] == sheets["S"].column("page (link)")
        assert ["x", "y"] == sheets["S"].column("note")


def test_a_date_out_of_range_stays_a_number(sqlite_server: Flask, tmp_path: Path) -> None:
    """Nothing is dropped because Excel itself cannot show it."""
    path = made(tmp_path, {"S": [["a"], [datetime(2026, 1, 2)], [3_000_000]]})
    book = openpyxl.load_workbook(path)
    book["S"]["A3"].number_format = "yyyy-mm-dd"
    book.save(path)
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization)
        assert ["2026-01-02", "3000000"] == sheets["S"].column("a")


def test_a_second_reader_finds_the_same_values(tmp_path: Path) -> None:
    """What python-calamine reads of a workbook is what is read here."""
    rows: list[list[Any]] = [["t", "n", "f", "d", "b", "x"], ["a_x000D_b", 1, 0.1 + 0.2, datetime(2026, 1, 2, 3, 4, 5), True, None],
                             ["Zoë", -7, 1e-9, datetime(1900, 3, 1), False, "z"], [None, 2**40, 123.456, datetime(1900, 1, 5), None, None]]
    path = made(tmp_path, {"S": rows, "T": [["only"], [5]]})
    expected = {sheet: [[_plain(cell) for cell in row] for row in CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()]
                for sheet in ("S", "T")}
    from core.api import Corrections

    with XlsxImporter().opened(path, "people", lambda *_: None, Corrections(header={"": 0})) as tables:
        found = {table.name: [[_plain(cell) for cell in [*row, *[None] * (len(table.columns) - len(row))]] for row in table.rows()]
                 for table in tables}
    assert expected == found


def _plain(cell: Any) -> Any:
    """Return a cell so that two readers' cells can be compared: Excel's digits and escapes, nothing for empty."""
    if isinstance(cell, bool) or cell is None or cell == "":
        return cell or None if cell != 0 else cell
    if isinstance(cell, int | float):
        return number_of(repr(cell))
    return plain_text(cell) if isinstance(cell, str) else str(cell).removesuffix(" 00:00:00")


def test_many_shared_texts_lie_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts beyond a size are read from a file, each as it was."""
    monkeypatch.setattr("plugins.tabular.shared_strings.HELD_CHARS", 200)
    with Texts() as texts:
        for number in range(100):
            texts.add(f"Zoë {number}")
        assert len(texts.held) < 10
        assert [f"Zoë {number}" for number in range(100)] == [texts[number] for number in range(100)]
        assert "" == texts[100]


def test_parts_that_lie_over_each_other_are_refused(sqlite_server: Flask, tmp_path: Path) -> None:
    """A zip whose directory names the same bytes many times unpacks to nothing."""
    path = made(tmp_path, {"S": [["a"], [1]]})
    with zipfile.ZipFile(path, "a") as archive:
        info = archive.NameToInfo["xl/worksheets/sheet1.xml"]
        for number in range(3):
            twin = zipfile.ZipInfo(f"xl/worksheets/twin{number}.xml")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(twin, name, getattr(info, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
        archive._didModify = True  # type: ignore[attr-defined]
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="lies over another one"):
        import_file(path, organization, "system")
