"""The tab on what happens by itself: when the app is backed up, and how many backups are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, flash, render_template, request

from core.backups.models import TYPES
from core.backups.retention import service as retention
from core.backups.retention.policy import MOST, Policy
from core.backups.schedule import service as schedules
from core.backups.schedule.rule import DEFAULT_MINUTE, EVERY, WEEKDAYS, Schedule, next_due
from core.base.db import transaction
from core.base.errors import Forbidden
from core.base.time import now_us
from core.server import server
from core.tenancy.zones import zone_named
from core.web.answers import again
from core.web.backups.blueprint import ROOT, pages, redirect_to
from core.web.gate import Needs
from core.web.visit import current_app_row, visit

HERE = f"{ROOT}/schedule"
RULES = {"last": "The last", "daily": "Days", "weekly": "Weeks", "monthly": "Months"}
RUNS_SHOWN = 3


@pages.page(HERE, Needs.BACKUP)
def schedule(organization_id: str, app_id: str) -> str:
    """Show when backups are made and how many are kept."""
    return _page()


@pages.page(HERE, Needs.BACKUP, ("POST",), endpoint="save_schedule")
def save_schedule(organization_id: str, app_id: str) -> Response:
    """Give the app a schedule, or switch it off."""
    errors: dict[str, str] = {}
    wanted, on = _schedule_of(request.form, errors), request.form.get("every") != "off"
    if wanted is not None and not errors:
        try:
            with transaction():
                schedules.set_schedule(current_app_row(), wanted, visit().person, data="data" in request.form, enabled=on)
            flash("Schedule saved." if on else "Scheduled backups turned off.", "good")
            return redirect_to("backups.schedule")
        except Forbidden as error:
            errors["every"] = error.message
    return again(_page(errors=errors))


@pages.page(f"{HERE}/retention", Needs.BACKUP)
def preview_retention(organization_id: str, app_id: str) -> str | Response:
    """Show what a policy would remove, and why; nothing is changed."""
    if not request.args:
        return redirect_to("backups.schedule")
    errors: dict[str, str] = {}
    policy = _policy_of(request.args, errors)
    if policy is None:
        return again(_page(retention_errors=errors))
    judged = retention.judge(current_app_row(), policy)
    return render_template("backups/retention.html", tab="backups.schedule", judged=judged, policy=policy, types=TYPES, rules=RULES,
                           going=sum(not one.keep for one in judged))


@pages.page(f"{HERE}/retention", Needs.BACKUP, ("POST",))
def save_retention(organization_id: str, app_id: str) -> Response:
    """Give the app a policy; the clock applies it."""
    errors: dict[str, str] = {}
    policy = _policy_of(request.form, errors)
    if policy is None:
        return again(_page(retention_errors=errors))
    with transaction():
        retention.set_policy(current_app_row(), policy, visit().person)
    flash("Retention saved. Backups that it does not keep are removed within a minute; the log lists them.", "good")
    return redirect_to("backups.schedule")


@pages.page(f"{HERE}/retention/remove", Needs.BACKUP, ("POST",))
def remove_retention(organization_id: str, app_id: str) -> Response:
    """Remove the policy, so that the app keeps all backups."""
    with transaction():
        retention.remove_policy(current_app_row(), visit().person)
    flash("Retention removed. All backups are kept from now on.", "good")
    return redirect_to("backups.schedule")


def _page(errors: Mapping[str, str] | None = None, retention_errors: Mapping[str, str] | None = None) -> str:
    app = current_app_row()
    row = schedules.schedule_of(app)
    now = schedules.value_of(row) if row is not None else None
    policy = retention.policy_of(app.id)
    return render_template(
        "backups/schedule.html", tab="backups.schedule", row=row, now=now, allowed=schedules.allowed(app.organization_id),
        lacking=schedules.lacking(app.organization_id),
        zone=_zone(), weekdays=WEEKDAYS, runs=_next_runs(now) if row and row.enabled and not row.paused and now else (),
        form=request.form if errors else _typed(row), errors=errors or {}, policy=policy, rules=RULES, most=MOST,
        kept=request.values if retention_errors else {name: getattr(policy, name) or "" for name in RULES},
        retention_errors=retention_errors or {})


def _typed(row: Any) -> dict[str, Any]:
    """Return a schedule as its form has it; without one, what is usual."""
    minute = row.minute if row else DEFAULT_MINUTE
    return {"every": row.every if row and row.enabled else "off", "weekday": str(row.weekday if row else 0), "day": row.day if row else 1,
            "time": f"{minute // 60:02d}:{minute % 60:02d}", "data": (row.data if row else True) or None}


def _next_runs(schedule: Schedule) -> list[int]:
    """Return the next moments at which a schedule is due, in microseconds UTC."""
    moment, found = datetime.fromtimestamp(now_us() / 1_000_000, UTC), []
    for _ in range(RUNS_SHOWN):
        moment = next_due(schedule, moment, zone_named(_zone()))
        found.append(int(moment.timestamp()) * 1_000_000)
    return found


def _zone() -> str:
    found: str | None = server().registry.hook.organization_time_zone(organization_id=current_app_row().organization_id)
    return found or "UTC"


def _schedule_of(form: Mapping[str, str], errors: dict[str, str]) -> Schedule | None:
    """Return the schedule that was typed; what is wrong with it goes into *errors*, by field."""
    every = form.get("every", "")
    if every not in (*EVERY, "off"):
        errors["every"] = "Choose how often."
        return None
    minute = _minute(form.get("time", ""))
    if minute is None and every != "off":
        errors["time"] = "Enter a time such as 03:00."
    weekday = _whole(form.get("weekday", "0"), 0, 6)
    if weekday is None:
        errors["weekday"] = "Choose a day of the week."
    day = _whole(form.get("day", "1"), 1, 31)
    if day is None and every == "monthly":
        errors["day"] = "Enter a day from 1 to 31."
    if errors:
        return None
    return Schedule(every=every if every != "off" else "daily", minute=DEFAULT_MINUTE if minute is None else minute,
                    weekday=weekday or 0, day=day or 1)


def _policy_of(form: Mapping[str, str], errors: dict[str, str]) -> Policy | None:
    """Return the policy that was typed, None with *errors* by field where it cannot be taken."""
    numbers = {name: _whole(form.get(name, "").strip() or "0", 0, MOST) for name in RULES}
    errors.update({name: f"Enter a whole number from 0 to {MOST}." for name, number in numbers.items() if number is None})
    if errors:
        return None
    policy = Policy(**{name: number or 0 for name, number in numbers.items()})
    if policy.empty:
        errors["last"] = "Enter 1 or more in at least one of the four fields."
        return None
    return policy


def _minute(text: str) -> int | None:
    hour, colon, minute = text.strip().partition(":")
    found = _whole(hour, 0, 23), _whole(minute, 0, 59)
    return None if not colon or None in found else found[0] * 60 + found[1]  # type: ignore[operator]


def _whole(text: str, least: int, most: int) -> int | None:
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        return None
    return int(text) if least <= int(text) <= most else None
