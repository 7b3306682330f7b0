"""Staging: the edits of an import as lines of a file, between reading another program's file and writing to the database."""

from __future__ import annotations

import datetime as dt
import json
import mimetypes
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from core.archive.manifest import Descriptor
from core.base.errors import PluginFailed
from core.base.text import straight
from core.objects.writer import ObjectWriter
from core.server import server

Edit = Mapping[str, Any]
MAX_NAME_CHARS = 255
MAX_OUTLINED = 500
_PLAIN = frozenset((str, int, bool, type(None)))
"""What is written alike, and as it is, by the quick way and the other."""


def line_of(edit: Edit) -> bytes:
    """Return an edit as a line of JSON."""
    columns = edit.get("columns")
    if type(columns) is dict and all(_PLAIN.issuperset(map(type, column)) for column in columns.values()):
        with suppress(UnicodeEncodeError, OverflowError):
            return msgspec.json.encode(edit) + b"\n"
    return json.dumps(edit, default=_text).encode() + b"\n"


def _text(value: object) -> str:
    """Return a moment or number of Python as the text that fields read it from."""
    if isinstance(value, dt.date | dt.time):  # a datetime is a date as well
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise PluginFailed(f"An importer gave a value that is no JSON: {type(value).__name__}.")


def staged(lines: Iterable[bytes]) -> Iterator[Edit]:
    """Yield the edits of lines."""
    for line in lines:
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):  # what an importer may write and no field takes, to be told by whom looks at it
            yield json.loads(line)


@dataclass
class Tally:
    """Counts the edits of an import as they pass, and keeps what documents they make and of which parts."""

    counts: Counter[str] = field(default_factory=Counter)
    outline: dict[str, dict[str, Any]] = field(default_factory=dict)

    def counted(self, operations: Iterator[Edit]) -> Iterator[tuple[Edit, int]]:
        """Yield the edits as they are, each with the number of its records."""
        for operation in operations:
            records = 0
            if operation.get("op") == "put":
                self.counts["documents"] += 1
                self._outline(operation)
            if operation.get("op") == "put_records":
                records = self._count_records(operation)
            yield operation, records

    def _count_records(self, operation: Edit) -> int:
        count = operation.get("count", 0) if "columns" in operation else len(operation.get("records", ()))
        self.counts["records"] += count
        listed = self.outline.get(f"worksheet/{operation.get('worksheet')}")
        if listed is not None:
            listed["records"] = listed.get("records", 0) + count
        return count

    def _outline(self, operation: Edit) -> None:
        address, body = operation.get("document"), operation.get("body")
        if isinstance(address, str) and isinstance(body, Mapping) and (len(self.outline) < MAX_OUTLINED or address in self.outline):
            _, kind = server().registry.kinds.get(address.partition("/")[0], (None, None))
            parts = {} if kind is None else {part: _parts(body.get(listed)) for part, listed in kind.parts.items()}
            self.outline[address] = {"document": address, "name": body.get("name"), "parts": parts}


def _parts(listed: Any) -> list[dict[str, Any]]:
    """Return key, name and type of the parts of a document, as far as each has them."""
    parts = listed if isinstance(listed, list) else []
    return [{what: part[what] for what in ("key", "name", "type") if what in part} for part in parts if isinstance(part, Mapping)]


def file_value(content: str, size: int, name: str, media_type: str | None) -> dict[str, Any]:
    """Return the value that stands for a stored file."""
    kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    safe = "".join("_" if ord(char) < 32 or char in "/\\\x7f" else char for char in straight(name))[:MAX_NAME_CHARS]
    return {"file": content, "name": safe or "file", "size": size, "type": kind}


class DryRunWriter(ObjectWriter):
    """Takes files as an `ObjectWriter` does and stores nothing: for a dry run."""

    def _put_compressed(self, content: str, raw: BinaryIO, size: int) -> None:
        self.added[content] = Descriptor(content=content, raw=size, stored=content, size=size, crc32=0)
