#!/usr/bin/env python3
"""A reader of Appkeep's backup files (format 1), written from docs/format.md alone: proves a file whole and exports it.

    python reader.py FILE            prove it; print what it holds
    python reader.py FILE FOLDER     and write its documents, records and files into a new folder

It needs Python 3.11 and nothing else but zstd: from Python 3.14's own library, from `backports.zstd`, or the `zstd` program.
It does not look at the signature, which says who made the file, and never that it is safe.
"""

import hashlib
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

try:
    from compression import zstd
except ImportError:
    try:
        from backports import zstd
    except ImportError:
        zstd = None

MIB = 1024 * 1024


class Unsound(Exception):
    """The file is not what its manifest says."""


def need(holds: bool, what: str) -> None:
    """Refuse the file where something does not hold."""
    if not holds:
        raise Unsound(what)


def canonical(value) -> bytes:
    """Return the canonical JSON of what a file holds: sorted names (of ASCII), no spaces, numbers whole."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def unpacked(frame: bytes, raw: int) -> bytes:
    """Return an object's bytes; never more than its descriptor says."""
    if zstd is not None:
        try:
            return zstd.ZstdDecompressor().decompress(frame, max_length=raw + 1)
        except zstd.ZstdError as error:
            raise Unsound(f"An object cannot be unpacked: {error}.") from error
    with subprocess.Popen(["zstd", "-dcq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        return process.communicate(frame)[0]


def local(name: bytes, data_crc: int, size: int) -> bytes:
    """Return a member's local header."""
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, data_crc, size, size, len(name), 0) + name


def central(name: bytes, data_crc: int, size: int, offset: int) -> bytes:
    """Return a member's entry of the directory."""
    far = offset >= 0xFFFFFFFF
    extra, version = (struct.pack("<HHQ", 1, 8, offset), 45) if far else (b"", 20)
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, version, version, 0, 0, 0, 0x21, data_crc, size, size, len(name), len(extra),
                       0, 0, 0, 0, 0xFFFFFFFF if far else offset) + name + extra


def ending(members: list) -> bytes:
    """Return what stands behind the last member; each member is (name, crc, size, offset, header size)."""
    start = members[-1][3] + members[-1][4] + members[-1][2]
    directory = b"".join(central(name, crc, size, offset) for name, crc, size, offset, _ in members)
    count, size, more = len(members), len(directory), b""
    if count >= 0xFFFF or start >= 0xFFFFFFFF or size >= 0xFFFFFFFF:
        more = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start)
        more += struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
    return directory + more + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), min(size, 0xFFFFFFFF),
                                          min(start, 0xFFFFFFFF), 0)


