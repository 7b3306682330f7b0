"""Content: the state of an app at one moment as a tree of digests, the same on any machine and any database.

`describe` walks an app once. What becomes of the bytes is the business of whoever takes them: hash them (`state`, `plan`) or
store them too (`backup`); so a live app and a backup of it are compared digest by digest.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, groupby, pairwise
from operator import attrgetter
from typing import Any

from core.apps import change_log
from core.apps.change_log import Runs, joined, lying_outside, runs_of
from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical
from core.archive.manifest import ComponentEntry, Content, IndexLine, PartEntry, index_bytes
from core.backups.base import Base, Mark, Sections, base_of, marked, standing_on
from core.base.errors import AppkeepError
from core.base.refs import files
from core.extension.component import Component, Document, Section, Segment, document_value
from core.objects.index import known_descriptors
from core.server import server
from core.tenancy.models import App

AT_ONCE_BYTES, WAITING = 512 * 1024, 4
"""From how many bytes on a thread takes segments, and how many times that may lie between the reading and the hashing: bounds memory."""
THREADS = 2
FILES, RECORDS = "files", "records/"
"""The section that lists files, and what the names of those with records begin with."""
SMALL_BYTES = 256 * 1024
"""Up to this size a section that is read each time is remembered by its digest."""
COMPARE = False
"""Whether each description that stands on a backup is compared with one that reads everything: tests set it."""
NAMED = 10_000
"""Up to so many segments are looked for by their numbers, not by their runs."""
_content, _number, _section = attrgetter("content"), attrgetter("n"), attrgetter("section")
Tick = Callable[[int, int], None]


class Taker:
    """Takes the bytes of segments and lists by naming them: nothing is stored, and so nothing can be missing there."""

    def ready(self) -> None:
        """Make ready to take; called before anything is put, in the thread that walks."""

    def put(self, raws: Sequence[bytes]) -> list[str]:
        """Take some bytes and return the SHA-256 of each; called in other threads too."""
        return [hashlib.sha256(raw).hexdigest() for raw in raws]

    def missing(self, contents: Iterable[str]) -> Collection[str]:
        """Return those of contents that are not read on which one may not rely, as the store does not have them; after `ready`."""
        return ()

    def has(self, base: Base) -> bool:
        """Say whether all that a backup needs is there, without a look at each."""
        return True


def document_line(document: Document) -> bytes:
    """Return a document as one line of the "documents" segment."""
    return canonical(document_value(document)) + b"\n"


@dataclass
class Description:
    """What `describe` found: the content, and the lines of each of its lists.

    `base` is the backup that it stands on; where there is none, `why` says why everything of the data was read (`core.backups.base.WHY`).
    `segments` counts those of records, and `segments_read` those of them that were; `whole_files` is whether the store has every file
    that the data names. `sections` are those of each component's data, without the files.
    """

    content: Content
    read: dict[tuple[str, str], list[IndexLine]] = field(default_factory=dict)
    """The lines of those parts that were looked at."""
    base: Base | None = None
    why: str = ""
    segments: int = 0
    segments_read: int = 0
    whole_files: bool = True
    sections: dict[str, Sections] = field(default_factory=dict)
    lender: Base | None = None
    """Whose parts those are that were not looked at."""

    def lines_of(self, component: str, part: str) -> list[IndexLine]:
        """Return the lines of one of the lists; none where there is no such part. Those of a part that is the base's are made now."""
        entry = self.content.components.get(component)
        held = None if entry is None else entry.config if part == "config" else entry.data
        if held is None:
            return []
        if (component, part) not in self.read:
            assert self.lender is not None
            self.read[component, part] = self.lender.listed(held)
        return self.read[component, part]

    @property
    def lines(self) -> dict[tuple[str, str], list[IndexLine]]:
        """The lines of each of the lists."""
        return {(name, part): self.lines_of(name, part) for name, part, _ in self.content.entries()}

    @property
    def content_id(self) -> str:
        """The digest that names this state."""
        return self.content.content_id

    @property
    def lists(self) -> dict[str, list[IndexLine]]:
        """Those lists by their digests whose lines are here."""
        return {entry.index: self.read[name, part] for name, part, entry in self.content.entries() if (name, part) in self.read}


