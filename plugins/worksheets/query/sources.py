"""What computations read: worksheets, records and choices as they are now, as far as whoever looks may see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from core.api import App, Definition, NotFound, RecordView, documents, find_app
from plugins.worksheets.content import content_store
from plugins.worksheets.query.query import Seeable, Sight
from plugins.worksheets.records import RecordStore, Row


def record_views(rows: Iterable[Row]) -> list[RecordView]:
    """Return rows as computations see them, in the same order."""
    return [RecordView(seq=row.seq, vals=msgspec.json.decode(row.vals), created_at=row.created_at, created_by=row.created_by,
                       updated_at=row.updated_at, updated_by=row.updated_by) for row in rows]


def reader(app: App, sight: Sight | None) -> AppReader:
    """Return what reads for the computed values of an app's records, through the session's connection.

    What *sight* does not see is as if it were not there; None sees everything, as the server itself does.
    """
    return AppReader(app, sight)


class AppReader:
    """See `compute.Reader`. Remembers the bodies it gave, so let it go with the page."""

    def __init__(self, app: App, sight: Sight | None) -> None:
        self.app, self.sight = app, sight
        self._bodies: dict[str, Mapping[str, Any] | None] = {}
        self._apps: dict[str, App | None] = {app.id: app}
        self._homes: dict[int, App] = {}

    def worksheet(self, address: str) -> Mapping[str, Any] | None:
        """Return the body of a live worksheet of this app ("worksheet/w_…") or another ("app/a_…/worksheet/w_…")."""
        if address not in self._bodies:
            self._bodies[address] = self._body(address)
        return self._bodies[address]

    def records(self, address: str, seqs: Iterable[int]) -> Mapping[int, RecordView]:
        """Return those of the records that exist and are not deleted."""
        store, worksheet = self._store(address)
        return {} if store is None else {one.seq: one for one in record_views(self._seen(address, store.some(worksheet, seqs)))}

    def records_of(self, wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Mapping[int, RecordView]]:
        """Return what `records` does of several worksheets, by their addresses, with one question for each app."""
        stores: dict[str, tuple[RecordStore, dict[str, str]]] = {}
        for address in wanted:
            store, worksheet = self._store(address)
            if store is not None:
                stores.setdefault(store.app_id, (store, {}))[1][worksheet] = address
        found: dict[str, Mapping[int, RecordView]] = {}
        for store, addresses in stores.values():
            for worksheet, rows in store.some_of({worksheet: wanted[address] for worksheet, address in addresses.items()}).items():
                address = addresses[worksheet]
                found[address] = {one.seq: one for one in record_views(self._seen(address, rows))}
        return found

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        """Return, for each seq pointed to, the live records of worksheet *address* whose *field* points to it."""
        store, worksheet = self._store(address)
        found: dict[int, list[int]] = {}
        if store is None or not self._shows(address, field):
            return found
        pairs = list(store.pointing(worksheet, field, list(dict.fromkeys(seqs))))
        seen = self._seen_numbers(address, store, worksheet, [seq for seq, _ in pairs])
        for seq, target in pairs:
            if seen is None or seq in seen:
                found.setdefault(target, []).append(seq)
        return found

    def choices(self, definition: Definition) -> Mapping[str, str]:
        """Return key -> name of a select field's choices, its own or its option set's."""
        home = self._homes.get(id(definition), self.app)
        return {choice["key"]: choice["name"] for choice in listed_choices(home, definition)}

    def _body(self, address: str) -> Mapping[str, Any] | None:
        app = self._app(address)
        try:
            body = None if app is None else documents.get(app, f"worksheet/{address.rpartition('/')[2]}").body
        except NotFound:
            return None
        if app is not None and body is not None and self.sight is not None:
            body = _narrowed(body, self.sight.of(app, address.rpartition("/")[2]))
        if app is not None and body is not None:
            self._homes.update({id(definition): app for definition in body.get("fields", ())})
        return body

    def _rights(self, address: str) -> Seeable | None:
        """Return what whoever looks may read of a worksheet; asked only where somebody looks."""
        app = self._app(address)
        return None if self.sight is None or app is None else self.sight.of(app, address.rpartition("/")[2])

    def _shows(self, address: str, field: str) -> bool:
        rights = self._rights(address)
        return self.sight is None or (rights is not None and field in rights.readable_fields)

    def _seen(self, address: str, rows: Iterable[Row]) -> list[Row]:
        """Return those of the rows that whoever looks may read."""
        if self.sight is None:
            return list(rows)
        rights = self._rights(address)
        return [] if rights is None else [row for row in rows if rights.may("read", row)]

    def _seen_numbers(self, address: str, store: RecordStore, worksheet: str, seqs: Sequence[int]) -> set[int] | None:
        """Return which of the records may be read by whoever looks; None for all of them."""
        rights = self._rights(address)
        if self.sight is None or (rights is not None and rights.scope("read").everybody):
            return None
        return {row.seq for row in self._seen(address, store.some(worksheet, dict.fromkeys(seqs)))}

    def _app(self, address: str) -> App | None:
        if not address.startswith("app/"):
            return self.app
        app_id = address.split("/")[1]
        if app_id not in self._apps:
            self._apps[app_id] = find_app(app_id)
        return self._apps[app_id]

    def _store(self, address: str) -> tuple[RecordStore | None, str]:
        """Return the record store where a worksheet is live; None where it is not there."""
        app = self._app(address)
        if app is None or self.worksheet(address) is None:
            return None, ""
        return content_store(app.id), address.rpartition("/")[2]


def _narrowed(body: Mapping[str, Any], rights: Seeable | None) -> Mapping[str, Any] | None:
    """Return a worksheet's body with the fields that may be read only; None where nothing of it may."""
    if rights is None:
        return None
    readable = frozenset(rights.readable_fields)
    return {**body, "fields": [one for one in body.get("fields", ()) if one["key"] in readable]}


def listed_choices(app: App, definition: Definition) -> Sequence[Mapping[str, Any]]:
    """Return a select field's choices in their order, its own or its option set's."""
    options = definition.get("options", {})
    if "option_set" not in options:
        found: Sequence[Mapping[str, Any]] = options.get("choices", ())
        return found
    try:
        return documents.get(app, options["option_set"]["ref"]).body.get("choices", ())  # type: ignore[no-any-return]
    except NotFound:
        return ()
