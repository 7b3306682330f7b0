"""How well an organization's apps are backed up: for each the newest backups, its schedule, what is proven, and what is wrong with that.

A few questions for all apps, however many they are. The caller says who may see what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select, true
from sqlalchemy.orm import defer

from core.backups.models import Backup, BackupSchedule
from core.backups.proof import DAY_US, Proof, days_ago, proofs_of
from core.base.db import db
from core.base.text import count_text
from core.base.time import now_us
from core.runs.models import Run
from core.tenancy.models import App

OLD_DAYS = 40
"""The newest proven backup of an app must be no older than this."""
ON, PAUSED, OFF = "on", "paused", "off"
BACK_UP, CHECK, LOOK, SCHEDULE = "back_up", "check", "look", "schedule"
"""What helps: a new backup, a check of the newest good one, a look at the damaged one, a schedule."""
RUNS_DAYS = 90


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an app's backups: what, in a sentence, how bad, and what helps."""

    code: str
    sentence: str
    bad: bool
    act: str


@dataclass(frozen=True, slots=True)
class AppHealth:
    """How an app is backed up. Times in microseconds UTC; `now` is when that was.

    `newest`, `good` and `proven` are its newest backup, the newest that is not damaged, and the newest good one that was read whole or
    restored on trial; None where there is none. `schedule` is "on", "paused" or "off"; `failed_at` when its last backup failed, None
    where it went well.
    """

    app_id: str
    app_name: str
    now: int
    newest: Backup | None = None
    good: Backup | None = None
    proven: Backup | None = None
    count: int = 0
    damaged: int = 0
    schedule: str = OFF
    next_at: int | None = None
    failed_at: int | None = None

    @property
    def proof(self) -> Proof | None:
        """How the newest proven backup is proven."""
        found = proofs_of(self.proven) if self.proven is not None else []
        return found[0] if found else None

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, the worst first."""
        return [*self.content_problems, *self._of_schedule()]

    @property
    def content_problems(self) -> list[Problem]:
        """What is wrong with the backups themselves, whatever the schedule is."""
        return [*self._of_newest(), *self._of_proof(), *self._of_older()]

    @property
    def bad(self) -> bool:
        """Whether anything is wrong that nobody should wait with."""
        return any(one.bad for one in self.problems)

    def _of_newest(self) -> Iterator[Problem]:
        if self.newest is None:
            yield Problem("none", "There is no backup.", True, BACK_UP)
        elif self.good is None:
            yield Problem("no_good", "There is no good backup: all are damaged.", True, BACK_UP)
        elif self.newest.check_error is not None:
            yield Problem("newest_damaged", "The newest backup is damaged.", True, BACK_UP)
        if self.failed_at is not None:
            yield Problem("failed", f"The last backup failed, {days_ago(self.now - self.failed_at)}.", True, BACK_UP)

    def _of_proof(self) -> Iterator[Problem]:
        if self.good is None:
            return
        if self.proven is None:
            yield Problem("unproven", "No backup has been read whole or restored on trial yet.", False, CHECK)
        elif self.now - self.proven.created_at > OLD_DAYS * DAY_US:
            act = CHECK if self.now - self.good.created_at <= OLD_DAYS * DAY_US else BACK_UP
            yield Problem("old", f"The newest proven backup was made {days_ago(self.now - self.proven.created_at)}.", False, act)

    def _of_older(self) -> Iterator[Problem]:
        older = self.damaged - (self.newest is not None and self.newest.check_error is not None)
        if self.good is not None and older:
            told = "1 older backup is damaged." if older == 1 else f"{older:,} older backups are damaged."
            yield Problem("some_damaged", told, False, LOOK)

    def _of_schedule(self) -> Iterator[Problem]:
        if self.schedule == PAUSED:
            yield Problem("paused", "Its schedule is paused.", False, SCHEDULE)
        elif self.schedule == OFF:
            yield Problem("no_schedule", "It has no schedule.", False, SCHEDULE)


@dataclass(frozen=True, slots=True)
class Count:
    """How many of an organization's apps have something wrong, with words: "2 of 14 apps have no backup"."""

    code: str
    apps: int
    sentence: str
    bad: bool


_Telling = tuple[Backup | None, Backup | None, Backup | None, int, int]
_NOTHING: _Telling = (None, None, None, 0, 0)
_LEAN = (defer(Backup.content), defer(Backup.plugins), defer(Backup.mark), defer(Backup.counters))


def health_of(app: App) -> AppHealth:
    """Return how one app is backed up; of its schedule, nothing is asked."""
    now = now_us()
    return AppHealth(app.id, app.name, now, *_telling([app.id]).get(app.id, _NOTHING), failed_at=_failed([app.id], now).get(app.id))


