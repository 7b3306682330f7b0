"""A writer of backup files made from docs/format.md alone: nothing of Appkeep is imported."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from typing import Any

from backports import zstd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPTIONS = {zstd.CompressionParameter.compression_level: 3, zstd.CompressionParameter.checksum_flag: 1,
           zstd.CompressionParameter.content_size_flag: 1}
Value = dict[str, Any]


def canonical(value: Any) -> bytes:
    """Return canonical JSON of values whose names are ASCII and whose numbers are whole."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lines(values: list[Any]) -> bytes:
    """Return JSON Lines."""
    return b"".join(canonical(value) + b"\n" for value in values)


class Writer:
    """Collects documents and records and gives the bytes of a file."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[Value, bytes]] = {}
        self.components: Value = {}
        self.order: list[str] = []

    def put(self, raw: bytes) -> str:
        """Pack an object and return its content."""
        content, frame = hashlib.sha256(raw).hexdigest(), zstd.compress(raw, options=OPTIONS)
        self.objects[content] = ({"content": content, "crc32": zlib.crc32(frame), "raw": len(raw), "size": len(frame),
                                  "stored": hashlib.sha256(frame).hexdigest()}, frame)
        return content

    def part(self, component: str, part: str, segments: dict[tuple[str, int], list[Any]]) -> None:
        """Add a part of a component: (section, n) -> values of its lines."""
        index = []
        for (section, n), values in sorted(segments.items()):
            raw = lines(values)
            index.append({"content": self.put(raw), "count": len(values), "n": n, "raw": len(raw), "section": section})
        raw = lines(index)
        word = "documents" if part == "config" else "records"
        count = sum(one["count"] for one in index if one["section"].startswith(word))
        entry = self.components.setdefault(component, {"version": 1})
        entry[part] = {word: count, "files": 0, "index": self.put(raw), "raw": len(raw)}

    def file(self, name: str) -> bytes:
        """Return the file."""
        indexes, listed = [], []
        for _, entry in sorted(self.components.items()):
            for part in ("config", "data"):
                if part in entry:
                    indexes.append(entry[part]["index"])
                    raw = zstd.decompress(self.objects[entry[part]["index"]][1])
                    listed += [json.loads(line)["content"] for line in raw.split(b"\n")[:-1]]
        order = list(dict.fromkeys([*indexes, *listed]))
        descriptors = [self.objects[content][0] for content in order]
        layout = self.put(lines(descriptors))
        manifest = canonical({
            "content": {"components": self.components}, "format": "appkeep-backup", "part": "both", "requires": [], "version": [1, 0],
            "envelope": {"app": "a_1111111111", "app_name": name, "backup": "b_1111111111", "created_at": "2026-11-23T09:30:00Z",
                         "created_by": "u_1111111111", "name": name, "organization": "o_1111111111", "plugins": {},
                         "producer": "another program", "type": "manual"},
            "objects": {"count": len(order), "layout": self.objects[layout][0], "raw": sum(d["raw"] for d in descriptors),
                        "size": sum(d["size"] for d in descriptors)}})
        key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        signature = canonical({"algorithm": "ed25519", "key": key.public_key().public_bytes_raw().hex(),
                               "signature": key.sign(b"appkeep-backup-v1\0" + manifest).hex()})
        members = [(b"manifest.json", manifest), (b"manifest.sig", signature)]
        members += [(f"objects/{content}.zst".encode(), self.objects[content][1]) for content in [layout, *order]]
        return zipped(members)


def zipped(members: list[tuple[bytes, bytes]]) -> bytes:
    """Return a ZIP of stored members."""
    body, directory = b"", b""
    for name, data in members:
        crc, size = zlib.crc32(data), len(data)
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0, 0, 0, 0, 0,
                                 len(body)) + name
        body += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0) + name + data
    return body + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(members), len(members), len(directory), len(body), 0)


def field(n: int, kind: str, name: str, options: Value | None = None) -> Value:
    """Return a field."""
    return {"key": f"f_{n}111111111", "type": kind, "name": name, "options": options or {}}


def record(seq: int, **values: Any) -> Value:
    """Return a line of a record; fields are named f1, f2 …"""
    return {"at": [1763889000000000, 1763889000000000], "by": ["system", "system"], "seq": seq,
            "vals": {f"f_{name[1:]}111111111": value for name, value in values.items()}}


def example() -> bytes:
    """Return a file with two worksheets, a link, a choice and a page."""
    writer, people, orders = Writer(), "w_1111111111", "w_2222222222"
    choices = {"choices": [{"key": "o_1111111111", "name": "Open"}, {"key": "o_2222222222", "name": "Closed"}]}
    link = {"target": {"ref": f"worksheet/{people}"}}
    sheets: dict[str, list[Value]] = {people: [field(1, "text", "Name")],
              orders: [field(2, "relationship", "Buyer", link), field(3, "single_select", "State", choices),
                       field(4, "currency", "Amount", {"decimals": 2, "currency": "EUR"})]}
    body: Value = {"name": "Start", "blocks": []}
    documents = [{"body": {"name": name, "fields": sheets[key]}, "key": key, "kind": "worksheet", "position": n}
                 for n, (key, name) in enumerate(((people, "People"), (orders, "Orders")))]
    writer.part("worksheets", "config", {("documents", 0): documents})
    writer.part("pages", "config", {("documents", 0): [{"body": body, "key": "p_1111111111", "kind": "page", "position": 0}]})
    writer.part("settings", "config", {("documents", 0): [{"body": {"name": "Shop"}, "key": "main", "kind": "app", "position": 0}]})
    shapes = {people: {"f_1111111111": {"options": {}, "type": "text"}},
              orders: {"f_2111111111": {"options": link, "type": "relationship"}, "f_3111111111": {"options": {}, "type": "single_select"},
                       "f_4111111111": {"options": {"currency": "EUR", "decimals": 2}, "type": "currency"}}}
    writer.part("worksheets", "data", {
        ("fields", 0): [{"fields": shapes[key], "worksheet": key} for key in sorted(shapes)],
        (f"records/{people}", 0): [record(1, f1="Ann"), record(2, f1="Bob")],
        (f"records/{orders}", 0): [record(5, f2=[1], f3="o_1111111111", f4="12.50")],
        (f"records/{orders}", 1): [record(300, f2=[1, 2], f3="o_2222222222")]})
    return writer.file("Shop")
