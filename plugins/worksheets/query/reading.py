"""What computations read: worksheets, records and choices as they are now. It asks nobody whether they may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from core.api import App, Definition, NotFound, RecordView, db, documents, find_app
from plugins.worksheets.records import Door, Row, open_door


def record_views(rows: Iterable[Row]) -> list[RecordView]:
    """Return rows as computations see them, in the same order."""
    return [RecordView(seq=row.seq, vals=msgspec.json.decode(row.vals), created_at=row.created_at, created_by=row.created_by,
                       updated_at=row.updated_at, updated_by=row.updated_by) for row in rows]


def reader(app: App) -> AppReader:
    """Return what reads for the computed values of an app's records, through the session's connection."""
    return AppReader(app)


class AppReader:
    """See `compute.Reader`. Remembers the bodies it gave, so let it go with the page."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.connection = db.session.connection()
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
        door, worksheet = self._door(address)
        return {} if door is None else {one.seq: one for one in record_views(door.some(worksheet, seqs))}

    def referring(self, address: str, field: str, seqs: Iterable[int]) -> Mapping[int, list[int]]:
        """Return, for each seq pointed to, the live records of worksheet *address* whose *field* points to it."""
        door, worksheet = self._door(address)
        found: dict[int, list[int]] = {}
        for seq, target in () if door is None else door.pointing(worksheet, field, list(dict.fromkeys(seqs))):
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
        if app is not None and body is not None:
            self._homes.update({id(definition): app for definition in body.get("fields", ())})
        return body

    def _app(self, address: str) -> App | None:
        if not address.startswith("app/"):
            return self.app
        app_id = address.split("/")[1]
        if app_id not in self._apps:
            self._apps[app_id] = find_app(app_id)
        return self._apps[app_id]

    def _door(self, address: str) -> tuple[Door | None, str]:
        """Return the door to the records of a live worksheet; None where it is not there."""
        app = self._app(address)
        if app is None or self.worksheet(address) is None:
            return None, ""
        return open_door(self.connection, app.id), address.rpartition("/")[2]


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
