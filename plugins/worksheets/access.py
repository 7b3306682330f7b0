"""What a visitor may do with the records of one worksheet, and the acts themselves: every page goes through here.

Fields that one may not read do not leave the server, neither by themselves nor by what is computed from them in the same
worksheet. See `docs/decisions/0018-computed-as-one-may-read.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from core.api import (
    EVERYTHING,
    SYSTEM,
    App,
    Document,
    Forbidden,
    NotFound,
    RecordView,
    Rights,
    Standing,
    author,
    documents,
    in_transaction,
    locks,
    rights,
    server,
    standing,
)
from plugins.worksheets import service
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.formula.derived import paths
from plugins.worksheets.query.query import EVERYBODY, NOBODY, Filter, Query, Scope
from plugins.worksheets.records import MAX_SEQ, Row
from plugins.worksheets.records.keys import fold

_POINTING_OPTIONS = ("of", "uses")


@dataclass
class SheetAccess:
    """The rights of one person on one worksheet of one app."""

    app: App
    standing: Standing
    document: Document
    rights: Rights

    @classmethod
    def of(cls, app: App, standing: Standing, worksheet: str) -> SheetAccess:
        """Return what somebody may do with a worksheet, named by its key.

        Raises:
            NotFound: there is none that they may see.
        """
        document = documents.get(app, f"worksheet/{worksheet}")
        found = rights(app, standing, document.address)
        if not found.may("see"):
            raise documents.absent("worksheet")
        return cls(app, standing, document, found)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All live fields by key, layout items too."""
        return fields_of(self.document.body, stored=False)

    @cached_property
    def readable_fields(self) -> tuple[str, ...]:
        """The keys of the fields that may be read, in their order."""
        shut = {key for key in self.fields if not self.rights.may("read", f"field/{key}") and not self._only_writes(key)}
        while more := {key for key, one in self.fields.items() if key not in shut and not shut.isdisjoint(_builds_on(one))}:
            shut |= more
        return tuple(key for key in self.fields if key not in shut)

    @cached_property
    def writable_fields(self) -> tuple[str, ...]:
        """The keys of the fields that may be written, in a record that may be changed or made."""
        return tuple(key for key, one in self.fields.items() if one.stored and one.type.writable
                     and (self.rights.may("update", f"field/{key}") or self.rights.may("create", f"field/{key}")))

    @property
    def may_create(self) -> bool:
        """Whether records may be made."""
        return self.rights.may("create")

    @property
    def may_export(self) -> bool:
        """Whether what is seen may be taken away as a file."""
        return self.rights.may("export")

    def scope(self, action: str) -> Scope:
        """Return whose records may be read, updated or deleted."""
        reach = self.rights.scope(action)
        if reach == "all":
            return EVERYBODY
        if reach == "none":
            return NOBODY
        holding = tuple((part.removeprefix("field/"), text) for part, text in self.rights.owned.items())
        return Scope(people=self._colleagues if reach == "department" else self._alone, holding=holding)

    @cached_property
    def sight(self) -> PersonSight:
        """What the person may read wherever links and computed values lead from here."""
        return PersonSight(self.app, self.standing, known={(self.app.id, self.document.key): self})

    def ask(self, *, filter: Filter | None = None, sorts: Sequence[tuple[str, bool]] = (), search: str = "",
            deleted: bool = False) -> Query:
        """Return a question for records that reaches, and is answered by, what the person may read and nothing else."""
        return Query(self.document.key, filter=filter, sorts=sorts, search=search, fields=self.readable_fields, deleted=deleted,
                     within=self.scope("read"), sight=self.sight)

    def may(self, action: str, row: Row | RecordView) -> bool:
        """Say whether an action ("read", "update", "delete") is allowed on a record."""
        scope = self.scope(action)
        return scope.everybody or (bool(scope) and (not scope.people.isdisjoint(self._people_of(row)) or _holds(row, scope.holding)))

    def _only_writes(self, key: str) -> bool:
        """Say whether a field is one of those that who may make records, and read none, can see in the form at least."""
        return self.rights.scope("read") == "none" and "read" not in self.rights.denied.get(f"field/{key}", ())

    @cached_property
    def _alone(self) -> frozenset[str]:
        """The person by themselves; nobody for whoever is none, such as one who looks at the portal as a role."""
        return frozenset({author(self.standing.person)} - {SYSTEM})

    @cached_property
    def _colleagues(self) -> frozenset[str]:
        given = server().registry.hook.colleagues_of(
            organization_id=self.app.organization_id, person=self.standing.person)
        return frozenset({self.standing.person, *(person for some in given for person in some)})

    def _people_of(self, row: Row | RecordView) -> Iterable[str]:
        """Yield whose a record is: who made it, and whom its member fields name."""
        yield row.created_by
        vals = _values(row)
        for key, one in self.fields.items():
            if one.type.name == "member" and key in vals:
                yield from (item["org"].rpartition("/")[2] for item in vals[key])


def _values(row: Row | RecordView) -> Mapping[str, Any]:
    found: Mapping[str, Any] = row.vals if isinstance(row, RecordView) else msgspec.json.decode(row.vals)
    return found


def _holds(row: Row | RecordView, holding: Sequence[tuple[str, str]]) -> bool:
    """Say whether a record has one of these texts in the field beside it."""
    vals = _values(row) if holding else {}
    return any(isinstance(held := vals.get(key), str) and fold(held) == fold(text) for key, text in holding)


