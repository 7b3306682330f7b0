"""Merging a backup's records into a worksheet, field by field; or telling what that would do.

For every record and every field that the backup knows, the backup's value stands afterwards, or nothing where it had
nothing; fields it does not know and records it does not have stay as they are. A pointer whose target is gone is left
as it is now and reported.

Source: docs/rules.md, “What happens to a record”.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import Any

import msgspec

from core.api import (
    AbsentFieldType,
    Document,
    IndexLine,
    InvalidInput,
    RecordPair,
    Reference,
    RestoreContext,
    batched,
    documents,
    now_us,
)
from plugins.worksheets.conversion import carried, may_miss, stands, why_left
from plugins.worksheets.fields import Field, fields_of, shaped
from plugins.worksheets.history_log import BulkNote, Pair, author_of
from plugins.worksheets.records import MAX_SEQ, SEGMENT_RECORDS, Line, RecordStore, Row, open_store, read_lines
from plugins.worksheets.restore_journal import note_changes
from plugins.worksheets.restore_whole import MAX_REACHED, Reach, WholeSegments, mark_of
from plugins.worksheets.sections import RECORDS, worksheet_of
from plugins.worksheets.service import dumps, moved_fields, settled, write_rows
from plugins.worksheets.targets import Numbers, Targets

MAX_LISTED = 10_000
"""How many references and clashes a report lists; it always says how many there were."""
BATCH_ROWS = 4096
READ_TOGETHER_BYTES = 2 * 1024 * 1024
"""Of what is there now, so much is read at once; a single segment may have more."""
NEWER_SEGMENTS = 16
FEW_LINES = 16
"""Up to so many lines of a segment that differ from what stands in their place are taken for changed, not for moved."""
OUTCOMES = ("brought_back", "overwritten", "unchanged")
_decode = msgspec.json.Decoder().decode
"""Reads values that are canonical already, as stored ones and those of a verified backup are."""


@dataclass
class Report:
    """What happened to records, or would: counts by worksheet, and all that could not be as the backup has it."""

    worksheets: dict[str, Counter[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    unrestored: list[dict[str, Any]] = field(default_factory=list)
    missing_choices: list[dict[str, Any]] = field(default_factory=list)
    left_fields: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    clashes: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    absent: list[dict[str, str]] = field(default_factory=list)
    listed: Counter[str] = field(default_factory=Counter)
    authors: int = 0

    def reference(self, worksheet: str, seq: int, key: str, reference: Reference, reason: str) -> None:
        """Note a pointer that is left as it is now."""
        kind = "missing_choices" if reference.kind == "choice" else "unrestored"
        self.listed[kind] += 1
        if self.listed[kind] <= MAX_LISTED:
            getattr(self, kind).append({"worksheet": worksheet, "record": seq, "field": key,
                                        "target": target_text(reference), "reason": reason})

    def _told(self, worksheet: str, counts: Counter[str]) -> dict[str, Any]:
        told = {"worksheet": worksheet, "name": self.names.get(worksheet, ""), **{o: counts[o] for o in OUTCOMES},
                "new_since": counts["new_since"]}
        return told | ({"binned": counts["binned"]} if counts["binned"] else {})

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON; empty parts are left out."""
        told: dict[str, Any] = {
            "worksheets": [self._told(w, counts) for w, counts in sorted(self.worksheets.items())],
            "references_not_restored": self.unrestored,
            "choices_not_there": self.missing_choices,
            "fields_left": [{"worksheet": w, "field": f, "reason": reason, "records": n}
                            for (w, f, reason), n in sorted(self.left_fields.items())],
            "clashes": self.clashes,
            "skipped": self.skipped,
            "types_missing": self.absent,
            "notes": {"authors_not_proven": self.authors} if self.authors else {},
        }
        counts = {"references_not_restored_count": self.listed["unrestored"],
                  "choices_not_there_count": self.listed["missing_choices"]}
        return {name: value for name, value in (told | counts).items() if value}


def target_text(reference: Reference) -> str:
    """Return a pointer's target as an address that people and programs can follow."""
    if reference.kind == "record":
        worksheet, seq = reference.target
        return f"{worksheet}/record/{seq}"
    return f"{reference.kind}/{reference.target}" if reference.kind in ("file", "choice") else str(reference.target)


