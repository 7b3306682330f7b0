"""What cells need beyond their values: names of linked records, choices, people; read once a page, never once a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import has_request_context, url_for

from core.api import (
    App,
    Definition,
    NotFound,
    RecordView,
    documents,
    field_type,
    find_app,
    now_us,
    org_choices,
    server,
)
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.compute import Computation
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.formula.reading import title_field
from plugins.worksheets.formula.values import CalculationFailed
from plugins.worksheets.query import reader
from plugins.worksheets.web.cells import Choice, Linked
from plugins.worksheets.web.cells.pointers import address_of
from plugins.worksheets.web.sheet_context import SheetContext

LINKING = ("relationship", "subform", "cascading_select")


@dataclass
class RelatedNames:
    """Everything around the values of one page. `linked` answers for what `load` was told of."""

    sheet: SheetContext
    computation: Computation = field(init=False)
    seq: int = 0

    def __post_init__(self) -> None:
        self.computation = Computation(reader(self.sheet.app, self.sheet.access.sight), now=now_us())
        self._links: dict[tuple[str, int], Linked] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._choices: dict[int, tuple[Definition, Sequence[Choice]]] = {}
        self._places: dict[str, Place | None] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The organization's time zone."""
        return self.sheet.zone

    def of(self, seq: int) -> RecordAround:
        """Return the surroundings of one record, whose files have addresses of their own."""
        return RecordAround(self, seq)

    def choices(self, definition: Definition) -> Sequence[Choice]:
        if id(definition) not in self._choices:
            self._choices[id(definition)] = (definition, choices_of(self.sheet.app, definition))
        return self._choices[id(definition)][1]

    def org_name(self, address: str) -> str:
        kind = address.partition("/")[0]
        if kind not in self._names:
            self._names[kind] = {one: name.partition(" (")[0] for one, name in org_choices(self.sheet.app.organization_id, kind)}
        known = self._names[kind]
        if address not in known:
            known[address] = _gone(self.sheet.app.organization_id, address)
        return known[address]

    def file_url(self, key: str, item: Mapping[str, Any]) -> str | None:
        """None, for no record is meant."""
        return None

    def linked(self, address: str, seq: int) -> Linked:
        return self._links.get((address, seq)) or Linked(f"#{seq}")

    def load(self, fields: Iterable[Field], records: Iterable[Mapping[str, Any]]) -> None:
        """Read what all linked records of a page are called, a worksheet at a time."""
        wanted: dict[str, dict[int, None]] = {}
        links, free = _pointing(fields)
        for values in records:
            for key, address in links:
                wanted.setdefault(address, {}).update(dict.fromkeys(values.get(key) or ()))
            for key in free:
                for item in values.get(key) or ():
                    address, seq = address_of(item["ref"])
                    wanted.setdefault(address, {})[seq] = None
        for address, seqs in wanted.items():
            self.name(address, [seq for seq in seqs if (address, seq) not in self._links])

    def name(self, address: str, seqs: Sequence[int]) -> None:
        """Find out what some records of one worksheet are called."""
        if not seqs:
            return
        place = self.place(address)
        found = self.computation.records(address, seqs)
        if place is not None and place.title is not None:
            self.computation.load(address, [place.title["key"]], list(found.values()))
        for seq in seqs:
            self._links[address, seq] = self._named(address, seq, found.get(seq), place)

    def _named(self, address: str, seq: int, record: RecordView | None, place: Place | None) -> Linked:
        if record is None:
            # Whoever may not read every record there is not told which of those they do not see are gone.
            told = place is not None and place.access.scope("read").everybody
            return Linked(f"#{seq} (deleted)" if told else f"#{seq}")
        if place is None:
            return Linked(f"#{seq}")
        title = "" if place.title is None else self._title(address, place.title, record)
        return Linked(title or f"#{seq}", place.url(seq))

    def _title(self, address: str, definition: Definition, record: RecordView) -> str:
        try:
            value = self.computation.compute(address, definition["key"], record)
        except CalculationFailed:
            return ""
        return self.text(definition, value)

    def text(self, definition: Definition, value: Any) -> str:
        """Return a value on one line, people and places of the organization by name."""
        kind = definition["type"]
        if kind in ("member", "department", "org_role"):
            return ", ".join(self.org_name(item["org"]) for item in value or ())
        if kind in ("created_by", "modified_by") and value:
            return self.org_name(f"user/{value}")
        if isinstance(value, list) and field_type(kind).derived_for(definition):
            return ", ".join(map(str, value))
        return field_type(kind).text(value, definition, self.computation)[:200]

    def place(self, address: str) -> Place | None:
        """Return where an address leads, None where the visitor may read nothing there."""
        if address not in self._places:
            self._places[address] = self._find_place(address)
        return self._places[address]

    def _find_place(self, address: str) -> Place | None:
        """Return where an address leads, None where the visitor may see nothing of it."""
        app_part, _, key = address.rpartition("worksheet/")
        app = find_app(app_part.split("/")[1]) if app_part else self.sheet.app
        access = None if app is None else self.sheet.access.sight.of(app, key)
        if app is None or access is None or not access.scope("read"):
            return None
        definition = title_field(address, self.computation)
        if definition is not None and definition["type"] in LINKING:
            definition = None
        return Place(app, key, access, definition)


@dataclass(frozen=True, slots=True)
class Place:
    """A worksheet that is pointed to, and the field by which its records are called."""

    app: App
    key: str
    access: SheetAccess
    title: Definition | None

    def url(self, seq: int) -> str:
        """Return the address of a record's page; "" where no page is being made, as in a worker."""
        if not has_request_context():
            return ""
        return url_for("records.record", organization_id=self.app.organization_id, app_id=self.app.id, key=self.key, seq=seq)


@dataclass(frozen=True, slots=True)
class RecordAround:
    """The surroundings of one record's values."""

    page: RelatedNames
    seq: int

    @property
    def zone(self) -> ZoneInfo:
        """The organization's time zone."""
        return self.page.zone

    def choices(self, definition: Definition) -> Sequence[Choice]:
        return self.page.choices(definition)

    def linked(self, address: str, seq: int) -> Linked:
        return self.page.linked(address, seq)

    def org_name(self, address: str) -> str:
        return self.page.org_name(address)

    def file_url(self, key: str, item: Mapping[str, Any]) -> str | None:
        return self.page.sheet.url("file", seq=self.seq, field=key, content=item["file"])


def choices_of(app: App, definition: Definition) -> list[Choice]:
    """Return the choices of a select field, its own or its option set's."""
    options = definition.get("options", {})
    given = options.get("choices", ())
    if "option_set" in options:
        try:
            given = documents.get(app, options["option_set"]["ref"]).body.get("choices", ())
        except NotFound:
            given = ()
    return [Choice(one["key"], one["name"], one.get("colour", "")) for one in given]


def _gone(organization_id: str, address: str) -> str:
    kind, _, key = address.partition("/")
    if kind != "user":
        return "Deleted item"
    if key == "system":
        return "Appkeep"
    return server().registry.hook.person_name(organization_id=organization_id, person=key) or "Former user"


def _pointing(fields: Iterable[Field]) -> tuple[list[tuple[str, str]], list[str]]:
    links, free = [], []
    for one in fields:
        if one.type.name in LINKING:
            links.append((one.key, target_address(one.definition)))
        elif one.type.name == "free_link":
            free.append(one.key)
    return links, free
