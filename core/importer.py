"""Importer: what a plugin adds to bring an app of another program in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

from core.fieldtype import Definition


class ImportContext(Protocol):
    """What the core gives to an importer."""

    app_name: str | None
    """The name asked for, or None: the importer's file says it."""

    stem: str
    """What its sender calls the file, without the ending: for what the file itself gives no name."""

    person: str
    """The id of who imports ("u_…" or "system")."""

    def put_file(self, stream: BinaryIO, name: str, media_type: str | None = None) -> dict[str, Any]:
        """Store a file and return the value that stands for it: {"file", "name", "size", "type"}."""

    def check_field(self, definition: Definition) -> None:
        """Refuse a field definition that its field type does not accept (InvalidDocument)."""

    def unsupported(self, what: str, name: str, reason: str) -> None:
        """Note something of the source that has no counterpart: a kind of thing, its name, one sentence."""


class Importer:
    """Turns one file into scripted edits, the same that ``appkeep apply`` takes; never writes by itself.

    All edits of one import are applied in one transaction to a new, empty app.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def recognizes(self, path: Path) -> bool:
        """Say cheaply whether *path* looks like this importer's format."""
        return False

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        """Yield the edits in order.

        {"op": "put", "document": "page/p_…", "body": {…}, "position": n} puts a document;
        {"op": "put_records", "worksheet": "w_…", "records": [{"seq": 1, "values": {…}, "created_at": µs,
        "updated_at": µs, "created_by": id, "updated_by": id}, …]} puts records (times and people optional), some
        hundred at a time.

        Raises:
            ImportFailed: the file is not what it claims to be; the message says what and where.
        """
        raise NotImplementedError
