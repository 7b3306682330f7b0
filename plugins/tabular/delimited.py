"""CsvImporter: text files with one row a line and a delimiter between cells."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from core.api import Corrections, ImportFailed, packed_kind
from plugins.tabular.decoding import Encoding, encoding_of, lines
from plugins.tabular.dialect import NAMED, SAMPLE_CHARS, Dialect, cells_of, dialect_of, said_delimiter
from plugins.tabular.encodings import LABELS
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
    suffixes, makes = (".csv", ".tsv", ".txt"), "One worksheet; field types are detected"

    def recognizes(self, path: Path) -> bool:
        """By its suffix, or text in which rows of one length show (notes in a .txt are none)."""
        try:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
        except OSError:
            return False
        if head.startswith(OTHERS[:3]) or packed_kind(head):
            return False
        if path.suffix.lower() in SUFFIXES:
            return True
        return path.suffix.lower() != ".json" and not head.lstrip().startswith(OTHERS) and _looks_delimited(head)

    @contextmanager
    def opened(self, path: Path, stem: str, tell: Tell, wanted: Corrections) -> Iterator[list[Table]]:
        encoding = encoding_of(path, wanted.encoding)
        file = Delimited(path, encoding, wanted.delimiter)
        table = table_of(stem, file.rows, tell, wanted.header_of(stem))
        if table is None:
            raise ImportFailed(f"{path.name} holds no rows.")
        table.commas = file.dialect.delimiter == ","
        table.written = {"encoding": encoding.name, "delimiter": file.dialect.delimiter}
        if not wanted.encoding and encoding.name in LABELS:
            tell("file", path.name, f"it is not UTF-8 and was read as {LABELS[encoding.name]}; look at letters with accents, "
                                    "and say another encoding where they are wrong")
        if file.dialect.backslash:
            tell("file", path.name, "a backslash before a quotation mark makes it part of the cell, as MySQL and PHP write it")
        yield [table]
        file.note(tell)


@dataclass
class Delimited:
    """A delimited file: how it is written, found from its beginning."""

    path: Path
    encoding: Encoding
    said: str = ""
    dialect: Dialect = field(init=False)
    skipped: int = field(init=False)
    """How many lines at the beginning are no rows."""
    has_nul: bool = False
    stray: int = 0
    stray_line: int = 0

    def __post_init__(self) -> None:
        sample = _sample(self._lines())
        said = said_delimiter(sample[0]) if sample else None
        self.skipped = int(said is not None)
        self.dialect = dialect_of(sample[self.skipped:], delimiter_named(self.said) or said)

    def note(self, tell: Tell) -> None:
        """Tell what was otherwise than it should be, as far as the file has been read."""
        if self.has_nul:
            tell("character", self.path.name, "the character U+0000 was taken out of its cells")
        if self.stray:
            tell("quotation marks", self.path.name, f"{self.stray} rows have a quotation mark amid a cell in quotation marks, the first "
                                                    f"in line {self.stray_line}; they are kept as they stand")
        if self.encoding.odd_lines:
            more = " and more" if self.encoding.odd_count > len(self.encoding.odd_lines) else ""
            tell("character", self.path.name, f"it is UTF-8, but not in line {', '.join(map(str, self.encoding.odd_lines))}{more}; bytes "
                                              "there were read as Windows-1252")

    def rows(self) -> Iterator[Row]:
        """Yield the rows from the first to the last, blank ones too.

        Raises:
            ImportFailed: a cell is too long, or a quotation mark is never closed.
        """
        self.stray = 0
        source = _Remembering(self._ended())
        while (yield from self._sound(source)):
            self.stray, self.stray_line = self.stray + 1, self.stray_line if self.stray else source.number + self.skipped
            yield cells_of("".join(source.taken), self.dialect)
            source.taken.clear()

    def _sound(self, source: _Remembering) -> Generator[Row, None, bool]:
        """Yield rows as long as they are sound; return whether one that is not is waiting in *source*."""
        reader = csv.reader(source, delimiter=self.dialect.delimiter, skipinitialspace=self.dialect.spaced, strict=True)
        start = source.number
        try:
            for row in reader:
                if row == [END]:
                    return False
                start, where = source.number, start
                source.taken.clear()
                if row and END in row[-1]:
                    raise ImportFailed(f"{self.path.name}: a quotation mark after line {where + self.skipped} is never closed.")
                yield row
        except csv.Error as error:
            if "expected after" in str(error) and END not in source.taken:
                return True
            if END in source.taken:
                raise ImportFailed(f"{self.path.name}: a quotation mark after line {start + self.skipped} is never closed.") from error
            raise ImportFailed(f"{self.path.name}, line {source.number + self.skipped}: {_reason(error)}") from error
        return False

    def _ended(self) -> Iterator[str]:
        yield from map(self.dialect.plain, islice(self._lines(), self.skipped, None))
        yield END

    def _lines(self) -> Iterator[str]:
        for line in lines(self.path, self.encoding):
            if "\0" in line:
                self.has_nul = True
                line = line.replace("\0", "")
            yield line


class _Remembering:
    """Lines, of which those that were taken last are remembered until somebody clears them."""

    def __init__(self, found: Iterator[str]) -> None:
        self.found, self.taken, self.number = found, list[str](), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.found)
        self.taken.append(line)
        self.number += line != END
        return line


def delimiter_named(said: str) -> str | None:
    """Return the delimiter that somebody asks for, None where nobody does.

    Raises:
        ImportFailed: it is more than one character.
    """
    found = NAMED.get(said.lower(), said)
    if len(found) > 1 or found in ('"', "\r", "\n", "\0"):
        raise ImportFailed(f"“{said[:20]}” is not a delimiter. Use one character, such as , or ; or tab.")
    return found or None


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
    widths = {len(row) for row in csv.reader(found, delimiter=dialect_of(found).delimiter) if row}
    return len(widths) == 1 and widths.pop() > 1
