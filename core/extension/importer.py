"""Importer: what a plugin adds to bring an app of another program in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

from core.extension.field_type import Definition

PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "Zstandard"),
          (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "RAR"), (b"\x04\x22\x4d\x18", "LZ4"))


def packed_kind(head: bytes) -> str:
    """Return which kind of compressed file begins so, empty for one that is not compressed (or a zip)."""
    return next((kind for magic, kind in PACKED if head.startswith(magic)), "")


@dataclass(frozen=True)
class Corrections:
    """What somebody says of a file where an importer would guess. A column is named "Column", or "Table: Column".

    `header` is the number of the row that names the columns, from 1, 0 for none; by table, "" for all. `types` are names
    of field types, or of readings that the importer offers; `names` are new names; the columns in `skip`, and the tables in
    `skip_tables`, are left out.
    """

    encoding: str = ""
    delimiter: str = ""
    header: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    skip_tables: tuple[str, ...] = ()

    def header_of(self, table: str) -> int | None:
        """Return the number of the row that names a table's columns, None where it is to be found."""
        return self.header.get(table, self.header.get(""))

    def type_of(self, table: str, column: str) -> str:
        """Return the type that a column shall have, empty where it is to be guessed."""
        return self.types.get(f"{table}: {column}", self.types.get(column, ""))

    def name_of(self, table: str, column: str) -> str:
        """Return what a column shall be called."""
        return self.names.get(f"{table}: {column}", self.names.get(column, "")) or column

    def skips(self, table: str, column: str) -> bool:
        """Say whether a column shall be left out."""
        return column in self.skip or f"{table}: {column}" in self.skip

    def strange(self, known: set[str]) -> str:
        """Return a column that is named here and not among the known ones ("Column" and "Table: Column"), else nothing."""
        return next((one for one in (*self.types, *self.names, *self.skip) if one not in known), "")

    def as_dict(self) -> dict[str, object]:
        """Return what is not as by default, as JSON has it."""
        found = {"encoding": self.encoding, "delimiter": self.delimiter, "header": dict(self.header), "types": dict(self.types),
                 "names": dict(self.names), "skip": list(self.skip), "skip_tables": list(self.skip_tables)}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Corrections:
        """Return what `as_dict` gave."""
        return cls(**{**given, **{name: tuple(given.get(name, ())) for name in ("skip", "skip_tables")}})


NO_CORRECTIONS = Corrections()


class ImportContext(Protocol):
    """What the core gives to an importer."""

    app_name: str | None
    """The name asked for, or None: the importer's file says it."""

    stem: str
    """What its sender calls the file, without the ending: for what the file itself gives no name."""

    person: str
    """The id of who imports ("u_…" or "system")."""

    corrections: Corrections
    """What somebody says of the file where one would guess."""

    def show(self, guesses: Mapping[str, Any]) -> None:
        """Show how a table was read: {"table", "encoding", "delimiter", "header", "rows", "columns": [{"name", "field", "type",
        "samples"}], "readings": [[name, title], …], "left_out"}, each but "table" and "columns" only where it can be corrected."""

    def put_file(self, stream: BinaryIO, name: str, media_type: str | None = None) -> dict[str, Any]:
        """Store a file and return the value that stands for it: {"file", "name", "size", "type"}."""

    def check_field(self, definition: Definition) -> None:
        """Refuse a field definition that its field type does not accept (InvalidDocument)."""

    def unsupported(self, what: str, name: str, reason: str) -> None:
        """Note something of the source that has no counterpart: a kind of thing, its name, one sentence."""


class Importer:
    """Turns one file into scripted edits, the same that ``appkeep apply`` takes; never writes by itself.

    The edits of one import make a new app, which is there once all of them are in, or not at all. They are asked for in a process of
    their own with limits of memory and time, in which the database cannot be used; nothing that is kept there outlives it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    suffixes: ClassVar[Sequence[str]] = ()
    """How the names of its files end (".csv"); an importer with none is not offered where people choose a file."""
    makes: ClassVar[str] = ""
    """What becomes of a file, as people say it: "A worksheet for each sheet"."""
    hint: ClassVar[str] = ""
    """What to know when one chooses files, as a sentence: which belong together."""

    @property
    def described(self) -> str:
        """Its title with the endings of its files."""
        return f"{self.title} ({', '.join(self.suffixes)})"

    def recognizes(self, path: Path) -> bool | float:
        """Say cheaply whether *path* looks like this importer's format, or how surely, from 0 (no) to 1: the surest one reads it.

        True is 0.5: "its name ends so, and it begins so". Of equally sure ones Appkeep's own come first, then the names' order.
        """
        return False

    def missing(self, path: Path) -> str:
        """Return in sentences what was looked for in a file that ends as this importer's do, and what to do; empty by default.

        It is asked for only where no importer recognizes the file, and shown to whoever chose it.
        """
        return ""

    def operations(self, path: Path, context: ImportContext) -> Iterator[Mapping[str, Any]]:
        """Yield the edits in order.

        {"op": "put", "document": "page/p_…", "body": {…}, "position": n} puts a document;
        {"op": "put_records", "worksheet": "w_…", "records": [{"seq": 1, "values": {…}, "created_at": µs,
        "updated_at": µs, "created_by": id, "updated_by": id}, …]} puts records (times and people optional), some
        hundred at a time. Many that are made now by who imports come in faster by field: {"op": "put_records", "worksheet":
        "w_…", "first": 1, "count": n, "columns": {field: [value, …], …}}, with n values each, None where a record has none.

        Raises:
            ImportFailed: the file is not what it claims to be; the message says what and where.
        """
        raise NotImplementedError
