"""The manifest of a backup, its indexes and its layout: values, their bytes, and the strict reading of both. Pure."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

import msgspec

from core.archive.canonical import NotCanonical, canonical, parse_canonical
from core.archive.errors import ArchiveDamaged, ArchiveNeedsNewer

FORMAT = "appkeep-backup"
VERSION = (1, 0)
WITH_COUNTERS = (1, 1)
PARTS = ("config", "data")
PART_NAMES = ("config", "data", "both")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")
COMPONENT = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
SECTION = re.compile(r"[a-z]{1,20}(?:/[a-z]_[1-9A-HJ-NP-Za-km-z]{1,32})?\Z")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
TYPES = ("manual", "scheduled", "pre_restore", "uploaded")
MAX_SEQ = 2**53 - 1
COUNTER = re.compile(r"[a-z]_[1-9A-HJ-NP-Za-km-z]{1,32}(?:/[a-z]_[1-9A-HJ-NP-Za-km-z]{1,32})?\Z")
MAX_COUNTER = 2**40
MAX_COUNTERS = 10_000
MAX_COMPONENTS = 200
MAX_LIST_LINE_BYTES = 512
"""Lines of indexes and layouts are shorter: a longer one is refused before it is parsed."""
ENVELOPE = ("app", "app_name", "backup", "created_at", "created_by", "name", "organization", "plugins", "producer", "type")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An object: digest and size of its bytes, digest, size and CRC-32 of its compressed bytes."""

    content: str
    raw: int
    stored: str
    size: int
    crc32: int

    def line(self) -> bytes:
        """Return the descriptor as a line of a layout."""
        return canonical(self.as_dict()) + b"\n"

    def as_dict(self) -> dict[str, Any]:
        """Return the descriptor as JSON."""
        return {"content": self.content, "crc32": self.crc32, "raw": self.raw, "size": self.size, "stored": self.stored}

    @classmethod
    def from_dict(cls, value: Any, where: str) -> Descriptor:
        """Return the descriptor that foreign JSON describes (ArchiveDamaged)."""
        _keys(value, ("content", "crc32", "raw", "size", "stored"), where)
        return cls(content=_digest(value["content"], where), raw=_count(value["raw"], where),
                   stored=_digest(value["stored"], where), size=_count(value["size"], where),
                   crc32=_count(value["crc32"], where, 2**32 - 1))


@dataclass(frozen=True, slots=True)
class IndexLine:
    """A segment or file as an index lists it: its digest, lines, number, bytes and section."""

    content: str
    count: int
    n: int
    raw: int
    section: str

    @property
    def key(self) -> tuple[str, int]:
        """The place of the line in its index."""
        return self.section, self.n

    @classmethod
    def from_dict(cls, value: Any, where: str) -> IndexLine:
        """Return the line that foreign JSON describes (ArchiveDamaged)."""
        _keys(value, ("content", "count", "n", "raw", "section"), where)
        if not isinstance(value["section"], str) or not SECTION.match(value["section"]):
            raise ArchiveDamaged(f"{where} names a section in another form.")
        line = cls(content=_digest(value["content"], where), count=_count(value["count"], where),
                   n=_count(value["n"], where), raw=_count(value["raw"], where), section=value["section"])
        if line.count < 1 or (line.section == "files" and line.count != 1):
            raise ArchiveDamaged(f"{where} counts {line.count} lines.")
        return line


_own_lines = msgspec.json.Decoder(IndexLine)


def index_bytes(lines: Iterable[IndexLine]) -> bytes:
    """Return the bytes of an index whose lines are in order."""
    written = io.BytesIO()  # a list of so many lines would take more than they do
    for x in lines:
        written.write(f'{{"content":"{x.content}","count":{x.count},"n":{x.n},"raw":{x.raw},"section":"{x.section}"}}\n'.encode())
    return written.getvalue()


def own_lines(raw: bytes) -> list[IndexLine]:
    """Return all lines of an index that this server wrote, proven by its digest: not read as strictly as a stranger's, and quickly."""
    found: list[IndexLine] = _own_lines.decode_lines(raw)
    for line in found:  # a section is one text, not one for each of its segments
        object.__setattr__(line, "section", intern(line.section))
    return found


