"""Indexing: what of a question the index of values can answer. See `docs/decisions/0008-index-of-values.md`.

`Keys` are those of one field that a condition allows. What they find is always asked again by the condition itself,
except in counting, where `exact` says that it need not be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Text, literal

from plugins.worksheets.models import RecordKey
from plugins.worksheets.query.comparators import Box, Comparator
from plugins.worksheets.query.predicates import Between, Filled, Having, Not, Predicate, Together, Words
from plugins.worksheets.records.keys import MAX_KEY, TEXT, fold
from plugins.worksheets.records.values import Expression

k = RecordKey.__table__.c
Kinds = Mapping[str, str]
"""The kind of key by indexed field."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a field from one to another, or a few single ones; the empty key only where it is one of these."""

    field: str
    low: str = ""
    high: str | None = None
    low_open: bool = True
    high_open: bool = False
    only: tuple[str, ...] | None = None
    exact: bool = True

    def where(self) -> list[Expression]:
        """Return the conditions on a row of the index of this field."""
        if self.only is not None:
            return [k.key == literal(self.only[0], Text) if len(self.only) == 1 else k.key.in_(self.only)]
        low = literal(self.low, Text)
        found: list[Expression] = [k.key > low if self.low_open else k.key >= low]
        if self.high is not None:
            high = literal(self.high, Text)
            found.append(k.key < high if self.high_open else k.key <= high)
        return found

    def within(self, other: Keys) -> Keys:
        """Return the range that lies in both of two ranges of one field."""
        low, high = (max(self, other, key=lambda one: (one.low, one.low_open)), self._lower(other))
        return replace(self, low=low.low, low_open=low.low_open, high=high.high, high_open=high.high_open,
                       exact=self.exact and other.exact)

    def _lower(self, other: Keys) -> Keys:
        if self.high is None or other.high is None:
            return other if self.high is None else self
        return min(self, other, key=lambda one: (one.high or "", not one.high_open))


def allowed(predicate: Predicate, kinds: Kinds) -> list[Keys]:
    """Return the keys that a record must have for a predicate to hold: at most one each of ranges and of single keys a field."""
    found: dict[tuple[str, bool], Keys] = {}
    for part in _parts(predicate):
        keys = keys_of(part, kinds)
        if keys is not None:
            place = keys.field, keys.only is None
            found[place] = keys if place not in found else found[place].within(keys) if keys.only is None else found[place]
    return list(found.values())


def answers_all(predicate: Predicate, kinds: Kinds) -> Keys | None:
    """Return the keys of exactly the records for which a predicate holds, None where no one field's keys tell."""
    found = allowed(predicate, kinds)
    parts = list(_parts(predicate))
    whole = len(found) == 1 and (len(parts) == 1 or found[0].only is None) and all(keys_of(part, kinds) is not None for part in parts)
    return found[0] if whole and found[0].exact else None


def keys_of(part: Predicate, kinds: Kinds) -> Keys | None:
    """Return the keys that one condition allows, None where the index does not know."""
    if isinstance(part, Not):
        inner = part.of
        indexed = isinstance(inner, Filled) and type(inner) is Filled and _indexed(inner.comparator, kinds)
        return Keys(inner.comparator.name, only=("0" if isinstance(inner.comparator, Box) else "",)) if indexed else None  # type: ignore[attr-defined]
    if not isinstance(part, Between | Words | Having | Filled) or not _indexed(part.comparator, kinds):
        return None
    name = part.comparator.name
    if isinstance(part, Between):
        return _between(name, part)
    if isinstance(part, Words):
        return _words(name, part) if part.comparator.kind == TEXT else None
    if isinstance(part, Having):
        return Keys(name, only=part.wanted) if part.wanted and "" not in part.wanted else None
    return Keys(name, only=("1",)) if isinstance(part.comparator, Box) else Keys(name) if type(part) is Filled else None


def _indexed(comparator: Comparator, kinds: Kinds) -> bool:
    return type(comparator) in (Comparator, Box) and kinds.get(comparator.name) == comparator.kind


def _parts(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the conditions that must all hold."""
    if isinstance(predicate, Together) and not predicate.any_of:
        for part in predicate.parts:
            yield from _parts(part)
    else:
        yield predicate


def _between(name: str, part: Between) -> Keys:
    low, high = part.keys()
    if low is not None and low != "" and low == high and not (part.low_open or part.high_open):
        return Keys(name, only=(low,))
    found = Keys(name, high=high, high_open=part.high_open)
    return replace(found, low=low, low_open=part.low_open) if low else found


def _words(name: str, part: Words) -> Keys | None:
    word = fold(part.word)
    if not word or part.how not in ("is", "starts"):
        return None
    if part.how == "is":
        return Keys(name, only=(word[:MAX_KEY],), exact=len(word) < MAX_KEY)
    beyond = after(word[:MAX_KEY])
    return Keys(name, low=word[:MAX_KEY], low_open=False, high=beyond, high_open=True, exact=len(word) <= MAX_KEY)


def after(word: str) -> str | None:
    """Return the first text behind all that begin with a word, None where there is none."""
    word = word.rstrip(chr(0x10FFFF))
    if not word:
        return None
    code = ord(word[-1]) + 1
    return word[:-1] + chr(0xE000 if code == 0xD800 else code)