def health_of_all() -> list[AppHealth]:
    """Return how the apps of the current organization are backed up, the worst first, then by name."""
    now, mine = now_us(), select(App.id).where(App.deleted_at.is_(None))
    telling, schedules, failed = _telling(mine), _schedules(mine), _failed(mine, now)
    found = []
    for app_id, name in db.session.execute(select(App.id, App.name).where(App.deleted_at.is_(None))):
        schedule, next_at = schedules.get(app_id, (OFF, None))
        found.append(AppHealth(app_id, name, now, *telling.get(app_id, _NOTHING), schedule=schedule, next_at=next_at,
                               failed_at=failed.get(app_id)))
    return sorted(found, key=lambda one: (not one.bad, -len(one.problems), one.app_name.casefold(), one.app_id))


def counts(apps: Sequence[AppHealth]) -> list[Count]:
    """Return what is wrong with how many of the apps, the worst first; what is wrong with none is missing."""
    kinds = (("no backup", ("none",), True), ("only damaged backups", ("no_good",), True),
             ("a damaged newest backup", ("newest_damaged",), True), ("a last backup that failed", ("failed",), True),
             ("no proven backup", ("unproven",), False),
             (f"no proven backup of the last {OLD_DAYS} days", ("old",), False), ("older damaged backups", ("some_damaged",), False),
             ("no active schedule", ("no_schedule", "paused"), False))
    found = []
    for words, codes, bad in kinds:
        number = sum(any(problem.code in codes for problem in app.problems) for app in apps)
        if number:
            found.append(Count(codes[0], number, f"{share_of_apps(number, len(apps), 'has', 'have')} {words}", bad))
    return found


def overall(apps: Sequence[AppHealth]) -> Count:
    """Return how many of the apps have nothing wrong ("fine"); where that is none of them, how many need attention ("attention")."""
    fine = sum(not app.problems for app in apps)
    if fine or not apps:
        return Count("fine", fine, f"{share_of_apps(fine, len(apps), 'has', 'have')} no problems", False)
    sentence = f"{share_of_apps(len(apps), len(apps), 'needs', 'need')} attention"
    return Count("attention", len(apps), sentence, any(app.bad for app in apps))


def share_of_apps(number: int, total: int, one: str, several: str) -> str:
    """Return how many of the apps, with the form of a verb that fits: "1 of 3 apps needs", "0 of 1 app needs", "2 of 3 apps need"."""
    return f"{number:,} of {count_text(total, 'app')} {one if 1 in (number, total) else several}"


def _telling(mine: Any) -> dict[str, _Telling]:
    """Return app id -> its newest, newest good and newest proven backup, how many it has, and how many of them are damaged."""
    good = Backup.check_error.is_(None)
    proven = good & or_(Backup.read_at.is_not(None), Backup.deep_at.is_not(None))
    flags = (true(), good, proven)
    order = (Backup.created_at.desc(), Backup.id)
    places = [func.row_number().over(partition_by=(Backup.app_id, case((flag, 1), else_=0)), order_by=order) for flag in flags]
    telling = [and_(flag, place == 1) for flag, place in zip(flags, places, strict=True)]
    ranked = select(Backup.id, *(case((one, 1), else_=0).label(f"is_{n}") for n, one in enumerate(telling)),
                    func.count().over(partition_by=Backup.app_id).label("count"),
                    func.count(Backup.check_error).over(partition_by=Backup.app_id).label("damaged")).where(
        Backup.deleted_at.is_(None), Backup.app_id.in_(mine)).subquery()
    c = ranked.c
    rows = db.session.execute(select(Backup, c.is_0, c.is_1, c.is_2, c.count, c.damaged).join(ranked, c.id == Backup.id).where(
        c.is_0 + c.is_1 + c.is_2 > 0).options(*_LEAN))
    found: dict[str, list[Any]] = {}
    for backup, *is_, count, damaged in rows:
        one = found.setdefault(backup.app_id, [None, None, None, count, damaged])
        one[:3] = [backup if flag else before for flag, before in zip(is_, one, strict=False)]
    return {app_id: (one[0], one[1], one[2], one[3], one[4]) for app_id, one in found.items()}


def _schedules(mine: Any) -> Mapping[str, tuple[str, int | None]]:
    rows = db.session.execute(select(BackupSchedule.app_id, BackupSchedule.enabled, BackupSchedule.paused, BackupSchedule.next_at).where(
        BackupSchedule.app_id.in_(mine)))
    return {row.app_id: (OFF if not row.enabled else PAUSED if row.paused else ON, row.next_at) for row in rows}


def _failed(mine: Any, now: int) -> Mapping[str, int]:
    """Return app id -> when its last backup failed, of those whose last one did."""
    failed_at = func.max(case((Run.state == "failed", Run.requested_at)))
    rows = db.session.execute(select(Run.app_id, failed_at, func.max(Run.requested_at)).where(
        Run.kind == "backup", Run.ended_at.is_not(None), Run.state.in_(("succeeded", "failed")), Run.app_id.in_(mine),
        Run.requested_at > now - RUNS_DAYS * DAY_US).group_by(Run.app_id))
    return {app_id: failed for app_id, failed, last in rows if failed is not None and failed == last}
