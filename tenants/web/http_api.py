"""The API on an organization: its plan and usage, and its log."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from core.api import API_ROOT, InvalidInput, Needs, Operations, iso, object_schema, page_schema
from tenants import audit, organizations, usage
from tenants.models import AuditEntry
from tenants.plans import PLANS
from tenants.usage import Part
from tenants.web.log import sought

api = Operations("organization_api", __name__)
SUBJECT, SCOPE = "Organization", "organization"
PAGE, MOST_PAGE = 50, 200
TEXT, BYTES = {"type": "string"}, {"type": "integer", "minimum": 0}
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
UPLOADED = {"attachments_bytes": BYTES, "backups_bytes": BYTES}
USAGE = object_schema({
    "plan": {"enum": list(PLANS)}, "year": {"type": "integer", "description": "Calendar year in the organization’s time zone."},
    "years": {"type": "array", "items": {"type": "integer"}, "description": "All that can be asked for, newest first."},
    "quota": object_schema({
        "limit_bytes": BYTES, "used_bytes": BYTES, "left_bytes": BYTES,
        "reserved_bytes": {**BYTES, "description": "Set aside for uploads that are under way."}}),
    "months": {"type": "array", "minItems": 12, "maxItems": 12, "description": "January to December.", "items": object_schema({
        "month": {"type": "integer", "minimum": 1, "maximum": 12}, **UPLOADED})},
    "apps": {"type": "array", "description": "Largest first.", "items": object_schema({
        "app": {"type": ["string", "null"], "description": "Null for what was uploaded outside of apps."}, "name": TEXT, **UPLOADED})}})
ENTRY = object_schema({
    "id": {**TEXT, "description": "Later entries have larger ids, as numbers."}, "at": TEXT,
    "person": {**TEXT, "description": "Id of whoever did it (`u_…`), or `system`."},
    "act": {"enum": list(audit.ACTS)}, "title": {**TEXT, "description": "The act, for people."},
    "subject": {**TEXT, "description": "What it was done to, such as `app/a_…` or `user/u_…`."},
    "detail": {"type": "object", "description": f"What else is known; `{audit.BY_TOKEN}` is the name of the token by which it was done."},
    "address": {**TEXT, "description": "IP address it came from; empty where no request did it."}})


def _moment_schema(what: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{MOMENT}$", "description":
            f"Only what was done {what} this moment: RFC 3339 with a time zone, such as `2026-11-23T09:30:00Z`. Write + as %2B."}


@api.operation("GET", f"{API_ROOT}/usage", Needs.ORG_ADMIN, name="get_usage", scope=SCOPE, subject=SUBJECT,
               summary="Plan and upload quota of a year, by month and by app",
               query={"year": {"type": "integer", "minimum": 2000, "maximum": 9999, "description": "This year, where none is named."}},
               answer=USAGE)
def get_usage(query: dict[str, Any]) -> dict[str, Any]:
    """Show what was uploaded in a year, to the byte."""
    figures = usage.figures(query.get("year"))
    quota = figures.quota
    return {
        "plan": organizations.current().plan, "year": quota.year, "years": list(figures.years),
        "quota": {"limit_bytes": quota.limit, "used_bytes": quota.used, "left_bytes": quota.left, "reserved_bytes": quota.reserved},
        "months": [{"month": number, **_uploaded(part)} for number, part in enumerate(figures.months, 1)],
        "apps": [{"app": part.app, "name": part.name, **_uploaded(part)} for part in figures.apps]}


@api.operation("GET", f"{API_ROOT}/log", Needs.ORG_ADMIN, name="list_log", scope=SCOPE, subject=SUBJECT,
               summary="The organization’s log, newest first", answer=page_schema(ENTRY), query={
                   "act": {"type": "string", "enum": list(audit.ACTS)},
                   "person": {"type": "string", "maxLength": 254, "description":
                              "Only what this person did, or what was done to them: an id (`u_…`), `system`, or an email."},
                   "since": _moment_schema("at or after"), "until": _moment_schema("before"),
                   "limit": {"type": "integer", "minimum": 1, "maximum": MOST_PAGE, "description": f"{PAGE}, unless said otherwise."},
                   "cursor": {"type": "string", "pattern": "^[0-9]{1,18}$"}})
def list_log(query: dict[str, Any]) -> dict[str, Any]:
    """List who did what."""
    limit, (person, known) = query.get("limit", PAGE), sought(query.get("person", "").strip())
    before = int(query["cursor"]) if "cursor" in query else None
    found = audit.entries(act=query.get("act"), person=person, since=_moment(query, "since"), until=_moment(query, "until"),
                          before=before, most=limit + 1) if known else []
    return {"items": [_entry(one) for one in found[:limit]], "next": str(found[limit - 1].id) if len(found) > limit else None}


def _moment(query: dict[str, Any], name: str) -> int | None:
    """Return a moment that is asked for, in microseconds UTC.

    Raises:
        InvalidInput: there is no such day or hour.
    """
    if name not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[name].upper())
        return round(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"The parameter {name}: “{query[name]}” is not a date and time.", parameter=name) from error


def _entry(row: AuditEntry) -> dict[str, Any]:
    return {"id": str(row.id), "at": iso(row.at), "person": row.person, "act": row.act, "title": audit.ACTS.get(row.act, row.act),
            "subject": row.subject, "detail": json.loads(row.detail), "address": row.address}


def _uploaded(part: Part) -> dict[str, int]:
    return {"attachments_bytes": part.attachments, "backups_bytes": part.backups}
