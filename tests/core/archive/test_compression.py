"""Compression: what we write can be read, and no frame gives more than it must."""

from __future__ import annotations

import io
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archive.compression import (
    CHUNK_BYTES,
    MAX_WINDOW_BYTES,
    check_header,
    compress,
    compress_stream,
    decompress,
    decompress_stream,
    zstd,
)
from core.archive.errors import ArchiveDamaged

RAW = b"Some text, some text. " * 40
MAGIC = b"\x28\xb5\x2f\xfd"
Option = zstd.CompressionParameter


def frame(raw: bytes, **options: int) -> bytes:
    """Return a frame with other options than ours."""
    given = {"compression_level": 3, "checksum_flag": 1} | options
    return zstd.compress(raw, options={getattr(Option, name): value for name, value in given.items()})


@given(st.binary(max_size=3000), st.integers(1, 50))
def test_what_was_compressed_comes_back(raw: bytes, step: int) -> None:
    """Whole or in chunks of any size, the bytes are the same."""
    stored = compress(raw)
    chunks = [stored[place:place + step] for place in range(0, len(stored), step)]
    assert decompress(stored, len(raw)) == raw == b"".join(decompress_stream(chunks, len(raw)))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_791, 65_792, CHUNK_BYTES, CHUNK_BYTES + 1, 9 * 1024 * 1024])
def test_a_stream_of_known_size_becomes_a_frame_that_says_it(size: int) -> None:
    """Each width in which a frame writes its size is read."""
    raw = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    stored = b"".join(compress_stream(io.BytesIO(raw), size))
    assert decompress(stored, size) == raw == decompress(compress(raw), size)


def test_a_stream_of_another_size_is_not_compressed() -> None:
    """A file that shrinks or grows while it is read gives no frame."""
    for size in (len(RAW) - 1, len(RAW) + 1):
        with pytest.raises(zstd.ZstdError):
            list(compress_stream(io.BytesIO(RAW), size))


def test_threads_do_not_disturb_each_other() -> None:
    """Every call has its own compressor."""
    raws = [bytes([n]) * 50_000 + RAW for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compress, raws)) == [compress(raw) for raw in raws]


def test_the_header_is_judged_before_anything_is_unpacked() -> None:
    """HOSTILE 17: no size, or another than the one known."""
    without = frame(RAW, content_size_flag=0)
    for bad in (without, frame(RAW + b"x"), frame(RAW[:-1])):
        with pytest.raises(ArchiveDamaged, match="instead of|its size"):
            check_header(bad, len(RAW))
        with pytest.raises(ArchiveDamaged):
            decompress(bad, len(RAW))


def test_a_frame_without_checksum_is_refused() -> None:
    """HOSTILE 21: the flag is part of the format."""
    with pytest.raises(ArchiveDamaged, match="no checksum"):
        decompress(frame(RAW, checksum_flag=0), len(RAW))


def test_a_wrong_checksum_is_refused() -> None:
    """HOSTILE 21: the last four bytes count."""
    stored = compress(RAW)
    with pytest.raises(ArchiveDamaged, match="damaged"):
        decompress(stored[:-1] + bytes([stored[-1] ^ 1]), len(RAW))


def test_large_windows_are_refused_by_the_header() -> None:
    """HOSTILE 18: neither a window nor a single segment of more than 8 MiB."""
    windowed = MAGIC + struct.pack("<BBI", 0b10000100, (24 - 10) << 3, 2**30)
    single = MAGIC + struct.pack("<BI", 0b10100100, MAX_WINDOW_BYTES + 1)
    for bad, size in ((windowed, 2**30), (single, MAX_WINDOW_BYTES + 1)):
        with pytest.raises(ArchiveDamaged, match="window"):
            check_header(bad, size)
    check_header(MAGIC + struct.pack("<BBI", 0b10000100, (23 - 10) << 3, 2**30), 2**30)
    raw = bytes(20 * 1024 * 1024)
    with pytest.raises(ArchiveDamaged, match="window"):
        decompress(frame(raw, window_log=24), len(raw))


@pytest.mark.parametrize("descriptor", [0b00000001, 0b00000010, 0b00000011, 0b00001000, 0b00010000])
def test_dictionaries_and_unused_bits_are_refused(descriptor: int) -> None:
    """HOSTILE 19: a frame stands for itself."""
    stored = compress(RAW)
    with pytest.raises(ArchiveDamaged, match="dictionary"):
        decompress(stored[:4] + bytes([stored[4] | descriptor]) + stored[5:], len(RAW))


SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"


@pytest.mark.parametrize("bad", [
    compress(RAW) * 2, compress(RAW) + SKIPPABLE, SKIPPABLE + compress(RAW), compress(RAW) + b"x", compress(RAW) + compress(b""),
    compress(RAW[:100]) + compress(RAW[100:]), b"", MAGIC, MAGIC + b"\x24", b"PK\x03\x04" + RAW, RAW,
], ids=range(11))
@pytest.mark.parametrize("step", [1, 18, 10_000])
def test_only_one_frame_and_nothing_else_is_read(bad: bytes, step: int) -> None:
    """HOSTILE 19: several frames, skippable ones, other bytes before or after, whatever the chunks."""
    with pytest.raises(ArchiveDamaged):
        list(decompress_stream([bad[place:place + step] for place in range(0, len(bad), step)], len(RAW)))


def test_every_cut_and_every_flipped_bit_is_refused_or_gives_the_same() -> None:
    """No damaged frame gives other bytes; what zstd lets pass, such as unused bits of a block, the digest catches."""
    stored = compress(RAW)
    for length in range(len(stored)):
        with pytest.raises(ArchiveDamaged):
            decompress(stored[:length], len(RAW))
    for bit in range(8 * len(stored)):
        bad = bytearray(stored)
        bad[bit // 8] ^= 1 << bit % 8
        try:
            assert decompress(bytes(bad), len(RAW)) == RAW
        except ArchiveDamaged:
            pass


def test_a_bomb_gives_no_more_than_one_chunk_too_much() -> None:
    """HOSTILE 20: a frame that lies about its size is stopped where it passes it."""
    bomb = frame(bytes(64 * 1024 * 1024), window_log=20)
    place = 6
    assert bomb[4] >> 6 == 2, "the size takes four bytes"
    lying = bomb[:place] + struct.pack("<I", 1_000_000) + bomb[place + 4:]
    with pytest.raises(ArchiveDamaged):
        made = 0
        for chunk in decompress_stream([lying], 1_000_000):
            made += len(chunk)
            assert made <= 1_000_000


def test_unpacking_gives_small_chunks() -> None:
    """Memory follows the chunk, not the content."""
    stored = compress(bytes(64 * 1024 * 1024))
    chunks = decompress_stream([stored], 64 * 1024 * 1024)
    assert all(len(chunk) <= CHUNK_BYTES for chunk in islice(chunks, 20))


def test_thirteen_bytes_that_claim_everything_are_refused() -> None:
    """HOSTILE 20: a header alone, for whatever size it claims."""
    for size in (2**31 - 1, 2**40, 2**64 - 1):
        for bad in (MAGIC + struct.pack("<BQ", 0b11100100, size), MAGIC + struct.pack("<BBQ", 0b11000100, 0x50, size)):
            with pytest.raises(ArchiveDamaged):
                decompress(bad, size)
