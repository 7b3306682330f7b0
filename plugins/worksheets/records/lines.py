"""A record as one line of a backup: {"at":[created,updated],"by":[…],"seq":n,"vals":{…}}, canonical JSON.

`vals` is copied as bytes, never parsed and written again: it was made canonical when it was stored.
"""

from __future__ import annotations

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


def read_lines(raw: bytes) -> list[Line]:
    """Return the lines of a segment whose digest was proven; a store may hold what another version wrote.

    Raises:
        InvalidInput: a line has another form, or a number that no record has.
    """
    try:
        return _decoder.decode_lines(raw)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"A record of the backup cannot be read: {error}. Record numbers go from 1 to {MAX_SEQ}.") from error


def line_bytes(line: Line) -> bytes:
    """Return a line as it stands in a segment, with its newline."""
    (created, updated), (maker, editor) = line.at, line.by
    head = f'{{"at":[{created},{updated}],"by":["{maker}","{editor}"],"seq":{line.seq},"vals":'
    return head.encode() + bytes(line.vals) + b"}\n"