def restore_records(context: RestoreContext, shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Merge all record sections of the backup and return the report.

    Args:
        shapes: worksheet key -> field key -> {"type", "options"}: the fields that the backup knows.
    """
    sections = _sections(context)
    shapes = _wanted(context, shapes)
    report = Report()
    store = open_store(context.connection, context.app.id)
    targets = Targets(store, context.app, context.documents.get, _coming(context, sections))
    live = context.live_segments("worksheets")
    for worksheet in sorted(shapes):
        lines = sections.get(worksheet, [])
        document = context.documents.get(f"worksheet/{worksheet}")
        if document is None:
            report.skipped.append({"worksheet": worksheet, "records": sum(line.count for line in lines),
                                   "reason": "the worksheet is missing; restore the configuration too"})
            continue
        report.absent += [{"worksheet": worksheet, "field": key, "type": one.type.name}
                          for key, one in fields_of(document.body).items() if isinstance(one.type, AbsentFieldType)]
        _Merge(context, store, targets, report, document, shapes[worksheet], _numbers(context, worksheet)).run(lines, live)
    if context.writing:
        _raise_counters(context, store, shapes)
    return report.as_json()


def planned_records(context: RestoreContext, shapes: Mapping[str, Mapping[str, Any]], worksheet: str, outcome: str,
                    after: int) -> Iterator[RecordPair]:
    """Yield the records of a worksheet to which a restore would do something; see `Component.planned_records`."""
    document = context.documents.get(f"worksheet/{worksheet}")
    if document is None or worksheet not in shapes or _numbers(context, worksheet) == frozenset():
        return
    sections = _sections(context)
    store = open_store(context.connection, context.app.id)
    targets = Targets(store, context.app, context.documents.get, _coming(context, sections))
    merge = _Merge(context, store, targets, Report(), document, shapes[worksheet], _numbers(context, worksheet))
    yield from merge.planned(outcome, sections.get(worksheet, []), context.live_segments("worksheets"), after)


def _sections(context: RestoreContext) -> dict[str, list[IndexLine]]:
    """Return the lines of the backup's records by worksheet."""
    found: dict[str, list[IndexLine]] = {}
    for line in context.lines("worksheets"):
        if line.section.startswith(RECORDS):
            found.setdefault(worksheet_of(line.section), []).append(line)
    return found


def coming_numbers(context: RestoreContext, worksheet: str) -> Numbers:
    """Return the numbers of a worksheet's records that a restore brings, where it restores them at all."""
    known: dict[str, Numbers] = context.kept.setdefault("worksheets_coming", {})
    if worksheet not in known:
        lines = [line for line in context.lines("worksheets") if line.section == f"records/{worksheet}"]
        known[worksheet] = Numbers(_coming(context, {worksheet: lines})(worksheet)) if context.data else Numbers()
    return known[worksheet]


def _raise_counters(context: RestoreContext, store: RecordStore, worksheets: Iterable[str]) -> None:
    """Raise counters so that no number from before the backup is given again, not even one of a purged record."""
    live = {key: fields_of(document.body) for key in worksheets if (document := context.documents.get(f"worksheet/{key}"))}
    for name, highest in sorted(context.counters("worksheets").items()):
        worksheet, _, field_key = name.partition("/")
        fields = live.get(worksheet)
        if fields is not None and (not field_key or (field_key in fields and fields[field_key].type.name == "autonumber")):
            store.raise_counter(name, min(highest, MAX_SEQ))


def _wanted(context: RestoreContext, shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the shapes of those worksheets that are to be restored.

    Raises:
        InvalidInput: one that is named is not in the backup's data.
    """
    named = {name for name in (*context.only.documents, *context.only.records) if name.startswith("worksheet/")}
    absent = sorted(named - {f"worksheet/{key}" for key in shapes})
    if absent:
        raise InvalidInput(f"The backup holds no records of {absent[0]}.")
    return {key: shape for key, shape in shapes.items() if _numbers(context, key) != frozenset()}


def _numbers(context: RestoreContext, worksheet: str) -> frozenset[int] | None:
    """Return the numbers of a worksheet's records that are to be restored; None is all of them."""
    return context.only.numbers("worksheets", f"worksheet/{worksheet}")


def _are_few(lines: Sequence[Line]) -> bool:
    """Say whether it is quicker to ask for the rows of these lines than for all of their segment."""
    return len(lines) < SEGMENT_RECORDS // 4


def _unlike_lines(now: list[bytes], then: list[bytes]) -> set[bytes]:
    """Return which of the lines of *then* are not among those of *now*; both are in order, and mostly the same."""
    if len(now) == len(then):
        unlike = {one for one, other in zip(then, now, strict=True) if one != other}
        if len(unlike) <= FEW_LINES:  # more may only have moved
            return unlike
    return set(then) - set(now)


def _holding(lines: Iterable[IndexLine], numbers: frozenset[int] | None) -> list[IndexLine]:
    """Return the lines of those segments in which one of these records may lie."""
    wanted = None if numbers is None else {number // SEGMENT_RECORDS for number in numbers}
    return [line for line in lines if wanted is None or line.n in wanted]


def _coming(context: RestoreContext, sections: Mapping[str, list[IndexLine]]) -> Callable[[str], Iterable[int]]:
    """Return what tells the numbers of a worksheet's records in the backup."""
    def numbers(worksheet: str) -> Iterator[int]:
        chosen = _numbers(context, worksheet)
        if f"worksheet/{worksheet}" in context.documents:
            for _, raw in context.segments("worksheets", _holding(sections.get(worksheet, []), chosen)):
                yield from (line.seq for line in read_lines(raw) if chosen is None or line.seq in chosen)

    return numbers


@dataclass
class _Merge:
    """One worksheet's records meeting those of the backup."""

    context: RestoreContext
    store: RecordStore
    targets: Targets
    report: Report
    document: Document
    shapes: Mapping[str, Mapping[str, Any]]
    numbers: frozenset[int] | None = None
    """The numbers of the records that are to be restored; None is all of them."""

    def __post_init__(self) -> None:
        self.worksheet = self.document.key
        self.report.names[self.worksheet] = str(self.document.body.get("name", ""))
        self.counts = self.report.worksheets.setdefault(self.worksheet, Counter())
        self.every = fields_of(self.document.body, stored=False)
        self.fields = {key: one for key, one in self.every.items() if one.stored}
        self.known = {key: shaped(key, shape) for key, shape in self.shapes.items()}
        self.same = {key for key in self.known if key in self.fields and self.fields[key].shape == self.known[key].shape}
        self.gone = set(self.known) - set(self.fields)
        self.pointing = {key: mark_of(key) for key in sorted(self.same) if self.fields[key].type.points}
        self.reached: set[tuple[str, str]] = set()
        self.highest, self.at = 0, now_us()
        self.met: set[int] = set()
        """Those of the named records that were met in the backup."""
        # Values can be taken as bytes where the backup's fields are as they were, and the record holds none of another.
        self.alike = self.same == set(self.known)

    def run(self, lines: list[IndexLine], live: Mapping[tuple[str, int], str]) -> None:
        """Merge the segments that differ and count the others."""
        if self.numbers is not None:
            self._run_some(_holding(lines, self.numbers))
            return
        differing = self._differing_lines(lines, live)
        self.counts["unchanged"] += sum(line.count for line in lines) - sum(line.count for line in differing)
        bare = self.context.writing and self.store.is_bare(self.worksheet)
        whole = bare and self.alike and self.context.authors_proven
        self._write(self._batches(self._loading(differing) if whole else self._merging(differing, bare)), bare)
        if self.context.bin_newer:
            self._write(self._batches(self._to_the_bin(lines, live)), bare=False)
        self.counts["new_since"] = 0 if bare else self._live_before() - sum(
            self.counts[what] for what in ("unchanged", "overwritten", "binned"))
        if self.context.writing and differing:
            self._finish(self.highest)

    def _run_some(self, lines: list[IndexLine]) -> None:
        """Merge the records that are named.

        Raises:
            InvalidInput: the backup has not one of them.
        """
        self._write(self._batches(self._merging(lines, bare=False)), bare=False)
        if absent := sorted((self.numbers or frozenset()) - self.met):
            raise InvalidInput(f"The backup holds no record {absent[0]} of “{self.document.body['name']}”.")
        if self.context.writing:
            self._finish(self.highest)

    def _differing_lines(self, lines: list[IndexLine], live: Mapping[tuple[str, int], str]) -> list[IndexLine]:
        """Return the segments that are not as they are now, or point to what is there no more.

        The live segments' digests speak of what was there before values followed their fields.
        """
        def is_alike(line: IndexLine) -> bool:
            return not follow and live.get((line.section, line.n)) == line.content

        follow = self._follow
        lost = self._unreaching(line for line in lines if is_alike(line))
        return [line for line in lines if (lost and line in lost) or not is_alike(line)]

    def _unreaching(self, alike: Iterable[IndexLine]) -> set[IndexLine]:
        """Return those of the segments that are as the backup has them whose pointers reach nothing by now, or something else."""
        retargeted = self.known.keys() - self.same - self.gone  # the numbers of one worksheet's records may be those of another's
        if any(self.known[key].type.points for key in retargeted):
            return set(alike)
        doubtful = [key for key in self.pointing if may_miss(self.context, self.document.address, self.fields[key])]
        if not doubtful:
            return set()
        reach = Reach(self.targets, self.fields, doubtful)
        return {line for line, raw in self.context.segments("worksheets", list(alike)) if not reach.all_reach(raw)}

    def planned(self, outcome: str, lines: list[IndexLine], live: Mapping[tuple[str, int], str], after: int) -> Iterator[RecordPair]:
        """Yield the records above *after* to which this would happen; see `Component.planned_records`."""
        lines = [line for line in _holding(lines, self.numbers) if line.n >= (after + 1) // SEGMENT_RECORDS]
        if outcome in ("binned", "new_since"):
            wanted = self.numbers is None and self.context.bin_newer is (outcome == "binned")
            for old, new in chain.from_iterable(self._newer(lines, live, after) if wanted else ()):
                vals = _decode(new.vals if old is None else old.vals)
                yield RecordPair(number=new.seq, before=vals, after=vals if outcome == "new_since" else None)
            return
        for old, new in chain.from_iterable(self._merging(
                lines if self.numbers is not None else self._differing_lines(lines, live), bare=False)):
            there = None if old is None or old.deleted_at is not None else old
            if new.seq > after and outcome == ("brought_back" if there is None else "overwritten"):
                yield RecordPair(number=new.seq, before=None if there is None else _decode(there.vals), after=_decode(new.vals))

    def _merging(self, differing: list[IndexLine], bare: bool) -> Iterator[list[Pair]]:
        """Yield what changes, a segment at a time."""
        segments = self._segments(differing)
        if bare or not self.alike or self._moved or self.numbers is not None:
            for line, raw in segments:
                yield self._segment(line.n, raw, bare)
            return
        for some in self._together(differing):  # lines can be compared as they are
            now = dict.fromkeys(some, b"") | {
                one.n: one.raw for one in self.store.some_segments(self.worksheet, [(n, n) for n in some])}
            left = [(line.n, self._differing(now.pop(line.n), raw)) for line, raw in islice(segments, len(some))]
            few = self.store.rows_of(self.worksheet, [line.seq for _, lines in left if _are_few(lines) for line in lines])
            there = {row.seq: row for row in few}
            for n, lines in left:
                yield self._changes(lines, there if _are_few(lines) else self._there(n))

    def _together(self, differing: list[IndexLine]) -> Iterator[list[int]]:
        """Yield the numbers of segments in groups; of a group, what is there now may be read at once."""
        sizes = self.context.live_bytes("worksheets", f"records/{self.worksheet}", {line.n for line in differing})
        group, size = list[int](), 0
        for line in differing:
            size += sizes.get(line.n, 0)
            if group and size > READ_TOGETHER_BYTES:
                yield group
                group, size = [], sizes.get(line.n, 0)
            group.append(line.n)
        yield group

    def _loading(self, differing: list[IndexLine]) -> Iterator[list[Pair]]:
        """Load whole segments into the bare worksheet, and yield the records of those that cannot go so."""
        whole = WholeSegments(self.context.app, self.store, self.targets, self.worksheet, self.fields, tuple(self.pointing),
                              self._history())
        for line, raw in self._segments(differing):
            for n, left in whole.take(line.n, raw):
                yield self._segment(n, left, bare=True)
        for n, left in whole.flush():
            yield self._segment(n, left, bare=True)
        self.counts["brought_back"] += whole.count
        self.highest = max(self.highest, whole.highest)

    def _segments(self, differing: list[IndexLine]) -> Iterator[tuple[IndexLine, bytes]]:
        for line, raw in self.context.segments("worksheets", differing, self.store.loaded_bytes):
            self.context.tick(line.count, line.raw)
            yield line, raw

    def _batches(self, some: Iterable[list[Pair]]) -> Iterator[list[Pair]]:
        pending: list[Pair] = []
        for pairs in some:
            pending += pairs
            if len(pending) >= BATCH_ROWS:
                yield pending
                pending = []
        yield pending

    def _to_the_bin(self, lines: list[IndexLine], live: Mapping[tuple[str, int], str]) -> Iterator[list[Pair]]:
        for pairs in self._newer(lines, live):
            self.counts["binned"] += len(pairs)
            yield pairs

    def _newer(self, lines: list[IndexLine], live: Mapping[tuple[str, int], str], after: int = 0) -> Iterator[list[Pair]]:
        """Yield the records above *after* that the backup does not have, each on its way to the recycle bin."""
        saved = {line.n: line for line in lines}
        for some in batched(iter(self._unlike(saved, live, after // SEGMENT_RECORDS)), NEWER_SEGMENTS):
            known = {line.seq for _, raw in self.context.segments("worksheets", [saved[n] for n in some if n in saved])
                     for line in read_lines(raw)}
            rows = (row for n in some for row in self.store.rows(self.worksheet, n * SEGMENT_RECORDS, (n + 1) * SEGMENT_RECORDS - 1))
            yield [(row, row._replace(deleted_at=self.at)) for row in rows
                   if row.deleted_at is None and row.seq > after and row.seq not in known]

    def _unlike(self, saved: Mapping[int, IndexLine], live: Mapping[tuple[str, int], str], first: int) -> list[int]:
        """Return the numbers, from *first* on, of the segments that may have records which the backup does not have."""
        if self.document.address in self.context.documents_before:
            there = {n: content for (section, n), content in live.items() if section == f"{RECORDS}{self.worksheet}"}
        else:  # it comes back from the bin, and was not described with the app
            there = dict.fromkeys({seq // SEGMENT_RECORDS for seq in self.store.seqs(self.worksheet)}, "")
        return sorted(n for n, content in there.items() if n >= first and (n not in saved or saved[n].content != content))

    @cached_property
    def _follow(self) -> set[str]:
        """The fields whose values follow them when the configuration comes back."""
        address = self.document.address
        before = self.context.documents_before.get(address) or documents.in_bin(self.context.app, address)
        return moved_fields({} if before is None else fields_of(before.body), self.fields)

    @property
    def _moved(self) -> set[str]:
        """The fields whose values will move before the records are merged; none once that is done."""
        return set() if self.context.writing else self._follow

    def _segment(self, n: int, raw: bytes, bare: bool) -> list[Pair]:
        """Return what changes in a segment."""
        lines = self._lines(raw)
        few = _are_few(lines) and not bare
        there = {row.seq: row for row in self.store.rows_of(self.worksheet, [line.seq for line in lines])} if few else {}
        return self._changes(lines, there if few or bare else self._there(n))

    def _lines(self, raw: bytes) -> list[Line]:
        """Return the lines of a segment that are to be restored."""
        segment = read_lines(raw)
        if self.numbers is not None:
            segment = [line for line in segment if line.seq in self.numbers]
            self.met.update(line.seq for line in segment)
        self.highest = max(self.highest, segment[-1].seq if segment else 0)
        return segment

    def _there(self, n: int) -> dict[int, Row]:
        """Return all that is there of a segment."""
        return {row.seq: row for row in self.store.rows(self.worksheet, n * SEGMENT_RECORDS, (n + 1) * SEGMENT_RECORDS - 1)}

    def _changes(self, lines: list[Line], there: Mapping[int, Row]) -> list[Pair]:
        """Return what changes where lines of the backup meet what is there."""
        changed: list[Pair] = []
        for line in lines:
            old = self._as_after(there.get(line.seq))
            new = self._row(line, old)
            outcome = "brought_back" if old is None or old.deleted_at is not None else (
                "unchanged" if new == old else "overwritten")
            self.counts[outcome] += 1
            if new != old:
                changed.append((there.get(line.seq), new))
        return changed

    def _differing(self, now: bytes, raw: bytes) -> list[Line]:
        """Return the lines of a segment that are not, byte for byte, what is there *now*, and count the others."""
        texts = raw.split(b"\n")
        unlike = _unlike_lines(now.split(b"\n"), texts)
        if self.pointing:
            left = [line for text, line in zip(texts, self._lines(raw), strict=False)
                    if text in unlike or not self._reaches_all(bytes(line.vals))]
        else:  # most are alike, and are not even read
            left = self._lines(b"".join(text + b"\n" for text in texts if text in unlike))
            self._lines(raw[raw.rfind(b"\n", 0, -1) + 1:])
        self.counts["unchanged"] += len(texts) - 1 - len(left)
        return left

    def _as_after(self, row: Row | None) -> Row | None:
        """Return a row as it stands once the configuration is back."""
        return row if row is None or not self._moved else settled(row, self.fields, self._moved)

    def _row(self, line: Line, old: Row | None) -> Row:
        vals, hidden = self._values(line, old)
        (created_at, updated_at), (created_by, updated_by) = line.at, line.by
        if not self.context.authors_proven:
            created_by = self.context.author(created_by, None if old is None else old.created_by)
            updated_by = self.context.author(updated_by, None if old is None else old.updated_by)
            self.report.authors += (created_by, updated_by) != line.by
        return Row(line.seq, vals, hidden, created_at, created_by, updated_at, updated_by, None)

    def _values(self, line: Line, old: Row | None) -> tuple[str, str | None]:
        raw = bytes(line.vals)
        points = any(mark in raw for mark in self.pointing.values())
        if self.alike and not self._holds_foreign(old) and (not points or self._reaches_all(raw)):
            return raw.decode(), None if old is None else old.hidden
        return self._merged(line.seq, _decode(raw), old, points)

    def _holds_foreign(self, old: Row | None) -> bool:
        """Say whether a record has values of fields that the backup does not know."""
        return old is not None and not self.known.keys() >= _decode(old.vals).keys()

    def _reaches_all(self, raw: bytes) -> bool:
        """Say whether all that the values point to is there, so that they can be taken as they are."""
        values = _decode(raw)
        return all(self._reaches(key, values[key]) for key in self.pointing if key in values)

    def _reaches(self, key: str, value: Any) -> bool:
        if isinstance(value, str) and (key, value) in self.reached:
            return True
        one = self.fields[key]
        there = all(self.targets.exist(one, reference) for reference in one.references(value))
        if there and isinstance(value, str) and len(self.reached) < MAX_REACHED:
            self.reached.add((key, value))
        return there

    def _merged(self, seq: int, saved: dict[str, Any], old: Row | None, points: bool) -> tuple[str, str | None]:
        now = _decode(old.vals) if old is not None else {}
        hidden = _decode(old.hidden or "{}") if old is not None else {}
        vals = {key: value for key, value in now.items() if key not in self.known}
        for key in self.known:
            if key in self.gone and not self._in_bin(key):
                self._left(seq, key, saved.get(key))
                continue
            side = hidden if key in self.gone else vals
            value = self._value(seq, key, saved.get(key), now.get(key), points)
            side.pop(key, None)
            if value is not None:
                side[key] = value
        return dumps(vals), dumps(hidden) if hidden else None

    def _value(self, seq: int, key: str, saved: Any, now: Any, points: bool) -> Any:
        """Return what a field that the backup knows shall hold."""
        if saved is None:
            return None
        if key in self.gone:
            return self._aside(seq, key, saved)
        if key not in self.same:
            return self._converted(seq, key, saved, now)
        if not points or key not in self.pointing:
            return saved
        return self._reachable(seq, self.fields[key], saved, now)

    def _aside(self, seq: int, key: str, saved: Any) -> Any:
        """Return a value for a field in the recycle bin, word for word; what it points to in vain is told."""
        one = self.known[key]
        # Which choices the field has is not known of a field in the bin; they come back with it.
        self._gone(seq, one, (reference for reference in one.references(saved) if reference.kind != "choice"))
        return saved

    def _reachable(self, seq: int, one: Field, saved: Any, now: Any) -> Any:
        """Return what of a value reaches its target; a pointer that reaches nothing stays as it is now: there, or not."""
        gone = self._gone(seq, one, one.references(saved))
        if gone and now is not None:
            gone -= set(one.references(now))
        if not gone:
            return saved
        left = one.type.keep(saved, one.definition, frozenset(gone))
        return now if left is None else left

    def _gone(self, seq: int, one: Field, references: Iterable[Reference]) -> set[Reference]:
        """Return those whose targets are gone, and with which a value cannot stay; all that are gone are told."""
        gone = [reference for reference in dict.fromkeys(references) if not self.targets.exist(one, reference)]
        for reference in gone:
            self.report.reference(self.worksheet, seq, one.key, reference, _why(reference))
        return {reference for reference in gone if reference.kind != "choice"}

    def _converted(self, seq: int, key: str, saved: Any, now: Any) -> Any:
        """Return the value as today's definition of the field has it; what does not fit is left as it is now."""
        old, one = self.known[key], self.fields[key]
        value = carried(old, one, saved)
        if value is None:
            if not stands(old, one, saved, now):
                self._left(seq, key, saved)
            return now
        return self._reachable(seq, one, value, now)

    def _left(self, seq: int, key: str, saved: Any) -> None:
        """Tell that a value stays as it is now: each of its pointers, or that there is one."""
        if saved is None:
            return
        old, reason = self.known[key], why_left(self.known[key], self.every.get(key))
        references = dict.fromkeys(old.references(saved))
        for reference in references:
            self.report.reference(self.worksheet, seq, key, reference, reason)
        if not references:
            self.report.left_fields[self.worksheet, key, reason] += 1

    def _in_bin(self, key: str) -> bool:
        return f"{self.document.address}/field/{key}" in self.context.hidden

    def _write(self, batches: Iterable[list[Pair]], bare: bool) -> None:
        """Write what changes, or only look at it."""
        if self.context.writing:
            batches = note_changes(self.context.app, self.worksheet, batches, self._history())
        for pairs in batches:
            if self.context.writing and pairs:
                write_rows(self.store, self.worksheet, self.fields, [row for _, row in pairs], bare=bare)

    def _history(self) -> BulkNote:
        """Return what tells the history of what is done to records."""
        app, live = self.context.app, self.fields.keys()
        return BulkNote(app, self.worksheet, live, live, author_of(app, self.context.person), self.at)

    def _live_before(self) -> int:
        """Return how many live records there were; a worksheet that comes back from the bin was not described with its own."""
        if self.document.address in self.context.documents_before:
            return self.context.live_count("worksheets", f"records/{self.worksheet}")
        moved = self.counts["brought_back"] - self.counts["binned"]
        return self.store.count(self.worksheet) - (moved if self.context.writing else 0)

    def _finish(self, highest: int) -> None:
        """Raise counters above the highest restored number, and report values that must be unique and are not."""
        self.store.raise_counter(self.worksheet, highest)
        for key, one in self.fields.items():
            if one.type.name == "autonumber":
                self.store.raise_counter(f"{self.worksheet}/{key}", self.store.highest(self.worksheet, key))
            if one.definition.get("unique"):
                self.report.clashes += [
                    {"worksheet": self.worksheet, "field": key, "value": value[:200], "records": count}
                    for value, count in self.store.value_counts(self.worksheet, key)]


def _why(reference: Reference) -> str:
    return {"record": "the record was deleted", "file": "the file was deleted",
            "choice": "the choice was deleted; the value is kept"}.get(
        reference.kind, "its target was deleted")
