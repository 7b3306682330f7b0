"""Reading a hostile file takes little memory, whatever the file says: each is read in a process of its own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.archive.compression import compress, compress_stream
from core.archive.limits import LIMITS
from core.archive.manifest import ComponentEntry, Descriptor, IndexLine, PartEntry, index_bytes
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
        said = f"{error.code}: {error.message}"
print(json.dumps([said, peak() - before]))
"""
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")


def reading(path: Path, data: bytes, **limits: int) -> str:
    """Return what the reader said of a file ("accepted" or its refusal), having read it within the memory allowed."""
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", READ, str(path), json.dumps(limits)], check=True, capture_output=True,
                          text=True, cwd=Path(__file__).parents[3])
    said, taken = json.loads(done.stdout)
    assert taken < ALLOWED_BYTES, f"{taken / MIB:.0f} MiB"
    return str(said)


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
    return indexed(index_bytes([line]), [(raw, stored)], files=int(is_file), records=0 if is_file else count)


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
    source = Zeros(size)
    while chunk := source.read(MIB):
        digest.update(chunk)
    return Descriptor(content=digest.hexdigest(), raw=size, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                      crc32=zlib.crc32(stored)), stored


def test_a_bomb_is_refused_for_its_ratio(tmp_path: Path, bomb: tuple[Descriptor, bytes]) -> None:
    """HOSTILE 20 and 23: nothing is unpacked."""
    assert reading(tmp_path / "bomb", one(*bomb).bytes()).startswith("archive_too_large: The file says")


def test_a_bomb_that_may_be_unpacked_takes_no_memory(tmp_path: Path, bomb: tuple[Descriptor, bytes]) -> None:
    """HOSTILE 20: even without the bound of the ratio, the content passes by in chunks."""
    assert reading(tmp_path / "bomb", one(*bomb).bytes(), ratio=10**9) == "accepted"


@pytest.mark.parametrize("claimed", [1000, 30 * MIB])
def test_a_bomb_that_lies_is_refused(tmp_path: Path, bomb: tuple[Descriptor, bytes], claimed: int) -> None:
    """HOSTILE 17: the frame says other than the layout."""
    found, stored = bomb
    lying = Descriptor(content=found.content, raw=claimed, stored=found.stored, size=found.size, crc32=found.crc32)
    assert reading(tmp_path / "bomb", one(lying, stored, RECORDS).bytes(), ratio=10**9).endswith(
        f"says it holds {found.raw} bytes instead of {claimed}.")


@pytest.mark.parametrize("section", ["files", RECORDS])
def test_thirteen_bytes_that_claim_gigabytes_are_refused(tmp_path: Path, section: str) -> None:
    """HOSTILE 20: a frame's header and nothing else."""
    size = 2**31 - 1 if section == "files" else 32 * MIB
    stored = b"\x28\xb5\x2f\xfd" + bytes([0b11100100]) + size.to_bytes(8, "little")
    found = Descriptor(content="0" * 64, raw=size, stored=hashlib.sha256(stored).hexdigest(), size=len(stored),
                       crc32=zlib.crc32(stored))
    data = one(found, stored, section).bytes()
    assert "window" in reading(tmp_path / "claim", data, ratio=10**9)


def brackets(size: int) -> bytes:
    """Return a canonical line of about *size* bytes that becomes as many objects as can be."""
    return b"[" + b"[]," * (size // 3 - 2) + b"[]]\n"


def test_one_line_as_long_as_a_segment_is_refused_unread(tmp_path: Path) -> None:
    """HOSTILE 39: the length of a line is judged first."""
    raw = brackets(32 * MIB - 10)
    made = one(descriptor(raw), compress(raw), RECORDS)
    assert "has a line longer than 1048576 bytes" in reading(tmp_path / "brackets", made.bytes(), ratio=10**9)


@pytest.mark.parametrize("make", [
    lambda raw: with_layout(raw), lambda raw: indexed(raw, []).bytes(),
], ids=["layout", "index"])
def test_a_list_that_is_one_long_line_is_refused_unread(tmp_path: Path, make: Callable[[bytes], bytes]) -> None:
    """HOSTILE 24 and 39: the lists of the file have short lines only."""
    assert "longer than 512 bytes" in reading(tmp_path / "list", make(brackets(16 * MIB - 10)), ratio=10**9)


def with_layout(raw: bytes) -> bytes:
    """Return a file whose layout is these bytes."""
    made = Making()
    manifest, _, _ = made.manifest()
    stored = compress(raw)
    layout = descriptor(raw, stored)
    return made.signed(replace(manifest, layout=layout).to_bytes(), layout, b"", stored)


def test_a_manifest_full_of_empty_arrays_is_refused(tmp_path: Path) -> None:
    """HOSTILE 24: the largest manifest that is parsed at all."""
    made = Making()
    manifest, raw, stored = made.manifest()
    data = made.signed(brackets(MIB - 10)[:-1], manifest.layout, raw, stored)
    assert "is not that of a backup" in reading(tmp_path / "manifest", data)


def small_objects(count: int) -> Iterator[tuple[Descriptor, bytes]]:
    """Yield so many different segments of one line."""
    for number in range(count):
        raw = lines(number)
        stored = compress(raw)
        yield descriptor(raw, stored), stored


def test_the_largest_lists_and_the_worst_lines_at_once_are_read(tmp_path: Path) -> None:
    """HOSTILE 11 and 20: as many objects as may be, and a full segment of lines that become many things."""
    worst = brackets(MIB - 10) * 32
    held = [*small_objects(LIMITS.objects - 2), (descriptor(worst), compress(worst))]
    index = [IndexLine(content=found.content, count=1, n=n, raw=found.raw, section=RECORDS)
             for n, (found, _) in enumerate(held)]
    index[-1] = replace(index[-1], count=32)
    made = indexed(index_bytes(index), held, records=sum(line.count for line in index))
    assert reading(tmp_path / "many", made.bytes(), ratio=10**9) == "accepted"
