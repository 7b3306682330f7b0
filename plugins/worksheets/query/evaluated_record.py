"""Seen: one record as conditions and search see it, computed values and shown text with it; read a batch at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import App, Definition, RecordView, now_us, org_choices
from plugins.worksheets.compute import Computation
from plugins.worksheets.fields import Field
from plugins.worksheets.formula.reading import read_field
from plugins.worksheets.formula.values import CalculationFailed
from plugins.worksheets.query.query import Sight
from plugins.worksheets.query.sources import reader, record_views
from plugins.worksheets.records import Row

LINKING = ("relationship", "subform", "cascading_select")
PLACES = {"member": "user", "department": "department", "org_role": "org_role", "created_by": "user", "modified_by": "user"}


@dataclass
class Evaluator:
    """What seeing the records of one worksheet takes: for one request, since it remembers what it read."""

    app: App
    address: str
    fields: Mapping[str, Field]
    sight: Sight | None = None
    computation: Computation = field(init=False)
    _names: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.computation = Computation(reader(self.app, self.sight), now=now_us())

    def evaluate(self, rows: Sequence[Row], needed: Iterable[str]) -> list[EvaluatedRecord]:
        """Return rows as seen, with what the computed fields and links among *needed* take read at once."""
        needed = list(needed)
        views = record_views(rows)
        derived = [key for key in needed if key in self.fields and self.computed(key)]
        if derived:
            self.computation.load(self.address, derived, views)
        links = [key for key in needed if key in self.fields and self.fields[key].type.name in LINKING]
        if links:
            self.computation.load_titles(self.address, links, views)
        return [EvaluatedRecord(self, row, view) for row, view in zip(rows, views, strict=True)]

    def computed(self, key: str) -> bool:
        """Say whether a field is computed."""
        one = self.fields[key]
        return one.type.derived_for(one.definition)

    def names(self, kind: str) -> Mapping[str, str]:
        """Return address -> name of people, departments or org roles."""
        if kind not in self._names:
            self._names[kind] = dict(org_choices(self.app.organization_id, kind))
        return self._names[kind]

    def choices(self, definition: Definition) -> Mapping[str, str]:
        """Return key -> name of a select field's choices."""
        return self.computation.choices(definition)


@dataclass(slots=True)
class EvaluatedRecord:
    """One record as seen."""

    evaluator: Evaluator
    row: Row
    view: RecordView

    def value(self, key: str) -> Any:
        """Return a field's value, stored or computed, None for none."""
        if not self.evaluator.computed(key):
            return self.view.vals.get(key)
        try:
            return plain(self.evaluator.computation.values(self.evaluator.address, [key], self.view).get(key))
        except CalculationFailed:
            return None

    def text(self, key: str) -> str:
        """Return what of a field people read: choices, people and linked records by name."""
        one, kind = self.evaluator.fields[key], self.evaluator.fields[key].type.name
        value = self.value(key)
        if value is None:
            return ""
        if kind in LINKING:
            return self._titles(key)
        if kind in PLACES:
            names = self.evaluator.names(PLACES[kind])
            addresses = [item["org"] for item in value] if isinstance(value, list) else [f"user/{value}"]
            return ", ".join(names.get(address, "") for address in addresses)
        if self.evaluator.computed(key):
            return shown_text(value)
        return one.type.text(value, one.definition, self.evaluator.computation)

    def _titles(self, key: str) -> str:
        try:
            return ", ".join(map(str, read_field(self.evaluator.address, key, self.view, self.evaluator.computation)))
        except CalculationFailed:
            return ""


def plain(value: Any) -> Any:
    """Return a computed value, empty lists and texts as None."""
    return None if value in ("", []) else value


def shown_text(value: Any) -> str:
    """Return a computed value as text."""
    if isinstance(value, list):
        return ", ".join(shown_text(one) for one in value)
    if isinstance(value, Mapping):
        return str(value.get("label") or value.get("name") or value.get("url") or "")
    return {True: "yes", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)
