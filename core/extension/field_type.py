"""FieldType: what a plugin adds to say how one type of field holds, checks and computes its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from core.archive.canonical import canonical
from core.base.errors import InvalidValue
from core.base.refs import files

LIKE_TYPES = ("text", "number", "date", "datetime", "time")
"""Types whose ways those of plugins may take over; see `FieldType.like`."""
Definition = Mapping[str, Any]
"""A field as it stands in a worksheet's body: key, type, name, required, unique, options."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One pointer out of a value.

    kind "record": `target` is (worksheet address, seq), the address as in the field's options
    ("worksheet/w_…", or "app/a_…/worksheet/w_…" for another app of the organization);
    kind "file": the content's SHA-256; kind "org": an address such as "department/d_…";
    kind "choice": the choice's key within the field's choices or option set.
    """

    kind: str
    target: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A record as computations see it. Times are integer microseconds since 1970, UTC."""

    seq: int
    vals: Mapping[str, Any]
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str


class Source(Protocol):
    """Where a computation finds what it needs beyond its own record; answers are for one consistent moment."""

    def worksheet(self, address: str) -> Mapping[str, Any] | None:
        """Return the body of a live worksheet, or None."""

    def records(self, address: str, seqs: Iterable[int]) -> Mapping[int, RecordView]:
        """Return those of the records that exist and are not deleted."""

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        """Return, for each seq pointed to, the live records of worksheet *address* whose *field* points to it."""

    def choices(self, definition: Definition) -> Mapping[str, str]:
        """Return key -> name of a select field's choices, its own or its option set's."""

    def now(self) -> int:
        """Return the moment that the answers are for, in microseconds since 1970, UTC."""

    def compute(self, address: str, field: str, record: RecordView) -> Any:
        """Return the value of any field of a record, derived ones computed (each once)."""


class FieldType:
    """The rules of one type of field. Instances are stateless; one serves all fields of the type.

    `stored`: has a value in `vals`. `derived`: computed on reading, never stored. Neither: a layout item.
    `points`: its values can hold references, of which files are some where `holds_files`.
    `options`: JSON Schema (2020-12) of the definition's "options".
    """

    name: ClassVar[str]
    title: ClassVar[str]
    like: ClassVar[str] = ""
    """"text", "number", "date", "datetime" or "time" where values have the form of that type's: they are entered, filtered, sorted,
    indexed and calculated with as those are."""
    stored: ClassVar[bool] = True
    derived: ClassVar[bool] = False
    writable: ClassVar[bool] = True
    points: ClassVar[bool] = False
    holds_files: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Any]] = {"type": "object", "additionalProperties": False}

    def stored_for(self, definition: Definition) -> bool:
        """Return whether records hold values of this very field."""
        return self.stored

    def derived_for(self, definition: Definition) -> bool:
        """Return whether values of this very field are computed on reading."""
        return self.derived

    def check_definition(self, definition: Definition) -> None:
        """Refuse a definition that follows the schema but makes no sense (an unknown function, …).

        Raises:
            InvalidDocument: with the field's name and what is wrong.
        """

    def check_new(self, definition: Definition) -> None:
        """Refuse a definition that nobody may make by hand, although one that stands may stay and a restore may bring it back.

        Raises:
            InvalidDocument: with the field's name and what is wrong.
        """

    def canonical(self, value: Any, definition: Definition) -> Any:
        """Return *value* in the one form in which it is stored; None when it is empty.

        A value in canonical form comes back equal, so this also checks what a backup file brings.

        Raises:
            InvalidValue: the value does not fit the field.
        """
        raise InvalidValue(f"The field “{definition.get('name')}” holds no value.")

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        """Yield every pointer in a canonical value."""
        return ()

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        """Return the canonical value without the pointers in *gone*; None when nothing is left."""
        return None

    def shape(self, definition: Definition) -> dict[str, Any]:
        """Return what `canonical` and `references` need of the definition: {"type": …, "options": {…}}.

        It travels with the records of a backup, so it leaves out what does not change a value's meaning.
        """
        return {"type": self.name, "options": dict(definition.get("options", {}))}

    def compute(self, definition: Definition, record: RecordView, address: str, source: Source) -> Any:
        """Return a derived field's value for one record of worksheet *address*: JSON, or None."""
        return None

    def text(self, value: Any, definition: Definition, source: Source | None = None) -> str:
        """Return a value as people read it, on one line."""
        return "" if value is None else str(value)


class AbsentFieldType(FieldType):
    """A type of field that no plugin here brings (any more): its values are kept word for word, and shown as they are stored."""

    writable, points, holds_files = False, True, True
    options: ClassVar[Mapping[str, Any]] = {"type": "object"}

    def canonical(self, value: Any, definition: Definition) -> Any:
        try:
            canonical(value)
        except ValueError as error:
            raise InvalidValue(f"it is no JSON: {error}") from error
        return value

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        return (Reference("file", digest) for digest in files(value))

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        return value

    def text(self, value: Any, definition: Definition, source: Source | None = None) -> str:
        if value is None:
            return ""
        return value if isinstance(value, str) else canonical(value).decode()


@lru_cache(maxsize=256)
def absent_field_type(name: str) -> FieldType:
    """Return what stands for a type of field that is not here."""
    made: type[AbsentFieldType] = type("Absent", (AbsentFieldType,), {"name": name, "title": f"Unknown type “{name[:40]}”"})
    return made()
