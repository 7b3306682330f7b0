"""Staging: the edits of an import on disk, between reading another program's file and writing to the database.

Reading may take long and holds no lock; writing follows in one go, with the number of records known.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import IO, Any, BinaryIO

from core.archive.manifest import Descriptor
from core.errors import PluginFailed
from core.objects import ObjectWriter

Edit = Mapping[str, Any]


def stage(edits: Iterable[Edit], file: IO[bytes]) -> None:
    """Write edits to a file of this process's own, one a line."""
    for edit in edits:
        file.write(json.dumps(edit, default=_text).encode() + b"\n")


def _text(value: object) -> str:
    """Return a moment or number of Python as the text that fields read it from."""
    if isinstance(value, dt.date | dt.time):  # a datetime is a date as well
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise PluginFailed(f"An importer gave a value that is no JSON: {type(value).__name__}.")


def staged(file: IO[bytes]) -> Iterator[Edit]:
    """Yield the edits that were staged."""
    file.seek(0)
    for line in file:
        yield json.loads(line)


class Weighing(ObjectWriter):
    """Takes files as an `ObjectWriter` does and stores nothing: for a dry run."""

    def _put_compressed(self, content: str, raw: BinaryIO, size: int) -> None:
        self.added[content] = Descriptor(content=content, raw=size, stored=content, size=size, crc32=0)