def describe(app: App, snapshot: Snapshot, *, data: bool = True, config: bool = True, only: str | None = None,
             on: tuple[Base | None, str] | None = None, into: Taker | None = None,
             tick: Tick = lambda records, size: None) -> Description:
    """Return the content of an app at the snapshot's moment, every segment and index that is read put *into* a taker.

    Of the data only what was touched since the last backup is read, where there is one to stand on; the content is the same.
    Documents of components that are not here (any more) are part of it word for word, and so are rows of their tables.

    Args:
        only: The name of the one component to describe.
        on: The backup to stand on, or None and why everything is to be read; where it is not given, it is looked up (`base_of`).
        into: What takes each segment's and index's bytes; without one they are only named.
        tick: Called here with the records and bytes read so far; what it raises ends the walk.
    """
    base, why = (on or base_of(snapshot)) if data else (None, "")
    found = _described(app, snapshot, base, data=data, config=config, only=only, into=into or Taker(), tick=tick)
    found.why = found.why or why
    if COMPARE and base is not None:
        whole = _described(app, snapshot, None, data=data, config=config, only=only, into=Taker(), tick=tick)
        if whole.content.as_dict() != found.content.as_dict():
            raise AssertionError(f"The log says something else than the rows: {found.content.as_dict()} != {whole.content.as_dict()}")
    return found


@dataclass(frozen=True)
class Seen:
    """A description of an app's data that another may stand on: how far it saw the log, and which backup had the mark then."""

    description: Description
    mark: str | None
    marked: str | None


def describe_data(app: App, snapshot: Snapshot, before: Seen | None = None) -> Seen:
    """Return the content of an app's data; of what *before* describes only what was touched since is read."""
    connection, found = snapshot.connection, None
    here = change_log.mark(connection, app.id), marked(connection, app.id)
    if before is not None and before.mark is not None and before.marked == here[1]:  # else what is told may have left the log
        touched = change_log.since(connection, app.id, before.mark)
        found = None if touched is None else standing_on(before.description.content, before.description.lists, Mark(
            before.mark, before.description.whole_files, 0, sections=before.description.sections), touched)
    return Seen(describe(app, snapshot, config=False, on=None if found is None else (found, "")), *here)


def _described(app: App, snapshot: Snapshot, base: Base | None, *, data: bool, config: bool, only: str | None, into: Taker,
               tick: Tick) -> Description:
    found, snapshot = Description(Content(components={}), base=base, lender=base), snapshot.still()
    with ThreadPoolExecutor(THREADS) as pool:
        for name, component in server().registry.components.items():
            if only not in (None, name):
                continue
            walk = _Walk(pool, into, tick)
            entry = ComponentEntry(
                version=component.version,
                config=_config(found, name, _config_sections(component, app, snapshot), walk) if config else None,
                data=_data(found, component, app, snapshot, walk) if data else None,
            )
            if entry.config is not None or entry.data is not None:
                found.content.components[name] = entry
        if only is None:
            _describe_absent(found, app, snapshot, _Walk(pool, into, tick), data=data, config=config)
    return found


def _describe_absent(found: Description, app: App, snapshot: Snapshot, walk: _Walk, *, data: bool, config: bool) -> None:
    """Describe what the app has of components that are not here: their documents, and the rows of tables whose shape was kept."""
    registry = server().registry
    unread = {one.component: one for one in snapshot.unread()} if config else {}
    for name in sorted({*unread, *(registry.absent_data if data else ())} - registry.components.keys()):
        entry = ComponentEntry(
            version=unread[name].version if name in unread else registry.absent[name].version,
            config=_config(found, name, document_sections(unread[name].documents), walk) if name in unread else None,
            data=_part(found, name, "data", walk, walk.lines(_data_sections(registry.absent_data[name], app, snapshot)))
            if data and name in registry.absent_data else None)
        if entry.config is not None or entry.data is not None:
            found.content.components[name] = entry


@dataclass
class _Walk:
    """The way of segments from the reading thread to those that hash, some at a time, bounded, in order."""

    pool: ThreadPoolExecutor
    into: Taker
    tick: Tick

    def lines(self, sections: Iterable[Section]) -> Iterator[IndexLine]:
        waiting: deque[Future[list[IndexLine]]] = deque()
        some: list[tuple[str, Segment]] = []
        records = size = taken = 0
        for section in sections:
            for segment in section.segments:
                if segment.count == 0:  # a file: named by its digest already
                    yield IndexLine(content=segment.raw.decode(), count=1, n=segment.n, raw=0, section=section.name)
                    continue
                if not records:
                    self.into.ready()
                some.append((section.name, segment))
                records, size = records + segment.count, size + len(segment.raw)
                if size - taken >= AT_ONCE_BYTES:
                    waiting.append(self.pool.submit(self._taken, some))
                    some, taken = [], size
                    self.tick(records, size)
                while len(waiting) > WAITING:
                    yield from waiting.popleft().result()
        for one in waiting:
            yield from one.result()
        yield from self._taken(some)
        if some:
            self.tick(records, size)

    def naming(self) -> _Walk:
        """Return a walk on which nothing is given to the taker: segments are only named."""
        return _Walk(self.pool, Taker(), self.tick)

    def _taken(self, some: list[tuple[str, Segment]]) -> list[IndexLine]:
        contents = self.into.put([one.raw for _, one in some])
        return [IndexLine(content=content, count=one.count, n=one.n, raw=len(one.raw), section=section)
                for content, (section, one) in zip(contents, some, strict=True)]


