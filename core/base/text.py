"""Text: figures as people read them."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_text(size: int) -> str:
    """Return a size in bytes as people say it: "12.3 MB" (powers of ten)."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} bytes" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def count_text(number: int, one: str) -> str:
    """Return how many there are as people say it: "1 record", "2,000 records"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
