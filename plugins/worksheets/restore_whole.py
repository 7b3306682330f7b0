"""Bringing whole segments of a backup into a worksheet that has no record, without looking at each of theirs.

Whether everything that a segment's values point to is there is asked of all its values at once: of a choice, a thousand records
have one value. A segment with a pointer that reaches nothing is left to whoever looks at each record.

Source: docs/rules.md, “What happens to a record”.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from core.api import FILE_MARK, App, Reference, journal_of
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import Relationship
from plugins.worksheets.history_log import BulkNote, runs_of
from plugins.worksheets.records import RecordStore, read_lines
from plugins.worksheets.restore_journal import RECORDS
from plugins.worksheets.service import attach_files
from plugins.worksheets.targets import Targets

MAX_REACHED = 10_000
"""How many values of a pointing field are remembered as reaching their targets; a choice has few, and they come often."""
_VALUE = rb'("(?:[^"\\]++|\\.)*+"|\[(?:[^\[\]"]++|"(?:[^"\\]++|\\.)*+")*+\]|)'
"""A text, or a list in which no list is; nothing, where there is something else.

A mark such as "f_…": is never within a text, where its quotation marks are escaped.
"""
_NUMBERS, _NUMBER = re.compile(rb"[\[\],0-9]*\Z"), re.compile(rb"[0-9]+")
_decode = msgspec.json.Decoder().decode


def mark_of(key: str) -> bytes:
    """Return what stands before a field's value in a record's line."""
    return f'"{key}":'.encode()


@dataclass
class Reach:
    """Whether whole segments reach all that they point to by some fields."""

    targets: Targets
    fields: Mapping[str, Field]
    pointing: Sequence[str]
    """The keys of those fields."""

    def __post_init__(self) -> None:
        self.keys = {key.encode(): key for key in self.pointing}
        self.pattern = re.compile(b'"(' + b"|".join(map(re.escape, self.keys)) + b')":' + _VALUE)
        self.reached: dict[bytes, set[bytes]] = {key: set() for key in self.keys}

    def all_reach(self, raw: bytes) -> bool:
        """Say whether every value of a segment reaches all that it points to."""
        new = self._new_values(raw)
        return new is not None and all(self._reaches_by(key, values) for key, values in new.items())

    def is_known(self, raw: bytes) -> bool:
        """Say whether every value reaches all that it points to, and that is known without asking the database."""
        new = self._new_values(raw)
        return new is not None and all(self._is_known_by(self.fields[self.keys[key]], values) for key, values in new.items())

    def _is_known_by(self, one: Field, new: set[bytes]) -> bool:
        if _is_link(one):
            return self.targets.knows(one, next(iter(one.references([1])))) and self._all_reach(one, new)
        return all(self.targets.knows(one, reference) and self.targets.exist(one, reference) for reference in _references(one, new))

    def _reaches_by(self, key: bytes, new: set[bytes]) -> bool:
        """Say whether all values of a field reach what they point to."""
        if not self._all_reach(self.fields[self.keys[key]], new):
            return False
        if len(new) + len(self.reached[key]) <= MAX_REACHED:
            self.reached[key] |= new
        return True

    def _new_values(self, raw: bytes) -> dict[bytes, set[bytes]] | None:
        """Return those values that are not known to reach what they point to, by field; None where one has another form."""
        new: dict[bytes, set[bytes]] = {}
        for key, value in set(self.pattern.findall(raw)) if self.keys else ():
            if not value:
                return None
            if value not in self.reached[key]:
                new.setdefault(key, set()).add(value)
        return new

    def _all_reach(self, one: Field, values: set[bytes]) -> bool:
        """Say whether different values of a field reach all that they point to."""
        joined = b",".join(values)
        if _is_link(one) and _NUMBERS.match(joined):
            return self.targets.have(one, set(map(int, _NUMBER.findall(joined))))
        return all(self.targets.exist(one, reference) for reference in _references(one, values))


@dataclass
class WholeSegments:
    """Segments on their way into a bare worksheet; they are written some at a time, the rest by `flush`."""

    app: App
    store: RecordStore
    targets: Targets
    worksheet: str
    fields: Mapping[str, Field]
    pointing: Sequence[str]
    """The keys of the fields that point to something."""
    history: BulkNote
    segments: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    streaming: bool = False
    """Whether what a segment points to is looked at while those before are on their way to the database."""
    begun: bool = False
    highest: int = 0
    """The highest number of those that were written."""
    count: int = 0
    """How many records were written."""

    def __post_init__(self) -> None:
        journal = journal_of(self.app)
        self.stage = None if journal is None else journal.stage(RECORDS + self.worksheet)
        self.reach = Reach(self.targets, self.fields, self.pointing)
        self.files = {key: one for key, one in self.fields.items() if one.type.holds_files}

    def take(self, n: int, raw: bytes) -> list[tuple[int, bytes]]:
        """Take a segment in, to be written as it is; return those whose records, it turns out, have to be looked at one by one."""
        self.segments[n] = raw
        self.size += len(raw)
        return self.flush() if self.size >= self.store.loaded_bytes else []

    def flush(self) -> list[tuple[int, bytes]]:
        """Write what was taken in, and into the restore's journal; return what has to be looked at."""
        segments, self.segments, self.size = self.segments, {}, 0
        loaded = self._load(segments, lambda n, raw: self.reach.is_known(raw)) if self.streaming else {}
        asked = {n: raw for n, raw in segments.items() if n not in loaded}
        loaded |= self._load({n: raw for n, raw in asked.items() if self.reach.all_reach(raw)})
        # The first ones ask for most that there is to know. Where later ones still have to, they had better do so before.
        self.streaming = 2 * len(asked) < len(segments) if self.streaming else not self.begun
        self.begun = True
        if loaded and self.stage is not None:
            self.stage.add([raw for n, raw in segments.items() if n in loaded])
        if self.files:
            self._attach([segments[n] for n in sorted(loaded)])
        return [(n, raw) for n, raw in segments.items() if n not in loaded]

    def _load(self, segments: Mapping[int, bytes], may_go: Callable[[int, bytes], bool] = lambda n, raw: True) -> dict[int, list[int]]:
        """Write segments, those that may go, into the worksheet; return the numbers of the records of each that was written."""
        loaded = self.store.load_segments(self.worksheet, segments, may_go) if segments else {}
        if loaded:
            self.history.add_made([run for numbers in loaded.values() for run in _runs(numbers)])
            self.count += sum(map(len, loaded.values()))
            self.highest = max(self.highest, *(numbers[-1] for numbers in loaded.values()))
        return loaded

    def _attach(self, written: Sequence[bytes]) -> None:
        """Note the uses of files in segments."""
        mark = FILE_MARK.encode()
        naming = [line for raw in written for line in _lines_with(mark, raw)]
        if naming:
            lines = [(line.seq, bytes(line.vals).decode()) for line in read_lines(b"\n".join(naming))]
            attach_files(self.store, self.worksheet, self.files, lines, bare=True)


def _lines_with(mark: bytes, raw: bytes) -> Iterator[bytes]:
    """Yield the lines that hold something; few do, and the others are not cut."""
    at = raw.find(mark)
    while at >= 0:
        end = raw.find(b"\n", at)
        yield raw[raw.rfind(b"\n", 0, at) + 1:end]
        at = raw.find(mark, end)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return the numbers of a segment's records as runs, (first, last); mostly none is missing between the first and the last."""
    return [(numbers[0], numbers[-1])] if numbers[-1] - numbers[0] + 1 == len(numbers) else runs_of(numbers)


def _references(one: Field, values: set[bytes]) -> set[Reference]:
    """Return all that different values of a field point to."""
    return {reference for value in values for reference in one.references(_decode(value))}


def _is_link(one: Field) -> bool:
    """Say whether a field is a link; a stranger's type that is made of it may mean something else by its numbers."""
    return isinstance(one.type, Relationship) and _by(one.type) == _by(Relationship())


def _by(kind: Relationship) -> tuple[object, object]:
    """Return the code by which a type says what its values point to."""
    return type(kind).references, type(kind).reference