class Reader:
    """A file, read from its beginning to its end; `objects` maps contents to places."""

    def __init__(self, path: str) -> None:
        self.file = Path(path).open("rb")  # noqa: SIM115  # open as long as the reader is
        self.members, self.objects = [], {}
        self.manifest_bytes = self.small(b"manifest.json", MIB)
        self.small(b"manifest.sig", 1024)
        self.manifest = json.loads(self.manifest_bytes)
        need(self.manifest["format"] == "appkeep-backup" and self.manifest["version"][0] == 1, "It is of another format.")
        need(not self.manifest["requires"], f"It requires {self.manifest['requires']}.")
        need(canonical(self.manifest) == self.manifest_bytes, "Its manifest is not canonical.")
        layout = self.manifest["objects"]["layout"]
        self.place(layout)
        for line in self.lines(layout["content"]):
            need(line["content"] not in self.objects, "An object is there twice.")
            self.place(line)
        self.file.seek(0, 2)
        end, last = self.file.tell(), ending(self.members)
        self.file.seek(end - len(last))
        need(self.file.read() == last and end - len(last) == sum(self.members[-1][2:5]), "Its end is not what follows from its layout.")

    def small(self, name: bytes, most: int) -> bytes:
        """Read one of the two members whose size the header tells."""
        offset = self.file.tell()
        size = struct.unpack("<I", self.file.read(30)[18:22])[0]
        need(size <= most, f"{name.decode()} is too large.")
        self.file.seek(offset + 30 + len(name))
        data = self.file.read(size)
        self.header(name, zlib.crc32(data), size, offset)
        self.file.seek(offset + 30 + len(name) + size)
        return data

    def header(self, name: bytes, crc: int, size: int, offset: int) -> None:
        """Compare a member's header with what it must be."""
        wanted = local(name, crc, size)
        self.file.seek(offset)
        need(self.file.read(len(wanted)) == wanted, f"The header of {name.decode()} is not what it must be.")
        self.members.append((name, crc, size, offset, len(wanted)))

    def place(self, descriptor: dict) -> None:
        """Note where the next object lies."""
        name = f"objects/{descriptor['content']}.zst".encode()
        offset = self.file.tell()
        self.header(name, descriptor["crc32"], descriptor["size"], offset)
        self.objects[descriptor["content"]] = (self.file.tell(), descriptor)
        self.file.seek(descriptor["size"], 1)

    def read(self, content: str) -> bytes:
        """Return an object, proven by both of its digests."""
        need(content in self.objects, f"The object {content} is missing.")
        start, descriptor = self.objects[content]
        back = self.file.tell()
        self.file.seek(start)
        frame = self.file.read(descriptor["size"])
        self.file.seek(back)
        need(hashlib.sha256(frame).hexdigest() == descriptor["stored"], f"The object {content} is damaged.")
        raw = unpacked(frame, descriptor["raw"])
        need(len(raw) == descriptor["raw"] and hashlib.sha256(raw).hexdigest() == content, f"The object {content} is another one.")
        return raw

    def lines(self, content: str) -> list:
        """Return the values of an object of JSON Lines."""
        raw = self.read(content)
        need(not raw or raw.endswith(b"\n"), f"The last line of {content} has no end.")
        return [json.loads(line) for line in raw.split(b"\n")[:-1]]

    def walk(self):
        """Yield (component, part, section, segment, values, or for a file None, content); every object is proven on the way."""
        used = {self.manifest["objects"]["layout"]["content"]}
        for name, entry in sorted(self.manifest["content"]["components"].items()):
            for part in ("config", "data"):
                if part not in entry:
                    continue
                counted, index = {"documents": 0, "records": 0, "files": 0}, entry[part]["index"]
                used.add(index)
                for line in self.lines(index):
                    used.add(line["content"])
                    values = None if line["section"] == "files" else self.lines(line["content"])
                    need(values is None or len(values) == line["count"], f"A segment of {name} counts other lines.")
                    kind = line["section"].partition("/")[0]
                    counted[kind if kind in counted else "others"] = counted.get(kind, 0) + line["count"]
                    if values is None:
                        self.read(line["content"])
                    yield name, part, line["section"], line["n"], values, line["content"]
                for what in ("files", "documents" if part == "config" else "records"):
                    need(counted[what] == entry[part][what], f"{name} counts {what} it does not list.")
        need(used == set(self.objects), "It holds objects that nothing lists.")

    @property
    def content_id(self) -> str:
        """The name of the state that the file holds."""
        return hashlib.sha256(canonical(self.manifest["content"])).hexdigest()


def export(reader: Reader, folder: Path | None) -> dict:
    """Prove a file whole, write it into a folder where one is given, and return what it holds."""
    found = {"content_id": reader.content_id, "part": reader.manifest["part"], "documents": 0, "records": 0, "files": 0}
    for name, _, section, n, values, content in reader.walk():
        kind = section.partition("/")[0]
        found[kind] = found.get(kind, 0) + (1 if values is None else len(values))
        if folder is None:
            continue
        target = folder / name / (f"files/{content}" if values is None else f"{section}-{n}.jsonl")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(reader.read(content))
    return found


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        print(json.dumps(export(Reader(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None), indent=1))
    except Unsound as error:
        sys.exit(f"The file is unsound: {error}")
    except (KeyError, TypeError, ValueError, struct.error) as error:
        sys.exit(f"The file is no backup of format 1: {error!r}")
