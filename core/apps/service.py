"""Verbs on whole apps: create, find, list, delete, and scripted edits. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from core.apps import documents, locks, parts
from core.base.db import db, transaction
from core.base.errors import AppkeepError, Conflict, InvalidInput, NotFound
from core.base.ids import new_key
from core.base.refs import split
from core.base.time import now_us
from core.extension.component import Document
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_server, as_tenant, tenant


def create(name: str, person: str, *, empty: bool = False) -> App:
    """Make an app of the current organization; unless *empty*, with what each component starts with."""
    app = App(id=new_key("a"), organization_id=tenant(), name=name, created_at=now_us(), created_by=person, revision=0)
    db.session.add(app)
    db.session.flush()
    locks.own(app)
    if not empty:
        start(app, person)
    server().registry.hook.app_created(app=app, person=person)
    db.session.flush()
    return app


def start(app: App, person: str) -> None:
    """Give a new app what each component starts with."""
    given = [d for c in server().registry.components.values() for d in c.starting_documents(app.name)]
    documents.change(app, person, put=given)


def find(app_id: str) -> App:
    """Return an app of the current organization.

    Raises:
        NotFound: there is none, or it belongs to another organization.
    """
    app = find_app(app_id)
    if app is None:
        raise NotFound(f"There is no app “{app_id[:40]}”.")
    return app


def find_app(app_id: str) -> App | None:
    """Return an app of the current organization, or None."""
    return db.session.scalar(select(App).where(App.id == app_id, App.deleted_at.is_(None)))


@contextmanager
def opened(app_id: str) -> Iterator[App]:
    """Give an app of any organization, as that organization: for the command line.

    Raises:
        NotFound: there is no such app.
    """
    with as_server():
        organization_id = db.session.scalar(select(App.organization_id).where(App.id == app_id))
    if organization_id is None:
        raise NotFound(f"There is no app “{app_id[:40]}”.")
    with as_tenant(organization_id):
        yield find(app_id)


def org_exists(organization_id: str, address: str) -> bool:
    """Say whether something outside apps ("department/d_…", "user/u_…") exists in the organization."""
    return bool(server().registry.hook.org_reference_exists(organization_id=organization_id, address=address))


def org_choices(organization_id: str, kind: str) -> list[tuple[str, str]]:
    """Return (address, name) of all of a kind ("user", "department", "org_role") in an organization, by name."""
    given = server().registry.hook.org_choices(organization_id=organization_id, kind=kind)
    return sorted((one for some in given for one in some), key=lambda one: (one[1].casefold(), one[0]))


def all_apps() -> list[App]:
    """Return the apps of the current organization by name."""
    return sorted(db.session.scalars(select(App).where(App.deleted_at.is_(None))), key=lambda a: (a.name, a.id))


def delete(app: App) -> None:
    """Remove an app from sight; its backups stay."""
    locks.alone(app)
    app.deleted_at = now_us()
    server().registry.hook.app_deleted(app=app)


def is_empty(app: App) -> bool:
    """Say whether the app holds nothing that a restore could overwrite: only what it started with, or less."""
    started = {d.address for c in server().registry.components.values() for d in c.starting_documents(app.name)}
    return {d.address for d in documents.live(app)} <= started and not documents.bin_of(app)


def apply(app: App, operations: Iterable[Mapping[str, Any]], person: str) -> list[Any]:
    """Do scripted edits in their order, all or none, and return what each answered.

    Raises:
        InvalidInput: an edit is not understood; the message says which (counted from 1).
    """
    script = Script(app, person)
    with transaction():
        locks.take(app)
        answers = list(script.edits(operations))
        for _ in script.checks():
            pass
    return answers


class Script:
    """One script's edits: which component does which, and what each must look at once all are in. The caller owns transactions."""

    def __init__(self, app: App, person: str) -> None:
        self.app, self.person = app, person
        self.verbs = {"put": self._put, "hide": self._hide, "bring_back": self._bring_back, "purge": self._purge,
                      "put_part": self._put_part}
        self.components = server().registry.components.values()
        self.operations = {name: verb for c in self.components for name, verb in c.operations().items()}
        self.number = 0

    def edits(self, operations: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
        """Do edits in their order and yield what each answered; called again, go on counting.

        Raises:
            InvalidInput: see `apply`.
        """
        for operation in operations:
            self.number += 1
            try:
                answer = self._do(operation)
            except AppkeepError as error:
                error.message = f"Edit {self.number}: {error.message}"
                error.args = (error.message,)
                error.details["edit"] = self.number
                raise
            yield answer

    def checks(self) -> Iterator[None]:
        """Have each component check what the edits made, once all are in; see `Component.edits_done`."""
        for component in self.components:
            yield from component.edits_done(self.app) or ()

    def _do(self, operation: Mapping[str, Any]) -> Any:
        name = operation.get("op") if isinstance(operation, Mapping) else None
        if name in self.verbs:
            return self.verbs[name](operation)
        if name in self.operations:
            return self.operations[name](self.app, operation, self.person)
        known = ", ".join(sorted([*self.verbs, *self.operations]))
        raise InvalidInput(f"unknown edit “{str(name)[:60]}”. Use one of: {known}.")

    def _put(self, operation: Mapping[str, Any]) -> Any:
        kind, key, part, _ = split(_address(operation))
        if part is not None:
            raise InvalidInput("“put” takes a whole document: send its body with the part changed.")
        if not isinstance(operation.get("body"), Mapping):
            raise InvalidInput("“put” needs the document's “body”, an object.")
        position = operation.get("position")
        if position is None:
            position = self._position(kind, key)
        if type(position) is not int or not 0 <= position < 2**31:
            raise InvalidInput("“position” must be a whole number from 0.")
        documents.put(self.app, Document(kind=kind, key=key, body=operation["body"], position=position), self.person)
        return {"document": f"{kind}/{key}"}

    def _put_part(self, operation: Mapping[str, Any]) -> Any:
        if not isinstance(operation.get("part"), str) or not isinstance(operation.get("body"), Mapping):
            raise InvalidInput("“put_part” needs the “part”, such as field, and its “body”, an object.")
        document = documents.get(self.app, _address(operation))
        parts.put_part(self.app, document, operation["part"], dict(operation["body"]), self.person)
        return {"document": document.address}

    def _position(self, kind: str, key: str) -> int:
        siblings = documents.live(self.app, kind)
        mine = [d.position for d in siblings if d.key == key]
        return mine[0] if mine else max((d.position + 1 for d in siblings), default=0)

    def _hide(self, operation: Mapping[str, Any]) -> Any:
        documents.hide(self.app, _address(operation), self.person)
        return {"document": operation["document"]}

    def _bring_back(self, operation: Mapping[str, Any]) -> Any:
        documents.bring_back(self.app, _address(operation), self.person)
        return {"document": operation["document"]}

    def _purge(self, operation: Mapping[str, Any]) -> Any:
        documents.purge(self.app, _address(operation), self.person)
        return {"document": operation["document"]}


def _address(operation: Mapping[str, Any]) -> str:
    address = operation.get("document")
    if not isinstance(address, str):
        raise InvalidInput("“document” is missing: an address such as page/p_….")
    try:
        split(address)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error
    return address


def rename(app: App, name: str) -> None:
    """Copy the name that the app's documents give it into the table of apps."""
    if not name:
        raise Conflict("An app needs a name.")
    app.name = name[:200]