def parse_index(raw: bytes, where: str = "The index") -> list[IndexLine]:
    """Return all lines of an index (ArchiveDamaged)."""
    return list(index_lines(raw, where))


def index_lines(raw: bytes, where: str) -> Iterator[IndexLine]:
    """Yield the lines of a foreign index, strictly in order of (section, n).

    Raises:
        ArchiveDamaged: with *where* and the line.
    """
    before = ("", -1)
    files: str = ""
    for number, value in enumerate(json_lines(raw, where, MAX_LIST_LINE_BYTES), start=1):
        line = IndexLine.from_dict(value, f"{where}, line {number},")
        if (line.section, line.n) <= before:
            raise ArchiveDamaged(f"{where}, line {number}, is out of order.")
        if line.section == "files":
            expected = before[1] + 1 if before[0] == "files" else 0
            if line.n != expected or line.content <= files:
                raise ArchiveDamaged(f"{where}, line {number}: files are not numbered in the order of their digests.")
            files = line.content
        before = (line.section, line.n)
        yield line


def part_lines(raw: bytes, part: str, where: str) -> Iterator[IndexLine]:
    """Yield the lines of a foreign index of the part "config" or "data", with those sections only that the part may have.

    Raises:
        ArchiveDamaged: see `index_lines`; or a line names a section, or a segment of one, that the part does not have.
    """
    for line in index_lines(raw, where):
        fits = line.section == "files" or (line.section != "documents" if part == "data" else (line.section, line.n) == ("documents", 0))
        if not fits:
            raise ArchiveDamaged(f"{where} lists segment {line.n} of “{line.section}”, which {part} does not have.")
        yield line


def json_lines(raw: bytes, where: str, max_line_bytes: int, *, before: int = 0) -> Iterator[Any]:
    """Yield the value of each canonical line, one at a time; *before* is how many lines came before these.

    Raises:
        ArchiveDamaged: a line is empty, too long or not canonical, or the last one has no end; with *where*.
    """
    start, number = 0, before
    while start < len(raw):
        number += 1
        end = raw.find(b"\n", start)
        if end < 0:
            raise ArchiveDamaged(f"{where}, line {number}, has no end.")
        if end - start > max_line_bytes:
            raise ArchiveDamaged(f"{where}, line {number}, is longer than {max_line_bytes} bytes.")
        try:
            yield parse_canonical(raw[start:end])
        except NotCanonical as error:
            raise ArchiveDamaged(f"{where}, line {number}: {error}.") from None
        start = end + 1


def layout_bytes(descriptors: Iterable[Descriptor]) -> bytes:
    """Return the bytes of a layout."""
    return b"".join(
        f'{{"content":"{d.content}","crc32":{d.crc32},"raw":{d.raw},"size":{d.size},"stored":"{d.stored}"}}\n'.encode()
        for d in descriptors)


