"""Encodings and dialects of CSV files: found from what is in them, told where it is a guess, and said where it is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import Corrections, ImportFailed, import_file
from plugins.tabular.encodings import likely
from tests.conftest import made_organization
from tests.plugins.tabular.reading import Sheet, bring_in, reasons

TEXTS = {"cp1252": "Zoë,Köln\nAndré,Málaga\n", "cp1251": "Имя,Город\nПётр,Тверь\n", "koi8_r": "Имя,Город\nПётр,Тверь\n",
         "cp1253": "Όνομα,Πόλη\nΕλένη,Πάτρα\n", "cp1250": "jméno,město\nJiří,Ústí\nŁucja,Łódź\n", "cp932": "名前,都市\n佐藤さくら,横浜\n",
         "euc_jp": "なまえ,まち\nさくら,よこはま\n", "gb18030": "姓名,城市\n张伟,广州\n", "big5": "姓名,城市\n張偉,臺中\n",
         "cp949": "이름,도시\n박지민,대구\n", "cp866": "Имя,Город\nПётр,Тверь\n"}


def one(folder: Path, content: bytes | str, organization: str, **wanted: Any) -> tuple[dict[str, Any], Sheet]:
    """Import a file and return the result and its worksheet."""
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    result, sheets = bring_in(path, organization, corrections=Corrections(**wanted))
    return result, sheets["file"]


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings_are_told_apart_by_the_words_they_make(encoding: str) -> None:
    """What a file most likely says is what it is read as."""
    content = TEXTS[encoding].encode(encoding)
    assert TEXTS[encoding] == content.decode(likely(content))


def test_one_bad_byte_garbles_no_other_line(sqlite_server: Flask, tmp_path: Path) -> None:
    """A file that is UTF-8 but for a byte is UTF-8; the byte is read as Windows-1252, and its line is named."""
    content = b"name,city\n" + "Zoë,Kraków\n".encode() * 6 + b"Andr\xe9,Lyon\n"
    with made_organization("Example") as organization:
        result, sheet = one(tmp_path, content, organization)
        assert [*["Zoë"] * 6, "André"] == sheet.column("name")
        assert "it is UTF-8, but not in line 8;" in reasons(result)


def test_a_guessed_encoding_is_told_and_can_be_said(sqlite_server: Flask, tmp_path: Path) -> None:
    """The note names the encoding; another one that is said is used without a note; one that is none is refused."""
    with made_organization("Example") as organization:
        result, sheet = one(tmp_path, TEXTS["cp1251"].encode("cp1251"), organization)
        assert ("Windows-1251" in reasons(result), ["Пётр"]) == (True, sheet.column("Имя"))
        result, sheet = one(tmp_path, "ad,şehir\nÇiğdem,Muğla\n".encode("cp1254"), organization, encoding="cp1254")
        assert ([], ["Muğla"]) == (result["unsupported"], sheet.column("şehir"))
        with pytest.raises(ImportFailed, match="Unknown encoding “klingon”"):
            one(tmp_path, "a\n", organization, encoding="klingon")
        with pytest.raises(ImportFailed, match="not sound ASCII"):
            one(tmp_path, "a,b\nZoë,1\n", organization, encoding="ascii")


@pytest.mark.parametrize(("content", "told"), [
    (gzip.compress(b"a,b\n1,2\n", mtime=0), r"is compressed \(gzip\); unpack it first"), (b"BZh91AY", r"is compressed \(bzip2\)"),
    (b"%PDF-1.7\n", "not text"), (bytes(range(1, 32)) * 40, "not text")])
def test_what_is_no_text_is_refused_in_words(sqlite_server: Flask, tmp_path: Path, content: bytes, told: str) -> None:
    """A compressed or binary file is no worksheet of rubbish, whatever it is called."""
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with made_organization("Example") as organization:
        for importer in ("csv", None):
            with pytest.raises(ImportFailed, match=told if importer else "file.csv"):
                import_file(path, organization, "system", importer=importer)


@pytest.mark.parametrize(("content", "expected", "told"), [
    ('id,a,b\n1,x,"say \\"one\\", two"\n2,y,"plain"\n', ['say "one", two', "plain"], "a backslash before a quotation mark"),
    ('id,a,b\n1,x,"C:\\"\n2,y,"D:\\"\n', ["C:\\", "D:\\"], ""),
    ('id, a, b\n1, x, "one, two"\n2, y, "three"\n', ["one, two", "three"], ""),
    ('id,a,b\n1,x,"6" bolt"\n2,y,"a ""b"" c"\n', ['6" bolt', 'a "b" c'], "the first in line 2"),
    ('id,a,b\n1,x,"two\nlines"\n2,y,"3" nut, long"\n3,z,c\n', ["two\nlines", '3" nut, long', "c"], "the first in line 4"),
])
def test_quotation_marks_are_read_as_they_were_written(sqlite_server: Flask, tmp_path: Path, content: str, expected: list[str],
                                                       told: str) -> None:
    """Backslashes, spaces before quotes and quotes amid quoted cells cut no cell in two."""
    with made_organization("Example") as organization:
        result, sheet = one(tmp_path, content, organization)
        assert expected == sheet.column("b")
        assert told in reasons(result)


def test_a_delimiter_can_be_said(sqlite_server: Flask, tmp_path: Path) -> None:
    """Any one character divides cells if somebody says so."""
    with made_organization("Example") as organization:
        _, sheet = one(tmp_path, "a^b\n1^2\n", organization, delimiter="^")
        assert [{"a": 1, "b": 2}] == sheet.records
        _, sheet = one(tmp_path, "a\tb,c\n1\t2,3\n", organization, delimiter="tab")
        assert ["a", "b,c"] == list(sheet.fields)
        with pytest.raises(ImportFailed, match="is not a delimiter"):
            one(tmp_path, "a\n", organization, delimiter="ab")


@pytest.mark.parametrize(("cells", "kind", "expected"), [
    (["2", "2,2", "2,4", "3"], "text", ["2", "2,2", "2,4", "3"]), (["1,5", "2,25"], "number", ["1.50", "2.25"]),
    (["2,037", "11,370", "1,000,000"], "number", [2037, 11370, 1000000]), (["2,037", "11,37"], "number", ["2.037", "11.370"]),
    (["1.9", "1.10", "2.0"], "text", ["1.9", "1.10", "2.0"]), (["1.5", "2.0", "3.25"], "number", ["1.50", "2.00", "3.25"]),
    (["1.50", "22", "-3.5"], "number", ["1.50", "22.00", "-3.50"]),
    (["NO"] * 9, "text", ["NO"] * 9), (["ON"] * 9, "text", ["ON"] * 9), (["on", "off"], "checkbox", [True, None]),
    (["5", "\\N", "-", "7"], "number", [5, None, None, 7]), (["1990-01-02", "0000-00-00"], "date", ["1990-01-02", None]),
])
def test_values_are_what_their_writer_meant(sqlite_server: Flask, tmp_path: Path, cells: list[str], kind: str, expected: list[Any]) -> None:
    """Lists, thousands, versions, codes and marks of missing values are told apart from numbers, checkboxes and texts."""
    with made_organization("Example") as organization:
        rows = "".join(f'r{n},"{cell}"\n' for n, cell in enumerate(cells))
        _, sheet = one(tmp_path, f"name,value\n{rows}", organization)
        assert (kind, expected) == (sheet.types["value"], sheet.column("value"))


def test_types_names_and_columns_can_be_corrected(sqlite_server: Flask, tmp_path: Path) -> None:
    """What was guessed is replaced by what somebody says; what cannot be so is refused with a value that cannot."""
    content = "code,day,seen,extra\n1,01/02/2026,x,1\n2,03/04/2026,y,2\n"
    with made_organization("Example") as organization:
        result, sheet = one(tmp_path, content, organization, types={"code": "text", "file: day": "date-day-first", "seen": "single_select"},
                            names={"code": "Code"}, skip=("extra",))
        assert {"Code": "text", "day": "date", "seen": "single_select"} == sheet.types
        assert [["1", "2"], ["2026-02-01", "2026-04-03"], ["x", "y"]] == [sheet.column(name) for name in ("Code", "day", "seen")]
        assert "file: extra: it is left out, as was asked for" in reasons(result)
        shown = {column["name"]: column for column in result["tables"][0]["columns"]}
        assert {"name": "day", "field": "day", "type": "date-day-first", "samples": ["01/02/2026", "03/04/2026"]} == shown["day"]
        for wanted, told in (({"types": {"seen": "number"}}, "“x” does not fit this type"), ({"types": {"nope": "text"}}, "Unknown column “nope”"),
                             ({"types": {"seen": "colour"}}, "“colour” is not a type"), ({"skip": ("nope",)}, "Unknown column “nope”")):
            with pytest.raises(ImportFailed, match=told):
                one(tmp_path, content, organization, **wanted)
