"""Cells of moments: date, date-time in the organization's time zone, time of day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from core.api import InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import Around, Cell, Given


def day_text(day: date) -> str:
    """Return a day as people read it."""
    return f"{day.day} {day:%b} {day.year}"


def show_date(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a day."""
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return escape(value)
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), day_text(day))


def moment_of(value: Any) -> datetime | None:
    """Return the moment that a value names: ISO text, or microseconds since 1970; None for anything else."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value / 1_000_000, UTC)
        found = datetime.fromisoformat(str(value))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def show_datetime(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a moment in the organization's time zone."""
    moment = moment_of(value)
    if moment is None:
        return escape(value)
    local = _local(moment, around.zone)
    return Markup('<time datetime="{}" title="{}">{}, {}</time>').format(
        moment.isoformat(timespec="seconds"), around.zone.key, day_text(local), f"{local:%H:%M}")


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def show_time(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show a time of day."""
    return escape(str(value).removesuffix(":00") if str(value).count(":") == 2 else value)


def local_text(value: Any, zone: ZoneInfo) -> str:
    """Return a moment as a form's control for date and time holds it."""
    moment = moment_of(value)
    if value is None or moment is None:
        return ""
    local = _local(moment, zone)
    return f"{local.year:04d}-{local:%m-%dT%H:%M:%S}" if local.second else f"{local.year:04d}-{local:%m-%dT%H:%M}"


def read_word(field: Field, given: Given) -> Any:
    """Read a day or a time of day."""
    return given.text(field).strip() or None


def read_datetime(field: Field, given: Given) -> Any:
    """Read a moment in the organization's time zone; one that was not touched stays to the microsecond."""
    text = given.text(field).strip()
    if not text:
        return None
    if given.old is not None and local_text(given.old, given.zone) == text:
        return given.old
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=given.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValue(f"“{text[:40]}” is not a day and time such as 2026-11-23T09:30.") from None


TIMES = {
    "date": Cell(show_date, read_word, "date"),
    "datetime": Cell(show_datetime, read_datetime, "datetime", text=local_text),
    "time": Cell(show_time, read_word, "time"),
}
