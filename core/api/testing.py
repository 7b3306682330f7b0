"""The component laws: what every component promises, as tests that a plugin's own test suite runs too.

A plugin's test subclasses `ComponentLaws`, says which documents are its "full" fixture, and gives a fixture `app`: an app with
what every app starts with, its organization open::

    class TestNotes(ComponentLaws):
        component = "notes"

        def full(self) -> list[Document]:
            return [Document(kind="note", key="n_1111111111", body={...}, position=0)]

Source: docs/writing-a-plugin.md.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from core.apps import documents, service
from core.archive.errors import ArchiveError
from core.backups import ingest
from core.backups.catalog import backups_of, find_backup
from core.backups.inline import back_up, content_id, file_of, restore
from core.backups.merge import data_reports
from core.base.db import db, transaction
from core.base.errors import NotFound
from core.base.ids import SYSTEM
from core.extension.component import Document
from core.server import server
from core.tenancy.models import App
from core.tenancy.wall import as_tenant, tenant

FLIPS = 120
"""The number of bytes of a file that are flipped, spread over all of it; the archive's own tests flip every bit of a small one."""


def unfilled(schema: Mapping[str, Any], bodies: Iterable[Any]) -> set[str]:
    """Return the properties of a schema, as paths, that none of the bodies fills; a piece used twice counts once."""
    filled: set[tuple[int, str]] = set()
    for body in bodies:
        _fill(schema, schema, body, filled)
    return {path for path, place in _places(schema, schema, "", set()) if place not in filled}


class ComponentLaws:
    """The laws. Each is one test; each uses the fixture `app`."""

    component: ClassVar[str]

    def full(self) -> list[Document]:
        """Return documents that fill every property of the component's schemas."""
        raise NotImplementedError

    def around(self) -> list[Document]:
        """Return documents of other components that `full` points to."""
        return []

    def fill(self, app: App) -> None:
        """Bring the app to the full state; override it to add data."""
        documents.change(app, SYSTEM, put=[*self.around(), *self.full()])

    def damage(self, app: App) -> None:
        """Change what a restore must bring back: by default, everything that can be hidden is, the rest renamed."""
        mine = [d for d in documents.live(app) if documents.component_of(d.kind).name == self.component]
        single = {d.address for d in mine if server().registry.kind(d.kind)[1].single}
        documents.change(app, SYSTEM, hide=[d.address for d in mine if d.address not in single])

    def test_full(self, app: App) -> None:
        """The fixture fills every property, so that the other laws speak of all of them."""
        component = server().registry.components[self.component]
        for kind in component.kinds:
            bodies = [d.body for d in self.full() if d.kind == kind.name]
            assert set() == unfilled(kind.schema, bodies), kind.name

    def test_stable(self, app: App) -> None:
        """Twice the same state is twice the same digest, and a backup changes nothing."""
        self._filled(app)
        before = content_id(app)
        backup = back_up(app)
        assert before == backup.content_id == content_id(app)

    def test_faithful(self, app: App) -> None:
        """A backup restored into an empty app is the original."""
        self._filled(app)
        backup = back_up(app)
        with transaction():
            copy = service.create("Another", SYSTEM)
        restore(copy, backup, accept_origin=True)
        assert backup.content_id == content_id(copy)

    def test_undo(self, app: App) -> None:
        """A restore in place brings back exactly what was."""
        self._filled(app)
        before = content_id(app)
        backup = back_up(app)
        with transaction():
            self.damage(service.find(app.id))
        restore(service.find(app.id), backup)
        assert before == content_id(app)

    def test_repeatable(self, app: App) -> None:
        """A restore done twice does nothing more the second time."""
        self._filled(app)
        backup = back_up(app)
        with transaction():
            self.damage(service.find(app.id))
        restore(service.find(app.id), backup)
        again = restore(service.find(app.id), backup)
        for said in again["components"].values():
            assert {} == {k: v for k, v in said.get("documents", {}).items() if k != "unchanged" and v}
        assert 0 == sum(one.written for report in data_reports(again["components"]) for one in report.collections)

    def test_guarded(self, app: App) -> None:
        """A file with any byte changed is refused, and nothing of it is kept."""
        self._filled(app)
        data = file_of(back_up(app))
        chosen = random.Random(1).sample(range(len(data)), min(FLIPS, len(data)))
        for place in chosen:
            changed = bytearray(data)
            changed[place] ^= 1 << (place % 8)
            try:
                ingest.upload(io.BytesIO(changed), service.find(app.id), SYSTEM)
            except ArchiveError:
                continue
            raise AssertionError(f"a file with byte {place} changed was accepted")
        assert 1 == len(backups_of(app.id))

    def test_walled(self, app: App) -> None:
        """Another organization sees nothing of it."""
        self._filled(app)
        backup = back_up(app)
        app_id, backup_id, own = app.id, backup.id, tenant()
        with as_tenant("o_9999999999"):
            assert [] == service.all_apps()
            for look in (lambda: service.find(app_id), lambda: find_backup(backup_id)):
                try:
                    look()
                except NotFound:
                    continue
                raise AssertionError("another organization found it")
        assert own == tenant()

    def _filled(self, app: App) -> None:
        with transaction():
            self.fill(service.find(app.id))
        db.session.expire_all()


def _resolve(root: Mapping[str, Any], schema: Any) -> Any:
    while isinstance(schema, Mapping) and "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _branches(root: Mapping[str, Any], schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all that it may stand for."""
    schema = _resolve(root, schema)
    if not isinstance(schema, Mapping):
        return
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(word, ()):
            yield from _branches(root, one)
    for word in ("then", "else"):
        if word in schema:
            yield from _branches(root, schema[word])


def _fill(root: Mapping[str, Any], schema: Any, value: Any, filled: set[tuple[int, str]]) -> None:
    for branch in _branches(root, schema):
        if isinstance(value, Mapping):
            for name, inner in branch.get("properties", {}).items():
                if name in value:
                    filled.add((id(branch), name))
                    _fill(root, inner, value[name], filled)
        elif isinstance(value, list | tuple) and "items" in branch:
            for item in value:
                _fill(root, branch["items"], item, filled)


def _places(root: Mapping[str, Any], schema: Any, path: str, seen: set[int]) -> Iterator[tuple[str, tuple[int, str]]]:
    for branch in _branches(root, schema):
        if id(branch) in seen:
            continue
        seen.add(id(branch))
        for name, inner in branch.get("properties", {}).items():
            yield f"{path}/{name}", (id(branch), name)
            yield from _places(root, inner, f"{path}/{name}", seen)
        if isinstance(branch.get("items"), Mapping):
            yield from _places(root, branch["items"], f"{path}/*", seen)
