"""Pages on an organization's log: filtered by act, person and day, a page at a time, and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request, stream_with_context

from core.api import ORGANIZATION, Needs, Pages, as_tenant, csv_response, day_asked, iso, midnight, tenant, zone_named
from tenants import audit, organizations, service
from tenants.models import AuditEntry
from tenants.web.forms import number
from tenants.web.log_sentences import entry_sentence

pages = Pages("log", __name__)
COLUMNS = ("Time (UTC)", "Who", "Action", "Whom", "Name", "Details", "IP address")
FILTERS = ("act", "person", "since", "until")


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the log is asked for: an act, a person, and days in the organization's time zone, both inclusive.

    `known` is False where the person that was typed is nobody; then nothing fits.
    """

    act: str | None
    person: str | None
    known: bool
    since: date | None
    until: date | None

    def entries(self, *, before: int | None, most: int) -> list[AuditEntry]:
        """Return what fits, newest first."""
        if not self.known:
            return []
        zone = zone_named(organizations.current().time_zone)
        after = self.until + timedelta(days=1) if self.until is not None and self.until < date.max else None
        return audit.entries(act=self.act, person=self.person, since=midnight(self.since, zone), until=midnight(after, zone),
                             before=before, most=most)


@pages.page(f"{ORGANIZATION}/log", Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """Show who did what, newest first, a page at a time."""
    asked, errors = _asked()
    found = asked.entries(before=number(request.args.get("before")), most=audit.PAGE_ENTRIES + 1)
    shown = found[:audit.PAGE_ENTRIES]
    filters = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    return render_template(
        "tenants/log.html", entries=[(entry, told(entry)) for entry in shown], acts=audit.ACTS, asked=asked, errors=errors,
        filters=filters, person_sought=request.args.get("person", ""), older=shown[-1].id if len(found) > len(shown) else None,
        first="before" not in request.args)


@pages.page(f"{ORGANIZATION}/log.csv", Needs.ORG_ADMIN)
def export(organization_id: str) -> Response:
    """Give the log, as far as it is asked for, as CSV."""
    rows = stream_with_context(_rows(organization_id, _asked()[0]))  # type: ignore[type-var]  # it passes on whatever it is given
    return csv_response(f"log-{organization_id}.csv", rows)


def told(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry's details as they are shown: whom it was done to, what it is about, and the rest as a sentence."""
    detail: dict[str, Any] = json.loads(entry.detail)
    kind, _, key = entry.subject.partition("/")
    whom, about = detail.pop("person", None), detail.pop("name", "")
    if kind == "user" and key != entry.person:
        whom = key
    return {"whom": whom, "about": about, "rest": entry_sentence(entry.act, detail)}


def _rows(organization_id: str, asked: Filter) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the CSV; the organization is seen while they are sent."""
    yield COLUMNS
    with as_tenant(organization_id):
        names: dict[str, str] = {}
        before: int | None = None
        while found := asked.entries(before=before, most=500):
            for entry in found:
                yield _row(entry, names)
            before = found[-1].id


def _row(entry: AuditEntry, names: dict[str, str]) -> tuple[str, ...]:
    said = told(entry)
    act = audit.ACTS.get(entry.act, entry.act)
    return iso(entry.at), _name(entry.person, names), act, _name(said["whom"], names), said["about"], said["rest"], entry.address


def _name(person: str | None, names: dict[str, str]) -> str:
    if person is None:
        return ""
    if person not in names:
        names[person] = "Appkeep" if person == "system" else service.name_of(tenant(), person) or "Former user"
    return names[person]


def _asked() -> tuple[Filter, dict[str, str]]:
    """Return what the address asks for, and what is wrong with it by field; what is wrong asks for nothing."""
    errors: dict[str, str] = {}
    act, (person, known) = request.args.get("act", ""), sought(request.args.get("person", "").strip())
    return Filter(act if act in audit.ACTS else None, person, known, day_asked("since", errors), day_asked("until", errors)), errors


def sought(text: str) -> tuple[str | None, bool]:
    """Return the id of the person that a filter names by id or email, and whether it can name anybody."""
    if not text or text == "system" or text.startswith("u_"):
        return text or None, True
    person = service.id_by_email(text)
    return person, person is not None