@dataclass
class PersonSight:
    """What one person may read anywhere in the organization, asked once a worksheet: see `query.Sight`.

    In another app they are what they are there: a pointer into it shows whoever looks what they may read there themselves,
    whoever wrote the pointer. With `whole_app` they see all of their own app: so its rules are followed, whoever looks.
    """

    app: App
    standing: Standing
    whole_app: bool = False
    known: dict[tuple[str, str], SheetAccess | None] = field(default_factory=dict)

    def of(self, app: App, worksheet: str) -> SheetAccess | None:
        """Return the person's rights on a worksheet, None where they may not see it."""
        place = app.id, worksheet
        if place not in self.known:
            self.known[place] = self._look(app, worksheet)
        return self.known[place]

    def _look(self, app: App, worksheet: str) -> SheetAccess | None:
        here = self.standing if app.id == self.app.id else standing(app, self.standing.person)
        try:
            if self.whole_app and app.id == self.app.id:
                return SheetAccess(app, here, documents.get(app, f"worksheet/{worksheet}"), EVERYTHING)
            return SheetAccess.of(app, here, worksheet)
        except NotFound:
            return None


def read_record(app: App, access: SheetAccess, seq: int, action: str = "read", *, deleted: bool = False) -> Row:
    """Return a record that may be read, with the values of readable fields only.

    Args:
        app: The app.
        access: What the visitor may do in the worksheet.
        seq: The record's number.
        action: "update" or "delete" to find one that this may be done to.
        deleted: The one in the recycle bin instead.

    Raises:
        NotFound: there is none that they may read.
        Forbidden: they may read it, but not do that to it.
    """
    row = found_row(app, access, seq, action, deleted=deleted)
    readable = set(access.readable_fields)
    vals = {key: value for key, value in service.loads(row.vals).items() if key in readable}
    return row._replace(vals=service.dumps(vals), hidden=None)


def found_row(app: App, access: SheetAccess, seq: Any, action: str, *, deleted: bool = False) -> Row:
    """Return a record's whole row; see `read_record`. To do something with it inside a transaction, it is held for that."""
    row = _row(app, access.document.key, seq, held=action != "read" and in_transaction()) if _known(seq) else None
    if row is None or (row.deleted_at is not None) is not deleted or not access.may("read", row):
        raise NotFound("This record does not exist, or you do not have access to it.")
    if action != "read" and not access.may(action, row):
        what = {"update": "changed", "delete": "deleted or restored"}.get(action, action)
        raise Forbidden(f"Record {seq} cannot be {what} by you. Ask an app admin for access.")
    return row


def _known(seq: Any) -> bool:
    return type(seq) is int and 1 <= seq <= MAX_SEQ


def _row(app: App, worksheet: str, seq: int, *, held: bool) -> Row | None:
    store = service.store_of(app)
    if not held:
        return store.row(worksheet, seq)
    locks.share(app)
    return service.held_row(store, worksheet, seq)


def save_record(app: App, access: SheetAccess, seq: int | None, values: Mapping[str, Any], person: str) -> int:
    """Change the named values of a record, or make one where *seq* is None, and return its number.

    Raises:
        Forbidden: a field may not be written, the record not changed, or none be made; the message names which.
        NotFound: there is no such record that they may read.
        InvalidValue: see `service.put_record`.
    """
    if seq is None:
        if not access.may_create:
            raise Forbidden("You cannot create records in this worksheet.")
    else:
        found_row(app, access, seq, "update")
    check_writes(access, values, "create" if seq is None else "update")
    return service.put_record(app, access.document.key, seq, values, person)


def check_writes(access: SheetAccess, values: Iterable[str], action: str) -> None:
    """Refuse to write fields that may not be written.

    Raises:
        Forbidden: with the field's name; its key where its name is not to be known.
    """
    for key in values:
        one = access.fields.get(key)
        if one is not None and not (key in access.writable_fields and access.rights.may(action, f"field/{key}")):
            raise Forbidden(f"The field “{one.name if key in access.readable_fields else key}” cannot be written by you.", field=key)


def delete_record(app: App, access: SheetAccess, seq: int, person: str) -> None:
    """Move a record to the recycle bin.

    Raises:
        NotFound, Forbidden: see `read_record`.
    """
    found_row(app, access, seq, "delete")
    service.delete_record(app, access.document.key, seq, person)


def bring_back(app: App, access: SheetAccess, seq: int, person: str) -> None:
    """Bring a record back from the recycle bin: for those who may delete it.

    Raises:
        NotFound, Forbidden: see `read_record`.
    """
    found_row(app, access, seq, "delete", deleted=True)
    service.bring_back_record(app, access.document.key, seq, person)


def purge(app: App, access: SheetAccess, seq: int, person: str) -> int:
    """Remove a record in the recycle bin for good, and return how many pointers to it went with it: for app admins.

    Raises:
        Forbidden: they do not manage the app.
        NotFound: see `read_record`.
    """
    if access.standing.admin:
        locks.alone(app)  # before it is read, which takes a weaker lock: two would wait for each other
    found_row(app, access, seq, "delete", deleted=True)
    if not access.standing.admin:
        raise Forbidden("Only app admins can delete records permanently.")
    return service.purge_record(app, access.document.key, seq, person)


def _builds_on(one: Field) -> set[str]:
    """Return the keys of the fields of the same worksheet that a field shows something of."""
    found = {path[0] for path in paths(one.definition)}
    options = one.definition.get("options", {})
    for name in _POINTING_OPTIONS:
        given = options.get(name) or ()
        pointers = [given] if isinstance(given, Mapping) else given
        found |= {str(pointer.get("ref", "")).rpartition("/")[2] for pointer in pointers if isinstance(pointer, Mapping)}
    return found
