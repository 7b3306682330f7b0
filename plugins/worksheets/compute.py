"""Derived values of records: each computed once, linked records read in batches, circles refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from core.api import Definition, FieldType, RecordView, budget, field_type
from plugins.worksheets.formula.derived import builds_on, paths
from plugins.worksheets.formula.reading import field_of, target_of, title_field
from plugins.worksheets.formula.shown import bare
from plugins.worksheets.formula.values import CalculationFailed

MAX_LAYERS = 30
"""How many derived fields may build on one another."""

MAX_LINKS = 3
"""How many links away records are read in batches; what lies farther is read when it is needed."""

READ_WORK, COMPUTE_WORK = 20, 10
"""What reading a linked record, and beginning to compute a field, takes of a request's budget."""

Place = tuple[str, str]
"""A field: the address of its worksheet, and its key."""


class Reader(Protocol):
    """Reads worksheets and records as they are at one moment; `Source` says what each returns."""

    def worksheet(self, address: str) -> Mapping[str, Any] | None:
        """Return the body of a live worksheet, or None."""

    def records(self, address: str, seqs: Iterable[int]) -> Mapping[int, RecordView]:
        """Return those of the records that exist and are not deleted."""

    def records_of(self, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Mapping[int, RecordView]]:
        """Return what `records` does of several worksheets, by their addresses, in one go."""

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        """Return, for each seq pointed to, the live records of worksheet *address* whose *field* points to it."""

    def choices(self, definition: Definition) -> Mapping[str, str]:
        """Return key -> name of a select field's choices, its own or its option set's."""


def compute_records(reader: Reader, address: str, records: Sequence[RecordView], fields: Iterable[str] | None = None,
                    *, now: int, types: Callable[[str], FieldType] = field_type) -> list[dict[str, Any]]:
    """Return, for each record, its derived fields' values by field key; what has no value or failed is left out.

    Args:
        reader: Where everything else is read.
        address: The worksheet of all the records.
        records: A page of them; their order is kept.
        fields: The keys wanted; all derived fields unless given.
        now: What now() and today() are told, microseconds since 1970, UTC.
        types: Gives a field type by its name.
    """
    computation = Computation(reader, now=now, types=types)
    body = reader.worksheet(address) or {}
    wanted = None if fields is None else set(fields)
    keys = [d["key"] for d in body.get("fields", ())
            if types(d["type"]).derived_for(d) and (wanted is None or d["key"] in wanted)]
    computation.load(address, keys, records)
    return [computation.values(address, keys, record) for record in records]


