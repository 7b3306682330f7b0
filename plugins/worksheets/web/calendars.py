"""Calendars: the records of one month on its days, by the date field that the view names."""

from __future__ import annotations

import calendar as months
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from plugins.worksheets.fields import Field
from plugins.worksheets.query import page
from plugins.worksheets.web.boards import needed_fields
from plugins.worksheets.web.cells.times import moment_of
from plugins.worksheets.web.grid_query import GridQuery
from plugins.worksheets.web.lines import Line, lines_of, title_of
from plugins.worksheets.web.paging import query_of
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MOST = 300
DATES = ("date", "datetime", "created_time", "modified_time")


@dataclass
class Day:
    """A day of a calendar, and the records on it."""

    date: date
    inside: bool
    today: bool
    lines: list[Line] = field(default_factory=list)


def calendar(sheet: SheetContext, asked: GridQuery, around: RelatedNames) -> dict[str, Any]:
    """Return the weeks of the month that was asked for, today's unless told."""
    start = sheet.fields.get(part_key((asked.view or {}).get("start_field")) or "")
    if start is None or start.type.name not in DATES:
        return {"weeks": [], "any": False}
    today = datetime.now(sheet.zone).date()
    first = month_of(asked.month, today)
    days = days_of(first, today)
    parts = [one for one in (asked.filter(), *between(sheet, start, days[0].date, days[-1].date)) if one is not None]
    ask = query_of(sheet, asked, filter={"all": parts}, sorts=[(start.key, False)])
    found = page(sheet.app, ask, limit=MOST)
    by_date = {day.date: day for day in days}
    for line in lines_of(around, found.rows, needed_fields(sheet, [start])):
        on = date_of(sheet, line.values.get(start.key))
        if on in by_date:
            by_date[on].lines.append(line)
    return {"weeks": [days[n:n + 7] for n in range(0, len(days), 7)], "any": any(day.lines for day in days), "most": MOST,
            "cut": bool(found.next), "month_title": f"{first:%B} {first.year}", "title_of": lambda line: title_of(around, line),
            "previous_url": _url(sheet, asked, first - timedelta(days=1)), "next_url": _url(sheet, asked, first + timedelta(days=31)),
            "today_url": _url(sheet, asked, today)}


def days_of(first: date, today: date) -> list[Day]:
    """Return the days of a month's whole weeks."""
    return [Day(day, day.month == first.month, day == today) for day in months.Calendar().itermonthdates(first.year, first.month)]


def month_of(text: str | None, today: date) -> date:
    """Return the first day of the month "2026-11", or of today's month for anything else."""
    try:
        found = datetime.strptime(text or "", "%Y-%m").date()
    except ValueError:
        found = today
    return found.replace(day=1) if 1900 <= found.year <= 2200 else today.replace(day=1)


def _url(sheet: SheetContext, asked: GridQuery, day: date) -> str:
    return replace(asked, month=f"{day:%Y-%m}").url(sheet)


def between(sheet: SheetContext, start: Field, first: date, last: date) -> list[Mapping[str, Any]]:
    """Return the conditions that a record lies between two days, one more on each side for time zones."""
    ref = {"ref": f"{sheet.document.address}/field/{start.key}"}
    margin = timedelta(days=0 if start.type.name == "date" else 1)
    return [{"field": ref, "operator": "on_or_after", "value": (first - margin).isoformat(), "unit": "exact_date"},
            {"field": ref, "operator": "on_or_before", "value": (last + margin).isoformat(), "unit": "exact_date"}]


def date_of(sheet: SheetContext, value: Any) -> date | None:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    moment = moment_of(value) if value is not None else None
    return None if moment is None else moment.astimezone(sheet.zone).date()

