"""A record as one line of a backup: {"at":[created,updated],"by":[…],"seq":n,"vals":{…}}, canonical JSON.

`vals` is copied as bytes, never parsed and written again: it was made canonical when it was stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import lt
from typing import Annotated, NamedTuple

import msgspec

from core.api import InvalidInput

SEGMENT_RECORDS = 256
"""How many numbers a segment spans; a constant of the format."""
MAX_SEQ = 2**40
"""The highest number of a record: as many as nobody makes, and far below what numbers of JSON can be."""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A parsed line. `vals` are the bytes of the canonical object."""

    at: tuple[int, int]
    by: tuple[str, str]
    seq: Annotated[int, msgspec.Meta(ge=1, le=MAX_SEQ)]
    vals: msgspec.Raw


_decoder = msgspec.json.Decoder(Line)
_COLUMNS = re.compile(r'^\{"at":\[(\d{1,16}),(\d{1,16})\],"by":\["([^"\\\s]{0,16})","([^"\\\s]{0,16})"\],'
                      r'"seq":([1-9]\d{0,12}),"vals":(\{.*\})\}$', re.MULTILINE | re.ASCII)


def read_lines(raw: bytes) -> list[Line]:
    """Return the lines of a segment whose digest was proven; a store may hold what another version wrote.

    Raises:
        InvalidInput: a line has another form, or a number that no record has.
    """
    try:
        return _decoder.decode_lines(raw)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"A record of the backup cannot be read: {error}. Record numbers go from 1 to {MAX_SEQ}.") from error


class Columns(NamedTuple):
    """The lines of a segment, taken apart: in `parts` each has the six things that it says, after what stood before it, all as text.

    They are created_at, updated_at, created_by, updated_by, seq, vals. A thing of Python for each record is what loading millions of
    them cannot afford: what is asked of all lines is sliced out, or joined.
    """

    parts: list[str]
    numbers: list[int]
    """The numbers of the records."""
    is_ascii: bool

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield what each line says."""
        return zip(*map(self.column, range(_STRIDE - 1)), strict=True)

    def vals(self) -> list[str]:
        """Return the values of the records."""
        return self.column(5)

    def column(self, n: int) -> list[str]:
        """Return one of the six things that lines say, of all of them."""
        return self.parts[1 + n::_STRIDE]


_STRIDE = 7


def columns_of(n: int, raw: bytes) -> Columns | None:
    """Return the lines of segment *n*, whose digest was proven, without parsing them; None where one has to be looked at."""
    try:
        parts = _COLUMNS.split(raw.decode())
    except UnicodeDecodeError:
        return None
    if len(parts) == 1 or parts[0] or set(parts[_STRIDE::_STRIDE]) != {"\n"}:
        return None
    numbers = list(map(int, parts[5::_STRIDE]))
    if numbers[-1] > MAX_SEQ or numbers[0] // SEGMENT_RECORDS != n or numbers[-1] // SEGMENT_RECORDS != n:
        return None
    return Columns(parts, numbers, raw.isascii()) if all(map(lt, numbers, numbers[1:])) else None


def line_bytes(line: Line) -> bytes:
    """Return a line as it stands in a segment, with its newline."""
    (created, updated), (maker, editor) = line.at, line.by
    head = f'{{"at":[{created},{updated}],"by":["{maker}","{editor}"],"seq":{line.seq},"vals":'
    return head.encode() + bytes(line.vals) + b"}\n"
