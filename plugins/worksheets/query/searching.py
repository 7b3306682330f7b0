"""Search: records in whose shown text every word occurs, whatever the case.

SQL lets through what may have the words: in the stored values as they are, by a choice's name, or in a field of which SQL
does not know what it shows. What it lets through is then looked at as people read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import or_

from core.api import budget
from plugins.worksheets.fields import Field
from plugins.worksheets.models import Record
from plugins.worksheets.query.comparators import Column, Comparator, comparator_of
from plugins.worksheets.query.evaluated_record import PLACES, EvaluatedRecord, Evaluator
from plugins.worksheets.records.keys import fold
from plugins.worksheets.records.values import Expression, Values

vals = Record.__table__.c.vals
MAX_WORDS, MAX_LENGTH = 10, 200
PLAIN = ("text", "long_text", "rich_text", "email", "phone", "url", "identity_number", "region", "number", "currency", "percent",
         "rating", "duration", "date", "datetime", "time", "file", "signature", "location", "imported")
SELECTS = ("single_select", "multiple_select")
KNOWN = {*PLAIN, *SELECTS, *PLACES, "checkbox", "autonumber"}
"""Types of which SQL can tell whether a word is shown; of the others it lets through what is filled."""


@dataclass(frozen=True, slots=True)
class Search:
    """The words, folded, and the fields in which they are looked for."""

    words: tuple[str, ...]
    fields: Mapping[str, Comparator]
    evaluator: Evaluator

    @classmethod
    def of(cls, text: str, fields: Mapping[str, Field], evaluator: Evaluator) -> Search:
        """Return the search for a text that somebody typed."""
        clean = text[:MAX_LENGTH].replace("\0", " ")
        words = tuple(dict.fromkeys(fold(word) for part in clean.split() if (word := part.strip(","))))[:MAX_WORDS]
        comparators = {key: comparator for key, one in fields.items()
                       if words and (comparator := comparator_of(one)) is not None and not one.type.name.endswith("_time")}
        return cls(words, comparators, evaluator)

    def sql(self, values: Values) -> list[Expression]:
        """Return what SQL can tell: one condition a word."""
        if not self.words or any(comparator.slow for comparator in self.fields.values()):
            return []
        opaque = [comparator.filled_sql(values) for comparator in self.fields.values() if comparator.field.type.name not in KNOWN]
        return [or_(self._plain(values, word), *self._named(values, word), *opaque) for word in self.words]

    def holds(self, seen: EvaluatedRecord) -> bool:
        """Say whether every word occurs in some shown text of a record."""
        texts = [fold(text) for key in self.fields if (text := seen.text(key))]
        budget.spend(2 * len(self.fields) + sum(map(len, texts)) * (1 + len(self.words)) // 100)
        return all(any(word in text for text in texts) for word in self.words)

    def _plain(self, values: Values, word: str) -> Expression:
        """Return whether the stored values have the word as JSON writes it."""
        return values.mentions(vals, fold(json.dumps(word, ensure_ascii=False)[1:-1]))

    def _named(self, values: Values, word: str) -> list[Expression]:
        """Return whether a choice or a person of that name is held, a box ticked that reads so, a number shown so."""
        found: list[Expression] = []
        for comparator in self.fields.values():
            kind, definition = comparator.field.type.name, comparator.field.definition
            if kind in SELECTS and (choices := _matching(self.evaluator.choices(definition), word)):
                found.append(comparator.has_sql(values, choices))
            elif kind in PLACES and (addresses := _matching(self.evaluator.names(PLACES[kind]), word)):
                found.append(comparator.has_sql(values, [stored_address(comparator, one) for one in addresses]))
            elif kind == "checkbox" and word in "yes":
                found.append(values.truth(comparator.name))
            elif kind == "autonumber":
                options = definition.get("options", {})
                text = values.padded(comparator.text_sql(values), int(options.get("digits", 1)))
                found.append(values.contains(values.fold(str(options.get("prefix", "")) + text), word))
        return found


def stored_address(comparator: Comparator, address: str) -> str:
    """Return a person's or place's address as records hold it: who made one is a key without its kind."""
    return address.rpartition("/")[2] if isinstance(comparator, Column) else address


def _matching(names: Mapping[str, str], word: str) -> list[str]:
    return [key for key, name in names.items() if word in fold(name)]
