"""What a restore or an undo does to a component's data, in the one form that the core shows, compares and agrees to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OUTCOMES = ("brought_back", "overwritten", "binned", "new_since")
"""What can happen to a record in a restore, as far as the records it happens to are listed; see `CollectionReport`."""
NameOf = Callable[[str], str]
"""Gives the name that people know for a key ("w_…"), as far as anybody knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionReport:
    """What happens to one collection of records, the records of a worksheet. `key` is the collection's, counts are of records.

    `brought_back` are those that were gone, `overwritten` those that differ, `new_since` those that the backup does not have and that
    stay, `binned` those of them that go to the recycle bin.
    """

    key: str
    name: str
    brought_back: int = 0
    overwritten: int = 0
    unchanged: int = 0
    new_since: int = 0
    binned: int = 0

    @property
    def written(self) -> int:
        """How many records are written."""
        return self.brought_back + self.overwritten + self.binned

    @property
    def touched(self) -> bool:
        """Whether the collection is not as the backup has it."""
        return bool(self.written or self.new_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPair:
    """One record on two sides: its values by field on each, None where it is not there. `number` is the record's."""

    number: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTold:
    """A value that differs, for people: what the field is called, and the texts before and after; None is no value."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTold:
    """One record on two sides, for people: its number, what it is called, and its values that differ."""

    number: int
    title: str
    values: Sequence[ValueTold]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostReference:
    """A reference of one record that cannot be as the backup has it, and why. `field` is a key, `target` an address."""

    collection: str
    record: int
    field: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """The report of one component. Lists may be cut short; their counts say how many there are.

    `noun` is what people call a collection ("Worksheet"). `kept` and `remarks` are sentences: what an undo left as it is because
    somebody changed it since, and what else people should know. `unlike` is how many values are not what the backup has, for a
    reason that the report gives: where there are any, another state after a restore is no sign of damage.
    """

    noun: str = "Collection"
    collections: Sequence[CollectionReport] = ()
    references: Sequence[LostReference] = ()
    references_count: int = 0
    kept: Sequence[str] = ()
    kept_count: int = 0
    remarks: Sequence[str] = ()
    unlike: int = 0
