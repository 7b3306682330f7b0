"""What of all that happens people are told: ends of runs, pauses of schedules, quotas that fill up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.api import SYSTEM, App, DamagedBackup, Run, damage_advice, damaged_by, find_app, now_us, size_text, tenant, transaction
from tenants import quota
from tenants.notifications.notify import Notice, admins_of, managers, path_to, tell

WARNED_PERCENT = 80
_WHAT = {"backup": "backup", "upload": "backup", "restore": "restore", "restore_as_new": "restore", "check": "check", "edit": "change"}
_ONLY_FAILED = ("check", "edit")
"""Kinds of runs of which nobody is told that they went well."""
NAMED_AT_MOST = 10
_DAMAGED = ("object_missing", "object_damaged", "archive_damaged", "restore_differs")


def run_finished(run: Run) -> None:
    """Tell of the end of a backup, restore, check or change: whoever asked for it, and the app's admins where it concerns them."""
    if run.kind == "look" or (run.kind == "check" and run.error_code in _DAMAGED):
        with transaction():
            _tell_of_others(run)
    if run.kind not in _WHAT or (run.kind in _ONLY_FAILED and run.state != "failed"):
        return
    with transaction():
        app = find_app(run.app_id) if run.app_id else None
        notice = _notice_of(run, app)
        people = {run.person}
        if app is not None and (run.kind in ("restore", "check") or (run.person == SYSTEM and notice.kind != "backup_done")):
            people |= set(admins_of(app.id))
        tell(notice, people)


def _tell_of_others(run: Run) -> None:
    """Tell the admins of each app of its backups that a check or a look found damaged; of the check's own they are told apart."""
    mine = json.loads(run.options).get("backup")
    by_app: dict[str, list[DamagedBackup]] = {}
    for one in damaged_by(run.id, but=mine):
        by_app.setdefault(one.app_id, []).append(one)
    for app_id, found in by_app.items():
        count, name = len(found), found[0].app_name
        title = f"A backup of “{name}” is damaged" if count == 1 else f"{count:,} backups of “{name}” are damaged"
        more = f" and {count - NAMED_AT_MOST:,} more" if count > NAMED_AT_MOST else ""
        listed = ", ".join(f"“{one.name}”" for one in found[:NAMED_AT_MOST]) + more
        tell(Notice("check_failed", f"run/{run.id}/{app_id}", title, f"Lost or damaged content is needed by {listed}. {damage_advice}",
                    path_to("backups.show", organization_id=tenant(), app_id=app_id), (app_id, name),
                    {"run": run.id, "backups": [one.backup_id for one in found[:NAMED_AT_MOST]], "count": count}), admins_of(app_id))


def schedule_paused(app: App) -> None:
    """Tell that an app is no longer backed up by itself: its admins, and those who can change the plan."""
    event, name = f"schedule_paused/{app.id}/{now_us()}", app.name
    title = f"Scheduled backups of “{name}” are paused"
    text = ("The organization’s plan does not include scheduled backups. The schedule is kept and continues on the Ultimate plan; "
            "until then, make backups by hand.")
    admins = admins_of(app.id)
    ways = ((path_to("backups.schedule", organization_id=tenant(), app_id=app.id), set(admins)),
            (path_to("organization.plan", organization_id=tenant()), set(managers()) - set(admins)))
    for path, people in ways:
        tell(Notice("schedule_paused", event, title, text, path, (app.id, name)), people)


