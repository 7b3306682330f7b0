"""Rows of a sheet that patterns find are those that the XML parser finds, however a sheet is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import ImportFailed
from plugins.tabular.formats import Format
from plugins.tabular.plain_rows import MOST_CHARS, PlainRows
from plugins.tabular.shared_strings import Texts
from plugins.tabular.sheet import SheetReader, Survey

HEAD, TAIL = '<worksheet xmlns="x"><cols/><sheetData>', "</sheetData><mergeCells/></worksheet>"
CELLS = st.sampled_from([
    '<c r="A1"><v>1</v></c>', '<c r="B1" s="1"><v>0.5</v></c>', '<c r="C1" t="s"><v>1</v></c>', '<c r="C1" t="s"><v>9</v></c>', '<c/>', '<c />',
    "<c><v>7</v></c>", '<c r="D1" t="b"><v>1</v></c>', '<c r="E1" t="e"><v>#N/A</v></c>', '<c r="F1" t="str"><f>A1&amp;"x"</f><v>a&amp;b</v></c>',
    '<c r="G1" t="inlineStr"><is><t>in&lt;line&#10;x</t></is></c>', '<c r="G1" t="inlineStr"><is><t xml:space="preserve"> a_x000D_ </t></is></c>',
    '<c r="H1" t="inlineStr"><is><r><t>rich</t></r><r><t> text</t></r></is></c>', '<c r="I1"><f t="shared" si="0"/><v>3</v></c>',
    '<c r="J1"><v/></c>', '<c r="J1"><v></v></c>', '<c s="1" r="K1"><v>2</v></c>', "<c r='L1'><v>4</v></c>", '<c r="M1" t="d"><v>2026-11-28</v></c>',
    '<c r="B1"><v>12</v></c>\n ', "<c r='A1'><v>1</v><!-- no --></c>", '<c r="N1"><v><![CDATA[5]]></v></c>', '<c r="O1"><v>1\r\n</v></c>',
    '<c r="A1"><v>1</v></c><ext><v>9</v></ext>', '<c r="P1"><v>x</v></c>', '<c r="ZZZZ1"><v>1</v></c>', '<c r="Q1"><v>1</c>', "&", "é",
    '<c r="a1" t="inlineStr"><is><t>Zoë \U0001f600</t></is></c>', '<c r="R1" t="inlineStr"><is><t>a\x01b</t></is></c>'])
ROWS = st.tuples(st.sampled_from(['<row r="{n}">', "<row>", '<row r="{n}" spans="1:3" x:d="0.2">', "<row r='{n}'>", '<row spans="1" r="{n}">',
                                  '<row r="{n}"/>', "<row/>", '<!-- <row r="1"><c><v>1</v></c></row> --><row r="{n}">', '<row r="x">',
                                  '<row r="99999999">', "</sheetData><sheetData><row>"]),
                 st.lists(CELLS, max_size=4), st.integers(1, 3))
HEADS = st.sampled_from([HEAD, HEAD, HEAD, '<?xml version="1.0" encoding="UTF-8"?>\n' + HEAD, '<?xml version="1.0" encoding="utf-16"?>' + HEAD,
                         '<!-- <sheetData> -->' + HEAD, HEAD.replace("sheetData", "sheetData "), '<x:worksheet xmlns:x="y"><x:sheetData>',
                         '<?xml version="1.0" encoding="ISO-8859-1"?>' + HEAD])


class Part:
    """A part of a workbook that comes in pieces."""

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = content, size

    def chunks(self, _: str) -> Iterator[bytes]:
        for start in range(0, len(self.content), self.size):
            yield self.content[start:start + self.size]

    def refuse(self, name: str, reason: str) -> None:
        raise ImportFailed(reason.partition(":")[0])


def rows_of(content: bytes, size: int, *, parsed: bool) -> Any:
    """Return the rows of a sheet, or why it is refused; all *parsed*, or found by patterns where they fit."""
    texts = Texts()
    for text in ("zero", "one"):
        texts.add(text)
    package: Any = Part(content, size)
    survey = Survey(linked={99} if parsed else set())
    try:
        return list(SheetReader(texts, [Format(), Format("percent")], survey, since_1904=False).rows(package, "sheet"))
    except ImportFailed as error:
        return error.message


def written(rows: list[tuple[str, list[str], int]]) -> str:
    """Return rows as a sheet has them."""
    told, number = "", 0
    for begin, cells, step in rows:
        number += step
        begin = begin.format(n=number)
        told += begin if begin.endswith("/>") else f"{begin}{''.join(cells)}</row>"
    return told


@given(HEADS, st.lists(ROWS, max_size=6), st.sampled_from([TAIL, TAIL, "</sheetData>", ""]), st.sampled_from([7, 64, 10_000]),
       st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1"]))
def test_patterns_find_what_the_parser_finds(head: str, rows: list[tuple[str, list[str], int]], tail: str, size: int, encoding: str) -> None:
    """Or refuse the sheet as it does."""
    content = (head + written(rows) + tail).encode(encoding, "replace")
    assert rows_of(content, size, parsed=False) == rows_of(content, size, parsed=True)


def test_what_is_usual_is_found_by_patterns() -> None:
    """Otherwise nobody would gain anything."""
    rows, left = list[str](), list[bytes]()
    plain = PlainRows(left.append, lambda number, cells: rows.append(f"{number}: {len(cells)}"))
    one = ('<row r="{n}" spans="1:3" x14ac:dyDescent="0.25"><c r="A1" s="1" t="s"><v>5</v></c><c r="B1"><f>A1*2</f><v>1.5</v></c>'
           '<c r="C1" t="inlineStr"><is><t>a &amp; b</t></is></c></row>')
    for n in range(3):
        plain.take(((HEAD if n == 0 else "") + one.format(n=n + 1)).encode())
    plain.take(TAIL.encode())
    plain.close()
    assert rows == ["1: 3", "2: 3", "3: 3"]
    assert b"".join(left).decode() == HEAD + TAIL


@pytest.mark.parametrize("content", [
    HEAD + '<row r="1"><c r="A1" t="inlineStr"><is><t>' + "x" * (MOST_CHARS + 9) + "</t></is></c></row>" + TAIL,
    "<worksheet><cols>" + " " * (MOST_CHARS + 9) + "</cols><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>",
    HEAD + "<row>" + '<c r="A1"><v>1</v></c>' * 60_000 + "</row>" + TAIL])
def test_what_is_long_is_the_parsers(content: str) -> None:
    """Nothing waits for an end that may never come."""
    told = rows_of(content.encode(), 65_536, parsed=False)
    assert told == rows_of(content.encode(), 65_536, parsed=True)


def test_a_row_number_beyond_any_sheet_is_refused() -> None:
    """However it is found."""
    for parsed in (False, True):
        assert "more than 1048576 rows" in rows_of((HEAD + '<row r="99999999999"><c><v>1</v></c></row>' + TAIL).encode(), 99, parsed=parsed)
