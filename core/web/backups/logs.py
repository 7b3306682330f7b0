"""The log of an app's backups: who did what, when, from where, and what came of it. Filtered, paged, as CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, render_template, request

from core.backups.catalog import names_of
from core.backups.log import ACTS, PAGE_ACTS, acts_of, people_of
from core.backups.log_sentences import act_sentence
from core.backups.models import BackupAct
from core.base.time import iso
from core.server import server
from core.tenancy.wall import as_tenant
from core.tenancy.zones import zone_named
from core.web.backups.blueprint import ROOT, pages
from core.web.csvfile import csv_response
from core.web.days import day_asked, midnight
from core.web.gate import Needs
from core.web.shell import person
from core.web.visit import current_app_row

BATCH_ACTS = 500
COLUMNS = ("Time (UTC)", "Who", "Action", "Result", "Backup", "Backup id", "Run", "IP address", "Details")
RESULTS = {"done": "Done", "asked": "Started", "cancelled": "Cancelled", "paused": "Paused"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the log is asked for. `since` and `until` are days in the organization's time zone, both inclusive."""

    act: str | None
    person: str | None
    since: date | None
    until: date | None

    def as_dict(self, zone: ZoneInfo) -> dict[str, Any]:
        """Return the filter as `acts_of` takes it."""
        after = self.until + timedelta(days=1) if self.until is not None and self.until < date.max else None
        return {"act": self.act, "person": self.person, "since": midnight(self.since, zone), "until": midnight(after, zone)}


@pages.page(f"{ROOT}/logs", Needs.BACKUP)
def logs(organization_id: str, app_id: str) -> str:
    """Show a page of the log."""
    asked, errors = read_filter()
    found = acts_of(app_id, before=_number(request.args.get("before", "")), most=PAGE_ACTS + 1, **asked.as_dict(_zone()))
    listed = found[:PAGE_ACTS]
    return render_template("backups/logs.html", tab="backups.logs", acts=listed, asked=asked, errors=errors, kinds=ACTS,
                           people=[(one, person(one)) for one in people_of(app_id)], backups=_names(listed), filters=_filters(),
                           older=listed[-1].id if len(found) > PAGE_ACTS else None, first="before" not in request.args)


@pages.page(f"{ROOT}/logs.csv", Needs.BACKUP)
def logs_csv(organization_id: str, app_id: str) -> Response:
    """Give the log, as far as it is asked for, as CSV."""
    asked, _ = read_filter()
    return csv_response(f"backup-log-{app_id}.csv", _rows(organization_id, app_id, asked.as_dict(_zone())))


def read_filter() -> tuple[Filter, dict[str, str]]:
    """Return what of the log the address asks for, and what is wrong with it by field; what is wrong asks for nothing."""
    errors: dict[str, str] = {}
    act, who = request.args.get("act", ""), request.args.get("person", "")
    days = {name: day_asked(name, errors) for name in ("since", "until")}
    return Filter(act=act if act in ACTS else None, person=who[:16] or None, **days), errors


def _zone() -> ZoneInfo:
    found = server().registry.hook.organization_time_zone(organization_id=current_app_row().organization_id)
    return zone_named(found)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _filters() -> dict[str, str]:
    return {name: value for name in ("act", "person", "since", "until") if (value := request.args.get(name, ""))}


def _rows(organization_id: str, app_id: str, wanted: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the CSV; the organization is seen while they are sent."""
    yield COLUMNS
    with as_tenant(organization_id):
        before, batch = None, [None]
        while batch:
            acts = acts_of(app_id, before=before, most=BATCH_ACTS, **wanted)
            names = _names(acts)
            for act in acts:
                yield (iso(act.at), person(act.person), ACTS.get(act.act, act.act), act.result, names.get(act.backup_id or "", ("",))[0],
                       act.backup_id or "", act.run_id or "", act.address, told(act))
            before, batch = (acts[-1].id if acts else None), acts  # type: ignore[assignment]


def _names(acts: list[BackupAct]) -> dict[str, tuple[str, bool]]:
    return names_of({act.backup_id for act in acts if act.backup_id})


def told(act: BackupAct) -> str:
    """Return what an act's detail tells, as a sentence."""
    return act_sentence(act.act, json.loads(act.detail))


@pages.app_template_global()
def act_title(act: BackupAct) -> str:
    """Return an act with its result as one phrase."""
    title = ACTS.get(act.act, act.act)
    return title if act.result == "done" else f"{title} – {act_result(act)[1].lower()}"


@pages.app_template_global()
def act_result(act: BackupAct) -> tuple[str, str]:
    """Return what came of an act, as (colour of the tag, words)."""
    words = RESULTS.get(act.result, act.result.replace("_", " ").capitalize())
    return {"done": "good", "asked": "info", "cancelled": "warn", "paused": "warn"}.get(act.result, "bad"), words


@pages.app_template_global()
def act_detail(act: BackupAct) -> str:
    """Return what an act's detail tells, as a sentence."""
    return told(act)
