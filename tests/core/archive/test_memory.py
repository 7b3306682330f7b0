"""Reading a hostile file takes little memory, whatever the file says: each is read in a process of its own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.archive.compression import compress, compress_stream
from core.archive.limits import LIMITS
from core.archive.manifest import ComponentEntry, Descriptor, IndexLine, PartEntry, index_bytes, layout_bytes
from tests.core.archive.making import Making, descriptor, lines

MIB = 1024 * 1024
ALLOWED_BYTES = 100 * MIB
RECORDS = "records/w_1111111111"
READ = """
import json, re, sys
from core.archive.errors import ArchiveError
from core.archive.limits import Limits
from core.archive.reader import read, verify

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

limits, before = Limits(**json.loads(sys.argv[2])), peak()
with open(sys.argv[1], "rb") as source:
    try:
        archive = read(source, limits)
        verify(archive)
        for _, stream in archive.objects():
            while stream.read(1 << 18):
                pass
        said = "accepted"
    except ArchiveError as error:
        said = error.code
print(said, peak() - before)
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")


def reading(path: Path, data: bytes, **limits: int) -> str:
    """Return what the reader said of a file ("accepted" or a code), having read it within the memory allowed."""
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", READ, str(path), json.dumps(limits)], check=True, capture_output=True,
                          text=True, cwd=Path(__file__).parents[3])
    said, taken = done.stdout.split()
    assert int(taken) < ALLOWED_BYTES, f"{int(taken) / MIB:.0f} MiB"
    return said


def indexed(index: bytes, held: list[tuple[Descriptor, bytes]], *, records: int = 0, files: int = 0) -> Making:
    """Return a file in the making with one index, given as bytes, and objects."""
    entry = PartEntry(index=hashlib.sha256(index).hexdigest(), raw=len(index), records=records, files=files)
    made = Making(objects=[(descriptor(index), compress(index)), *held])
    made.content.components["worksheets"] = ComponentEntry(version=1, data=entry)
    return made


def one(raw: Descriptor, stored: bytes, section: str = "files", count: int = 1) -> Making:
    """Return a file in the making with one object beside its index."""
    line = IndexLine(content=raw.content, count=count, n=0, raw=raw.raw, section=section)
    is_file = section == "files"
    return indexed(index_bytes([line]), [(raw, stored)], files=is_file, records=0 if is_file else count)


class Zeros(io.RawIOBase):
    """A stream of so many zeros."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        given = min(size, self.left)
        self.left -= given
        return bytes(given)


@pytest.fixture(scope="module")
def bomb() -> tuple[Descriptor, bytes]:
    """64 kB that become 2 GiB of zeros, truly."""
    size = LIMITS.file_bytes
    stored = b"".join(compress_stream(Zeros(size), size))  # type: ignore[arg-type]
    digest = hashlib.sha256()
    for chunk in iter(lambda source=Zeros(size): source.read(MIB), b""):  # type: ignore[misc]
        digest.update(chunk)
    return Descriptor(content=digest.hexdigest(), raw=size, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                      crc32=zlib.crc32(stored)), stored


def test_a_bomb_is_refused_for_its_ratio(tmp_path: Path, bomb: tuple[Descriptor, bytes]) -> None:
    """HOSTILE 20 and 23: nothing is unpacked."""
    assert reading(tmp_path / "bomb", one(*bomb).bytes()) == "archive_too_large"


def test_a_bomb_that_may_be_unpacked_takes_no_memory(tmp_path: Path, bomb: tuple[Descriptor, bytes]) -> None:
    """HOSTILE 20: even without the bound of the ratio, the content passes by in chunks."""
    assert reading(tmp_path / "bomb", one(*bomb).bytes(), ratio=10**9) == "accepted"


@pytest.mark.parametrize("claimed", [1000, 30 * MIB])
def test_a_bomb_that_lies_is_refused(tmp_path: Path, bomb: tuple[Descriptor, bytes], claimed: int) -> None:
    """HOSTILE 17: the frame says other than the layout."""
    found, stored = bomb
    lying = Descriptor(content=found.content, raw=claimed, stored=found.stored, size=found.size, crc32=found.crc32)
    assert reading(tmp_path / "bomb", one(lying, stored, RECORDS).bytes()) == "archive_damaged"


@pytest.mark.parametrize("section", ["files", RECORDS])
def test_thirteen_bytes_that_claim_gigabytes_are_refused(tmp_path: Path, section: str) -> None:
    """HOSTILE 20: a frame's header and nothing else."""
    size = 2**31 - 1 if section == "files" else 32 * MIB
    stored = b"\x28\xb5\x2f\xfd" + bytes([0b11100100]) + size.to_bytes(8, "little")
    found = Descriptor(content="0" * 64, raw=size, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                       crc32=zlib.crc32(stored))
    data = one(found, stored, section).bytes()
    assert reading(tmp_path / "claim", data, ratio=10**9) == "archive_damaged"


