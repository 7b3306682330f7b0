"""CsvImporter: text files with one row a line and a delimiter between cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from core.api import ImportFailed
from plugins.tabular.characters import FALLBACK, encoding_of, lines
from plugins.tabular.dialect import SAMPLE_CHARS, delimiter_of, said_delimiter
from plugins.tabular.grid import table_of
from plugins.tabular.importer import TabularImporter
from plugins.tabular.table import Row, Table, Tell

SUFFIXES = (".csv", ".tsv", ".tab")
OTHERS = (b"SQLite format 3\0", b"PK\x03\x04", b"%PDF", b"{", b"[", b"<")
HEAD_BYTES = 8192
END = "\0"
"""A line of its own after the last one; U+0000 is taken out of what is read, so that no cell can hold it."""


class CsvImporter(TabularImporter):
    """One file is one worksheet."""

    name, title = "csv", "CSV or other delimited text"

    def recognizes(self, path: Path) -> bool:
        """See `Importer.recognizes`: by its suffix, or text in which rows of one length show (notes in a .txt are none)."""
        try:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
        except OSError:
            return False
        if head.startswith(OTHERS[:3]):
            return False
        if path.suffix.lower() in SUFFIXES:
            return True
        return path.suffix.lower() != ".json" and not head.lstrip().startswith(OTHERS) and _looks_delimited(head)

    @contextmanager
    def opened(self, path: Path, stem: str, tell: Tell) -> Iterator[list[Table]]:
        """See `TabularImporter.opened`."""
        encoding = encoding_of(path)
        file = Delimited(path, encoding)
        table = table_of(stem, file.rows)
        if table is None:
            raise ImportFailed(f"{path.name} holds no rows.")
        if encoding == FALLBACK:
            tell("file", path.name, "it is not UTF-8 and was read as Windows-1252; look at letters with accents")
        yield [table]
        if file.has_nul:
            tell("character", path.name, "the character U+0000 was taken out of its cells")


@dataclass
class Delimited:
    """A delimited file: how it is written, found from its beginning."""

    path: Path
    encoding: str
    delimiter: str = field(init=False)
    skipped: int = field(init=False)
    """How many lines at the beginning are no rows."""
    has_nul: bool = False

    def __post_init__(self) -> None:
        sample = _sample(self._lines())
        said = said_delimiter(sample[0]) if sample else None
        self.skipped = int(said is not None)
        self.delimiter = said or delimiter_of(sample)

    def rows(self) -> Iterator[Row]:
        """Yield the rows from the first to the last.

        Raises:
            ImportFailed: a cell is too long, or a quotation mark is never closed.
        """
        reader = csv.reader(self._ended(), delimiter=self.delimiter)
        row: list[str] = []
        start = 0
        try:
            for row in reader:
                if row == [END]:
                    return
                start, where = reader.line_num, start
                if row and END in row[-1]:
                    raise ImportFailed(f"{self.path.name}: a quotation mark after line {where + self.skipped} is never closed.")
                yield row
        except csv.Error as error:
            raise ImportFailed(f"{self.path.name}, line {reader.line_num + self.skipped}: {_reason(error)}") from error

    def _ended(self) -> Iterator[str]:
        yield from islice(self._lines(), self.skipped, None)
        yield END

    def _lines(self) -> Iterator[str]:
        for line in lines(self.path, self.encoding):
            if "\0" in line:
                self.has_nul = True
                line = line.replace("\0", "")
            yield line


def _sample(found: Iterator[str]) -> list[str]:
    """Return the first lines; the last of them is left out where it may be in the middle of a row."""
    sample: list[str] = []
    size = 0
    for line in found:
        sample.append(line)
        size += len(line)
        if size > SAMPLE_CHARS:
            return sample[:-1] or sample
    return sample


def _reason(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell has more than {csv.field_size_limit()} characters; maybe a quotation mark is never closed."
    return f"{error}."


def _looks_delimited(head: bytes) -> bool:
    try:
        text = head.decode() if len(head) < HEAD_BYTES else head[:head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return False
    found = text.splitlines(keepends=True)
    if len(found) < 2 or any(ord(char) < 32 and char not in "\r\n\t" for char in text):
        return False
    delimiter = delimiter_of(found)
    widths = {len(row) for row in csv.reader(found, delimiter=delimiter) if row}
    return len(widths) == 1 and widths.pop() > 1
