"""Limits of what a backup file may hold: judged before memory is taken."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, in bytes where the name does not say otherwise; `ratio` is unpacked to packed, above 16 MiB.

    `repeated_bytes` bounds segments that are listed more than once, each of which is looked at again.
    """

    manifest_bytes: int = MIB
    signature_bytes: int = 1024
    objects: int = 65_536
    layout_bytes: int = 16 * MIB
    indexes_bytes: int = 16 * MIB
    segment_bytes: int = 32 * MIB
    line_bytes: int = MIB
    file_bytes: int = 2 * 1024 * MIB - 1
    total_bytes: int = 1024 * 1024 * MIB
    repeated_bytes: int = 256 * MIB
    ratio: int = 1000
    ratio_from_bytes: int = 16 * MIB


LIMITS = Limits()
