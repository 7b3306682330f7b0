"""How a backup is proven: three levels, kept apart, and the words for them. The caller owns the transaction.

*quick*: all that it names is in the catalogue, and the store has it in its right size; *read*: all of it was read and is what it was;
*deep*: it was restored on trial. A level that goes well counts for those below it. A failure at any level makes the backup damaged,
until a check of at least that level goes well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.backups.models import Backup

QUICK, READ, DEEP = "quick", "read", "deep"
LEVELS = (QUICK, READ, DEEP)
WORDS = {DEEP: "Restored on trial", READ: "Read whole", QUICK: "Looked at"}
NOT_PROVEN = "Not proven yet"
DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Proof:
    """That a level went well at a moment (microseconds UTC)."""

    level: str
    at: int

    @property
    def words(self) -> str:
        """What it is called."""
        return WORDS[self.level]

    def sentence(self, now: int) -> str:
        """Return how and how long ago: "Restored on trial 3 days ago"."""
        return f"{self.words} {days_ago(now - self.at)}"


def level_of(options: Mapping[str, Any]) -> str:
    """Return the level that a run of kind "check" was asked for."""
    return DEEP if options.get("deep") else QUICK if options.get("quick") else READ


def proofs_of(backup: Backup) -> list[Proof]:
    """Return how a backup is proven, the strongest level first; of two, the weaker one only where it is newer."""
    moments = {DEEP: backup.deep_at, READ: backup.read_at, QUICK: backup.quick_at}
    found: list[Proof] = []
    for level in reversed(LEVELS):
        at = moments[level]
        if at is not None and (not found or at > found[-1].at):
            found.append(Proof(level, at))
    return found


def how_proven(backup: Backup, now: int) -> str:
    """Return how a backup is proven, as people say it: "Restored on trial 3 days ago, looked at today"."""
    told = [one.sentence(now) for one in proofs_of(backup)]
    return ", ".join([*told[:1], *(f"{one[0].lower()}{one[1:]}" for one in told[1:])]) or NOT_PROVEN


def days_ago(length_us: int) -> str:
    """Return how long ago something was, in days: "today", "yesterday", "12 days ago"."""
    days = max(length_us, 0) // DAY_US
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"


def passed(backup: Backup, level: str, now: int, *, oldest_us: int | None = None) -> None:
    """Write into a backup's row that a level went well, and clear what a check of no higher level had found.

    Args:
        now: When.
        oldest_us: When that of its contents was read that was read longest ago: checks of other backups count; without it, *now*.
    """
    backup.quick_at = now
    if level != QUICK:
        backup.read_at = backup.checked_at = now if oldest_us is None else oldest_us
    if level == DEEP:
        backup.deep_at = now
    if backup.check_error is not None and LEVELS.index(level) >= LEVELS.index(backup.failed_level or READ):
        backup.check_error = backup.failed_level = backup.check_run_id = backup.lost_parts = None


def failed(backup: Backup, level: str, at: int, message: str, run_id: str, lost_parts: int | None) -> None:
    """Write into a backup's row what a check of a level found wrong with it."""
    if level != QUICK:
        backup.checked_at = at
    backup.check_error, backup.failed_level, backup.check_run_id, backup.lost_parts = message, level, run_id, lost_parts


def touched(backup: Backup, level: str, run_id: str, lost_parts: int) -> None:
    """Write into a backup's row that it names content which a check of a level found lost, of this backup or another one.

    What was found wrong with it before is kept; what clears it must then be as high as both. A quick look tells nothing new of it.
    """
    backup.lost_parts = lost_parts
    if backup.check_error is None:
        backup.check_error, backup.failed_level, backup.check_run_id = lost_text(lost_parts), level, run_id
    elif level != QUICK:
        backup.failed_level, backup.check_run_id = max(level, backup.failed_level or READ, key=LEVELS.index), run_id


def lost_text(parts: int) -> str:
    """Return what is wrong with a backup of whose contents so many are lost."""
    return "1 part that it needs is lost or damaged." if parts == 1 else f"{parts:,} parts that it needs are lost or damaged."
