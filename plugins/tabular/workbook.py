"""XlsxImporter: Excel workbooks, one worksheet for each sheet that holds something, read as a stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.api import Corrections, ImportFailed
from plugins.tabular.formats import BUILT_IN, Format, format_of
from plugins.tabular.grid import table_of
from plugins.tabular.importer import TabularImporter
from plugins.tabular.shared_strings import Texts, plain_text
from plugins.tabular.sheet import SheetReader, Survey, survey_of
from plugins.tabular.table import Column, Row, Table, Tell
from plugins.tabular.workbook_package import WORKBOOK, Package, _nothing, is_workbook, opened_package

MAX_STYLES = 100_000


class XlsxImporter(TabularImporter):
    """Values as they were last calculated; sheets in their order, hidden ones too."""

    name, title = "xlsx", "Excel workbook"
    suffixes, makes = (".xlsx",), "A worksheet for each sheet"

    def recognizes(self, path: Path) -> bool:
        return is_workbook(path)

    def missing(self, path: Path) -> str:
        return f"An Excel workbook is a zip that holds {WORKBOOK}, and this file does not. Save it in Excel as .xlsx again."

    @contextmanager
    def opened(self, path: Path, stem: str, tell: Tell, wanted: Corrections) -> Iterator[list[Table]]:
        with opened_package(path) as package, Texts() as texts:
            package.note(tell)
            yield _tables(_read(package, texts), tell, wanted)


@dataclass
class Book:
    """A workbook: its sheets as (name, part, whether hidden), its texts, and what its styles say of numbers."""

    package: Package
    texts: Texts
    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    formats: list[Format] = field(default_factory=list)
    since_1904: bool = False


def _read(package: Package, texts: Texts) -> Book:
    """Read all of a workbook but its sheets; parts that are missing or of no use are passed over.

    Raises:
        ImportFailed: what is needed is not sound.
    """
    book = Book(package, texts)
    relations = package.relations(WORKBOOK)

    def start(tag: str, given: dict[str, str]) -> None:
        if tag == "workbookPr":
            book.since_1904 = given.get("date1904", "") in ("1", "true")
        elif tag == "sheet":
            relation = next((value for name, value in given.items() if name.rpartition(":")[2] == "id"), "")
            kind, target = relations.get(relation, ("", ""))
            if not kind or (kind == "worksheet" and target not in package.parts):
                raise ImportFailed(f"{package.path.name}: the workbook cannot be read: its sheet {given.get('name', '')[:60]} is "
                                   "missing.")
            if kind == "worksheet":
                book.sheets.append((given.get("name", "") or "Sheet", target, given.get("state", "visible") != "visible"))

    for _ in package.parse(WORKBOOK, start, _nothing, _nothing):
        pass
    for kind, target in relations.values():
        if kind == "sharedStrings" and target in package.parts:
            texts.read(package, target)
        elif kind == "styles" and target in package.parts:
            book.formats = _formats(package, target)
    return book


def _formats(package: Package, part: str) -> list[Format]:
    """Return what the styles of cells say of numbers, by their places; looks do not matter."""
    codes: dict[str, str] = {}
    found: list[str] = []
    inside: list[str] = []

    def start(tag: str, given: dict[str, str]) -> None:
        inside.append(tag)
        if tag == "numFmt" and len(codes) < MAX_STYLES:
            codes[given.get("numFmtId", "")] = plain_text(given.get("formatCode", ""))
        elif tag == "xf" and "cellXfs" in inside and len(found) < MAX_STYLES:
            found.append(given.get("numFmtId", "0"))

    def end(tag: str) -> None:
        inside.pop()

    for _ in package.parse(part, start, end, _nothing):
        pass
    known: dict[str, Format] = {}
    for number in found:
        if number not in known:
            known[number] = format_of(codes.get(number) or BUILT_IN.get(int(number) if number.isdigit() else 0, ""))
    return [known[number] for number in found]


def _tables(book: Book, tell: Tell, wanted: Corrections) -> list[Table]:
    tables = []
    for title, part, hidden in book.sheets:
        survey = survey_of(book.package, part)
        table = table_of(title, partial(_rows, book, title, part, survey), tell, wanted.header_of(title))
        if table is None:
            tell("sheet", title, "it is empty and left out")
            continue
        if hidden:
            tell("sheet", title, "it was hidden; here it is not")
        _note(book.package.path.name, survey, tell)
        tables.append(_linked(table, survey) if survey.linked else table)
    if not tables:
        raise ImportFailed(f"{book.package.path.name} has no sheet with values.")
    return tables


def _rows(book: Book, title: str, part: str, survey: Survey) -> Iterator[Row]:
    try:
        yield from SheetReader(book.texts, book.formats, survey, since_1904=book.since_1904).rows(book.package, part)
    except ImportFailed as error:
        raise ImportFailed(f"{book.package.path.name}: the sheet “{title[:60]}” cannot be read: "
                           f"{error.message.removeprefix(f'{book.package.path.name}: ')}") from error


def _note(name: str, survey: Survey, tell: Tell) -> None:
    counts = survey.counts
    if counts["formula"]:
        tell("formulas", name, f"{counts['formula']} formulas came as their values")
    if counts["unknown"]:
        tell("formulas", name, f"{counts['unknown']} formulas had no value in the file and are empty; "
                               "open and save it in a spreadsheet program to give them one")
    if counts["merged"]:
        tell("merged cells", name, f"{counts['merged']} merged areas have their value in the first cell only")


def _linked(table: Table, survey: Survey) -> Table:
    """Return a table with a further column for each in which cells are links to other places than they say."""
    places = sorted(place for place in survey.linked if place < len(table.columns))
    width, rows = len(table.columns), table.rows
    if not places:
        return table

    def with_links() -> Iterator[Row]:
        for row in rows():
            links = getattr(row, "links", None) or defaultdict(str)
            full = [*row[:width], *[None] * (width - len(row))]
            yield [*full, *(links.get(place) if links.get(place) != full[place] else None for place in places), *row[width:]]

    table.columns += [Column(f"{table.columns[place].name} (link)", named=False) for place in places]
    table.rows = with_links
    return table
