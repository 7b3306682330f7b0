"""Records on two sides, as people read them: what each is called, and the values that differ; for plans and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.api import EVERYTHING, App, Document, RecordPair, RecordTold, ValueTold, standing
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.fields import Field
from plugins.worksheets.records import Row
from plugins.worksheets.service import dumps
from plugins.worksheets.web.export import plain
from plugins.worksheets.web.lines import Line, lines_of, title_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext

GONE_MARK = " (deleted)"
"""What stands behind the number of a linked record that is not there now; it may come back by the same restore."""


def tell_records(app: App, person: str, pairs: Sequence[RecordPair], before: Document | None,
                 after: Document | None) -> list[RecordTold]:
    """Return the records of a worksheet for people; *before* and *after* are its definition on each side, as far as it is there."""
    sides = _Side(app, person, before or after, [pair.before for pair in pairs], pairs), _Side(
        app, person, after or before, [pair.after for pair in pairs], pairs)
    return [RecordTold(number=pair.number, title=sides[pair.after is not None].title(n), values=_values(n, pair, *sides))
            for n, pair in enumerate(pairs)]


def _values(n: int, pair: RecordPair, before: _Side, after: _Side) -> list[ValueTold]:
    old, new = pair.before or {}, pair.after or {}
    order = [key for key in dict.fromkeys([*after.fields, *before.fields, *old, *new]) if old.get(key) != new.get(key)]
    return [ValueTold(name=after.name(key) or before.name(key) or "a deleted field", before=before.text(n, key, old),
                      after=after.text(n, key, new)) for key in order]


class _Side:
    """One side: a worksheet's definition, and the values of the records there."""

    def __init__(self, app: App, person: str, document: Document | None, values: Sequence[Mapping[str, Any] | None],
                 pairs: Sequence[RecordPair]) -> None:
        self.fields: dict[str, Field] = {}
        self.lines: list[Line] = []
        if document is None:
            return
        who = standing(app, person)
        self.sheet = SheetContext(app, document, SheetAccess(app, who, document, EVERYTHING), person, who.admin)
        self.fields = {key: one for key, one in self.sheet.everything.items() if one.stored}
        self.around = RelatedNames(self.sheet)
        shown = [{key: value for key, value in (held or {}).items() if key in self.fields} for held in values]
        rows = [Row(pair.number, dumps(vals), None, 0, "", 0, "", None) for pair, vals in zip(pairs, shown, strict=True)]
        self.lines = lines_of(self.around, rows, self.fields.values())

    def name(self, key: str) -> str | None:
        """Return what people call a field; None for one that is not there."""
        return self.fields[key].name if key in self.fields else None

    def text(self, n: int, key: str, values: Mapping[str, Any]) -> str | None:
        """Return a value of the n-th record as people read it; None where it has none."""
        if values.get(key) is None:
            return None
        if key not in self.fields:
            return str(values[key])
        return plain(self.lines[n], self.fields[key]).replace(GONE_MARK, "")

    def title(self, n: int) -> str:
        """Return what the n-th record is called."""
        if not self.lines or self.sheet.title_key not in self.fields:
            return f"#{self.lines[n].seq}" if self.lines else ""
        return title_of(self.around, self.lines[n])
