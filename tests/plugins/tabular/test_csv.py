"""CSV files: however they are written, every cell is found again."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import ImportFailed
from core.imports.apply import find_importer, import_file
from plugins.tabular.delimited import CsvImporter
from tests.conftest import made_organization
from tests.plugins.tabular.reading import bring_in, nothing_left, reasons

ORDERS = '''Order,Customer,Mail,Amount,Paid,Day,Status,Postcode,Remark
1,Anna,anna@example.org,12.50,yes,2026-11-23,open,01067,
2,Ben,ben@example.org,7,no,2026-11-24,done,80331,"two
lines, and a ""quote"""
3,Çiğdem,c@example.org,1000.05,no,2026-11-25,open,10115,short
'''


def written(folder: Path, content: str | bytes, name: str = "orders.csv") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_file_becomes_an_app(organization: str, tmp_path: Path) -> None:
    """Name, fields, records, view and title are there, on every engine."""
    result, sheets = bring_in(written(tmp_path, ORDERS), organization)
    sheet = sheets["orders"]
    assert {"Order": "number", "Customer": "text", "Mail": "email", "Amount": "number", "Paid": "checkbox", "Day": "date",
            "Status": "text", "Postcode": "text", "Remark": "long_text"} == sheet.types
    assert ["12.50", "7.00", "1000.05"] == sheet.column("Amount")
    assert [True, None, None] == sheet.column("Paid")
    assert ["01067", "80331", "10115"] == sheet.column("Postcode")
    assert 'two\nlines, and a "quote"' == sheet.column("Remark")[1]
    assert ("orders", 3, 4, []) == (result["name"], result["records"], result["documents"], result["unsupported"])


def test_a_dry_run_shows_the_guessed_types_and_keeps_nothing(organization: str, tmp_path: Path) -> None:
    """The outline has every field with its type before anything is kept."""
    result = import_file(written(tmp_path, ORDERS), organization, "system", dry_run=True)
    outline = next(one for one in result["outline"] if one["document"].startswith("worksheet/"))
    assert "orders" == outline["name"]
    assert ("Amount", "number") in [(field["name"], field["type"]) for field in outline["parts"]["field"]]
    assert None is result["app"]
    assert nothing_left()


def test_the_outline_is_bounded(organization: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A preview stays small, whatever the import makes."""
    monkeypatch.setattr("core.imports.staging.MAX_OUTLINED", 2)
    result = import_file(written(tmp_path, ORDERS), organization, "system", dry_run=True)
    assert (2, 4) == (len(result["outline"]), result["documents"])


@pytest.mark.parametrize(("encoding", "noted"), [
    ("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-32", False), ("cp1252", True)])
def test_encodings_are_found(sqlite_server: Flask, tmp_path: Path, encoding: str, noted: bool) -> None:
    """A byte order mark decides, then whether it is UTF-8; what is neither is read as Windows-1252, with a note."""
    with made_organization("Example") as organization:
        result, sheets = bring_in(written(tmp_path, "Name,City\nZoë,Köln\n".encode(encoding)), organization)
        assert ["Zoë"] == sheets["orders"].column("Name")
        assert noted == ("Windows-1252" in reasons(result))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(sqlite_server: Flask, tmp_path: Path, delimiter: str) -> None:
    """The character that makes rows of one length stands between cells, whatever else is in them."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([["Name", "Price", "Note"], ["a", "1,5", "x; y"], ["b", "2,5", "p|q, r"]])
    with made_organization("Example") as organization:
        _, sheets = bring_in(written(tmp_path, text.getvalue()), organization)
        assert [["a", "b"], ["1.5", "2.5"], ["x; y", "p|q, r"]] == [sheets["orders"].column(n) for n in ("Name", "Price", "Note")]


ODD = {
    "no header": ("1,a\n2,b\n", {"Column 1": [1, 2], "Column 2": ["a", "b"]}, ""),
    "names alike": ("a,A,a,n\nx,y,z,1\n", {"a": ["x"], "A 2": ["y"], "a 3": ["z"], "n": [1]}, ""),
    "a name missing": (",n\nx,1\n", {"Column 1": ["x"], "n": [1]}, ""),
    "a column without anything": ("a,n,\nx,1,\n", {"a": ["x"], "n": [1]}, ""),
    "an empty column with a name": ("a,b\nx,\n", {"a": ["x"], "b": [None]}, ""),
    "longer rows": ("a,b\nx,y\np,q,r\n", {"a": ["x", "p"], "b": ["y", "q"], "Column 3": [None, "r"]}, "longer than the first"),
    "shorter rows": ("a,b,c\nx\np,q,r\n", {"a": ["x", "p"], "b": [None, "q"], "c": [None, "r"]}, ""),
    "blank rows": ("a,b\n\nx,y\n,\np,q\n", {"a": ["x", "p"], "b": ["y", "q"]}, ""),
    "sep": ("sep=;\na;b\nx,1;y\n", {"a": ["x,1"], "b": ["y"]}, ""),
    "U+0000": ("a,b\nx\0x,y\n", {"a": ["xx"], "b": ["y"]}, "U+0000"),
    "other line ends": ("a,b\rx,y\rp,q\r", {"a": ["x", "p"], "b": ["y", "q"]}, ""),
    "quotes amid": ('a,b\nx"y,"p"q\n', {"a": ['x"y'], "b": ['"p"q']}, "the first in line 2"),
    "one column": ("a\nx\ny\n", {"a": ["x", "y"]}, ""),
    "a header only": ("a,b\n", {"a": [], "b": []}, ""),
    "a long name": ("n" * 150 + ",b\nx,y\n", {"n" * 100: ["x"], "b": ["y"]}, "longer than 100"),
    "a name of two lines": ('"a\nb",c\nx,y\n', {"a b": ["x"], "c": ["y"]}, ""),
}


@pytest.mark.parametrize("case", ODD)
def test_irregular_files_come_in(sqlite_server: Flask, tmp_path: Path, case: str) -> None:
    """Rows and names that are not as they should be lose nothing."""
    content, columns, told = ODD[case]
    with made_organization("Example") as organization:
        result, sheets = bring_in(written(tmp_path, content), organization, importer="csv")
        assert columns == {name: sheets["orders"].column(name) for name in sheets["orders"].fields}
        assert told in reasons(result)


@pytest.mark.parametrize(("content", "told"), [
    (b"", "holds no rows"), (b"\n\n,,\n", "holds no rows"), (b"a,b\nx,\"y\nz", "a quotation mark after line 1 is never closed"),
    (b"a,b\n" + b"x" * 200_000 + b",y\n", "line 2: a cell has more than 131072 characters"),
    (b"a,b\n\"" + b"x\n" * 100_000, "maybe a quotation mark is never closed"),
    (b"\xff\xfea\0,\0b\0\n\0x", "not sound UTF-16"), (b"a\0,\0b\0\n\0" * 9, "is not text"), (b"\0" * 500, "is not text"),
    (",".join(f"c{n}" for n in range(501)).encode(), "has 501 columns; a worksheet has at most 500 fields"),
    (b"a,b\n" + b"x," * 500 + b"y\n", "has 501 columns"),
])
def test_what_cannot_be_read_is_refused_whole(organization: str, tmp_path: Path, content: bytes, told: str) -> None:
    """The refusal says file and place, and nothing stays."""
    with pytest.raises(ImportFailed, match=told):
        import_file(written(tmp_path, content), organization, "system", importer="csv")
    assert nothing_left()


def test_texts_too_long_for_a_record_become_files(sqlite_server: Flask, tmp_path: Path) -> None:
    """A text of more than a record holds is kept whole, as a file beside the others."""
    long = "é" * 40_000
    with made_organization("Example") as organization:
        result, sheets = bring_in(written(tmp_path, f"a,b\nx,{long}\ny,short\n"), organization)
        [file] = sheets["orders"].column("b (file)")[0]
        assert (len(long.encode()), "text/plain") == (file["size"], file["type"])
        assert [None, "short"] == sheets["orders"].column("b")
        assert "too long for a record" in reasons(result)


def test_choices_are_made_of_few_repeated_texts(sqlite_server: Flask, tmp_path: Path) -> None:
    """A column of few words becomes a select with these words."""
    rows = "".join(f"{n},{'open' if n % 2 else 'done'}\n" for n in range(20))
    with made_organization("Example") as organization:
        _, sheets = bring_in(written(tmp_path, "n,State\n" + rows), organization)
        assert "single_select" == sheets["orders"].types["State"]
        assert ["done", "open"] == sheets["orders"].column("State")[:2]


@pytest.mark.parametrize(("name", "content", "expected"), [
    ("a.csv", b"x", True), ("a.TSV", b"x", True), ("a.txt", b"a,b\n1,2\n", True), ("notes.txt", b"Call Anna.\nBuy bread, milk and eggs.\n", False), ("a.data", b"a,b\n1,2\n", True),
    ("a.json", b"a,b\n1,2\n", False),
    ("a.data", b"[1,2\n3,4]", False), ("a.data", b"plain text\nwithout columns\n", False), ("a.csv", b"SQLite format 3\0", False),
    ("a.data", b"\x89PNG,\n1,2\n", False)])
def test_it_takes_only_what_looks_delimited(tmp_path: Path, name: str, content: bytes, expected: bool) -> None:
    """A suffix or the look of rows decides; other formats are left to their importers."""
    assert expected == CsvImporter().recognizes(written(tmp_path, content, name))


def test_a_baserow_export_stays_with_baserow(sqlite_server: Flask, tmp_path: Path) -> None:
    """No importer of tables takes the file of another importer."""
    assert "baserow" == find_importer(written(tmp_path, '[{"type": "database", "tables": []}]', "a.json"), None).name


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["", "1", "007", "1.50", "1,5", "-0", "yes", "no", "2026-11-23", "1/2/2026", "NA", " ", "a@b.de", "9007199254740993", "=1+1", "\n",
     '"', "12:30", "1e-3", "true", "\ufeff", "sep=;"])


GRIDS = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=8)


def test_every_cell_is_found_again(sqlite_server: Flask, tmp_path: Path) -> None:
    """Any grid of texts comes in, and each cell is a field's name, a value that means the same, or noted."""
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(GRIDS, st.sampled_from([",", ";", "\t"]))
    def check(grid: list[list[str]], delimiter: str) -> None:
        path = tmp_path / "grid.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["Key", "Other key"], *grid])
        _check_found(path, organization, grid)

    with made_organization("Example") as organization:
        check()


def _check_found(path: Path, organization: str, grid: list[list[str]]) -> None:
    result, sheets = bring_in(path, organization)
    sheet, rows = sheets["grid"], [row for row in grid if any(row)]
    names = ["Key", "Other key", "Column 3", "Column 4"]
    assert len(rows) == len(sheet.records)
    for row, record in zip(rows, sheet.records, strict=True):
        for name, cell in zip(names, row, strict=False):
            assert _same(cell, record.get(name), sheet.types.get(name, "")) or f"{name}: " in reasons(result)


def _same(cell: str, value: Any, kind: str) -> bool:
    if value is None:
        return cell == "" or (kind == "checkbox" and cell.strip().lower() in ("no", "false", "f", "n", "off"))
    if kind == "checkbox":
        return cell.strip().lower() in ("yes", "true", "t", "y", "on")
    if kind == "number":
        return float(cell.replace(",", ".")) == float(value)
    return cell.strip() == str(value).strip() or kind in ("date", "datetime", "time", "duration")


def test_a_dry_run_writes_nothing_to_the_database(organization: str, tmp_path: Path) -> None:
    """Nobody waits for the database while a file is looked through: no statement of it changes anything."""
    from sqlalchemy import event

    from core.api import db

    said: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement.lstrip().split()[0].upper()))
    result = import_file(written(tmp_path, ORDERS), organization, "system", dry_run=True)
    assert 3 == result["records"]
    assert not {"INSERT", "UPDATE", "DELETE", "SAVEPOINT"} & set(said)
