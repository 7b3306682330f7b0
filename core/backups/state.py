"""Content: the state of an app at one moment as a tree of digests, the same on any machine and any database.

`describe` walks an app once. What it does with the bytes is the taker's business: hash them (`state`, `plan`) or
store them too (`backup`); so a live app and a backup of it are compared digest by digest.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical
from core.archive.manifest import ComponentEntry, Content, IndexLine, PartEntry, index_bytes
from core.base.refs import files
from core.extension.component import Component, Document, Section, Segment, document_value
from core.objects.index import known_descriptors
from core.server import server
from core.tenancy.models import App

WAITING_SEGMENTS = 12
"""How many segments may lie between the reading and the hashing: bounds memory whatever the size of the app."""
THREADS = 2
Take = Callable[[bytes], str]
Tick = Callable[[int, int], None]


def digest_only(raw: bytes) -> str:
    """Take bytes by naming them: their SHA-256, nothing stored."""
    return hashlib.sha256(raw).hexdigest()


def document_line(document: Document) -> bytes:
    """Return a document as one line of the "documents" segment."""
    return canonical(document_value(document)) + b"\n"


@dataclass
class Description:
    """What `describe` found: the content, its indexes as bytes, the lines of each index."""

    content: Content
    indexes: dict[str, bytes] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[IndexLine]] = field(default_factory=dict)

    @property
    def content_id(self) -> str:
        """The digest that names this state."""
        return self.content.content_id


def describe(app: App, snapshot: Snapshot, *, data: bool = True, config: bool = True,
             only: str | None = None, take: Take = digest_only, tick: Tick = lambda records, size: None) -> Description:
    """Return the content of an app at the snapshot's moment, every segment and index given to *take*.

    Documents of components that are not here (any more) are part of it word for word, and so are rows of their tables.

    Args:
        only: The name of the one component to describe.
        take: Called in other threads with each segment's and index's bytes; returns their SHA-256.
        tick: Called here with the records and bytes read so far; what it raises ends the walk.
    """
    found = Description(Content(components={}))
    with ThreadPoolExecutor(THREADS) as pool:
        for name, component in server().registry.components.items():
            if only not in (None, name):
                continue
            walk = _Walk(pool, take, tick)
            entry = ComponentEntry(
                version=component.version,
                config=_part(found, name, "config", walk, _config_sections(component, app, snapshot)) if config else None,
                data=_part(found, name, "data", walk, _data_sections(component, app, snapshot)) if data else None,
            )
            if entry.config is not None or entry.data is not None:
                found.content.components[name] = entry
        if only is None:
            _describe_absent(found, app, snapshot, _Walk(pool, take, tick), data=data, config=config)
    return found


def _describe_absent(found: Description, app: App, snapshot: Snapshot, walk: _Walk, *, data: bool, config: bool) -> None:
    """Describe what the app has of components that are not here: their documents, and the rows of tables whose shape was kept."""
    registry = server().registry
    unread = {one.component: one for one in snapshot.unread()} if config else {}
    for name in sorted({*unread, *(registry.absent_data if data else ())} - registry.components.keys()):
        entry = ComponentEntry(
            version=unread[name].version if name in unread else registry.absent[name].version,
            config=_part(found, name, "config", walk, document_sections(unread[name].documents)) if name in unread else None,
            data=_part(found, name, "data", walk, _data_sections(registry.absent_data[name], app, snapshot))
            if data and name in registry.absent_data else None)
        if entry.config is not None or entry.data is not None:
            found.content.components[name] = entry


@dataclass
class _Walk:
    """The way of segments from the reading thread to those that hash, bounded, in order."""

    pool: ThreadPoolExecutor
    take: Take
    tick: Tick

    def lines(self, sections: Iterable[Section]) -> Iterator[IndexLine]:
        waiting: deque[tuple[str, Segment, Future[str]]] = deque()
        records = size = 0
        for section in sections:
            for segment in section.segments:
                if segment.count == 0:  # a file: named by its digest already
                    yield IndexLine(content=segment.raw.decode(), count=1, n=segment.n, raw=0, section=section.name)
                    continue
                waiting.append((section.name, segment, self.pool.submit(self.take, segment.raw)))
                records, size = records + segment.count, size + len(segment.raw)
                self.tick(records, size)
                while len(waiting) > WAITING_SEGMENTS:
                    yield _line(*waiting.popleft())
        while waiting:
            yield _line(*waiting.popleft())


def _line(section: str, segment: Segment, digest: Future[str]) -> IndexLine:
    return IndexLine(content=digest.result(), count=segment.count, n=segment.n, raw=len(segment.raw), section=section)


def _part(found: Description, name: str, part: str, walk: _Walk, sections: Iterable[Section]) -> PartEntry | None:
    lines = _sized(sorted(walk.lines(sections), key=lambda line: (line.section, line.n)))
    if not lines:
        return None
    raw = index_bytes(lines)
    found.indexes[f"{name}/{part}"] = raw
    found.lines[name, part] = lines
    return PartEntry(
        index=walk.take(raw), raw=len(raw),
        documents=sum(line.count for line in lines if line.section == "documents"),
        records=sum(line.count for line in lines if line.section.startswith("records/")),
        files=sum(1 for line in lines if line.section == "files"),
    )


def described_part(sections: Iterable[Section], name: str, part: str) -> PartEntry | None:
    """Return the entry that a component's part would have with these sections."""
    with ThreadPoolExecutor(THREADS) as pool:
        return _part(Description(Content(components={})), name, part, _Walk(pool, digest_only, lambda records, size: None), sections)


def _sized(lines: list[IndexLine]) -> list[IndexLine]:
    """Fill in the sizes of files, which the index of objects knows."""
    sizes = known_descriptors({line.content for line in lines if line.section == "files"})
    return [line if line.section != "files" else _sized_file(line, sizes) for line in lines]


def _sized_file(line: IndexLine, sizes: Mapping[str, Any]) -> IndexLine:
    raw = sizes[line.content].raw if line.content in sizes else 0
    return IndexLine(content=line.content, count=1, n=line.n, raw=raw, section="files")


def _config_sections(component: Component, app: App, snapshot: Snapshot) -> Iterator[Section]:
    yield from document_sections(component.serialize(app, snapshot))


def document_sections(given: Iterable[Document]) -> Iterator[Section]:
    """Yield the sections of a configuration that consists of these documents."""
    documents = sorted(given, key=lambda d: (d.kind, d.key))
    if documents:
        raw = b"".join(map(document_line, documents))
        yield Section("documents", (Segment(0, len(documents), raw),))
        yield file_section(digest for document in documents for digest in files(document.body))


def _data_sections(component: Component, app: App, snapshot: Snapshot) -> Iterator[Section]:
    yield from component.data_sections(app, snapshot)
    yield file_section(component.data_files(app, snapshot))


def file_section(digests: Iterable[str]) -> Section:
    """Return the section that lists files; those the organization does not have are dangling and left out."""
    wanted = set(digests)
    held = sorted(known_descriptors(wanted))
    return Section("files", (Segment(n, 0, digest.encode()) for n, digest in enumerate(held)))
