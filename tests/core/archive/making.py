"""Small archives for tests, right ones and, through the same pieces, wrong ones that are validly signed."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.archive.canonical import canonical
from core.archive.compression import compress
from core.archive.container import Container
from core.archive.manifest import (
    ComponentEntry,
    Content,
    Descriptor,
    IndexLine,
    Manifest,
    PartEntry,
    index_bytes,
    layout_bytes,
)
from core.archive.reader import Archive, read, verify
from core.archive.signature import SigningKey

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
ENVELOPE = {
    "app": "a_1111111111", "app_name": "Sample", "backup": "b_1111111111", "created_at": "2026-11-23T09:30:00Z",
    "created_by": "system", "name": "Manual Backup_Sample", "organization": "o_1111111111", "plugins": {"pages": "0.1.0"},
    "producer": "appkeep 0.1.0", "type": "manual",
}
PAGE = {"body": {"name": "Start"}, "key": "p_1111111111", "kind": "page", "position": 0}
RECORD = {"at": [1, 2], "by": ["system", "system"], "seq": 1, "vals": {"f_1111111111": "x"}}


def lines(*values: Any) -> bytes:
    """Return values as JSON Lines."""
    return b"".join(canonical(value) + b"\n" for value in values)


def descriptor(raw: bytes, stored: bytes | None = None) -> Descriptor:
    """Return the descriptor of a content."""
    stored = compress(raw) if stored is None else stored
    return Descriptor(content=hashlib.sha256(raw).hexdigest(), raw=len(raw), stored=hashlib.sha256(stored).hexdigest(),
                      size=len(stored), crc32=zlib.crc32(stored))


@dataclass
class Making:
    """An archive in the making: every list and number can be bent before it is signed."""

    objects: list[tuple[Descriptor, bytes]] = field(default_factory=list)
    content: Content = field(default_factory=Content)
    part: str = "both"
    envelope: Mapping[str, Any] = field(default_factory=lambda: dict(ENVELOPE))

    def add(self, raw: bytes, stored: bytes | None = None) -> Descriptor:
        """Add an object, once."""
        found = descriptor(raw, stored)
        if all(d.content != found.content for d, _ in self.objects):
            self.objects.append((found, compress(raw) if stored is None else stored))
        return found

    def manifest(self) -> tuple[Manifest, bytes, bytes]:
        """Return the manifest, the layout's bytes and the layout compressed."""
        raw = layout_bytes(d for d, _ in self.objects)
        stored = compress(raw)
        return Manifest(part=self.part, content=self.content, layout=descriptor(raw, stored), objects=len(self.objects),
                        raw=sum(d.raw for d, _ in self.objects), size=sum(d.size for d, _ in self.objects),
                        envelope=self.envelope), raw, stored

    def bytes(self, **changes: Any) -> bytes:
        """Return the file, signed; *changes* replace properties of the manifest."""
        manifest, raw, stored = self.manifest()
        return self.signed(replace(manifest, **changes).to_bytes(), manifest.layout, raw, stored)

    def signed(self, manifest: bytes, layout: Descriptor, raw: bytes, stored: bytes) -> bytes:
        """Return the file of these manifest bytes."""
        held = {d.content: data for d, data in self.objects} | {layout.content: stored}
        container = Container(manifest, KEY.sign(manifest), layout, raw)
        return b"".join(container.chunks(lambda d: iter((held[d.content],))))


def sections(made: Making, parts: Mapping[tuple[str, str], Mapping[str, Iterable[tuple[int, bytes]]]]) -> Making:
    """Add components' parts, section by section, segment by segment (number, bytes), indexes first."""
    listed = {}
    for (name, part), held in sorted(parts.items()):
        found = [(section, n, raw) for section in sorted(held) for n, raw in held[section]]
        index = [IndexLine(content=hashlib.sha256(raw).hexdigest(), count=1 if section == "files" else raw.count(b"\n"),
                           n=n, raw=len(raw), section=section) for section, n, raw in found]
        listed[name, part] = index, found
    for (name, part), (index, _) in listed.items():
        raw = index_bytes(index)
        made.add(raw)
        entry = PartEntry(
            index=hashlib.sha256(raw).hexdigest(), raw=len(raw),
            documents=sum(x.count for x in index if x.section == "documents") if part == "config" else 0,
            records=sum(x.count for x in index if x.section.startswith("records/")) if part == "data" else 0,
            files=sum(x.section == "files" for x in index))
        old = made.content.components.get(name, ComponentEntry(version=1))
        made.content.components[name] = replace(old, **{part: entry})
    for _, found in listed.values():
        for _, _, raw in found:
            made.add(raw)
    return made


def small() -> Making:
    """Return a small archive: a page, a record, a file."""
    return sections(Making(), {
        ("pages", "config"): {"documents": [(0, lines(PAGE))]},
        ("worksheets", "data"): {"records/w_1111111111": [(0, lines(RECORD))], "files": [(0, b"a file")]},
    })


def checked(data: bytes, **limits: Any) -> Archive:
    """Return the archive in *data*, read and verified."""
    from core.archive.limits import Limits

    archive = read(io.BytesIO(data), Limits(**limits))
    verify(archive)
    return archive
