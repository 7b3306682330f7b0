"""A record as one line of a backup: {"at":[created,updated],"by":[…],"seq":n,"vals":{…}}, canonical JSON.

`vals` is copied as bytes, never parsed and written again: it was made canonical when it was stored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import lt
from typing import Annotated

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
LineColumns = tuple[str, str, str, str, str, str]
"""What a line says, each as text: created_at, updated_at, created_by, updated_by, seq, vals."""
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


def columns_of(n: int, raw: bytes) -> Sequence[LineColumns] | None:
    """Return the lines of segment *n*, whose digest was proven, without parsing them; None where one has to be looked at.

    A thing of Python for each record is what loading millions of them cannot afford.
    """
    try:
        found: list[LineColumns] = _COLUMNS.findall(raw.decode())
    except UnicodeDecodeError:
        return None
    if not found or len(found) != raw.count(b"\n") or int(found[-1][4]) > MAX_SEQ:
        return None
    numbers = [int(line[4]) for line in found]
    ascending = all(map(lt, numbers, numbers[1:]))
    return found if ascending and numbers[0] // SEGMENT_RECORDS == n == numbers[-1] // SEGMENT_RECORDS else None


def line_bytes(line: Line) -> bytes:
    """Return a line as it stands in a segment, with its newline."""
    (created, updated), (maker, editor) = line.at, line.by
    head = f'{{"at":[{created},{updated}],"by":["{maker}","{editor}"],"seq":{line.seq},"vals":'
    return head.encode() + bytes(line.vals) + b"}\n"