def quota_looked_at(*, refused: bool = False) -> None:
    """Tell owners and admins, once a year and size of quota, that it is nearly used up, or that it is; in the caller's transaction.

    Args:
        refused: An upload has just been refused for it.
    """
    now = quota.usage(tenant())
    if not refused and now.percent < WARNED_PERCENT:
        return
    full = refused or now.used >= now.limit
    kind = "quota_full" if full else "quota_warning"
    title = f"The upload quota for {now.year} is used up" if full else f"{now.percent} % of the upload quota for {now.year} is used"
    text = (f"{now.used:,} of {now.limit:,} bytes are used by uploads and backups. "
            + ("Uploads and backups that do not fit are refused. " if full else "When it is used up, uploads and backups are refused. ")
            + "Deleting does not free any quota. Choose a larger plan, or wait for the new year.")
    detail = {"year": now.year, "used_bytes": now.used, "limit_bytes": now.limit}
    tell(Notice(kind, f"{kind}/{tenant()}/{now.year}/{now.limit}", title, text, path_to("organization.plan", organization_id=tenant()),
                detail=detail), managers())


def _others_text(run: Run) -> str:
    """Return how many other backups the damage touches that a check found; which, the check's page says to whom may know."""
    count = len(damaged_by(run.id, but=json.loads(run.options).get("backup")))
    return f"This also affects {count:,} other backup{'s' if count != 1 else ''}. " if count else ""


def _notice_of(run: Run, app: App | None) -> Notice:
    report: dict[str, Any] = json.loads(run.report) if run.report else {}
    options: dict[str, Any] = json.loads(run.options)
    name = report.get("name") if run.kind == "restore_as_new" else app and app.name
    scheduled = options.get("type") == "scheduled"
    well = run.state == "succeeded"
    kind = f"{_WHAT[run.kind]}_{'done' if well else 'failed'}"
    if well and scheduled:
        kind = "scheduled_done"
    path = path_to("runs.show", organization_id=tenant(), run_id=run.id)
    if run.kind == "restore_as_new" and well:
        path = path_to("apps.app_home", organization_id=tenant(), app_id=report["app"])
    detail = {"run": run.id, "state": run.state, "backup": report.get("backup") or options.get("backup"), "error": run.error_code}
    return Notice(kind, f"run/{run.id}", _title(run, name or "an app", scheduled=scheduled), _text(run, report), path,
                  (app.id, app.name) if app else None, {key: value for key, value in detail.items() if value})


def _title(run: Run, name: str, *, scheduled: bool) -> str:
    ended = {"succeeded": "is done", "cancelled": "was cancelled"}.get(run.state, "failed")
    if run.kind == "check":
        found = "A backup of “{}” is damaged" if run.error_code in _DAMAGED else "A backup of “{}” could not be checked"
        return found.format(name)
    if run.kind == "restore_as_new":
        return f"“{name}” was created from a backup" if run.state == "succeeded" else f"Restoring a backup as a new app {ended}"
    if run.kind == "upload":
        return f"A backup file for “{name}” {'was uploaded' if run.state == 'succeeded' else 'was not uploaded'}"
    return f"{'The scheduled backup' if scheduled else _WHAT[run.kind].capitalize()} of “{name}” {ended}"


def _text(run: Run, report: Mapping[str, Any]) -> str:
    if run.state == "cancelled":
        return "Nothing was saved." if run.kind in ("backup", "upload") else "Everything is as it was before."
    if run.state != "succeeded":
        kept = {"backup": "Nothing was saved.", "upload": "Nothing was saved.",
                "check": (f"{_others_text(run)}{damage_advice}" if run.error_code in _DAMAGED
                          else "Nothing is known to be wrong with the backup. Check it again later.")}
        return f"{run.error_message or 'It failed.'} {kept.get(run.kind, 'Everything is as it was before.')}"
    if run.kind == "upload":
        return "It was fully verified. The app can be restored from it."
    if run.kind == "backup":
        return (f"“{report['name']}”: {report['records']:,} records, {size_text(report['size_bytes'])}; "
                f"{size_text(report['added_bytes'])} of it new and counted toward the upload quota.")
    if run.kind == "restore_as_new":
        return "Only you can see it. It has no records, its roles have no members, and its workflows are turned off."
    return "The report says what was restored, and what could not be." + (
        " The version before was backed up: the restore can be undone." if report.get("safety_backup") else "")
