"""The context of a worksheet: it as the visitor of this request sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from flask import has_request_context, url_for

from core.api import (
    App,
    Document,
    NotFound,
    Rights,
    author,
    current_app_row,
    current_standing,
    server,
    visit,
    zone_named,
)
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.web.cells import cell_of

VIEW_TYPES = ("grid", "kanban", "gallery", "calendar", "timeline", "form")


@dataclass
class SheetContext:
    """A worksheet, what the visitor may do with it, and where its pages are. `person` is the author of what the visitor writes."""

    app: App
    document: Document
    access: SheetAccess
    person: str
    admin: bool

    @property
    def actor(self) -> str:
        """Who the visitor is where others ask: a person, or a guest or link, which are no person."""
        return self.access.standing.person

    @property
    def outside(self) -> bool:
        """Whether the visitor is nobody of the organization: then who is in it is not listed."""
        return self.access.standing.role is None and not self.admin

    @property
    def rights(self) -> Rights:
        """What the visitor may do with the worksheet."""
        return self.access.rights

    @property
    def key(self) -> str:
        """The worksheet's key."""
        return self.document.key

    @property
    def body(self) -> Mapping[str, Any]:
        """The worksheet's body."""
        return self.document.body

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.body["name"])

    @cached_property
    def everything(self) -> dict[str, Field]:
        """All live fields by key, layout items and computed ones too."""
        return fields_of(self.body, stored=False)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields that have a value the visitor may read, by key, in order."""
        readable = frozenset(self.access.readable_fields)
        return {key: field for key, field in self.everything.items()
                if has_value(field) and key in readable}

    def editable(self, field: Field, action: str = "update") -> bool:
        """Say whether the visitor may enter values of a field, to "update" or to "create"; of which record is asked apart."""
        return (field.stored and field.type.writable and cell_of(field).read is not None and field.key in self.fields
                and self.rights.may(action, f"field/{field.key}"))

    def field(self, key: str) -> Field:
        """Return a readable field.

        Raises:
            NotFound: there is none of that key that the visitor may read.
        """
        if key not in self.fields:
            raise NotFound("This field does not exist, or you do not have access to it.")
        return self.fields[key]

    @cached_property
    def title_key(self) -> str | None:
        """The key of the field that names records, if the visitor may read it."""
        chosen = part_key(self.body.get("title_field"))
        if chosen is None and self.body.get("fields"):
            chosen = str(self.body["fields"][0]["key"])
        return chosen if chosen in self.fields else None

    @cached_property
    def views(self) -> Sequence[Mapping[str, Any]]:
        """The views that the visitor may see; forms are for those who may make records."""
        return [view for view in self.body.get("views", ()) if self.rights.may("see", f"view/{view['key']}")
                and (view["type"] != "form" or self.access.may_create)]

    def view(self, key: str | None) -> Mapping[str, Any] | None:
        """Return the view of that key, the first one without a key, None where there are none.

        Raises:
            NotFound: the visitor sees no view of that key.
        """
        if not key:
            return next((view for view in self.views if view["type"] != "form"), None)
        found = next((view for view in self.views if view["key"] == key), None)
        if found is None:
            raise NotFound("This view no longer exists.")
        return found

    @cached_property
    def zone(self) -> ZoneInfo:
        """The organization's time zone."""
        found = server().registry.hook.organization_time_zone(organization_id=self.app.organization_id)
        return zone_named(found)

    def url(self, page: str = "grid", **given: Any) -> str:
        """Return the address of one of the worksheet's pages; "" where no page is being made, as in a worker."""
        if not has_request_context():
            return ""
        return url_for(f"records.{page}", organization_id=self.app.organization_id, app_id=self.app.id, key=self.key, **given)


def has_value(field: Field) -> bool:
    """Say whether records have values of a field, stored or computed; layout items have none."""
    return field.stored or field.type.derived_for(field.definition)


def part_key(pointer: Mapping[str, Any] | None) -> str | None:
    """Return the key that a pointer to a part ends with."""
    return str(pointer["ref"]).rpartition("/")[2] if pointer else None


def open_sheet(key: str) -> SheetContext:
    """Return the worksheet that the address names.

    Raises:
        NotFound: there is none that the visitor may see.
    """
    app, here = current_app_row(), current_standing()
    access = SheetAccess.of(app, here, key)
    return SheetContext(app, access.document, access, author(visit().person), here.admin)
