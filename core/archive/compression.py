"""Compression of objects: one zstd frame each, level 3, with checksum and content size; strict on the way back. Pure.

The one danger: a few bytes can claim to become gigabytes, so the frame's header is judged before anything is unpacked,
and no more than the expected size ever comes out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from core.archive.errors import ArchiveDamaged

LEVEL = 3
CHUNK_BYTES = 256 * 1024
MAX_WINDOW_BYTES = 8 * 1024 * 1024
MAX_HEADER_BYTES = 18
_MAGIC = b"\x28\xb5\x2f\xfd"
_OPTIONS: dict[int, int] = {zstd.CompressionParameter.compression_level: LEVEL, zstd.CompressionParameter.checksum_flag: 1}
_LIMITS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}


_own = threading.local()


def compress(raw: bytes) -> bytes:
    """Return *raw* as one frame."""
    # One compressor a thread: its tables take megabytes, which would be asked for and given back for each object.
    compressor: zstd.ZstdCompressor | None = getattr(_own, "compressor", None)
    if compressor is None:
        compressor = _own.compressor = zstd.ZstdCompressor(options=_OPTIONS)
    compressor.set_pledged_input_size(len(raw))
    return compressor.compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)


def compress_stream(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the frame of a stream of exactly *size* bytes."""
    compressor = zstd.ZstdCompressor(options=_OPTIONS)
    compressor.set_pledged_input_size(size)
    while chunk := stream.read(CHUNK_BYTES):
        if packed := compressor.compress(chunk):
            yield packed
    yield compressor.flush()


def decompress(stored: bytes, raw_size: int) -> bytes:
    """Return what a frame holds, exactly *raw_size* bytes.

    Raises:
        ArchiveDamaged: it is no single sound frame of that size.
    """
    return b"".join(decompress_stream([stored], raw_size))


def decompress_stream(chunks: Iterable[bytes], raw_size: int) -> Iterator[bytes]:
    """Yield what a frame, given in chunks, holds: exactly *raw_size* bytes, in chunks of at most 256 KiB.

    Raises:
        ArchiveDamaged: it is no single sound frame of that size.
    """
    decompressor, made = zstd.ZstdDecompressor(options=_LIMITS), 0
    for chunk in _headed(chunks, raw_size):
        for raw in _unpack(decompressor, chunk):
            made += len(raw)
            if made > raw_size:
                raise ArchiveDamaged("A compressed object holds more than it says.")
            yield raw
    if not decompressor.eof or made != raw_size:
        raise ArchiveDamaged("A compressed object ends too early.")


def _headed(chunks: Iterable[bytes], raw_size: int) -> Iterator[bytes]:
    """Yield the chunks once the header in the first bytes of them has been judged."""
    head, judged = b"", False
    for chunk in chunks:
        if judged:
            yield chunk
            continue
        head += chunk
        if len(head) >= MAX_HEADER_BYTES:
            check_header(head, raw_size)
            judged = True
            yield head
    if not judged:
        check_header(head, raw_size)
        yield head


def _unpack(decompressor: zstd.ZstdDecompressor, chunk: bytes) -> Iterator[bytes]:
    try:
        while True:
            if decompressor.eof:
                if chunk or decompressor.unused_data:
                    raise ArchiveDamaged("A compressed object is followed by other bytes.")
                return
            raw = decompressor.decompress(chunk, CHUNK_BYTES)
            chunk = b""
            if raw:
                yield raw
            if decompressor.eof:
                continue
            if decompressor.needs_input:
                return
    except zstd.ZstdError as error:
        raise ArchiveDamaged(f"A compressed object is damaged: {error}") from None


def check_header(frame: bytes, raw_size: int) -> None:
    """Refuse a frame whose header does not say what ours say, before any memory is taken for it.

    Raises:
        ArchiveDamaged: no frame, without size or checksum, of another size, with a dictionary or a large window.

    Source: RFC 8878, 3.1.1.1.
    """
    if frame[:4] != _MAGIC or len(frame) < 6:
        raise ArchiveDamaged("A compressed object is not a zstd frame.")
    descriptor = frame[4]
    single, checksum, dictionary = descriptor >> 5 & 1, descriptor >> 2 & 1, descriptor & 3
    if not checksum or dictionary or descriptor & 0b11000:
        raise ArchiveDamaged("A compressed object has no checksum, or needs a dictionary.")
    size_bytes = (single, 2, 4, 8)[descriptor >> 6]
    place = 5 + (1 - single)
    if not size_bytes or len(frame) < place + size_bytes:
        raise ArchiveDamaged("A compressed object does not say its size.")
    size = int.from_bytes(frame[place:place + size_bytes], "little") + (256 if size_bytes == 2 else 0)
    if size != raw_size:
        raise ArchiveDamaged(f"A compressed object says it holds {size} bytes instead of {raw_size}.")
    if (size if single else _window(frame[5])) > MAX_WINDOW_BYTES:
        raise ArchiveDamaged("A compressed object needs a window of more than 8 MiB.")


def _window(byte: int) -> int:
    base = 1 << (10 + (byte >> 3))
    return base + (base >> 3) * (byte & 7)
