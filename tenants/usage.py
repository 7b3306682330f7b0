"""What an organization uploaded in a year, in numbers and drawn: by month and by app, attachments and backups apart.

The numbers are those of the ledger (`tenants.quota`), to the byte; nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.api import App, db, tenant
from tenants import quota

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEIGHT, BASE = 240, 210
TOP = 20
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Part:
    """What was uploaded in a month or for an app, in bytes; `app` is that app's id."""

    name: str
    attachments: int
    backups: int
    app: str | None = None

    @property
    def total(self) -> int:
        """Both together."""
        return self.attachments + self.backups


@dataclass(frozen=True, slots=True)
class Figures:
    """A year: the quota, its twelve months, its apps with the largest first, and the years there are, newest first."""

    quota: quota.Usage
    months: Sequence[Part]
    apps: Sequence[Part]
    years: Sequence[int]

    @property
    def together(self) -> Part:
        """The whole year."""
        return Part("", sum(part.attachments for part in self.months), sum(part.backups for part in self.months))


@dataclass(frozen=True, slots=True)
class Bar:
    """A month's bar in the drawing: where it begins in percent of the width, and its two parts from the base up."""

    name: str
    left: float
    first_top: float
    first_height: float
    second_top: float
    second_height: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Bars on lines: (height, bytes) of each line. Widths in percent, heights in pixels."""

    bars: Sequence[Bar]
    lines: Sequence[tuple[float, int]]


def figures(year: int | None = None) -> Figures:
    """Return what the current organization uploaded in a year; without one, in this year by its own time zone."""
    now = quota.usage(tenant(), year)
    rows = quota.by_month(tenant(), now.year)
    months = {number: [0, 0] for number in range(1, 13)}
    apps: dict[str | None, list[int]] = {}
    for row in rows:
        kind = 1 if row["purpose"] == "backup" else 0
        months[row["month"]][kind] += row["bytes"]
        apps.setdefault(row["app"], [0, 0])[kind] += row["bytes"]
    names = _names([app for app in apps if app])
    listed = sorted((Part(names.get(app or "", "Not in an app"), both[0], both[1], app) for app, both in apps.items()),
                    key=lambda part: (-part.total, part.name))
    this = quota.usage(tenant()).year
    return Figures(now, [Part(MONTHS[number - 1], both[0], both[1]) for number, both in months.items()], listed,
                   sorted({this, now.year, *quota.years(tenant())}, reverse=True))


def drawn(months: Sequence[Part]) -> Drawing:
    """Return months as bars, attachments below and backups above."""
    top = _round_up(max(part.total for part in months))
    high = (BASE - TOP) / top
    width = 100 / len(months)
    bars = []
    for number, part in enumerate(months):
        first, second = part.attachments * high, part.backups * high
        bars.append(Bar(part.name, number * width, BASE - first, first, BASE - first - second, second))
    return Drawing(bars, [(BASE - share * (BASE - TOP), round(top * share)) for share in (0.0, 0.5, 1.0)])


def _round_up(size: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, … kilobytes that *size* fits under."""
    unit = 1000
    while True:
        for step in _STEPS:
            if size <= step * unit:
                return step * unit
        unit *= 10


def _names(app_ids: Sequence[str]) -> dict[str, str]:
    """Return app id -> its name, of deleted ones too."""
    rows = db.session.scalars(select(App).where(App.id.in_(app_ids)))
    return {app.id: app.name if app.deleted_at is None else f"{app.name} (deleted)" for app in rows}
