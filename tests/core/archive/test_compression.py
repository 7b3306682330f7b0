"""Compression: what goes in comes out, and nothing hostile costs memory."""

from __future__ import annotations

import io

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from core.archive.compression import compress, compress_stream, decompress, decompress_stream
from core.archive.errors import ArchiveDamaged

RAW = bytes(range(256)) * 40


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
