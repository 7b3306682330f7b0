"""What a run can ask for: its record, what its steps found, people, days. Records are read as the workflow may: all of its app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.api import (
    App,
    FieldGiven,
    InvalidInput,
    NotFound,
    RecordGiven,
    RecordsAsked,
    documents,
    is_person,
    now_us,
    server,
    zone_of,
)
from plugins.workflows.values import Read, Values
from tenants.service import emails_of

MOST_PEOPLE = 200
Body = Mapping[str, Any]


def actor(app: App, workflow: str) -> str:
    """Return who acts where a workflow does. Its app is part of it: a copy of the app has a workflow of the same key."""
    return f"workflow/{app.id}/{workflow}"


@dataclass
class RunWorld:
    """The world of one run, as it stands at one step; see `values.World`. Nothing that was read is kept beyond a step."""

    app: App
    workflow: str
    number: int
    person: str
    trigger: Body
    memory: dict[str, Any]
    snapshot: bool = False
    """Whether the run's record is read as the change that triggers it left it, and not as it is by now."""
    now_us: int = field(default_factory=now_us)
    _read: dict[tuple[str, int, bool], tuple[RecordGiven, dict[str, FieldGiven]] | None] = field(default_factory=dict)
    _sheets: dict[str, Body] = field(default_factory=dict)

    @property
    def values(self) -> Values:
        """What reads values in this world."""
        return Values(self)

    def forget(self) -> None:
        """Read records again from now on."""
        self._read.clear()
        self._sheets.clear()

    def field(self, ref: str, step: str | None, before: bool) -> Read:
        """See `values.World`.

        Raises:
            InvalidInput: there is no such record, or no such field in it.
        """
        sheet, _, key = ref.removeprefix("worksheet/").partition("/field/")
        at = self.record(step)
        if at is None or at[0] != sheet:
            of = self.name_of(f"worksheet/{sheet}")
            raise InvalidInput(f"There is no record of {of} at this point to take {self.name_of(ref)} from.")
        found = self.read(*at, before=before and step is None)
        if found is None or key not in found[1]:
            raise InvalidInput(f"The record {at[1]} of {self.name_of(f'worksheet/{sheet}')} has no {self.name_of(ref)} any more.")
        record, fields = found
        return Read(record.values.get(key), record.read(key), fields[key].type, self._target(sheet, key))

    def record(self, step: str | None) -> tuple[str, int] | None:
        """Return (worksheet, number) of the run's record, or of the one that a step made, changed, found first or goes through."""
        if step is None:
            return (str(self.trigger["worksheet"]), int(self.trigger["seq"])) if self.trigger.get("seq") else None
        found = self.memory["steps"].get(step) or {}
        one = found.get("item") if isinstance(found.get("item"), Mapping) else found.get("record")
        one = one or next(iter(found.get("records", ())), None)
        return (str(one["worksheet"]), int(one["seq"])) if isinstance(one, Mapping) and "seq" in one else None

    def read(self, sheet: str, seq: int, *, before: bool = False) -> tuple[RecordGiven, dict[str, FieldGiven]] | None:
        """Return a record, as it is or as it was before the change that triggered the run, and its fields; None where there is none."""
        place = (sheet, seq, before)
        if place not in self._read:
            self._read[place] = self._ask(sheet, seq, before)
        return self._read[place]

    def result(self, step: str) -> Any:
        """See `values.World`."""
        return self.memory["steps"].get(step)

    def cause(self) -> Any:
        """See `values.World`."""
        return self.trigger

    def variable(self, name: str) -> Any:
        """See `values.World`."""
        return self.memory["variables"].get(name)

    def about(self, what: str) -> Any:
        """See `values.World`."""
        local = datetime.fromtimestamp(self.now_us / 1_000_000, UTC)
        match what:
            case "today":
                return local.astimezone(self.zone).date().isoformat()
            case "now":
                return local.strftime("%Y-%m-%dT%H:%M:%SZ")
            case "person":
                return self.person_name(self.person)
            case "person_email":
                return server().registry.hook.person_email(organization_id=self.app.organization_id, person=self.person) or ""
            case "run_number":
                return self.number
            case "run_address":
                return f"{server().config.address}{self.path}/runs/{self.number}"
        return self._about_record(what)

    def calculated(self, formula: str, values: Body) -> Any:
        """See `values.World`."""
        found = server().registry.hook.calculate(app=self.app, expression=formula, values=values)
        if found is None:
            raise InvalidInput("Nothing on this server calculates formulas.")
        return found["value"]

    def field_type(self, ref: str) -> str:
        """See `values.World`."""
        sheet, _, key = ref.removeprefix("worksheet/").partition("/field/")
        return next((str(one["type"]) for one in self._sheet(sheet).get("fields", ()) if one["key"] == key), "")

    def fits(self, condition: Body, before: bool) -> bool:
        """See `values.World`."""
        sheet = condition["field"]["ref"].removeprefix("worksheet/").partition("/field/")[0]
        at = self.record(None)
        if at is None or at[0] != sheet:
            raise InvalidInput(f"There is no record of {self.name_of(f'worksheet/{sheet}')} to compare at this point.")
        values = self.trigger.get("before") if before else self.stored(*at)
        if values is None:
            return False
        made = {key: value for key, value in condition.items() if key != "before"}
        return bool(server().registry.hook.record_fits(app=self.app, worksheet=sheet, seq=at[1], values=values, filter=made))

    def stored(self, sheet: str, seq: int) -> Body | None:
        """Return the stored values of the run's record as they are now; as the trigger had them where it was deleted."""
        if self.snapshot:
            after: Body | None = self.trigger.get("after") or self.trigger.get("before")
            return after
        found = self.read(sheet, seq)
        return None if found is None else found[0].values

    @property
    def path(self) -> str:
        """Where the app's pages on workflows are."""
        return f"/o/{self.app.organization_id}/apps/{self.app.id}/manage/workflow/{self.workflow}"

    @property
    def zone(self) -> Any:
        """The organization's time zone."""
        return zone_of(self.app.organization_id)

    def name_of(self, address: str) -> str:
        """Return what a worksheet, or a field of one, is called; its address where it is gone."""
        sheet, _, key = address.removeprefix("worksheet/").partition("/field/")
        body = self._sheet(sheet)
        if not key:
            return f"“{body.get('name', sheet)}”"
        return f"“{next((one['name'] for one in body.get('fields', ()) if one['key'] == key), key)}”"

    def person_name(self, person: str) -> str:
        """Return what a person is called; "" for the system."""
        if not person.startswith("u_"):
            return ""
        return server().registry.hook.person_name(organization_id=self.app.organization_id, person=person) or ""

    def people(self, given: Iterable[Any]) -> list[str]:
        """Return the members whom recipients or approvers stand for: people, departments, roles, and values that name some."""
        found: dict[str, None] = {}
        for one in given:
            for address in _addresses(self.values.value(one)):
                for some in server().registry.hook.people_of(app=self.app, address=address):
                    found |= dict.fromkeys(some)
        return list(found)[:MOST_PEOPLE]

    def emails(self, given: Iterable[Any]) -> list[str]:
        """Return the addresses that recipients stand for, each once."""
        found: dict[str, None] = {}
        for one in given:
            value = self.values.value(one)
            text = value.text if isinstance(value, Read) else value if isinstance(value, str) else ""
            if "@" in text:
                found |= dict.fromkeys(part.strip() for part in text.replace(";", ",").split(",") if part.strip())
            else:
                found |= dict.fromkeys(emails_of(self.people([one])))
        return list(found)[:MOST_PEOPLE]

    def _about_record(self, what: str) -> Any:
        at = self.record(None)
        if at is None:
            return None
        if what == "record_number":
            return at[1]
        if what == "record_address":
            return f"{server().config.address}/o/{self.app.organization_id}/apps/{self.app.id}/worksheet/{at[0]}/record/{at[1]}"
        found = self.read(*at)
        return (found[0].title or f"Record {at[1]}") if found else None

    def _ask(self, sheet: str, seq: int, before: bool) -> tuple[RecordGiven, dict[str, FieldGiven]] | None:
        hook, given = server().registry.hook, None
        if not before and not self.snapshot:
            given = hook.records_for(app=self.app, person=actor(self.app, self.workflow),
                                     asked=RecordsAsked(worksheet=f"worksheet/{sheet}", seqs=(seq,), limit=1))
        mine = sheet == self.trigger.get("worksheet") and seq == self.trigger.get("seq")
        if (given is None or not given.records) and mine:
            values = self.trigger.get("before") if before else self.trigger.get("after") or self.trigger.get("before")
            if values is not None:
                given = hook.record_reads(app=self.app, person=actor(self.app, self.workflow), worksheet=sheet, seq=seq, values=values)
        if given is None or not given.records:
            return None
        return given.records[0], {one.key: one for one in given.fields}

    def _target(self, sheet: str, key: str) -> str:
        definition: Body = next((one for one in self._sheet(sheet).get("fields", ()) if one["key"] == key), {})
        ref = str(definition.get("options", {}).get("target", {}).get("ref", ""))
        return ref.rpartition("/")[2]

    def _sheet(self, key: str) -> Body:
        if key not in self._sheets:
            try:
                self._sheets[key] = documents.get(self.app, f"worksheet/{key}").body
            except NotFound:
                self._sheets[key] = {}
        return self._sheets[key]


def _addresses(value: Any) -> Iterable[str]:
    if isinstance(value, Read):
        value = value.value
    if isinstance(value, Mapping):
        yield from [str(value[tag]) for tag in ("org", "ref") if tag in value]
    elif isinstance(value, list):
        for one in value:
            yield from _addresses(one)
    elif isinstance(value, str) and is_person(value) and value.startswith("u_"):
        yield f"user/{value}"
    elif isinstance(value, str) and "/" in value and len(value) < 60:
        yield value