def _part(found: Description, name: str, part: str, walk: _Walk, given: Iterable[IndexLine]) -> PartEntry | None:
    lines = _sized(_in_order(list(given)))
    if not lines:
        return None
    raw = index_bytes(lines)
    found.read[name, part] = lines
    walk.into.ready()
    (content,) = walk.into.put([raw])
    counts = {section: sum(line.count for line in some) for section, some in groupby(lines, key=_section)}
    return PartEntry(index=content, raw=len(raw), documents=counts.get("documents", 0), files=counts.get(FILES, 0),
                     records=sum(count for section, count in counts.items() if section.startswith(RECORDS)))


def _in_order(lines: list[IndexLine]) -> list[IndexLine]:
    """Return lines by section and number, as nearly all come already: to sort so many takes memory."""
    if any((one.section, one.n) > (two.section, two.n) for one, two in pairwise(lines)):
        lines.sort(key=lambda line: line.key)
    return lines


def described_part(sections: Iterable[Section], name: str, part: str) -> PartEntry | None:
    """Return the entry that a component's part would have with these sections."""
    with ThreadPoolExecutor(THREADS) as pool:
        walk = _Walk(pool, Taker(), lambda records, size: None)
        return _part(Description(Content(components={})), name, part, walk, walk.lines(sections))


def _sized(lines: list[IndexLine]) -> list[IndexLine]:
    """Fill in the sizes of files, which the index of objects knows."""
    sizes = known_descriptors({line.content for line in lines if line.section == FILES})
    return [line if line.section != FILES else _sized_file(line, sizes) for line in lines]


def _sized_file(line: IndexLine, sizes: Mapping[str, Any]) -> IndexLine:
    raw = sizes[line.content].raw if line.content in sizes else 0
    return IndexLine(content=line.content, count=1, n=line.n, raw=raw, section=FILES)


def _config_sections(component: Component, app: App, snapshot: Snapshot) -> Iterator[Section]:
    yield from document_sections(component.serialize(app, snapshot))


def document_sections(given: Iterable[Document]) -> Iterator[Section]:
    """Yield the sections of a configuration that consists of these documents."""
    documents = sorted(given, key=lambda d: (d.kind, d.key))
    if documents:
        raw = b"".join(map(document_line, documents))
        yield Section("documents", (Segment(0, len(documents), raw),))
        yield file_section(digest for document in documents for digest in files(document.body))


def _config(found: Description, name: str, given: Iterable[Section], walk: _Walk) -> PartEntry | None:
    """Describe a component's configuration; where it is as the base has it, nothing of it is given to the taker."""
    sections = [Section(one.name, tuple(one.segments)) for one in given]
    before = found.base.content.components.get(name) if found.base is not None and walk.into.has(found.base) else None
    if before is not None and before.config is not None:
        named = _part(found, name, "config", only := walk.naming(), only.lines(sections))
        if named == before.config:
            return named
    return _part(found, name, "config", walk, walk.lines(sections))


