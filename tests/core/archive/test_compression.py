"""Compression: what goes in comes out, and nothing hostile costs memory."""

from __future__ import annotations

import contextlib
import io
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from backports import zstd
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
)
from core.archive.errors import ArchiveDamaged

RAW = bytes(range(256)) * 40
MAGIC = b"\x28\xb5\x2f\xfd"
MIB = 1024 * 1024


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_any_bytes_come_back_however_they_are_cut(raw: bytes, step: int) -> None:
    """Whole or in chunks, both ways."""
    stored = compress(raw)
    chunks = [stored[n:n + step] for n in range(0, len(stored), step)]
    assert raw == decompress(stored, len(raw)) == b"".join(decompress_stream(chunks, len(raw)))
    assert raw == decompress(b"".join(compress_stream(io.BytesIO(raw), len(raw))), len(raw))


@pytest.mark.parametrize("hostile", [
    b"", b"\x28\xb5\x2f\xfd", b"nonsense, nonsense, nonsense", compress(RAW)[:-1], compress(RAW) + b"x",
    compress(RAW) + compress(RAW), b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + compress(RAW),
    compress(RAW)[:-4] + b"\0\0\0\0", zstd.compress(RAW), compress(RAW + b"x"),
    zstd.compress(RAW, options={zstd.CompressionParameter.checksum_flag: 1,
                                zstd.CompressionParameter.content_size_flag: 0}),
], ids=["empty", "magic only", "no frame", "cut off", "one byte more", "two frames", "skippable frame", "other checksum",
        "no checksum", "another size", "no size"])
def test_a_frame_that_is_not_ours_is_refused(hostile: bytes) -> None:
    """HOSTILE 17, 19 and 21."""
    with pytest.raises(ArchiveDamaged):
        decompress(hostile, len(RAW))


def test_a_large_window_is_refused() -> None:
    """HOSTILE 18: a frame may not ask for more than 8 MiB to be decoded."""
    raw = b"\0" * 20_000_000
    parameters = zstd.CompressionParameter
    hostile = zstd.compress(raw, options={parameters.window_log: 24, parameters.checksum_flag: 1,
                                          parameters.enable_long_distance_matching: 1})
    with pytest.raises(ArchiveDamaged):
        decompress(hostile, len(raw))


def test_a_frame_with_a_dictionary_is_refused() -> None:
    """HOSTILE 19."""
    trained = zstd.train_dict([b"a sample of %d words" % n for n in range(2000)], 4096)
    hostile = zstd.compress(RAW, zstd_dict=trained, options={zstd.CompressionParameter.checksum_flag: 1})
    with pytest.raises(ArchiveDamaged):
        decompress(hostile, len(RAW))


SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"


@pytest.mark.parametrize("hostile", [
    compress(RAW) * 2, compress(RAW) + SKIPPABLE, SKIPPABLE + compress(RAW), compress(RAW) + b"x",
    compress(RAW) + compress(b""), compress(RAW[:100]) + compress(RAW[100:]), compress(RAW)[:-1], MAGIC,
], ids=["twice", "skippable after", "skippable before", "a byte", "empty frame", "in two frames", "cut off", "magic only"])
@pytest.mark.parametrize("step", [1, 18, 10_000])
def test_nothing_but_one_frame_is_read_however_it_is_cut(hostile: bytes, step: int) -> None:
    """HOSTILE 19: where a chunk ends makes no difference."""
    with pytest.raises(ArchiveDamaged):
        list(decompress_stream([hostile[n:n + step] for n in range(0, len(hostile), step)], len(RAW)))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_791, 65_792, CHUNK_BYTES, CHUNK_BYTES + 1, 9 * MIB])
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


def test_large_windows_are_refused_by_the_header() -> None:
    """HOSTILE 18: neither a window nor a single segment of more than 8 MiB."""
    windowed = MAGIC + struct.pack("<BBI", 0b10000100, (24 - 10) << 3, 2**30)
    single = MAGIC + struct.pack("<BI", 0b10100100, MAX_WINDOW_BYTES + 1)
    for bad, size in ((windowed, 2**30), (single, MAX_WINDOW_BYTES + 1)):
        with pytest.raises(ArchiveDamaged, match="window"):
            check_header(bad, size)
    check_header(MAGIC + struct.pack("<BBI", 0b10000100, (23 - 10) << 3, 2**30), 2**30)


def test_every_cut_and_every_flipped_bit_is_refused_or_gives_the_same() -> None:
    """No damaged frame gives other bytes; what zstd lets pass, such as unused bits of a block, the digest catches."""
    stored = compress(RAW)
    for length in range(len(stored)):
        with pytest.raises(ArchiveDamaged):
            decompress(stored[:length], len(RAW))
    for bit in range(8 * len(stored)):
        bad = bytearray(stored)
        bad[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ArchiveDamaged):
            assert decompress(bytes(bad), len(RAW)) == RAW


def test_a_bomb_gives_no_more_than_one_chunk_too_much() -> None:
    """HOSTILE 20: a frame that lies about its size is stopped where it passes it."""
    options = {zstd.CompressionParameter.window_log: 20, zstd.CompressionParameter.checksum_flag: 1}
    bomb = zstd.compress(bytes(64 * MIB), options=options)
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
    stored = compress(bytes(64 * MIB))
    chunks = decompress_stream([stored], 64 * MIB)
    assert all(len(chunk) <= CHUNK_BYTES for chunk in islice(chunks, 20))


def test_thirteen_bytes_that_claim_everything_are_refused() -> None:
    """HOSTILE 20: a header alone, for whatever size it claims."""
    for size in (2**31 - 1, 2**40, 2**64 - 1):
        for bad in (MAGIC + struct.pack("<BQ", 0b11100100, size), MAGIC + struct.pack("<BBQ", 0b11000100, 0x50, size)):
            with pytest.raises(ArchiveDamaged):
                decompress(bad, size)


@pytest.mark.parametrize("bits", [0b1, 0b10, 0b11, 0b1000, 0b10000], ids=bin)
def test_dictionaries_and_unused_bits_are_refused_by_the_header(bits: int) -> None:
    """HOSTILE 19: a frame stands for itself, and has one form."""
    stored = compress(RAW)
    check_header(stored, len(RAW))
    with pytest.raises(ArchiveDamaged, match="dictionary"):
        check_header(stored[:4] + bytes([stored[4] | bits]) + stored[5:], len(RAW))