class Computation:
    """A `Source` over a reader, for one moment. It remembers all it was told, so let it go with the page."""

    def __init__(self, reader: Reader, *, now: int, types: Callable[[str], FieldType] = field_type) -> None:
        self.reader, self.types = reader, types
        self._now = now
        self._bodies: dict[str, Mapping[str, Any] | None] = {}
        self._definitions: dict[Place, Definition] = {}
        self._records: dict[str, dict[int, RecordView | None]] = {}
        self._referring: dict[Place, dict[int, list[int]]] = {}
        self._choices: dict[int, tuple[Definition, Mapping[str, str]]] = {}
        self._values: dict[tuple[str, str, int], Any] = {}
        self._layers = Layers(self)
        self._siblings: dict[str, dict[int, None]] = {}

    def now(self) -> int:
        """Return the moment that the answers are for, in microseconds since 1970, UTC."""
        return self._now

    def worksheet(self, address: str) -> Mapping[str, Any] | None:
        """Return the body of a live worksheet, or None."""
        if address not in self._bodies:
            self._bodies[address] = self.reader.worksheet(address)
        return self._bodies[address]

    def records(self, address: str, seqs: Iterable[int]) -> Mapping[int, RecordView]:
        """Return those of the records that exist and are not deleted."""
        known = self._records.setdefault(address, {})
        wanted = list(seqs)
        unknown = [seq for seq in dict.fromkeys(wanted) if seq not in known]
        budget.spend(len(wanted) + READ_WORK * len(unknown))
        if unknown:
            found = self.reader.records(address, unknown)
            known.update({seq: found.get(seq) for seq in unknown})
        return {seq: record for seq in wanted if (record := known[seq]) is not None}

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        """Return, for each seq pointed to, the live records of worksheet *address* whose *field* points to it.

        All records of the page are asked for together, when the first of them is.
        """
        known = self._referring.setdefault((address, field), {})
        wanted = list(seqs)
        if any(seq not in known for seq in wanted):
            unknown = [seq for seq in self._together(address, field, wanted) if seq not in known]
            found = self.reader.referring(address, field, unknown)
            budget.spend(READ_WORK * len(unknown) + sum(map(len, found.values())))
            known.update({seq: list(found.get(seq, ())) for seq in unknown})
        return {seq: known[seq] for seq in wanted if known[seq]}

    def choices(self, definition: Definition) -> Mapping[str, str]:
        """Return key -> name of a select field's choices, its own or its option set's."""
        # By identity, held so that it stays theirs: keys alone are not unique across the apps of an organization.
        if id(definition) not in self._choices:
            self._choices[id(definition)] = (definition, self.reader.choices(definition))
        return self._choices[id(definition)][1]

    def compute(self, address: str, field: str, record: RecordView) -> Any:
        """Return the value of any field of a record, derived ones computed (each once).

        Raises:
            CalculationFailed: it is derived and has no value: whatever builds on it has none either.
        """
        definition = self.definition(address, field)
        kind = self.types(definition["type"])
        if not kind.derived_for(definition):
            return record.vals.get(field)
        place = (address, field, record.seq)
        if place not in self._values:
            self._values[place] = self._computed(kind, definition, record, address)
        value = self._values[place]
        if isinstance(value, CalculationFailed):
            raise CalculationFailed(*value.args)
        return value

    def definition(self, address: str, field: str) -> Definition:
        """Return a live field's definition.

        Raises:
            CalculationFailed: it is gone.
        """
        place = (address, field)
        if place not in self._definitions:
            self._definitions[place] = field_of(address, field, self)
        return self._definitions[place]

    def derived(self, place: Place) -> bool:
        """Return whether a field lives and is computed."""
        try:
            definition = self.definition(*place)
        except CalculationFailed:
            return False
        return self.types(definition["type"]).derived_for(definition)

    def values(self, address: str, keys: Iterable[str], record: RecordView) -> dict[str, Any]:
        """Return a record's derived values as plain JSON, without those that are blank or failed."""
        found = {}
        for key in keys:
            try:
                value = self.compute(address, key, record)
            except CalculationFailed:
                continue
            if value is not None:
                found[key] = bare(value)
        return found

    def load(self, address: str, keys: Iterable[str], records: Sequence[RecordView], links: int = MAX_LINKS) -> None:
        """Read at once what the fields *keys* of a page of records will need, up to so many links away."""
        self._siblings.setdefault(address, {}).update(dict.fromkeys(record.seq for record in records))
        self._records.setdefault(address, {}).update({record.seq: record for record in records})
        beyond: dict[str, dict[str, None]] = {}
        for key in keys:
            for path in paths(self.definition(address, key)):
                beyond.setdefault(path[0], {}).update(dict.fromkeys(path[1:]))
        if links:
            self._read_together(address, beyond, records)
        for link, read in beyond.items():
            self._load_link(address, link, read, records, links)

    def load_titles(self, address: str, links: Iterable[str], records: Sequence[RecordView]) -> None:
        """Read at once what it takes to say what the records are called that link fields of a page of records name."""
        links = list(links)
        self._read_together(address, links, records)
        for link in links:
            target = target_of(self.definition(address, link), address)
            title = None if target is None else title_field(target, self)
            self._load_link(address, link, () if title is None else (title["key"],), records, MAX_LINKS)

    def _read_together(self, address: str, links: Iterable[str], records: Sequence[RecordView]) -> None:
        """Read what the links of a page of records name in one go, whatever worksheets it lies in."""
        wanted: dict[str, dict[int, None]] = {}
        for link in links:
            try:
                target = target_of(self.definition(address, link), address)
                named = [seq for record in records for seq in self.compute(address, link, record) or ()] if target else []
            except CalculationFailed:
                continue
            if target is not None:
                known = self._records.get(target, {})
                wanted.setdefault(target, {}).update((seq, None) for seq in named if seq not in known)
        if sum(map(bool, wanted.values())) > 1:  # one alone is read, and paid for, by `records`
            budget.spend(READ_WORK * sum(map(len, wanted.values())))
            found = self.reader.records_of(wanted)
            for target, seqs in wanted.items():
                self._records.setdefault(target, {}).update({seq: found.get(target, {}).get(seq) for seq in seqs})

    def _load_link(self, address: str, link: str, read: Iterable[str], records: Sequence[RecordView],
                   links: int) -> None:
        try:
            target = target_of(self.definition(address, link), address)
            pointed = [seq for record in records for seq in self.compute(address, link, record) or ()] if target else []
        except CalculationFailed:
            return
        if target is None or not links:
            return
        found = list(self.records(target, pointed).values())
        self.load(target, [key for key in read if self.derived((target, key))], found, links - 1)

    def _together(self, address: str, field: str, seqs: list[int]) -> list[int]:
        """Return *seqs* with all that are on the same page of the worksheet that *field* points into."""
        target = target_of(self.definition(address, field), address) or ""
        return list(dict.fromkeys([*seqs, *self._siblings.get(target, ())]))

    def _computed(self, kind: FieldType, definition: Definition, record: RecordView, address: str) -> Any:
        place = (address, str(definition["key"]))
        budget.spend(COMPUTE_WORK)
        try:
            if self._layers.above(place) > MAX_LAYERS:
                return CalculationFailed("the field builds on itself, or on too many others")
            return kind.compute(definition, record, address, self)
        except CalculationFailed as error:
            return error


class Layers:
    """How high derived fields are piled up, by their definitions alone, so that no record's data changes it."""

    def __init__(self, computation: Computation) -> None:
        self.computation = computation
        self.heights: dict[Place, int] = {}

    def above(self, place: Place) -> int:
        """Return how many derived fields lie below a field at most; more than `MAX_LAYERS` in or above a circle.

        Goes through the fields without recursion: a field is done when all that it builds on are.
        """
        waiting, open_places = [place], set[Place]()
        while waiting:
            current = waiting[-1]
            if current in self.heights:
                open_places.discard(current)
                waiting.pop()
                continue
            below = self._below(current)
            unknown = [each for each in below if each not in self.heights]
            if unknown and current not in open_places and not open_places.intersection(unknown):
                open_places.add(current)
                waiting += unknown
                continue
            circular = bool(unknown)
            self.heights[current] = MAX_LAYERS + 1 if circular else 1 + max(
                (self.heights[each] for each in below), default=0)
        return self.heights[place]

    def _below(self, place: Place) -> list[Place]:
        if not self.computation.derived(place):
            return []
        definition = self.computation.definition(*place)
        found = dict.fromkeys(builds_on(definition, place[0], self.computation))
        return [each for each in found if self.computation.derived(each)]