def _data(found: Description, component: Component, app: App, snapshot: Snapshot, walk: _Walk) -> PartEntry | None:
    """Describe a component's data: of each section it has the base's lines, but for what was touched since, which is read."""
    name, given = component.name, iter(component.data_sections(app, snapshot))
    passed = _untouched(found, component, given, walk)
    if passed is None:
        return found.base.content.components[name].data if found.base is not None else None
    before = _lines_before(found, component)
    touched = {} if found.base is None else found.base.touched
    lines: list[IndexLine] = []
    are_same, told = bool(before), dict[str, int | str]()
    for section in chain(passed, given):
        known = before.get(section.name)
        if not known or section.some is None:
            now = list(walk.lines([section]))
            read = len(now)
        else:
            gone = _missing(found, known, walk.into)
            runs = joined([*touched.get(section.name, ()), *runs_of(line.n for line in known if gone and line.content in gone)])
            now, read = known, 0
            if runs:
                some = list(walk.lines([Section(section.name, section.some(runs))]))
                rest, old = _parted(known, runs)
                are_same, read = are_same and set(some) == set(old), len(some)
                now = sorted((*rest, *some), key=_number)
        if section.name.startswith(RECORDS):
            found.segments_read, found.segments = found.segments_read + read, found.segments + len(now)
        if not known or section.some is None:
            are_same = are_same and set(now) == set(known or ())
        told[section.name] = len(now) if section.some or sum(line.raw for line in now) > SMALL_BYTES else _digest(now)
        lines += now
    found.sections[name] = told
    if found.base is not None and found.base.mark.whole_files and are_same and told.keys() >= before.keys() - {FILES}:
        entry = found.base.content.components[name].data  # the same records name the same files
        assert entry is not None  # it has the lines that these are
        return entry
    wanted = set(component.data_files(app, snapshot))
    files_there = list(walk.lines([file_section(wanted)]))
    found.whole_files &= len(files_there) == len(wanted)
    return _part(found, name, "data", walk, [*lines, *files_there])


def _parted(lines: Iterable[IndexLine], runs: Runs) -> tuple[list[IndexLine], list[IndexLine]]:
    """Return the lines that lie in none of the runs, and those that lie in one."""
    rest, within = list[IndexLine](), list[IndexLine]()
    if sum(last - first + 1 for first, last in runs) <= NAMED:
        numbers = {n for first, last in runs for n in range(first, last + 1)}
        for line in lines:
            (within if line.n in numbers else rest).append(line)
    else:
        for line in lines:
            (rest if lying_outside(runs, line.n) else within).append(line)
    return rest, within


def _missing(found: Description, known: list[IndexLine], into: Taker) -> Collection[str]:
    """Return which contents of the base's lines are not where they are to be taken."""
    if found.base is not None and into.has(found.base):
        return ()
    into.ready()
    return into.missing(map(_content, known))


def _untouched(found: Description, component: Component, given: Iterator[Section], walk: _Walk) -> list[Section] | None:
    """Return None where a component's data is as the base has it, which costs the same whatever its size; else the sections seen."""
    base, name = found.base, component.name
    part = base.data(name, component.version) if base is not None else None
    if base is None or part is None or name not in base.mark.sections or not base.mark.whole_files or not walk.into.has(base):
        return []
    then, seen, read = base.mark.sections[name], list[Section](), 0
    for section in given:
        known = then.get(section.name)
        if section.some is None and isinstance(known, str):
            small, rest = _small(section.segments)
            section = Section(section.name, small if rest is None else chain(small, rest))
            is_same = rest is None and known == _digest(walk.naming().lines([section]))
            read += len(small) if section.name.startswith(RECORDS) else 0
        else:
            is_same = section.some is not None and known is not None and not base.touched.get(section.name)
        seen.append(section)
        if not is_same:
            return seen
    if then.keys() != {section.name for section in seen}:
        return seen
    try:
        base.look_at(part)  # whoever stands on a list relies on the store having it
    except AppkeepError:
        return seen  # to be met again, and told of, by whoever reads its lines
    found.segments_read += read
    found.segments += read + sum(count for section, count in then.items() if section.startswith(RECORDS) and isinstance(count, int))
    found.sections[name] = then
    return None


def _small(segments: Iterable[Segment]) -> tuple[list[Segment], Iterator[Segment] | None]:
    """Return segments as long as they are small together, and those that follow; None where they all are."""
    left, some, size = iter(segments), list[Segment](), 0
    for segment in left:
        some.append(segment)
        size += len(segment.raw)
        if size > SMALL_BYTES:
            return some, left
    return some, None


def _digest(lines: Iterable[IndexLine]) -> str:
    return hashlib.sha256(index_bytes(lines)).hexdigest()


def _lines_before(found: Description, component: Component) -> dict[str, list[IndexLine]]:
    """Return the lines of a component's data in the base, by section; none where there is no base, or its list cannot be read."""
    try:
        return {} if found.base is None else found.base.lines(component.name, component.version)
    except AppkeepError:
        found.base, found.why = None, "unreadable"
        return {}


def _data_sections(component: Component, app: App, snapshot: Snapshot) -> Iterator[Section]:
    yield from component.data_sections(app, snapshot)
    yield file_section(component.data_files(app, snapshot))


def file_section(digests: Iterable[str]) -> Section:
    """Return the section that lists files; those the organization does not have are dangling and left out."""
    wanted = set(digests)
    held = sorted(known_descriptors(wanted))
    return Section(FILES, (Segment(n, 0, digest.encode()) for n, digest in enumerate(held)))