def brackets(size: int) -> bytes:
    """Return a canonical line of *size* bytes that becomes as many objects as can be."""
    return (b"[" + b"[]," * size)[:size // 3 * 3 - 3] + b"[]]\n"


def test_long_lines_of_empty_arrays_are_read_one_at_a_time(tmp_path: Path) -> None:
    """A mebibyte of `[[],[],…` becomes many objects; a segment is full of such lines."""
    raw = brackets(MIB - 10) * 31
    made = one(descriptor(raw), compress(raw), RECORDS, count=31)
    assert reading(tmp_path / "brackets", made.bytes(), ratio=10**9) == "accepted"


def test_one_line_as_long_as_a_segment_is_refused_unread(tmp_path: Path) -> None:
    """HOSTILE 39: the length of a line is judged first."""
    raw = brackets(32 * MIB - 10)
    made = one(descriptor(raw), compress(raw), RECORDS)
    assert reading(tmp_path / "brackets", made.bytes(), ratio=10**9) == "archive_damaged"


@pytest.mark.parametrize("make", [
    lambda raw: _with_layout(raw), lambda raw: indexed(raw, []).bytes(),
], ids=["layout", "index"])
def test_a_list_that_is_one_long_line_is_refused_unread(tmp_path: Path, make: Callable[[bytes], bytes]) -> None:
    """HOSTILE 24 and 39: the lists of the file have short lines only."""
    assert reading(tmp_path / "list", make(brackets(16 * MIB - 10))) == "archive_damaged"


def _with_layout(raw: bytes) -> bytes:
    made = Making()
    manifest, _, _ = made.manifest()
    stored = compress(raw)
    layout = descriptor(raw, stored)
    data = manifest.to_bytes().replace(_text(manifest.layout), _text(layout))
    return made.signed(data, manifest.layout, layout_bytes([]), stored)


def _text(layout: Descriptor) -> bytes:
    return layout.line()[:-1]


def test_a_manifest_full_of_empty_arrays_is_refused(tmp_path: Path) -> None:
    """HOSTILE 24: the largest manifest that is parsed at all."""
    made = Making()
    manifest, raw, stored = made.manifest()
    data = made.signed(brackets(MIB - 10)[:-1], manifest.layout, raw, stored)
    assert reading(tmp_path / "manifest", data) == "archive_damaged"


def small_objects(count: int) -> Iterator[tuple[Descriptor, bytes]]:
    """Yield so many different segments of one line."""
    for number in range(count):
        raw = lines(number)
        stored = compress(raw)
        yield descriptor(raw, stored), stored


def test_a_file_with_as_many_objects_as_may_be_is_read(tmp_path: Path) -> None:
    """HOSTILE 11: the lists stay bytes."""
    held = list(small_objects(LIMITS.objects - 1))
    index = index_bytes(IndexLine(content=found.content, count=1, n=n, raw=found.raw, section=RECORDS)
                        for n, (found, _) in enumerate(held))
    made = indexed(index, held, records=len(held))
    assert reading(tmp_path / "many", made.bytes()) == "accepted"
