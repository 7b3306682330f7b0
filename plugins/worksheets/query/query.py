"""Ask, Sort, Scope, Page: what is asked of a worksheet's records, and what comes back. Values, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from core.api import App, RecordView
from plugins.worksheets.records import Row

Filter = Mapping[str, Any]
"""{"all": […]}, {"any": […]} or {"field", "operator", "value"?, "unit"?}, as in a view's body."""


class Sort(NamedTuple):
    """By which field records are sorted: its key, or "seq", "created_at", "updated_at". Empty values come last either way."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records: everybody's, those of some people, or nobody's.

    A record is somebody's who made it, or whom one of its member fields names; `holding` are pairs of a field's key and a text that
    make it theirs too, whatever the case of the letters. True if it can reach a record at all.
    """

    everybody: bool = False
    people: frozenset[str] = frozenset()
    holding: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Say whether it reaches anybody's records."""
        return self.everybody or bool(self.people) or bool(self.holding)


EVERYBODY = Scope(everybody=True)
NOBODY = Scope()


class Seeable(Protocol):
    """What somebody may read of one worksheet."""

    @property
    def readable_fields(self) -> tuple[str, ...]:
        """The keys of the fields that they may read."""

    def scope(self, action: str) -> Scope:
        """Return whose records an action reaches."""

    def may(self, action: str, row: Row | RecordView) -> bool:
        """Say whether an action is allowed on a record."""


class Sight(Protocol):
    """Who looks: what they may read wherever links and computed values lead, in this app and in others."""

    def of(self, app: App, worksheet: str) -> Seeable | None:
        """Return what they may read of a worksheet, None for nothing."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question for records of one worksheet.

    `fields` are the keys of the fields that the visitor may read: what the others hold is not searched, and a condition
    or sort that names one is left out and noted. None is all. Sorts can be given as pairs. Titles of links and computed
    values are compared as `sight` sees them; without one everything is seen, as the server itself sees it.
    """

    worksheet: str
    filter: Filter | None = None
    sorts: Sequence[tuple[str, bool]] = ()
    search: str = ""
    fields: Collection[str] | None = None
    deleted: bool = False
    within: Scope = EVERYBODY
    sight: Sight | None = None


@dataclass(slots=True)
class Page:
    """A page of records, and cursors to those after and before it.

    `partial`: the work stopped at its bound before the page was full; `next` goes on from there.
    `notes` say which conditions and sorts were left out, and why, for people to read. `unindexed` is the field by which
    all records of the worksheet had to be sorted, since no index has them in that order: slow where there are many.
    """

    rows: list[Row] = field(default_factory=list)
    next: str | None = None
    previous: str | None = None
    partial: bool = False
    notes: tuple[str, ...] = ()
    unindexed: str | None = None
