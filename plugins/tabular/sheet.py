"""Sheets of a workbook: what can be seen of one before it is read, and its rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.api import ImportFailed
from plugins.tabular.formats import Format, shaped
from plugins.tabular.plain_rows import Cells, PlainRows
from plugins.tabular.shared_strings import Texts, plain_text
from plugins.tabular.workbook_package import Package, Parser

MAX_ROWS = 1_048_576
"""What a sheet of Excel can have; one that says more is made to hurt."""
MAX_COLUMN = 16_384
MAX_LINKS = 100_000
MAX_CELL_CHARS = 1_000_000
OVERLAP_BYTES = 1024
PLAIN = Format()
_FOUND = re.compile(rb"<(?:\w+:)?f[ >/]|<(?:\w+:)?mergeCell |<(?:\w+:)?hyperlink\s[^>]{0,900}>|"
                    rb"r=\"([A-Z]{1,3})[0-9]+\"[^>]{0,100}>\s*<(?:\w+:)?f[^>]{0,100}>\s*HYPERLINK\(|"
                    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f/>|<(?:\w+:)?f [^>]{0,200}/>)\s*"
                    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
_MARKS = (b"<f", b"/f>", b":f", b"mergeCell", b"hyperlink")
"""What is found has one of these in it; looking for them is quicker."""
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*[\"']([^\"']*)[\"']")
_HYPERLINK = re.compile(r"\s*HYPERLINK\(\s*\"((?:[^\"]|\"\")*)\"", re.IGNORECASE)


@dataclass
class Survey:
    """What is known of a sheet beforehand: how many formulas and merged areas, and its links by cell ("B2")."""

    counts: Counter[str] = field(default_factory=Counter)
    links: dict[str, str] = field(default_factory=dict)
    linked: set[int] = field(default_factory=set)
    """Places of the columns that have links."""


def survey_of(package: Package, part: str) -> Survey:
    """Look through a sheet without parsing it."""
    survey, relations, before = Survey(), package.relations(part), b""
    for chunk in package.chunks(part):
        whole = before + chunk
        edge = max(len(whole) - OVERLAP_BYTES, 0)  # what begins later may go on in the next chunk
        _see(survey, whole, edge, relations)
        before = whole[edge:]
    _see(survey, before, len(before), relations)
    return survey


def _see(survey: Survey, content: bytes, edge: int, relations: Any) -> None:
    if not any(mark in content for mark in _MARKS):
        return
    for found in _FOUND.finditer(content):
        if found.start() >= edge:
            break
        text = found[0]
        if b"hyperlink" in text:
            _see_link(survey, text, relations)
        elif found[1]:
            survey.linked.add(column_of(found[1].decode()))
            survey.counts["formula"] += 1
        elif b"mergeCell" in text:
            survey.counts["merged"] += 1
        else:
            survey.counts["unknown" if text.endswith(b"c>") else "formula"] += 1


def _see_link(survey: Survey, tag: bytes, relations: Any) -> None:
    given = {name.decode().rpartition(":")[2]: value.decode("utf-8", "replace") for name, value in _ATTRIBUTE.findall(tag)}
    target = relations.get(given.get("id", ""), ("", ""))[1]
    location = given.get("location", "")
    address = f"{target}#{location}" if location else target
    for cell in _cells(given.get("ref", "")):
        if len(survey.links) < MAX_LINKS and address:
            survey.links[cell] = address.replace("&amp;", "&")
            survey.linked.add(column_of(cell.rstrip("0123456789")))


def _cells(ref: str) -> Iterator[str]:
    """Yield the cells of a reference, as far as they lie in one column."""
    first, _, last = ref.partition(":")
    column = first.rstrip("0123456789")
    start, end = first[len(column):], (last or first)[len(column):]
    if column and start.isdigit() and end.isdigit():
        yield from (f"{column}{number}" for number in range(int(start), min(int(end), int(start) + MAX_LINKS) + 1))


@lru_cache(MAX_COLUMN)
def column_of(letters: str) -> int:
    """Return the place of a column, A is 0.

    Raises:
        ImportFailed: there is none of that name.
    """
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    if not 0 < place <= MAX_COLUMN:
        raise ImportFailed(f"it has a cell in a column “{letters[:20]}”.")
    return place - 1


class LinkedRow(list[Any]):
    """A row of which some cells are links: their addresses by place."""

    links: dict[int, str]


class SheetReader:
    """Makes rows out of a sheet's XML as it comes; one instance reads one sheet once."""

    def __init__(self, texts: Texts, formats: Sequence[Format], survey: Survey, *, since_1904: bool) -> None:
        self.texts, self.formats, self.survey, self.since_1904 = texts, formats, survey, since_1904
        self.ready: list[list[Any]] = []
        self.row: list[Any] = []
        self.links: dict[int, str] = {}
        self.number = 0
        self.place = -1
        self.type = self.style = self.ref = ""
        self.taking: list[str] | None = None
        self.value: list[str] = []
        self.formula: list[str] = []
        self.pronounced = False

    def rows(self, package: Package, part: str) -> Iterator[list[Any]]:
        """Yield the rows, those that are missing between others too.

        Raises:
            ImportFailed: the sheet is damaged or too long.
        """
        parser = Parser(package, part, self._start, self._end, self._text)
        plain = PlainRows(parser.feed, self._plain_row)
        take = parser.feed if self.survey.linked else plain.take
        for chunk in package.chunks(part):
            take(chunk)
            yield from self.ready
            self.ready.clear()
        plain.close()
        parser.close()
        yield from self.ready

    def _plain_row(self, said: str, cells: Cells) -> None:
        self._start_row(said)
        row, place = self.row, -1
        for _, letters, style, kind, value, text in cells:
            place = column_of(letters) if letters else place + 1
            found = plain_text(text) if kind == "inlineStr" and text else self._value(value or text, kind, style)
            if place == len(row) and found is not None:
                row.append(found)
            elif found is not None:
                row.extend([None] * (place + 1 - len(row)))
                row[place] = found
        self.ready.append(row)

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "c":
            self._start_cell(given)
        elif tag == "row":
            self._start_row(given.get("r", ""))
        elif tag == "v" or (tag == "t" and not self.pronounced):
            self.taking = self.value
        elif tag == "f":
            self.taking = self.formula
        elif tag == "rPh":
            self.pronounced = True

    def _start_row(self, said: str) -> None:
        number = int(said) if said.isdigit() else self.number + 1
        if number > MAX_ROWS:
            raise ImportFailed(f"it has more than {MAX_ROWS} rows.")
        self.ready.extend([] for _ in range(number - self.number - 1))
        self.number, self.place = max(number, self.number + 1), -1
        self.row, self.links = [], {}

    def _start_cell(self, given: dict[str, str]) -> None:
        self.ref = given.get("r", "")
        letters = self.ref.rstrip("0123456789")
        self.place = column_of(letters) if letters else self.place + 1
        self.type, self.style = given.get("t", "n"), given.get("s", "0")
        self.value.clear()
        self.formula.clear()

    def _text(self, text: str) -> None:
        if self.taking is not None:
            self.taking.append(text)
            if len(text) > MAX_CELL_CHARS or (len(self.taking) > 1 and sum(map(len, self.taking)) > MAX_CELL_CHARS):
                raise ImportFailed(f"the cell {self.ref[:20]} has more than {MAX_CELL_CHARS} characters.")

    def _end(self, tag: str) -> None:
        if tag in ("v", "t", "f"):
            self.taking = None
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self.ready.append(self._linked() if self.links else self.row)
        elif tag == "rPh":
            self.pronounced = False

    def _end_cell(self) -> None:
        found = self._value("".join(self.value), self.type, self.style)
        if found is None:
            return
        self.row.extend([None] * (self.place + 1 - len(self.row)))
        self.row[self.place] = found
        if self.place in self.survey.linked:
            link = self.survey.links.get(self.ref) or _address("".join(self.formula))
            if link:
                self.links[self.place] = link

    def _linked(self) -> LinkedRow:
        row = LinkedRow(self.row)
        row.links = self.links
        return row

    def _value(self, text: str, kind: str, style: str) -> Any:
        if not text:
            return None
        if kind == "s":
            return self.texts[int(text)] if text.isdigit() else None
        if kind in ("str", "inlineStr"):
            return plain_text(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "e":
            return text
        if kind == "d":
            return _iso(text)
        return self._number(text.strip(), int(style) if style.isdigit() else 0)

    def _number(self, text: str, style: int) -> Any:
        try:
            return shaped(text, self.formats[style] if style < len(self.formats) else PLAIN, since_1904=self.since_1904)
        except (ValueError, OverflowError):
            return text


def _iso(text: str) -> Any:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return text


def _address(formula: str) -> str:
    found = _HYPERLINK.match(formula)
    return found[1].replace('""', '"') if found else ""
