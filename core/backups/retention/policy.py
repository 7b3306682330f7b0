"""Which backups may go: the last N, and one a day, week and month for so many of each, are kept. Pure.

Source: docs/rules.md, “Retention”, after restic's ``forget``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from core.base.errors import InvalidInput

PRE_RESTORE_KEPT = timedelta(days=7)
MOST = 1000
_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
}


class EmptyPolicy(InvalidInput):
    """A policy that keeps nothing would remove everything."""

    code, title = "empty_policy", "No backup would be kept"


class Kept(Protocol):
    """What is asked of a backup; times in microseconds UTC."""

    id: str
    type: str
    created_at: int
    pinned: bool
    check_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How many to keep: the *last* ones whatever their age, and the newest of so many days, weeks and months."""

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    def __post_init__(self) -> None:
        for name in ("last", *_PERIODS):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= MOST:
                raise InvalidInput(f"“{name}” must be a whole number from 0 to {MOST}.")

    @property
    def empty(self) -> bool:
        """Whether no rule keeps anything."""
        return not (self.last or self.daily or self.weekly or self.monthly)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a backup under a policy, and why."""

    backup: Kept
    keep: bool
    reasons: tuple[str, ...]


def judged(backups: Sequence[Kept], policy: Policy, now: datetime, zone: ZoneInfo) -> list[Judgement]:
    """Return what becomes of each backup of one app, newest first.

    The newest good backup, pinned ones and pre-restore backups of the last seven days are kept whatever the policy says.

    Args:
        backups: All of the app's, in any order.
        now: An aware time.
        zone: Whose days, weeks and months count.

    Raises:
        EmptyPolicy: the policy has no rule.
    """
    if policy.empty:
        raise EmptyPolicy("Set how many backups to keep. Without any rule, all of them would be removed.")
    ordered = sorted(backups, key=lambda b: (-b.created_at, b.id))
    reasons: dict[str, list[str]] = {backup.id: _always(backup, now) for backup in ordered}
    newest = next((backup for backup in ordered if backup.check_error is None), None)
    if newest is not None:
        reasons[newest.id].append("newest good backup")
    for backup in ordered[:policy.last]:
        reasons[backup.id].append(f"one of the last {policy.last}" if policy.last > 1 else "the last one")
    for name, period in _PERIODS.items():
        _keep_periods(ordered, getattr(policy, name), name, period, zone, reasons)
    return [Judgement(backup, bool(reasons[backup.id]), tuple(reasons[backup.id]) or ("not kept by any rule",))
            for backup in ordered]


def expired(backups: Sequence[Kept], policy: Policy, now: datetime, zone: ZoneInfo) -> list[Judgement]:
    """Return the backups that may go, oldest first, each with its reason; see `judged`."""
    return [one for one in reversed(judged(backups, policy, now, zone)) if not one.keep]


def _always(backup: Kept, now: datetime) -> list[str]:
    found = ["pinned"] if backup.pinned else []
    if backup.type == "pre_restore" and now - _at(backup) < PRE_RESTORE_KEPT:
        found.append("made before a restore less than 7 days ago")
    return found


def _keep_periods(ordered: Sequence[Kept], count: int, name: str, period: Callable[[datetime], tuple[int, ...]],
                  zone: ZoneInfo, reasons: dict[str, list[str]]) -> None:
    seen: set[tuple[int, ...]] = set()
    for backup in ordered:
        mark = period(_at(backup).astimezone(zone))
        if mark not in seen and len(seen) < count:
            seen.add(mark)
            reasons[backup.id].append(f"the newest of its {name.removesuffix('ly').replace('dai', 'day')}")


def _at(backup: Kept) -> datetime:
    return datetime.fromtimestamp(backup.created_at / 1_000_000, UTC)
