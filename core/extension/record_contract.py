"""Data that one plugin asks of another: records to show, and a record to write. Values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

MOST_RECORDS = 5000
"""More records than this are never given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsAsked:
    """A question for records of one worksheet.

    `worksheet` and `view` are addresses. `filter` has the form that views have, values filled in; it narrows what the
    view shows. `sorts` are {"field": pointer, "descending"?}; without any, the view's. `seqs` asks for those records
    only. `fields` are the keys wanted; None is all. With `counted`, the answer says how many records there are in all.
    With `distinct`, records that are alike in `fields` are given once where the database can tell, with how many they are
    (`RecordGiven.count`); what they have besides is not given.
    """

    worksheet: str
    view: str | None = None
    filter: Mapping[str, Any] | None = None
    sorts: Sequence[Mapping[str, Any]] = ()
    search: str = ""
    seqs: Sequence[int] | None = None
    fields: Sequence[str] | None = None
    limit: int = 100
    offset: int = 0
    counted: bool = False
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """What happened to a record: its values by field key before and after; None where there was none, or where it lies in the bin."""

    seq: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """What writes records where no person does by hand: the `name` of a workflow, say, and on whose behalf, "system" for nobody's."""

    name: str
    person: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A value to write that is not as people type it but as records store it; one of another field's of the same type, say."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPanel:
    """A part of a record's page that another plugin brings: a heading, and HTML that is shown as it is; lower ranks come first."""

    title: str
    html: Markup
    rank: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGiven:
    """A field that the asker may read, whether they may write it, and whether the view that was asked for hides it.

    `numeric` values stand under each other by their last digit; `before` and `after` are what is written around a number
    of the field, with at least so many `decimals`. `choices` are the names of what can be chosen, in their order, each with the hue
    of its colour (0 to 359), None for grey.
    """

    key: str
    name: str
    type: str
    writable: bool = False
    hidden: bool = False
    numeric: bool = False
    before: str = ""
    after: str = ""
    decimals: int = 0
    choices: Sequence[tuple[str, int | None]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGiven:
    """A file of a record; `url` is where whoever asked can fetch it."""

    name: str
    url: str
    type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGiven:
    """A record: values as JSON, and as plain texts, both by field key; empty ones are missing.

    `texts` fill addresses, conditions and forms; `shown` are those that people read in another form, with separators, units and
    names of months. `url` is the address of its own page where whoever asked may open it, `title` what it is called. `count` is how many
    records it stands for.
    """

    seq: int
    values: Mapping[str, Any]
    texts: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Sequence[FileGiven]] = field(default_factory=dict)
    url: str | None = None
    title: str = ""
    count: int = 1

    def read(self, key: str) -> str:
        """Return a field's value as people read it; nothing for an empty one."""
        return self.shown.get(key) or self.texts.get(key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsGiven:
    """What a worksheet answers: its name, fields in the order in which the view shows them, records, whether there are more.

    `total` is how many there are in all, where that was asked; when it is not `exact`, there are more than that.
    """

    name: str
    fields: Sequence[FieldGiven] = ()
    records: Sequence[RecordGiven] = ()
    more: bool = False
    total: int | None = None
    exact: bool = True
