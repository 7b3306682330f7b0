"""What a field that is being written would give for the first records, without saving it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.api import App, Definition, Document, RecordView, field_type, now_us
from plugins.worksheets.compute import Computation
from plugins.worksheets.definitions import check_field
from plugins.worksheets.formula.reading import title_field
from plugins.worksheets.formula.values import CalculationFailed
from plugins.worksheets.query.query import Sight
from plugins.worksheets.query.sources import reader, record_views
from plugins.worksheets.service import store_of

RECORDS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it: `wrong` says what the mistake is, `lines` are (record, value, why there is none)."""

    wrong: str | None = None
    lines: Sequence[tuple[str, str, str]] = ()
    hint: str = ""


class _With:
    """A reader that sees a worksheet with one field as it is being written."""

    def __init__(self, app: App, sheet: Document, field: Definition, sight: Sight) -> None:
        self.reader = reader(app, sight)
        others = [d for d in sheet.body.get("fields", ()) if d["key"] != field["key"]]
        self.address, self.body = sheet.address, {**sheet.body, "fields": [*others, field]}

    def worksheet(self, address: str) -> Mapping[str, Any] | None:
        return self.body if address == self.address else self.reader.worksheet(address)

    def records(self, address: str, seqs: Iterable[int]) -> Mapping[int, RecordView]:
        return self.reader.records(address, seqs)

    def records_of(self, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Mapping[int, RecordView]]:
        """See `records`."""
        return {address: self.records(address, seqs) for address, seqs in wanted.items()}

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        return self.reader.referring(address, field, seqs)

    def choices(self, definition: Definition) -> Mapping[str, str]:
        return self.reader.choices(definition)


def tried(app: App, sheet: Document, field: Definition, sight: Sight) -> Trial:
    """Return what a computed field gives for the first records of its worksheet, as far as *sight* sees what it leads to.

    Raises:
        InvalidDocument: the field makes no sense.
    """
    check_field({**field, "name": field.get("name") or "it"})
    records = record_views(store_of(app).some_after(sheet.key, 0)[:RECORDS])
    if not records:
        return Trial(hint="The formula is valid. There are no records yet to show results for.")
    computation = Computation(_With(app, sheet, field, sight), now=now_us())
    computation.load(sheet.address, [field["key"]], records)
    return Trial(lines=[_line(computation, sheet.address, field, record) for record in records])


def _line(computation: Computation, address: str, field: Definition, record: RecordView) -> tuple[str, str, str]:
    try:
        value = computation.compute(address, field["key"], record)
    except CalculationFailed as error:
        return _title(computation, address, record), "", str(error)
    shown = field_type(field["type"]).text(value, field, computation) if not isinstance(value, list) else ", ".join(map(str, value))
    return _title(computation, address, record), shown[:200], "" if shown else "empty"


def _title(computation: Computation, address: str, record: RecordView) -> str:
    title = title_field(address, computation)
    try:
        value = None if title is None else computation.compute(address, title["key"], record)
    except CalculationFailed:
        value = None
    return (f"#{record.seq}" if title is None or value is None else field_type(title["type"]).text(value, title, computation))[:80]