def layout_lines(raw: bytes) -> Iterator[Descriptor]:
    """Yield the descriptors of a foreign layout (ArchiveDamaged)."""
    for number, value in enumerate(json_lines(raw, "The layout", MAX_LIST_LINE_BYTES), start=1):
        yield Descriptor.from_dict(value, f"The layout, line {number},")


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part of a component: the digest and size of its index, and what it counts."""

    index: str
    raw: int
    documents: int = 0
    records: int = 0
    files: int = 0

    def as_dict(self, part: str) -> dict[str, Any]:
        """Return the entry as JSON: documents are counted in the configuration, records in the data."""
        counted = {"documents": self.documents} if part == "config" else {"records": self.records}
        return {"index": self.index, "raw": self.raw, "files": self.files, **counted}

    @classmethod
    def from_dict(cls, value: Any, part: str, where: str) -> PartEntry:
        """Return the entry that foreign JSON describes (ArchiveDamaged)."""
        counted = "documents" if part == "config" else "records"
        _keys(value, ("files", "index", "raw", counted), where)
        if value["raw"] == 0:
            raise ArchiveDamaged(f"{where} has an empty index.")
        return cls(index=_digest(value["index"], where), raw=_count(value["raw"], where),
                   files=_count(value["files"], where), **{counted: _count(value[counted], where)})


@dataclass(frozen=True, slots=True)
class ComponentEntry:
    """What a backup holds of one component, in which version of its schemas."""

    version: int
    config: PartEntry | None = None
    data: PartEntry | None = None

    def present(self) -> list[tuple[str, PartEntry]]:
        """Return (part, entry) of the parts that are there, the configuration first."""
        parts = (("config", self.config), ("data", self.data))
        return [(part, entry) for part, entry in parts if entry is not None]

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {"version": self.version, **{part: entry.as_dict(part) for part, entry in self.present()}}


@dataclass(slots=True)
class Content:
    """The deterministic part of a manifest: nothing in it names the app, the server or the moment."""

    components: dict[str, ComponentEntry] = field(default_factory=dict)

    @property
    def content_id(self) -> str:
        """The digest that names this state."""
        return hashlib.sha256(canonical(self.as_dict())).hexdigest()

    def entries(self) -> Iterator[tuple[str, str, PartEntry]]:
        """Yield (component, part, entry) in the order of the format."""
        for name in sorted(self.components):
            for part, entry in self.components[name].present():
                yield name, part, entry

    def part(self, part: str) -> Content:
        """Return the content of one part ("config", "data"), or of both."""
        if part == "both":
            return self
        kept = {name: ComponentEntry(entry.version, entry.config if part == "config" else None,
                                     entry.data if part == "data" else None)
                for name, entry in self.components.items()}
        return Content({name: entry for name, entry in kept.items() if entry.present()})

    def as_dict(self) -> dict[str, Any]:
        """Return the content as JSON."""
        return {"components": {name: entry.as_dict() for name, entry in self.components.items()}}

    @classmethod
    def from_dict(cls, value: Any) -> Content:
        """Return the content that foreign JSON describes (ArchiveDamaged)."""
        _keys(value, ("components",), "The manifest's content")
        components = value["components"]
        if not isinstance(components, dict) or len(components) > MAX_COMPONENTS:
            raise ArchiveDamaged("The manifest's components have another form.")
        return cls({name: _component(name, entry) for name, entry in components.items()})


def _component(name: str, value: Any) -> ComponentEntry:
    where = f"The manifest's component “{name[:40]}”"
    if not COMPONENT.match(name) or not isinstance(value, dict) or not {"version"} < value.keys() <= {"version", *PARTS}:
        raise ArchiveDamaged(f"{where} has another form.")
    version = _count(value["version"], where, 10**6)
    if not version:
        raise ArchiveDamaged(f"{where} has no version.")
    return ComponentEntry(version, *(PartEntry.from_dict(value[p], p, where) if p in value else None for p in PARTS))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest: the content, where its objects lie, and the envelope that says whose it is."""

    part: str
    content: Content
    layout: Descriptor
    objects: int
    raw: int
    size: int
    envelope: Mapping[str, Any]
    counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """component -> name -> the highest number that was given out under it. No part of the content: two apps that hold the same
    are in the same state, whatever one of them has given out and deleted for good."""

    def to_bytes(self) -> bytes:
        """Return the bytes of ``manifest.json``."""
        more = {"counters": {name: dict(given) for name, given in self.counters.items()}} if self.counters else {}
        return canonical({
            **more, "content": self.content.as_dict(), "envelope": dict(self.envelope), "format": FORMAT,
            "objects": {"count": self.objects, "layout": self.layout.as_dict(), "raw": self.raw, "size": self.size},
            "part": self.part, "requires": [], "version": list(WITH_COUNTERS if more else VERSION)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Return the manifest in foreign bytes.

        Raises:
            ArchiveDamaged: it has another form.
            ArchiveNeedsNewer: it is of a version, or needs a feature, that is not known here.
        """
        try:
            value = parse_canonical(data)
        except NotCanonical as error:
            raise ArchiveDamaged(f"manifest.json is {error}.") from None
        minor = _check_version(value)
        known = ("content", "envelope", "format", "objects", "part", "requires", "version")
        _keys(value, known, "manifest.json", more=minor > 0)
        part, objects = value["part"], value["objects"]
        _keys(objects, ("count", "layout", "raw", "size"), "The manifest's objects")
        if part not in PART_NAMES:
            raise ArchiveDamaged("manifest.json holds a part that does not exist.")
        content = Content.from_dict(value["content"])
        found = {p for _, p, _ in content.entries()}
        if not found <= ({part} if part != "both" else set(PARTS)):
            raise ArchiveDamaged(f"manifest.json says it holds “{part}” and holds more.")
        where = "The manifest's objects"
        return cls(part=part, content=content, layout=Descriptor.from_dict(objects["layout"], where),
                   objects=_count(objects["count"], where), raw=_count(objects["raw"], where),
                   size=_count(objects["size"], where), envelope=_envelope(value["envelope"], minor > 0),
                   counters=read_counters(value.get("counters", {})))


def read_counters(value: Any) -> dict[str, dict[str, int]]:
    """Return the counters that foreign JSON names (ArchiveDamaged)."""
    where = "The manifest's counters"
    if not isinstance(value, dict) or any(not isinstance(given, dict) for given in value.values()):
        raise ArchiveDamaged(f"{where} have another form.")
    if sum(map(len, value.values())) > MAX_COUNTERS:
        raise ArchiveDamaged(f"{where} are more than {MAX_COUNTERS}.")
    if not all(COMPONENT.match(name) and all(map(COUNTER.match, given)) for name, given in value.items()):
        raise ArchiveDamaged(f"{where} have names in another form.")
    return {name: {key: _count(number, where, MAX_COUNTER) for key, number in given.items()} for name, given in value.items()}


def _check_version(value: Any) -> int:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ArchiveDamaged("manifest.json is not that of a backup.")
    version = value.get("version")
    if not isinstance(version, list) or len(version) != 2 or any(type(n) is not int or n < 0 for n in version):
        raise ArchiveDamaged("manifest.json has no version.")
    if version[0] != VERSION[0]:
        raise ArchiveNeedsNewer(f"The file has format version {version[0]}.{version[1]}; this server reads version "
                                f"{VERSION[0]}: update the server.")
    requires = value.get("requires")
    if not isinstance(requires, list) or any(not isinstance(name, str) for name in requires):
        raise ArchiveDamaged("manifest.json does not say what it requires.")
    if requires:
        raise ArchiveNeedsNewer(f"The file requires “{requires[0][:60]}”, which this server does not know: update it.")
    return int(version[1])


def _envelope(value: Any, more: bool) -> dict[str, Any]:
    where = "The manifest's envelope"
    _keys(value, ENVELOPE, where, more=more)
    plugins = value["plugins"]
    if not isinstance(plugins, dict) or any(not isinstance(v, str) or len(v) > 100 for v in plugins.values()):
        raise ArchiveDamaged(f"{where} lists plugins in another form.")
    for name in ENVELOPE:
        if name != "plugins" and (not isinstance(value[name], str) or len(value[name]) > 300):
            raise ArchiveDamaged(f"{where} has “{name}” in another form.")
    if value["type"] not in TYPES or not MOMENT.match(value["created_at"]):
        raise ArchiveDamaged(f"{where} does not say of which type the backup is, and when it was made.")
    return {name: value[name] for name in ENVELOPE}


def _keys(value: Any, wanted: Iterable[str], where: str, *, more: bool = False) -> None:
    if not isinstance(value, dict) or not (value.keys() >= set(wanted) if more else value.keys() == set(wanted)):
        raise ArchiveDamaged(f"{where} has another form.")


def _digest(value: Any, where: str) -> str:
    if not isinstance(value, str) or not DIGEST.match(value):
        raise ArchiveDamaged(f"{where} has a digest in another form.")
    return value


def _count(value: Any, where: str, highest: int = MAX_SEQ) -> int:
    if type(value) is not int or not 0 <= value <= highest:
        raise ArchiveDamaged(f"{where} has a number that cannot be.")
    return value
