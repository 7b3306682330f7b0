"""What retention removes, and what it never does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backups.retention.policy import EmptyPolicy, Policy, expired, judged

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


@dataclass
class Made:
    """A backup as far as retention asks."""

    id: str
    created_at: int
    type: str = "manual"
    pinned: bool = False
    check_error: str | None = None


def made(hours: float, **more: object) -> Made:
    """Return a backup of so many hours ago."""
    at = NOW - timedelta(hours=hours)
    return Made(f"b_{hours}", int(at.timestamp() * 1_000_000), **more)  # type: ignore[arg-type]


def gone(backups: list[Made], **policy: int) -> list[str]:
    """Return the ids of what goes, oldest first."""
    return [one.backup.id for one in expired(backups, Policy(**policy), NOW, ZONE)]


def test_an_empty_policy_is_refused() -> None:
    """It would remove everything."""
    with pytest.raises(EmptyPolicy):
        gone([made(1)])


def test_the_last_ones_stay() -> None:
    """Keep two of four: the two oldest go, the oldest first."""
    assert ["b_4", "b_3"] == gone([made(3), made(1), made(4), made(2)], last=2)


def test_one_a_day_stays() -> None:
    """Of each of the two newest days, the newest backup."""
    found = gone([made(1), made(2), made(25), made(26), made(50)], daily=2)
    assert ["b_50", "b_26", "b_2"] == found


def test_one_a_week_and_month_stay() -> None:
    """Three months, and two weeks of them."""
    weeks = [made(24 * 7 * n) for n in range(12)]
    kept = {one.backup.id for one in judged(weeks, Policy(weekly=2, monthly=3), NOW, ZONE) if one.keep}
    assert {"b_0", "b_168", "b_672", "b_1344"} >= kept >= {"b_0", "b_168"}


def test_a_day_is_a_day_of_the_organizations_zone() -> None:
    """23:30 and 00:30 of one night in UTC are one day in Berlin, where the clock shows 00:30 and 01:30."""
    late, early = made(12.5), made(11.5)
    assert ["b_12.5"] == gone([late, early], daily=5)


def test_the_newest_good_one_never_goes() -> None:
    """A damaged newer one does not count as good."""
    assert ["b_9"] == gone([made(1, check_error="damaged"), made(5), made(9)], last=1)


def test_pinned_and_recent_pre_restore_ones_never_go() -> None:
    """Seven days for those made before a restore, for ever for pinned ones."""
    found = gone([made(1), made(100, pinned=True), made(24 * 6, type="pre_restore"), made(24 * 8, type="pre_restore")], last=1)
    assert ["b_192"] == found


@given(st.lists(st.tuples(st.integers(0, 20_000), st.booleans(), st.booleans(), st.booleans()), max_size=40, unique_by=lambda t: t[0]),
       st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_whatever_is_there(given_: list[tuple[int, bool, bool, bool]], last: int, daily: int, weekly: int, monthly: int) -> None:
    """Never all good ones go; a second run removes nothing more; each that goes has a reason, and each that stays too."""
    policy = Policy(last=last, daily=daily, weekly=weekly, monthly=monthly)
    if policy.empty:
        return
    backups = [made(h, pinned=p, type="pre_restore" if r else "manual", check_error="bad" if b else None) for h, p, r, b in given_]
    found = judged(backups, policy, NOW, ZONE)
    kept = [one.backup for one in found if one.keep]
    good = [b for b in backups if b.check_error is None]
    assert not good or max(good, key=lambda b: b.created_at) in kept
    assert all(one.reasons for one in found)
    assert [] == expired(kept, policy, NOW, ZONE)
