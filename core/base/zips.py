"""Zips that strangers made: opened only where what they list, and what lies in them, is of a bounded size."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from core.base.errors import ImportFailed

FREE_BYTES = 32 * 1024**2
MAX_RATIO = 300
HEADER_BYTES = 30
LISTED_BYTES = 400
"""What the directory of a zip may have for each entry on average."""


def open_zip(path: Path, most_entries: int) -> zipfile.ZipFile:
    """Return an open zip with at most that many entries, none of which lies over another.

    Raises:
        ImportFailed: it lists more, or is made to hurt.
        zipfile.BadZipFile: it is no zip.
        OSError: it cannot be read.
    """
    _check_directory(path, most_entries)
    archive = zipfile.ZipFile(path)
    try:
        _check_entries(path, archive.infolist(), most_entries)
    except ImportFailed:
        archive.close()
        raise
    return archive


def check_ratio(path: Path, infos: Iterable[zipfile.ZipInfo]) -> None:
    """Refuse a zip that unpacks to far more than it is large.

    Raises:
        ImportFailed: with the figures.
    """
    unpacked = sum(info.file_size for info in infos)
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * path.stat().st_size:
        raise ImportFailed(f"{path.name} unpacks to {unpacked} bytes, more than {MAX_RATIO} times its size. "
                           "Pack the files again, or leave out the one that is so large.")


def _check_directory(path: Path, most_entries: int) -> None:
    """Refuse a directory that is too large, before `ZipFile` reads it whole."""
    with path.open("rb") as file:
        found = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # what ZipFile itself goes by
    if found is not None and found[5] > most_entries * LISTED_BYTES:
        raise ImportFailed(f"{path.name} lists its files in {found[5]} bytes; at most {most_entries * LISTED_BYTES} are read.")


def _check_entries(path: Path, infos: list[zipfile.ZipInfo], most_entries: int) -> None:
    if len(infos) > most_entries:
        raise ImportFailed(f"{path.name} has {len(infos)} files in it; at most {most_entries} are read.")
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise ImportFailed(f"{path.name}: its part {info.filename[:100]} lies over another one; it is made to hurt.")
        end = info.header_offset + HEADER_BYTES + info.compress_size
